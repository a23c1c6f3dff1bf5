import { createHash } from "node:crypto";
import { keyOf } from "../kube/ref.ts";
import type { ObjectRef, SymptomKind } from "../model.ts";

/**
 * Names a finding over runs, pods, tags and numbers: 16 hex digits of the SHA-256 of detector, owner (without API
 * version), container and symptom kind. Incidents, branches and pull requests hang on it: never change what goes in.
 */
export function fingerprintOf(finding: {
  readonly detector: string;
  readonly workload: ObjectRef;
  readonly container?: string;
  readonly kind: SymptomKind;
}): string {
  const parts = [finding.detector, keyOf(finding.workload), finding.container ?? "", finding.kind];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}
