import { formatPath } from "../kube/field-path.ts";
import type { Change } from "../model.ts";
import { pausePath } from "../remedies/pause.ts";
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
  "ServiceAccount",
  "HorizontalPodAutoscaler",
  "Ingress",
  "Application",
  "HelmRelease",
  "Kustomization",
]);

const ADDED = new Set(["ConfigMap", "PersistentVolumeClaim", "Service", "ServiceAccount"]);

function isAddition({ object, path, from, to }: Change): boolean {
  return path.length === 0 && from === undefined && to !== undefined && ADDED.has(object.kind);
}

/** From running to resting; never the other way. */
function isPause({ object, path, from, to }: Change): boolean {
  const resting = pausePath(object.kind);
  return resting !== null && formatPath(resting) === formatPath(path) && from !== true && to === true;
}

export const fieldAllowList: Guard = {
  id: "field-allow-list",
  summary:
    "Only fields that remedies may restore: never Secrets, RBAC, network policies, finalizers, replicas, labels, and no loosening of security.",
  check(plan) {
    for (const change of plan.changes) {
      const where = formatPath(change.path);
      if (!KINDS.has(change.object.kind))
        return { decision: "refuse", rule: "field-allow-list", reason: `a ${change.object.kind} is never changed` };
      // An object that is put back as a whole; that it is not in the cluster leaves Git as the only way.
      if (isAddition(change)) continue;
      if (isPause(change)) {
        if (plan.contains !== undefined) continue;
        return {
          decision: "refuse",
          rule: "field-allow-list",
          reason: `${where} of a ${change.object.kind} is set to contain a fault, and for nothing else`,
        };
      }
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
