import { formatDuration } from "../config/duration.ts";
import type { Config } from "../config/schema.ts";
import { conditionOf } from "../kube/conditions.ts";
import { numberAt, textAt, timeOf } from "../kube/fields.ts";
import type { Finding, PodState, Snapshot, Workload } from "../model.ts";
import type { Detector } from "./detector.ts";
import { containerFact, eventFact, type Fact, plainText } from "./evidence.ts";
import { makeFinding } from "./finding.ts";
import { missingReferences } from "./missing-reference.ts";
import { eventsOn, isActive, isRollingOut, readyElsewhere, subjectPods } from "./subject.ts";

/**
 * A rollout that exceeded its deadline, or whose new pods stay unready past it while the old revision serves. The finding
 * of last resort: one that names a container says more, and `detect` then drops this one.
 */
export const rolloutStuck: Detector = {
  id: "rollout-stuck",
  summary: "A rollout does not finish: its new pods do not become ready before its deadline.",
  detect(snapshot, settings) {
    return snapshot.workloads.filter(isActive).flatMap((workload) => {
      const found = stuck(workload, snapshot);
      if (found.length > 0) return found;
      const left = blocked(workload, snapshot, settings.notReady);
      return left.length > 0 ? left : unmounted(workload, snapshot, settings);
    });
  },
};

function stuck(workload: Workload, snapshot: Snapshot): Finding[] {
  const now = Date.parse(snapshot.takenAt);
  const oldReady = readyElsewhere(workload);
  const waiting = subjectPods(workload).filter((pod) => !pod.ready);
  if (workload.object.kind === "Deployment") {
    const progressing = conditionOf(workload.object, "Progressing");
    if (progressing?.reason !== "ProgressDeadlineExceeded" || isComplete(workload)) return [];
    return [
      finding(
        workload,
        waiting,
        oldReady,
        progressing.message ?? "The progress deadline was exceeded.",
        progressing.since,
        snapshot.takenAt,
      ),
    ];
  }
  // The others have no deadline; an old revision that serves beside a new one that does not is the same fault.
  if (workload.object.kind !== "StatefulSet" && workload.object.kind !== "DaemonSet") return [];
  if (oldReady === 0 || waiting.length === 0 || isRollingOut(workload, now)) return [];
  const message = `${waiting.length} pod${waiting.length === 1 ? "" : "s"} of the new revision ${waiting.length === 1 ? "is" : "are"} not ready, ${oldReady} of the old one ${oldReady === 1 ? "is" : "are"}.`;
  return [finding(workload, waiting, oldReady, message, waiting[0]?.createdAt, snapshot.takenAt)];
}

/**
 * A StatefulSet waits for every pod to be ready before it replaces the next: a pod that an older, broken revision left
 * behind stays for ever, even when the template is right again, until somebody deletes it (Kubernetes' documentation calls
 * it forced rollback). No older revision is the answer, so `oldReady` is 0.
 */
function blocked(workload: Workload, snapshot: Snapshot, patience: number): Finding[] {
  const { object } = workload;
  const ordered =
    textAt(object, "spec", "podManagementPolicy") !== "Parallel" &&
    textAt(object, "spec", "updateStrategy", "type") !== "OnDelete";
  const current = workload.revisions.find((revision) => revision.current)?.name;
  if (object.kind !== "StatefulSet" || !ordered || current === undefined) return [];
  const partition = numberAt(object, "spec", "updateStrategy", "rollingUpdate", "partition") ?? 0;
  const left = workload.pods.filter(
    (pod) =>
      !pod.ready &&
      !pod.deleting &&
      pod.revision !== undefined &&
      pod.revision !== current &&
      ordinalOf(pod) >= partition &&
      isBroken(pod),
  );
  const first = left[0];
  if (first === undefined) return [];
  const since =
    first.conditions.find((condition) => condition.type === "Ready" && condition.status === "False")?.since ??
    first.createdAt;
  const waited = Date.parse(snapshot.takenAt) - (timeOf(since) ?? 0);
  const message = `Pod ${first.name} is of an older revision and not ready, and the StatefulSet does not replace it before it is; it must be deleted.`;
  const unripe =
    waited >= patience
      ? undefined
      : `It is not ready since ${formatDuration(waited)}; it counts after ${formatDuration(patience)}.`;
  return [finding(workload, left, 0, message, since, snapshot.takenAt, unripe)];
}

