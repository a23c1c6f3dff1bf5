import { scaleTarget } from "../kube/failing.ts";
import { formatPath } from "../kube/field-path.ts";
import { numberAt, textsAt } from "../kube/fields.ts";
import { deadBackend } from "../kube/ingress.ts";
import { applyChanges } from "../kube/json-patch.ts";
import { keyOf, refOf } from "../kube/ref.ts";
import { referencesOf } from "../kube/references.ts";
import { matchesLabels } from "../kube/selectors.ts";
import { templateOf } from "../kube/template.ts";
import type { Change, Finding, ObjectRef } from "../model.ts";
import { BEHIND, mayBeMeant } from "./behind-service.ts";
import { driftedFields } from "./drifted-fields.ts";
import { describeChanges, fact, show } from "./evidence.ts";
import { fromHistory } from "./git-history.ts";
import { missingImage } from "./missing-image.ts";
import { missingTarget } from "./missing-target.ts";
import { isRestorable, relevantChanges } from "./relevance.ts";
import { type Answer, defineRemedy, no, type PlanContext, type RemedyContext } from "./remedy.ts";
import { changesOf, fieldsOf, planRestore, RestoredFields } from "./restored-fields.ts";
import { notFromGit } from "./restored-origin.ts";
import { isScaleBack } from "./scale-back.ts";
import { serviceName } from "./service-hosts.ts";
import { withSelectors } from "./turned-away.ts";
import { unresolvedHosts } from "./unresolved-hosts.ts";
import {
  PATCH_CONFIG_MAPS,
  PATCH_INGRESSES,
  PATCH_PODS,
  PATCH_SCALERS,
  PATCH_SERVICES,
  PATCH_WORKLOADS,
} from "./workload-rights.ts";

/**
 * What Git said before a recent commit, in the fields that explain the symptom and in no others. The value was deployed
 * and reviewed once, which is its proof of origin; that it heals is for verification to show. Where the cluster says
 * something else than Git, Git's present value is put back. Data of Secrets is never touched.
 */
export const restoreFromGit = defineRemedy({
  id: "restore-from-git",
  summary:
    "Puts fields that explain the symptom back to what Git's history had before the commit that changed them, or to what Git says where the cluster has drifted.",
  risk: "low",
  reversibility: "inverse",
  params: RestoredFields,
  needs: [...PATCH_WORKLOADS, PATCH_PODS, PATCH_CONFIG_MAPS, PATCH_SERVICES, PATCH_SCALERS, PATCH_INGRESSES],
  looks: ({ symptom, workload }) =>
    symptom.kind === "NoEndpoints" || symptom.kind === "WrongPort"
      ? BEHIND
      : symptom.kind === "BrokenRoute" || symptom.kind === "InitWaiting"
        ? ["Service"]
        : symptom.kind === "CutOff" && workload.kind !== "Service"
          ? ["Service"]
          : [],
  async diagnose(finding, context) {
    const awaited = awaitedService(finding, context);
    if (awaited !== null) return no(awaited);
    let reason = "Git's recent history changed nothing that explains the symptom";
    for (const ref of subjectsOf(finding, context)) {
      const drift = await fromDrift(ref, finding, context);
      if (drift?.applies === true) return drift;
      const found = await fromHistory(ref, finding, context, (changes) =>
        relevantChanges(changes, finding, context.workload?.object ?? context.live(finding.workload)),
      );
      if (found?.applies === true) {
        const changes = changesOf(found.params.fields);
        if (changes.some((change) => isScaleBack(change, finding))) return withSelectors(found, finding, context);
        const objection = restingBehind(changes, finding, context) ?? stillDead(changes, finding, context);
        return objection === null ? found : no(`${found.reason} But ${objection}`);
      }
      reason = found?.reason ?? drift?.reason ?? reason;
    }
    return { applies: false, reason };
  },
  plan: ({ fields }, finding, context) => planRestore(fields, finding, context),
  origin: async ({ commit }, finding, context, changes) =>
    (await notFromGit(commit, changes, finding, context)) ??
    restingBehind(changes, finding, context) ??
    stillDead(changes, finding, context),
});

/**
 * A Service that would then select only what is scaled to zero: it would have no endpoints either, and nothing would show that the
 * selector is right. Who scaled it to zero must say what is meant.
 */
