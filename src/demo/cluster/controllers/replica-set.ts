import type { KubeObject } from "../../../model.ts";
import { ApiError } from "../server/api-error.ts";
import { isReady } from "../server/subresources.ts";
import type { Condition, Pod, PodOwner } from "../shapes.ts";
import type { Actor } from "./actor.ts";
import { conditionOf, podFrom, withCondition } from "./actor.ts";

/** Is a pod one that counts: not over, not on its way out? */
export function isActive(pod: Pod): boolean {
  return (
    pod.metadata.deletionTimestamp === undefined && pod.status?.phase !== "Succeeded" && pod.status?.phase !== "Failed"
  );
}

/** Reconciles ReplicaSets: as many pods as wanted, unready and young ones go first, status. */
export function createReplicaSetController(actor: Actor): (object: KubeObject) => void {
  const failures = new Map<string, number>();
  const { timeline, events } = actor;

  function reconcile(object: KubeObject): void {
    const set = object as PodOwner;
    if (set.metadata.deletionTimestamp !== undefined) return;
    const pods = (actor.owned("Pod", set) as Pod[]).filter(isActive);
    const wanted = set.spec.replicas ?? 1;
    let failure: string | undefined;
    for (let made = pods.length; made < wanted; made += 1) {
      failure = tryCreate(set);
      if (failure !== undefined) break;
    }
    for (const pod of doomed(pods, pods.length - wanted)) {
      actor.remove(pod);
      events.normal(set, "SuccessfulDelete", `Deleted pod: ${pod.metadata.name}`);
    }
    report(set, failure);
  }

  function tryCreate(set: PodOwner): string | undefined {
    const uid = set.metadata.uid ?? "";
    try {
      const pod = actor.create(podFrom(set, { generateName: `${set.metadata.name}-` }, {}));
      events.normal(set, "SuccessfulCreate", `Created pod: ${pod.metadata.name}`);
      failures.delete(uid);
      return undefined;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      events.warning(set, "FailedCreate", `Error creating: ${error.message}`);
      const count = (failures.get(uid) ?? 0) + 1;
      failures.set(uid, count);
      timeline.after(Math.min(300, 0.05 * 2 ** count), `retry/${uid}`, () => {
        const again = actor.get("ReplicaSet", set.metadata.namespace ?? "", set.metadata.name);
        if (again !== undefined) reconcile(again);
      });
      return error.message;
    }
  }

  function doomed(pods: readonly Pod[], surplus: number): Pod[] {
    const rank = (pod: Pod): number => (pod.spec.nodeName === undefined ? 0 : isReady(pod) ? 2 : 1);
    const ordered = [...pods].sort(
      (a, b) =>
        rank(a) - rank(b) || (b.metadata.creationTimestamp ?? "").localeCompare(a.metadata.creationTimestamp ?? ""),
    );
    return ordered.slice(0, Math.max(0, surplus));
  }

  function report(stale: PodOwner, failure: string | undefined): void {
    const set = actor.get("ReplicaSet", stale.metadata.namespace ?? "", stale.metadata.name) as PodOwner | undefined;
    if (set === undefined) return;
    const pods = (actor.owned("Pod", set) as Pod[]).filter(isActive);
    const ready = pods.filter(isReady);
    const available = ready.filter((pod) => isAvailable(set, pod));
    const old = (set.status?.conditions ?? []) as Condition[];
    const conditions =
      failure === undefined
        ? pods.length >= (set.spec.replicas ?? 1)
          ? []
          : old
        : conditionOf(set, "ReplicaFailure") === undefined
          ? withCondition(
              old,
              { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: failure },
              timeline.stamp(),
            ).map(({ lastUpdateTime: _, ...rest }) => rest)
          : old;
    actor.status(set, {
      replicas: pods.length,
      ...(pods.length > 0 ? { fullyLabeledReplicas: pods.length } : {}),
      ...(ready.length > 0 ? { readyReplicas: ready.length } : {}),
      ...(available.length > 0 ? { availableReplicas: available.length } : {}),
      terminatingReplicas: 0,
      observedGeneration: set.metadata.generation ?? 1,
      ...(conditions.length > 0 ? { conditions } : {}),
    });
  }

  function isAvailable(set: PodOwner, pod: Pod): boolean {
    const wait = Number(set.spec.minReadySeconds ?? 0);
    if (wait === 0) return true;
    const since = Date.parse(conditionOf(pod, "Ready")?.lastTransitionTime ?? "");
    const missing = wait - timeline.secondsSince(since);
    if (missing <= 0) return true;
    timeline.after(missing, `available/${set.metadata.uid}`, () => {
      const again = actor.get("ReplicaSet", set.metadata.namespace ?? "", set.metadata.name);
      if (again !== undefined) reconcile(again);
    });
    return false;
  }

  return reconcile;
}
