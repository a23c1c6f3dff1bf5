import { keyOf } from "../kube/ref.ts";
import type { Guard } from "./guard.ts";

export const suspended: Guard = {
  id: "suspended",
  summary: "A paused Deployment, a suspended Job or CronJob, and a workload scaled to zero are left alone.",
  check(plan, context) {
    const object = context.live.get(keyOf(plan.finding.workload));
    const spec = (object?.["spec"] ?? {}) as { paused?: boolean; suspend?: boolean; replicas?: number };
    if (spec.paused === true || spec.suspend === true)
      return { decision: "refuse", rule: "suspended", reason: "a person has paused it" };
    return spec.replicas === 0 ? { decision: "refuse", rule: "suspended", reason: "it is scaled to zero" } : null;
  },
};
