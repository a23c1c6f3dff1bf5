import { isOurs } from "../gitops/holds.ts";
import { keyOf } from "../kube/ref.ts";
import { pausePath } from "../remedies/pause.ts";
import { isScaleBack } from "../remedies/scale-back.ts";
import type { Guard } from "./guard.ts";

export const suspended: Guard = {
  id: "suspended",
  summary: "A paused Deployment, a suspended Job or CronJob, and a workload scaled to zero are left alone.",
  check(plan, context) {
    const object = context.live.get(keyOf(plan.finding.workload));
    const spec = (object?.["spec"] ?? {}) as { paused?: boolean; suspend?: boolean; replicas?: number };
    if (spec.paused === true || spec.suspend === true) {
      const path = pausePath(plan.finding.workload.kind);
      const ours = object !== null && object !== undefined && path !== null && isOurs(object, path);
      const reason = ours
        ? "Stanch has paused it to contain a fault of the program; another template, or `/stanch undo`, ends that"
        : "a person has paused it";
      return { decision: "refuse", rule: "suspended", reason };
    }
    if (plan.gitOnly !== undefined && plan.changes.some((change) => isScaleBack(change, plan.finding))) return null;
    return spec.replicas === 0 ? { decision: "refuse", rule: "suspended", reason: "it is scaled to zero" } : null;
  },
};
