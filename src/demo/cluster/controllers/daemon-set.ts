import type { KubeObject } from "../../../model.ts";
import { ApiError } from "../server/api-error.ts";
import { isReady } from "../server/subresources.ts";
import type { Pod, PodOwner } from "../shapes.ts";
import type { Actor } from "./actor.ts";
import { podFrom } from "./actor.ts";
import { isActive } from "./replica-set.ts";
import { ensureRevision } from "./stateful-set.ts";

const HASH = "controller-revision-hash";

/** Reconciles DaemonSets: one pod for each node that matches, replaced one at a time when the template changes. */
export function createDaemonSetController(actor: Actor): (object: KubeObject) => void {
  return (object) => {
    const set = object as PodOwner;
    if (set.metadata.deletionTimestamp !== undefined) return;
    const hash = ensureRevision(actor, set).slice(set.metadata.name.length + 1);
    const selector = Object.entries(set.spec.template.spec.nodeSelector ?? {});
    const nodes = actor
      .list("Node")
      .filter((node) => selector.every(([key, value]) => node.metadata.labels?.[key] === value));
    const pods = (actor.owned("Pod", set) as Pod[]).filter(isActive);
    const targetOf = (pod: Pod): string | undefined =>
      pod.spec.nodeName ?? (pod.spec.nodeSelector?.["kubernetes.io/hostname"] as string | undefined);
    for (const node of nodes) {
      if (!pods.some((pod) => targetOf(pod) === node.metadata.name)) create(actor, set, node.metadata.name, hash);
    }
    const old = pods.filter((pod) => pod.metadata.labels?.[HASH] !== hash);
    const unready = pods.filter((pod) => !isReady(pod)).length;
    const strategy = set.spec.updateStrategy as { type?: string; rollingUpdate?: { maxUnavailable?: number | string } };
    if (strategy.type === "RollingUpdate") {
      const most = Number.parseInt(String(strategy.rollingUpdate?.maxUnavailable ?? 1), 10);
      let room = Math.max(0, most - unready);
      for (const pod of old) {
        if (isReady(pod) && room <= 0) continue;
        if (isReady(pod)) room -= 1;
        actor.remove(pod);
        actor.events.normal(set, "SuccessfulDelete", `Deleted pod: ${pod.metadata.name}`);
      }
    }
    report(actor, set, nodes.length, hash);
  };
}

function create(actor: Actor, set: PodOwner, node: string, hash: string): void {
  const labels = { [HASH]: hash, "pod-template-generation": String(set.metadata.generation ?? 1) };
  const pod = podFrom(set, { generateName: `${set.metadata.name}-` }, labels) as Pod;
  try {
    // The real controller pins by node affinity, which the scheduler here does not read.
    const made = actor.create({
      ...pod,
      spec: { ...pod.spec, nodeSelector: { ...pod.spec.nodeSelector, "kubernetes.io/hostname": node } },
    });
    actor.events.normal(set, "SuccessfulCreate", `Created pod: ${made.metadata.name}`);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    actor.events.warning(set, "FailedCreate", `Error creating: ${error.message}`);
  }
}

function report(actor: Actor, stale: PodOwner, desired: number, hash: string): void {
  const set = actor.get("DaemonSet", stale.metadata.namespace ?? "", stale.metadata.name);
  if (set === undefined) return;
  const pods = (actor.owned("Pod", set) as Pod[]).filter(isActive);
  const ready = pods.filter(isReady).length;
  const updated = pods.filter((pod) => pod.metadata.labels?.[HASH] === hash).length;
  actor.status(set, {
    currentNumberScheduled: pods.length,
    numberMisscheduled: 0,
    desiredNumberScheduled: desired,
    numberReady: ready,
    observedGeneration: set.metadata.generation ?? 1,
    ...(updated > 0 ? { updatedNumberScheduled: updated } : {}),
    ...(ready > 0 ? { numberAvailable: ready } : {}),
    ...(desired > ready ? { numberUnavailable: desired - ready } : {}),
  });
}