/**
 * Pods whose volumes cannot be mounted, longer than `detect.pending`, for another reason than a ConfigMap or Secret that is not there: they
 * never start, and no deadline needs to be waited for.
 */
function unmounted(workload: Workload, snapshot: Snapshot, settings: Config["detect"]): Finding[] {
  const now = Date.parse(snapshot.takenAt);
  for (const pod of subjectPods(workload)) {
    const creating = pod.containers.some((container) => container.waiting?.reason === "ContainerCreating");
    const event = eventsOn(workload, pod, now, settings.recent).find(
      ({ reason, message }) => FAILED_MOUNT.has(reason) && missingReferences(message).length === 0,
    );
    if (!creating || pod.phase !== "Pending" || event === undefined) continue;
    const waited = now - (timeOf(event.firstSeen) ?? now);
    const unripe =
      waited >= settings.pending
        ? undefined
        : `The mount fails since ${formatDuration(waited)}; it counts after ${formatDuration(settings.pending)}.`;
    return [
      finding(workload, [pod], readyElsewhere(workload), event.message, event.firstSeen, snapshot.takenAt, unripe),
    ];
  }
  return [];
}

const FAILED_MOUNT = new Set(["FailedMount", "FailedAttachVolume", "FailedMapVolume"]);

function ordinalOf(pod: PodState): number {
  return Number(/-(\d+)$/.exec(pod.name)?.[1] ?? 0);
}

/** Something is wrong with it that starting up does not explain. */
function isBroken(pod: PodState): boolean {
  return pod.containers.some(
    (container) =>
      container.restarts > 0 ||
      (container.waiting !== undefined &&
        container.waiting.reason !== "ContainerCreating" &&
        container.waiting.reason !== "PodInitializing") ||
      (container.running !== undefined && !container.ready),
  );
}

/** The condition may lag behind pods that have just become ready. */
function isComplete({ object }: Workload): boolean {
  const wanted = numberAt(object, "spec", "replicas") ?? 1;
  const of = (name: string) => numberAt(object, "status", name) ?? 0;
  return of("updatedReplicas") >= wanted && of("availableReplicas") >= wanted && of("replicas") === wanted;
}

function finding(
  workload: Workload,
  waiting: readonly PodState[],
  oldReady: number,
  message: string,
  since: string | undefined,
  takenAt: string,
  unripe?: string,
): Finding {
  const names = new Set(waiting.map((pod) => pod.name));
  const events = workload.events.filter((event) => names.has(event.on.name) || event.on.kind === workload.ref.kind);
  const facts: Fact[] = [
    { kind: "status", text: message, ...(since === undefined ? {} : { at: since }) },
    {
      kind: "status",
      text:
        oldReady === 0
          ? "No pod of an older revision is ready."
          : `${oldReady} pod${oldReady === 1 ? "" : "s"} of an older revision still serve.`,
    },
    ...waiting
      .slice(0, 2)
      .flatMap((pod) =>
        pod.containers
          .filter((container) => !container.ready && !container.init)
          .map((container) => containerFact(pod, container)),
      ),
    ...events.slice(0, 3).map(eventFact),
  ];
  return makeFinding(
    {
      detector: rolloutStuck.id,
      workload: workload.ref,
      symptom: { kind: "RolloutStuck", message: plainText(message), oldReady },
      summary: `The rollout does not finish: ${message}`,
      facts,
      since: [since],
      pods: waiting.length,
      unripe,
    },
    takenAt,
  );
}
