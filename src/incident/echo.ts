import type { Finding, SymptomKind } from "../model.ts";
import type { Incident } from "./incident.ts";

/** Symptoms that are how things are now, and began with an object that may be older than the fault. */
const PRESENT: ReadonlySet<SymptomKind> = new Set([
  "NoEndpoints",
  "WrongPort",
  "BrokenRoute",
  "ClaimPending",
  "ScalingInactive",
  "SyncFailed",
  "ManifestRefused",
  "CutOff",
]);

/**
 * Is what a finding tells of the past of an incident that was just resolved? Restarts and events outlive the fault by
 * `detect.recent`; what began after it was resolved is a recurrence at once.
 */
export function isEcho(finding: Finding, { spec, status }: Incident, now: Date, recent: number): boolean {
  const resolved = Date.parse(status?.resolvedAt ?? "");
  return (
    status?.phase === "Resolved" &&
    !PRESENT.has(finding.symptom.kind) &&
    (spec.fingerprint === finding.fingerprint || status.covers.includes(finding.fingerprint)) &&
    now.getTime() - resolved < recent &&
    Date.parse(finding.since) < resolved
  );
}
