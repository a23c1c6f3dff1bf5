/**
 * What a setting must say for a right to be needed. Plain data and not code, because the Helm chart chooses by the same conditions
 * (`deploy/chart/files/rights.yaml` is written from grants.ts).
 */
export interface Condition {
  /** Path in `stanch.yaml`. */
  readonly setting: string;
  readonly is?: string | boolean | number;
  readonly isNot?: string | boolean | number;
  /** The setting is a list, and holds this. */
  readonly has?: string;
  /** The setting is a list, and holds anything. */
  readonly some?: true;
}
