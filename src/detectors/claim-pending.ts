import { formatDuration } from "../config/duration.ts";
import { listAt, textAt, timeOf } from "../kube/fields.ts";
import type { ClaimState, EventState, Finding, ObjectRef, Workload } from "../model.ts";
import type { Detector } from "./detector.ts";
import { eventFact, plainText } from "./evidence.ts";
import { makeFinding } from "./finding.ts";

const NO_CLASS = /storageclass(?:\.storage\.k8s\.io)? "[^"]*" not found/i;
/** Normal events of a claim that waits for its first pod, on purpose. */
const WAITS_FOR_POD = new Set(["WaitForFirstConsumer", "WaitForPodScheduled"]);
const FAILURES = new Set([
  "ProvisioningFailed",
  "FailedBinding",
  "VolumeMismatch",
  "ProvisioningCleanupFailed",
  "ClaimLost",
  "ClaimMisbound",
]);

/** A PersistentVolumeClaim that is not bound, longer than `detect.pending`; one that waits for its first consumer is well. */
export const claimPending: Detector = {
  id: "claim-pending",
  summary: "A PersistentVolumeClaim is not bound: no such storage class, no volume, or provisioning fails.",
  detect(snapshot, settings) {
    const now = Date.parse(snapshot.takenAt);
    const groups = new Map<string, { ref: ObjectRef; claims: { claim: ClaimState; trouble: Trouble }[] }>();
    for (const claim of snapshot.claims) {
      const trouble = troubleOf(claim, now, settings.pending);
      if (trouble === null) continue;
      const ref = ownerOf(claim, snapshot.workloads);
      const key = `${ref.kind}/${ref.namespace}/${ref.name}`;
      const group = groups.get(key) ?? { ref, claims: [] };
      groups.set(key, { ref, claims: [...group.claims, { claim, trouble }] });
    }
    return [...groups.values()].map(({ ref, claims }) => finding(ref, claims, snapshot.takenAt));
  },
};

interface Trouble {
  readonly message: string;
  readonly events: readonly EventState[];
  readonly unripe: string | undefined;
}

function troubleOf({ object, events }: ClaimState, now: number, patience: number): Trouble | null {
  const phase = textAt(object, "status", "phase");
  if (object.metadata.deletionTimestamp !== undefined || phase === "Bound") return null;
  const failures = events.filter((event) => FAILURES.has(event.reason));
  if (phase === "Lost")
    return { message: failures[0]?.message ?? "The claim lost its volume.", events: failures, unripe: undefined };
  const noClass = failures.find((event) => NO_CLASS.test(event.message));
  if (noClass !== undefined) return { message: noClass.message, events: failures, unripe: undefined };
  if (failures.length === 0 && events.some((event) => WAITS_FOR_POD.has(event.reason))) return null;
  const created = timeOf(object.metadata.creationTimestamp);
  const waited = created === undefined ? patience : now - created;
  return {
    message: failures[0]?.message ?? events[0]?.message ?? "The claim is not bound, and no event says why.",
    events: failures.length === 0 ? events : failures,
    unripe:
      waited >= patience
        ? undefined
        : `It is not bound since ${formatDuration(waited)}; it counts after ${formatDuration(patience)}.`,
  };
}

/** The StatefulSet whose `volumeClaimTemplates` made a claim (`data-db-0`), because the fix belongs there; else the claim itself. */
function ownerOf({ ref }: ClaimState, workloads: readonly Workload[]): ObjectRef {
  const made = workloads.find(
    ({ ref: workload, object }) =>
      workload.kind === "StatefulSet" &&
      workload.namespace === ref.namespace &&
      listAt(object, "spec", "volumeClaimTemplates").some((template) => {
        const prefix = `${textAt(template, "metadata", "name") ?? ""}-${workload.name}-`;
        return ref.name.startsWith(prefix) && /^\d+$/.test(ref.name.slice(prefix.length));
      }),
  );
  return made?.ref ?? ref;
}

function finding(
  workload: ObjectRef,
  claims: readonly { claim: ClaimState; trouble: Trouble }[],
  takenAt: string,
): Finding {
  const ripe = claims.find(({ trouble }) => trouble.unripe === undefined) ?? claims[0];
  const message = plainText(ripe?.trouble.message ?? "");
  const name = ripe?.claim.ref.name ?? workload.name;
  const storageClass = textAt(ripe?.claim.object, "spec", "storageClassName");
  return makeFinding(
    {
      detector: claimPending.id,
      workload,
      symptom: { kind: "ClaimPending", message },
      summary: `Claim ${name} is not bound: ${message}`,
      facts: [
        {
          kind: "status",
          text: `PersistentVolumeClaim ${name}: ${textAt(ripe?.claim.object, "status", "phase") ?? "not bound"}; ${message}`,
        },
        {
          kind: "spec",
          text:
            storageClass === undefined
              ? `Claim ${name} names no storage class.`
              : `Claim ${name} asks for storage class "${storageClass}".`,
        },
        ...(ripe?.trouble.events ?? []).slice(0, 2).map(eventFact),
      ],
      since: claims.map(({ claim }) => claim.object.metadata.creationTimestamp),
      pods: 0,
      unripe: ripe?.trouble.unripe,
    },
    takenAt,
  );
}