function restingBehind(changes: readonly Change[], finding: Finding, context: PlanContext): string | null {
  const service = context.live(finding.workload);
  if (finding.symptom.kind !== "NoEndpoints" || service === null) return null;
  const selector = textsAt(applyChanges(service, changes), "spec", "selector");
  const behind = BEHIND.flatMap((kind) => context.others(kind, finding.workload.namespace) ?? []).filter((workload) =>
    matchesLabels(selector, textsAt(templateOf(workload), "metadata", "labels")),
  );
  if (behind.length === 0 || behind.some((workload) => numberAt(workload, "spec", "replicas") !== 0)) return null;
  const names = behind.map((workload) => workload.metadata.name).join(", ");
  return `${names} behind it is scaled to zero. A person must say whether it should run`;
}

/** What an init container waits for is there, only without an address yet: not to wait any more would be the wrong way to be ready. */
function awaitedService(finding: Finding, context: PlanContext): string | null {
  const { namespace } = finding.workload;
  if (finding.symptom.kind !== "InitWaiting") return null;
  const services = context.others("Service", namespace);
  if (services === null)
    return `Services of ${namespace} cannot be read, so that nobody knows whether it waits for one`;
  const wanted = new Set(unresolvedHosts(finding).map((host) => serviceName(host, namespace)));
  const found = services.find((service) => wanted.has(service.metadata.name));
  return found === undefined
    ? null
    : `it waits for Service ${found.metadata.name}, which is there: what runs behind it must be looked at`;
}

/** An Ingress that would then lead nowhere as well: what the earlier state sent to is not there any more. */
function stillDead(changes: readonly Change[], { symptom, workload }: Finding, context: PlanContext): string | null {
  const ingress = context.live(workload);
  const services = context.others("Service", workload.namespace);
  if (symptom.kind !== "BrokenRoute" || ingress === null || services === null) return null;
  const dead = deadBackend(
    applyChanges(ingress, changes),
    (name) => services.find((service) => service.metadata.name === name) ?? null,
  );
  return dead === null ? null : `it would then send to ${dead}. A person must say what is meant`;
}

/** The objects whose history may explain a finding: its own first, then what its template refers to. Never Secrets. */
export function subjectsOf(finding: Finding, context: PlanContext): ObjectRef[] {
  const own = context.live(finding.workload);
  const { symptom, workload } = finding;
  const refers = own === null ? [] : referencesOf(own);
  const named = refers.flatMap((reference): ObjectRef[] =>
    reference.kind === "ConfigMap" || reference.kind === "PersistentVolumeClaim"
      ? [{ apiVersion: "v1", kind: reference.kind, namespace: workload.namespace, name: reference.name }]
      : [],
  );
  const wanted = named.filter((ref) => {
    if (ref.kind === "PersistentVolumeClaim") return symptom.kind === "Unschedulable";
    return symptom.kind === "ConfigMissing"
      ? symptom.refKind === "ConfigMap" && symptom.name === ref.name
      : isRestorable("ConfigMap", ["data", "any"], symptom.kind);
  });
  const target = own === null ? null : scaleTarget(own);
  const behind =
    own?.kind !== "Service" ? [] : BEHIND.flatMap((kind) => context.others(kind, workload.namespace) ?? []);
  const meant = behind.filter((item) => own !== null && mayBeMeant(item, own)).map(refOf);
  return [
    ...new Map(
      [workload, ...(target === null ? [] : [target]), ...wanted, ...meant].map((ref) => [keyOf(ref), ref]),
    ).values(),
  ].slice(0, 12);
}

/** The cluster differs from what Git says now, in a field that explains the symptom: somebody changed it live. */
async function fromDrift(
  ref: ObjectRef,
  finding: Finding,
  context: RemedyContext,
): Promise<Answer<RestoredFields> | null> {
  const live = context.live(ref);
  const declared = live === null ? null : await context.declared(ref);
  if (live === null || declared === null) return null;
  const changes = relevantChanges(driftedFields(declared, live, ref), finding, context.workload?.object ?? live);
  if (changes.length === 0) return null;
  const objection = (await missingImage(changes, context)) ?? (await missingTarget(changes, context));
  if (objection !== null)
    return { applies: false, reason: `the cluster differs from Git, but Git's value is no help: ${objection}` };
  return {
    applies: true,
    params: { fields: fieldsOf(changes) },
    reason: `The cluster runs something else than Git says: ${describeChanges(changes)}.`,
    evidence: [
      fact(
        "git",
        `Git says ${changes.map((change) => `${formatPath(change.path)} = ${show(change.to)}, the cluster runs ${show(change.from)}`).join("; ")}`,
      ),
    ],
  };
}
