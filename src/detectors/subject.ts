import { conditionOf } from "../kube/conditions.ts";
import { flagAt, numberAt, textAt, timeOf } from "../kube/fields.ts";
import { latestRun } from "../kube/runs.ts";
import type { ContainerState, EventState, PodState, Termination, Workload } from "../model.ts";

/** The API's default of `progressDeadlineSeconds`, which StatefulSets and DaemonSets do not have. */
const DEADLINE_SECONDS = 600;

/**
 * Is the workload meant to run? No for what is being deleted, scaled to zero, suspended, paused or completed: nothing
 * there is a fault.
 */
export function isActive(workload: Workload): boolean {
  const { object } = workload;
  if (object.metadata.deletionTimestamp !== undefined) return false;
  if (numberAt(object, "spec", "replicas") === 0) return false;
  if (flagAt(object, "spec", "suspend") || flagAt(object, "spec", "paused")) return false;
  return object.kind !== "Job" || conditionOf(object, "Complete")?.status !== "True";
}

/**
 * The pods that speak for what the workload is now: of its current revision (an older revision's failure is not the new
 * one's fault; OnDelete workloads keep their pods), of a CronJob's latest run, and without those that the cluster itself
 * ended or moved: deleted, evicted, preempted, or lost with their node.
 */
export function subjectPods(workload: Workload): PodState[] {
  if (!isActive(workload)) return [];
  const counted = workload.pods.filter((pod) => isCounted(pod, workload));
  if (workload.object.kind === "CronJob") return latestRun(counted);
  if (textAt(workload.object, "spec", "updateStrategy", "type") === "OnDelete" || workload.revisions.length === 0)
    return counted;
  const current = workload.revisions.find((revision) => revision.current)?.name;
  // None is current: the controller has not yet seen the newest template, so nothing can be said of it.
  return current === undefined ? [] : counted.filter((pod) => pod.revision === undefined || pod.revision === current);
}

/** `status.reason` of pods that the kubelet or a controller ended for the cluster's own reasons. */
const MOVED = new Set(["Evicted", "NodeLost", "NodeShutdown", "NodeAffinity", "Preempting", "Shutdown", "Terminated"]);

function isCounted(pod: PodState, workload: Workload): boolean {
  const { kind } = workload.object;
  if (pod.deleting || pod.phase === "Unknown" || MOVED.has(pod.reason ?? "")) return false;
  if (pod.conditions.some((condition) => condition.type === "DisruptionTarget" && condition.status === "True"))
    return false;
  // A run that succeeded ends the failures before it.
  if (pod.phase === "Succeeded") return kind === "CronJob";
  // A pod that is always restarted fails as a whole only when it was not admitted or was ended from outside.
  return pod.phase !== "Failed" || pod.reason === undefined || kind === "Job" || kind === "CronJob" || kind === "Pod";
}

/** Ready pods of revisions that are not the current one. */
export function readyElsewhere(workload: Workload): number {
  const current = workload.revisions.find((revision) => revision.current)?.name;
  if (current === undefined) return 0;
  const told = workload.revisions
    .filter((revision) => !revision.current)
    .reduce((sum, revision) => sum + revision.readyReplicas, 0);
  // ControllerRevisions do not count their pods.
  const seen = workload.pods.filter(
    (pod) => pod.ready && !pod.deleting && pod.revision !== undefined && pod.revision !== current,
  ).length;
  return Math.max(told, seen);
}

/**
 * Is a rollout under way that its own deadline still allows to become healthy? A Deployment says so itself; of the others
 * the current revision must be younger than the same default deadline.
 */
export function isRollingOut(workload: Workload, now: number): boolean {
  if (workload.object.kind === "Deployment") {
    const progressing = conditionOf(workload.object, "Progressing");
    if (progressing !== undefined)
      return progressing.status === "True" && progressing.reason !== "NewReplicaSetAvailable";
  }
  const deadline = (numberAt(workload.object, "spec", "progressDeadlineSeconds") ?? DEADLINE_SECONDS) * 1000;
  const born =
    timeOf(workload.revisions.find((revision) => revision.current)?.createdAt) ??
    timeOf(workload.object.metadata.creationTimestamp);
  return born !== undefined && now - born < deadline;
}

/** Events on one pod that were seen within `recentMs`, newest first. */
export function eventsOn(workload: Workload, pod: PodState, now: number, recentMs: number): EventState[] {
  return workload.events.filter(
    (event) => event.on.kind === "Pod" && event.on.name === pod.name && isRecent(event.lastSeen, now, recentMs),
  );
}

/** True for a time that cannot be read: what is not known must not hide a fault. */
export function isRecent(time: string | undefined, now: number, recentMs: number): boolean {
  const at = timeOf(time);
  return at === undefined || now - at <= recentMs;
}

/** One container of one pod that shows a symptom. */
export interface Hit {
  readonly pod: PodState;
  readonly container: ContainerState;
}

/** Hits by container name, in the order in which they were found. */
export function byContainer<H extends Hit>(hits: readonly H[]): Map<string, H[]> {
  const groups = new Map<string, H[]>();
  for (const hit of hits) groups.set(hit.container.name, [...(groups.get(hit.container.name) ?? []), hit]);
  return groups;
}

/** How a container ended: now, or the run before this one. */
export function lastEnd(container: ContainerState): Termination | undefined {
  return container.terminated ?? container.last;
}

/** `3 pods`, `1 pod`. */
export function podCount(hits: readonly { readonly pod: PodState }[]): number {
  return new Set(hits.map((hit) => hit.pod.name)).size;
}

export const OUTLIVED = "It has run for longer now than before it ended last: it may have recovered by itself.";

/** Has it run for more than twice as long as before its last end, and a minute more? False when it does not run. */
export function hasOutlived(container: ContainerState, now: number): boolean {
  const running = timeOf(container.running?.startedAt);
  const from = timeOf(container.last?.startedAt);
  const to = timeOf(container.last?.finishedAt);
  return running !== undefined && from !== undefined && to !== undefined && now - running > 2 * (to - from) + 60_000;
}
