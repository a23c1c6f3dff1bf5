import type { Workload } from "../model.ts";

/** https://github.com/kubernetes/kubernetes: `ErrReason` of the scheduler's plugins InterPodAffinity and NodePorts. */
const HELD = /existing pods'? anti-affinity rules|free ports for the requested pod ports/;

/** What a verification says first where earlier pods of the workload itself keep the new ones from their place. */
export const HELD_BY_OWN = "its own earlier pods keep the new ones from their place";

/**
 * The scheduler's words, where new pods of a workload wait for a place that its earlier ones hold, by their anti-affinity or a port of the node:
 * the rollout waits for the new ones before it ends those, and never gets on, however right the change is. Null: it does not.
 */
export function heldByOwn({ pods, revisions }: Pick<Workload, "pods" | "revisions">): string | null {
  const current = revisions.find((revision) => revision.current)?.name;
  if (current === undefined || !pods.some((pod) => pod.node !== undefined && isOfEarlier(pod, current))) return null;
  const waiting = pods.filter((pod) => pod.revision === current && pod.node === undefined);
  const said = waiting.flatMap(({ conditions }) =>
    conditions.filter(({ type, status }) => type === "PodScheduled" && status === "False"),
  );
  return said.find(({ message = "" }) => HELD.test(message))?.message ?? null;
}

function isOfEarlier({ revision }: { readonly revision?: string }, current: string): boolean {
  return revision !== undefined && revision !== current;
}
