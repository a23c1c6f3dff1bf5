import type { TimelineEntry } from "../incident/incident.ts";
import type { Change, Commit, Evidence, FileEdit, Finding, Location, Proof, Verification } from "../model.ts";

/** Everything that a pull request tells, from the facts of the incident; no text of a model's is needed. */
export interface PullRequestReport {
  readonly incident: {
    readonly namespace: string;
    readonly name: string;
    readonly detectedAt: string;
    readonly recurrences: number;
  };
  readonly cluster: string;
  readonly finding: Finding;
  /** Other findings that the same change fixes. */
  readonly covers: number;
  readonly cause: string;
  readonly reason: string;
  readonly title: string;
  readonly remedy: string;
  readonly changes: readonly Change[];
  readonly culprit?: Commit;
  /** Who last wrote the lines that are changed. */
  readonly blame: readonly { readonly location: Location; readonly commit: Commit }[];
  /** The change stands live, since when, and what was seen. Absent: Git only. */
  readonly live?: { readonly appliedAt: string; readonly verification?: Verification };
  /** Why nothing was changed live. */
  readonly gitOnly?: string;
  readonly edits: readonly FileEdit[];
  readonly proof: Proof;
  readonly evidence: readonly Evidence[];
  readonly timeline: readonly TimelineEntry[];
  readonly onClose: "undo" | "keep";
  readonly silenceDays: number;
  readonly version: string;
  readonly revision: string;
}
