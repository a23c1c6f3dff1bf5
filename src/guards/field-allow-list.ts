import { formatPath } from "../kube/field-path.ts";
import { keyOf } from "../kube/ref.ts";
import type { Change, Plan } from "../model.ts";
import { isForService } from "../remedies/behind-service.ts";
import { pausePath } from "../remedies/pause.ts";
import { isPolicyField, POLICY_FIELDS } from "../remedies/policy-fields.ts";
import { isRestorable } from "../remedies/relevance.ts";
import { isRefusedField, isVersion } from "../remedies/restore-manifest.ts";
import { isScaleBack } from "../remedies/scale-back.ts";
import type { Guard } from "./guard.ts";
import { givesTooMuch, loosens } from "./privileges.ts";

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
  "GitRepository",
  "OCIRepository",
  "HelmRepository",
  ...Object.keys(POLICY_FIELDS),
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

/** The API server refuses the object for this very field, which goes back in Git only: nothing that runs is changed. */
function isRefused(change: Change, { finding: { symptom }, gitOnly }: Plan): boolean {
  return (
    symptom.kind === "ManifestRefused" &&
    gitOnly !== undefined &&
    (isVersion(change) || isRefusedField(change, symptom.message))
  );
}

/** What workloads may do is never the choice of a model, and nobody gets back all of something, Secrets, or rights themselves. */
function ofPolicy(change: Change, { choice }: Plan): string | null {
  const { object, path } = change;
  if (choice.remedy !== "restore-policy" || choice.by === "model") return `a ${object.kind} is never changed`;
  if (!isPolicyField(object.kind, path))
    return `${formatPath(path)} of a ${object.kind} is no field that Stanch changes`;
  return givesTooMuch(change) ? `${formatPath(path)} would give too much; a person must decide` : null;
}

export const fieldAllowList: Guard = {
  id: "field-allow-list",
  summary:
    "Only fields that remedies may restore: never Secrets, finalizers, replicas (but in Git, what a commit scaled to zero under a Service), labels (but for the one that a Service looks for in vain), and no loosening of security; in Git only, also the very field for which the API server refuses a manifest.",
  check(plan, context) {
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
      if (Object.hasOwn(POLICY_FIELDS, change.object.kind)) {
        const objection = ofPolicy(change, plan);
        if (objection === null) continue;
        return { decision: "refuse", rule: "field-allow-list", reason: objection };
      }
      if (isScaleBack(change, plan.finding)) {
        // Who runs how much is decided by people: they merge it, or close it.
        if (plan.gitOnly !== undefined) continue;
        return { decision: "refuse", rule: "field-allow-list", reason: `${where} is never changed live` };
      }
      const own = context.live.get(keyOf(plan.finding.workload)) ?? null;
      if (
        !isRestorable(change.object.kind, change.path, null) &&
        !isForService(change, plan.finding, own) &&
        !isRefused(change, plan)
      )
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
