import { formatPath } from "../kube/field-path.ts";
import { isRestorable } from "../remedies/relevance.ts";
import type { Guard } from "./guard.ts";
import { loosens } from "./privileges.ts";

const KINDS = new Set([
  "Deployment",
  "StatefulSet",
  "DaemonSet",
  "Job",
  "CronJob",
  "Pod",
  "ConfigMap",
  "Service",
  "PersistentVolumeClaim",
  "HorizontalPodAutoscaler",
  "Application",
  "HelmRelease",
  "Kustomization",
]);

export const fieldAllowList: Guard = {
  id: "field-allow-list",
  summary:
    "Only fields that remedies may restore: never Secrets, RBAC, network policies, finalizers, replicas, labels, and no loosening of security.",
  check(plan) {
    for (const change of plan.changes) {
      const where = formatPath(change.path);
      if (!KINDS.has(change.object.kind))
        return { decision: "refuse", rule: "field-allow-list", reason: `a ${change.object.kind} is never changed` };
      if (!isRestorable(change.object.kind, change.path, null))
        return {
          decision: "refuse",
          rule: "field-allow-list",
          reason: `${where} of a ${change.object.kind} is no field that Stanch changes`,
        };
      if (loosens(change))
        return {
          decision: "refuse",
          rule: "field-allow-list",
          reason: `${where} would loosen security; a person must decide`,
        };
    }
    return null;
  },
};
