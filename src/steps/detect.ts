import type { Config } from "../config/schema.ts";
import type { Detector } from "../detectors/detector.ts";
import { detectors as all } from "../detectors/index.ts";
import { keyOf, sameRef } from "../kube/ref.ts";
import { referencesTo } from "../kube/references.ts";
import type { Finding, Snapshot, SymptomKind, Workload } from "../model.ts";

/** From the most specific symptom to the least: where two tell of one fault, the earlier one stands. */
const PRECEDENCE: readonly SymptomKind[] = [
  "ConfigMissing",
  "ImagePull",
  "OOMKilled",
  "LivenessKill",
  "CrashLoop",
  "PodsRefused",
  "ClaimPending",
  "Unschedulable",
  "NotReady",
  "RolloutStuck",
  "InitWaiting",
  "NoEndpoints",
  "WrongPort",
  "BrokenRoute",
  "ScalingInactive",
  "SyncFailed",
  "ManifestRefused",
  "CutOff",
  "Complains",
];

/**
 * Finds every symptom of a snapshot: one finding for each fault, the most severe first. Pure and deterministic: the same
 * snapshot and settings give the same findings in the same order.
 */
export function detect(
  snapshot: Snapshot,
  settings: Config["detect"],
  detectors: readonly Detector[] = all,
): Finding[] {
  const found = detectors.flatMap((detector) => detector.detect(snapshot, settings));
  const workloads = new Map(snapshot.workloads.map((workload) => [keyOf(workload.ref), workload]));
  return found
    .filter(
      (finding, index) =>
        !found.some(
          (other, at) =>
            at !== index && tellsMore(other, finding, at < index) && isSameFault(other, finding, workloads),
        ),
    )
    .map((finding) => ripened(finding, found))
    .toSorted((a, b) => compare(a, b, workloads));
}

/** A missed deadline is the proof that a container which is not ready was still waiting for. */
function ripened(finding: Finding, found: readonly Finding[]): Finding {
  if (finding.symptom.kind !== "NotReady" || finding.unripe === undefined) return finding;
  const missed = found.some(
    (other) => other.symptom.kind === "RolloutStuck" && sameRef(other.workload, finding.workload),
  );
  if (!missed) return finding;
  const { unripe: _, ...ripe } = finding;
  return ripe;
}

/** A total order, so that of two findings of one fault exactly one stands: ripe before unripe, then by precedence. */
function tellsMore(a: Finding, b: Finding, earlier: boolean): boolean {
  // Across containers and objects only the kind decides: an unripe cause still explains a ripe consequence.
  const order =
    (a.container === b.container && sameRef(a.workload, b.workload) ? ripeness(a) - ripeness(b) : 0) ||
    rank(a) - rank(b);
  return order < 0 || (order === 0 && earlier);
}

function isSameFault(cause: Finding, finding: Finding, workloads: ReadonlyMap<string, Workload>): boolean {
  if (cause.fingerprint === finding.fingerprint) return true;
  const workload = workloads.get(keyOf(finding.workload));
  if (sameRef(cause.workload, finding.workload)) {
    switch (finding.symptom.kind) {
      // What any other finding of the workload explains. One that is not to be acted on yet must not hide it.
      case "RolloutStuck":
        return cause.unripe === undefined || cause.symptom.kind === "NotReady";
      // A missed deadline is proof that it was waited for long enough.
      case "InitWaiting":
        return cause.symptom.kind === "RolloutStuck" || cause.container === finding.container;
      // A container that is not ready beside one that fails waits for it, more often than not.
      case "NotReady":
        return cause.container === finding.container || cause.symptom.kind !== "NotReady";
      case "Unschedulable":
        return cause.symptom.kind === "ClaimPending";
      // A mount that fails keeps every container of the pod; a missing reference of one is enough.
      case "ConfigMissing":
        return cause.symptom.kind === "ConfigMissing" && namesSame(cause, finding);
      // A Job that failed without a container's name: the containers tell more.
      case "CrashLoop":
        return finding.container === undefined || cause.container === finding.container;
      default:
        return cause.container !== undefined && cause.container === finding.container;
    }
  }
  if (finding.symptom.kind === "Unschedulable" && cause.symptom.kind === "ClaimPending") {
    return (
      workload !== undefined &&
      cause.workload.namespace === finding.workload.namespace &&
      referencesTo(workload.object, "PersistentVolumeClaim", cause.workload.name).length > 0
    );
  }
  return false;
}

function namesSame(a: Finding, b: Finding): boolean {
  return (
    a.symptom.kind === "ConfigMissing" &&
    b.symptom.kind === "ConfigMissing" &&
    a.symptom.refKind === b.symptom.refKind &&
    a.symptom.name === b.symptom.name &&
    a.symptom.key === b.symptom.key
  );
}

function compare(a: Finding, b: Finding, workloads: ReadonlyMap<string, Workload>): number {
  return (
    ripeness(a) - ripeness(b) ||
    outage(a, workloads) - outage(b, workloads) ||
    rank(a) - rank(b) ||
    b.pods - a.pods ||
    order(keyOf(a.workload), keyOf(b.workload)) ||
    order(a.container ?? "", b.container ?? "") ||
    order(a.fingerprint, b.fingerprint)
  );
}

/** Nothing serves any more: first. */
function outage(finding: Finding, workloads: ReadonlyMap<string, Workload>): number {
  return (workloads.get(keyOf(finding.workload))?.readyCount ?? 0) === 0 ? 0 : 1;
}

function ripeness(finding: Finding): number {
  return finding.unripe === undefined ? 0 : 1;
}

function rank(finding: Finding): number {
  return PRECEDENCE.indexOf(finding.symptom.kind);
}

/** By code units, so that no machine's language changes it. */
function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
