import { formatPath } from "../kube/field-path.ts";
import type { Change } from "../model.ts";
import { isRestorable } from "../remedies/relevance.ts";
import type { Guard } from "./guard.ts";

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
]);

/** Would more be allowed than before: privileges, capabilities, the host, root? */
function loosens({ path, from, to }: Change): boolean {
  const last = path.at(-1);
  if (to === undefined && (last === "securityContext" || path.includes("securityContext"))) return true;
  const text = JSON.stringify(to ?? null);
  const before = JSON.stringify(from ?? null);
  if (
    ["privileged", "allowPrivilegeEscalation", "hostNetwork", "hostPID", "hostIPC"].includes(String(last)) &&
    to === true
  )
    return true;
  if (
    /"(privileged|allowPrivilegeEscalation|hostNetwork|hostPID|hostIPC)":true/.test(text) &&
    !/"(privileged|allowPrivilegeEscalation|hostNetwork|hostPID|hostIPC)":true/.test(before)
  )
    return true;
  if (last === "runAsUser" && to === 0) return true;
  if ((last === "runAsNonRoot" || last === "readOnlyRootFilesystem") && to === false) return true;
  return path.includes("capabilities") && path.includes("add") && to !== undefined;
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
