import type { KubeObject } from "../../../model.ts";
import { parseQuantity } from "../server/quantity.ts";
import type { Condition, Pod, Tree } from "../shapes.ts";
import { isTree } from "../shapes.ts";
import type { Actor } from "./actor.ts";

/** Binds pods to nodes that fit, or says why none does, in kube-scheduler's words. */
export function createScheduler(actor: Actor): (object: KubeObject) => void {
  const { timeline, events } = actor;

  function schedule(object: KubeObject): void {
    const pod = object as Pod;
    if (pod.spec.nodeName !== undefined || pod.metadata.deletionTimestamp !== undefined) return;
    const nodes = actor.list("Node").filter((node) => !(isTree(node.spec) && node.spec.unschedulable === true));
    const reasons = new Map<string, number>();
    const volumes = volumeProblem(pod);
    for (const node of volumes === undefined ? nodes : []) {
      const why = misfit(pod, node);
      if (why === undefined) {
        bind(pod, node);
        return;
      }
      reasons.set(why, (reasons.get(why) ?? 0) + 1);
    }
    const counts = [...reasons].map(([why, count]) => `${count} ${why}`).join(", ");
    const message =
      volumes === undefined
        ? `0/${nodes.length} nodes are available: ${counts}. no new claims to deallocate, preemption: 0/${nodes.length} nodes are available: ${nodes.length} Preemption is not helpful for scheduling.`
        : `0/${nodes.length} nodes are available: ${volumes}. not found`;
    events.warning(pod, "FailedScheduling", message);
    setCondition(pod, { type: "PodScheduled", status: "False", reason: "Unschedulable", message });
    timeline.after(30, `schedule/${pod.metadata.uid}`, () => {
      const again = actor.get("Pod", pod.metadata.namespace ?? "", pod.metadata.name);
      if (again !== undefined) schedule(again);
    });
  }

  function bind(pod: Pod, node: KubeObject): void {
    const bound = actor.update(pod, { spec: { ...pod.spec, nodeName: node.metadata.name } }) as Pod;
    setCondition(bound, { type: "PodScheduled", status: "True" });
    events.normal(
      pod,
      "Scheduled",
      `Successfully assigned ${pod.metadata.namespace}/${pod.metadata.name} to ${node.metadata.name}`,
    );
  }

  function setCondition(pod: Pod, condition: Condition): void {
    const old = pod.status?.conditions?.find((each) => each.type === condition.type);
    if (old?.status === condition.status && old.message === condition.message) return;
    const { type, status, ...why } = condition;
    const lastTransitionTime = old?.status === status ? (old.lastTransitionTime ?? "") : timeline.stamp();
    const made: Condition = {
      type,
      observedGeneration: pod.metadata.generation ?? 1,
      status,
      lastProbeTime: null,
      lastTransitionTime,
      ...why,
    };
    const others = (pod.status?.conditions ?? []).filter((each) => each.type !== type);
    actor.status(pod, { ...pod.status, conditions: [...others, made] });
  }

  function volumeProblem(pod: Pod): string | undefined {
    for (const volume of pod.spec.volumes ?? []) {
      const name = volume.persistentVolumeClaim?.claimName;
      if (name === undefined) continue;
      const claim = actor.get("PersistentVolumeClaim", pod.metadata.namespace ?? "", name);
      if (claim === undefined) return `persistentvolumeclaim ${JSON.stringify(name)} not found`;
      if ((claim.status as Tree | undefined)?.phase !== "Bound")
        return "pod has unbound immediate PersistentVolumeClaims";
    }
    return undefined;
  }

  function misfit(pod: Pod, node: KubeObject): string | undefined {
    const labels = node.metadata.labels ?? {};
    const mismatch = Object.entries(pod.spec.nodeSelector ?? {}).some(([key, value]) => labels[key] !== value);
    if (mismatch) return "node(s) didn't match Pod's node affinity/selector";
    const allocatable = ((node.status as Tree | undefined)?.allocatable ?? {}) as Record<string, string>;
    const here = (actor.list("Pod") as Pod[]).filter(
      (other) =>
        other.spec.nodeName === node.metadata.name &&
        other.status?.phase !== "Succeeded" &&
        other.status?.phase !== "Failed",
    );
    if (here.length >= Number(allocatable.pods ?? 110)) return "Too many pods";
    const asks = requestsOf(pod);
    for (const [name, amount] of Object.entries(asks)) {
      const used = here.reduce((sum, other) => sum + (requestsOf(other)[name] ?? 0), 0);
      if (used + amount > (parseQuantity(allocatable[name] ?? "0") ?? 0)) return `Insufficient ${name}`;
    }
    return undefined;
  }

  return schedule;
}

function requestsOf(pod: Pod): Record<string, number> {
  const total: Record<string, number> = {};
  for (const { resources } of pod.spec.containers) {
    for (const [name, value] of Object.entries(resources?.requests ?? {}))
      total[name] = (total[name] ?? 0) + (parseQuantity(value) ?? 0);
  }
  return total;
}
