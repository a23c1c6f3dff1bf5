import { z } from "zod";
import type { Finding, Symptom } from "../model.ts";
import { fact } from "./evidence.ts";
import { stateOf } from "./missing-target.ts";
import { type Answer, defineRemedy, no, type PlanContext, type RemedyContext } from "./remedy.ts";
import { EVICT_PODS } from "./workload-rights.ts";

/**
 * A new pod, where it is proved that only the old one stands in the way: what it was missing exists by now, and it still
 * waits. Through the Eviction API, which respects PodDisruptionBudgets. Leaves nothing behind and needs no change in Git.
 */
export const evict = defineRemedy({
  id: "evict",
  summary: "Evicts pods that still wait for configuration or an image which exists by now.",
  risk: "low",
  reversibility: "none-needed",
  params: z.strictObject({ pods: z.array(z.string().min(1).max(253)).min(1).max(3) }),
  needs: [EVICT_PODS],
  async diagnose(finding, context) {
    const { symptom } = finding;
    if (symptom.kind === "ImagePull") return fromImage(symptom, finding, context);
    if (symptom.kind !== "ConfigMissing") return { applies: false, reason: "nothing proves that a restart would help" };
    if (!isThere(symptom, finding, context))
      return { applies: false, reason: "what is missing is still missing: a restart would not help" };
    const pods = waiting(finding, context);
    if (pods.length === 0) return { applies: false, reason: "no pod waits for it any more" };
    return {
      applies: true,
      params: { pods },
      reason: `${symptom.refKind} ${symptom.name} exists by now, and the pod still waits for it.`,
      evidence: [fact("status", `${symptom.refKind} ${symptom.name} is in the cluster.`)],
    };
  },
  plan({ pods }, finding, context) {
    const known = waiting(finding, context);
    const unknown = pods.find((pod) => !known.includes(pod));
    if (unknown !== undefined) return { possible: false, reason: `pod ${unknown} is not one of the failing pods` };
    const { symptom } = finding;
    if (symptom.kind !== "ImagePull" && !(symptom.kind === "ConfigMissing" && isThere(symptom, finding, context)))
      return { possible: false, reason: "nothing proves that a restart would help" };
    return {
      possible: true,
      changes: [],
      action: { kind: "evict", pods: [...pods] },
      title: `evict ${pods.join(", ")}`,
    };
  },
  async origin(_params, { symptom }, { registry, credentials }) {
    if (symptom.kind !== "ImagePull") return null;
    if (symptom.cause !== "terminal") return "the pull is tried again by itself";
    const { state } = await registry.exists(symptom.image, await credentials(symptom.image));
    return state === "present" ? null : `the registry does not have ${symptom.image}: a restart would not help`;
  },
});

function isThere(
  { refKind: kind, name, key }: Extract<Symptom, { kind: "ConfigMissing" }>,
  { workload }: Finding,
  { snapshot }: PlanContext,
): boolean {
  const wanted = { kind, name, ...(key === undefined ? {} : { key }) };
  return stateOf(wanted, snapshot.configs[workload.namespace]) === "present";
}

/** An image that was pushed late: the kubelet's back-off would wait for minutes yet. */
async function fromImage(
  symptom: Extract<Symptom, { kind: "ImagePull" }>,
  finding: Finding,
  context: RemedyContext,
): Promise<Answer<{ pods: string[] }>> {
  if (symptom.cause !== "terminal") return no("the pull is tried again by itself");
  const { state } = await context.registry.exists(symptom.image, await context.credentials(symptom.image));
  if (state !== "present") return no(`the registry does not have ${symptom.image}: a restart would not help`);
  const pods = waiting(finding, context);
  if (pods.length === 0) return no("no pod waits for it any more");
  return {
    applies: true,
    params: { pods },
    reason: `The registry has ${symptom.image} by now, and the pod still waits out its back-off.`,
    evidence: [fact("registry", `${symptom.image} is in its registry.`)],
  };
}

/** A Job counts an evicted pod as a failed one, and may have no other try left. */
const COUNTED = new Set(["Pod", "Job", "CronJob"]);

function waiting({ workload, container }: Finding, context: PlanContext): string[] {
  if (COUNTED.has(workload.kind)) return [];
  return (context.workload?.pods ?? [])
    .filter(
      (pod) =>
        !pod.deleting &&
        pod.containers.some(
          (state) => state.waiting !== undefined && (container === undefined || state.name === container),
        ),
    )
    .map((pod) => pod.name)
    .slice(0, 3);
}
