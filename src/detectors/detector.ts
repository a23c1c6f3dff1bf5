import type { Config } from "../config/schema.ts";
import type { Finding, Snapshot } from "../model.ts";

/** One symptom, found by rules over what a scan read. Pure: the same snapshot and settings give the same findings. */
export interface Detector {
  /** Stable, kebab-case; part of the fingerprint. */
  readonly id: string;
  /** One sentence for the catalogue. */
  readonly summary: string;
  detect(snapshot: Snapshot, settings: Config["detect"]): Finding[];
}
