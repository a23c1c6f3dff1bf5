import { z } from "zod";
import { timeOf } from "../kube/fields.ts";
import { describeRef } from "../kube/ref.ts";
import { referencesOf } from "../kube/references.ts";
import { sameValue } from "../kube/same-value.ts";
import type { Finding, Json, KubeObject, ObjectRef } from "../model.ts";
import { fact, show } from "./evidence.ts";
import { SLACK_MS } from "./git-history.ts";
import { defineRemedy, no, type PlanContext, refuse } from "./remedy.ts";

/** Kinds whose absence is safe to mend from Git: they give no right and hold no secret. */
const KINDS = new Set(["ConfigMap", "PersistentVolumeClaim", "Service", "ServiceAccount"]);
/** An incident holds the object. */
const MOST_CHARACTERS = 64 * 1024;

/**
 * An object that the failing workload needs, that is not there, and that a recent commit took out of Git: it is put back as it
 * was. Git only: what deploys Git makes it. Secrets never: Git is not where they are kept.
 */
export const restoreObject = defineRemedy({
  id: "restore-object",
  summary: "Puts an object that the failing workload needs back into Git, where a recent commit took it out.",
  risk: "low",
  reversibility: "inverse",
  params: z.strictObject({
    commit: z.string().regex(/^[0-9a-f]{7,64}$/),
    object: z.record(z.string(), z.json()).describe("The object as it was before the commit."),
  }),
  needs: [],
  reads: [{ group: "", resource: "serviceaccounts", verb: "get" }],
  async diagnose(finding, context) {
    const wanted = missingOf(finding, context);
    if (wanted.length === 0) return no("no object is missing that may be put back");
    const declared = await context.declared(finding.workload);
    for (const ref of wanted) {
      if (declared !== null && finding.symptom.kind !== "CutOff" && !isNamedBy(declared, ref))
        return no(`Git's ${describeRef(finding.workload)} does not need ${describeRef(ref)} any more: deploy it`);
      const removed = await context.removed(ref);
      if (removed === null) continue;
      const { commit, before } = removed;
      const [at, now] = [timeOf(commit.at), timeOf(context.snapshot.takenAt) ?? 0];
      const began = timeOf(finding.since) ?? now;
      if (at === undefined || now - at > context.settings.remedies.history.age || at > began + SLACK_MS) continue;
      const short = commit.sha.slice(0, 7);
      if (JSON.stringify(before).length > MOST_CHARACTERS)
        return no(`commit ${short} removed ${describeRef(ref)}, which is too large to be put back by rule`);
      return {
        applies: true,
        params: { commit: commit.sha, object: before as unknown as Record<string, Json> },
        reason: `${describeRef(ref)} is not in the cluster; commit ${short} ("${show(commit.subject)}") took it out of Git.`,
        evidence: [
          fact(
            "git",
            `Commit ${short} by ${commit.author}, "${commit.subject}", removed ${describeRef(ref)}`,
            commit.at,
          ),
        ],
        culprit: commit,
      };
    }
    return no(
      `Git's recent history never had ${wanted.map(describeRef).join(", ")}. A person must create it, or correct the reference`,
    );
  },
  plan({ object, commit }, finding, context) {
    const ref = missingOf(finding, context).find(
      ({ apiVersion, kind, name }) =>
        object["apiVersion"] === apiVersion &&
        object["kind"] === kind &&
        named(object, name, finding.workload.namespace),
    );
    if (ref === undefined || !KINDS.has(ref.kind)) return refuse("it is not the object that is missing");
    return {
      possible: true,
      changes: [{ object: ref, path: [], to: object }],
      title: `put back ${describeRef(ref)}, which ${commit.slice(0, 7)} removed`,
      gitOnly: `${describeRef(ref)} is made by what deploys Git`,
    };
  },
  async origin({ commit, object }, _finding, context, changes) {
    const ref = changes[0]?.object;
    const removed = ref === undefined ? null : await context.removed(ref);
    if (removed === null || !removed.commit.sha.startsWith(commit))
      return `commit ${commit.slice(0, 7)} is none that took it out of Git`;
    return sameValue(object, removed.before as unknown as Json)
      ? null
      : `it is not the object that ${commit.slice(0, 7)} took out of Git`;
  },
});

function named(object: Readonly<Record<string, Json>>, name: string, namespace: string): boolean {
  const metadata = object["metadata"];
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) return false;
  return metadata["name"] === name && (metadata["namespace"] ?? namespace) === namespace;
}

/** Objects that the cluster's own words name as not found, that the workload's template names, and that are not there. */
function missingOf(finding: Finding, context: PlanContext): ObjectRef[] {
  if (finding.symptom.kind === "CutOff")
    return finding.workload.kind === "Service" && context.live(finding.workload) === null ? [finding.workload] : [];
  const own = context.live(finding.workload);
  return own === null ? [] : saidMissing(finding).filter((ref) => isNamedBy(own, ref) && context.live(ref) === null);
}

function isNamedBy(workload: KubeObject, { kind, name }: ObjectRef): boolean {
  return referencesOf(workload).some((reference) => reference.kind === kind && reference.name === name);
}

function saidMissing({ symptom, workload }: Finding): ObjectRef[] {
  const ref = (kind: string, name: string): ObjectRef => ({
    apiVersion: "v1",
    kind,
    namespace: workload.namespace,
    name,
  });
  switch (symptom.kind) {
    case "ConfigMissing":
      return symptom.refKind === "ConfigMap" && symptom.key === undefined ? [ref("ConfigMap", symptom.name)] : [];
    case "Unschedulable":
      return [...symptom.message.matchAll(/persistentvolumeclaim "([^"\s]+)" not found/g)].map((found) =>
        ref("PersistentVolumeClaim", found[1] ?? ""),
      );
    case "PodsRefused":
      return [...symptom.message.matchAll(/serviceaccount "([^"\s]+)" not found/g)].map((found) =>
        ref("ServiceAccount", found[1] ?? ""),
      );
    default:
      return [];
  }
}
