import { z } from "zod";
import { sameAsLive } from "../gitops/field-equality.ts";
import { formatPath, getAt } from "../kube/field-path.ts";
import { timeOf } from "../kube/fields.ts";
import { conflicts } from "../kube/json-patch.ts";
import { describeRef, keyOf, sameRef } from "../kube/ref.ts";
import { referencesOf } from "../kube/references.ts";
import type { Change, Finding, Json, ObjectRef } from "../model.ts";
import { driftedFields } from "./drifted-fields.ts";
import { describeChanges, fact, show } from "./evidence.ts";
import { immutableBecause } from "./immutable.ts";
import { missingImage } from "./missing-image.ts";
import { missingTarget } from "./missing-target.ts";
import { isRestorable, relevantChanges } from "./relevance.ts";
import { type Answer, defineRemedy, type PlanContext, type PreviousVersion, type RemedyContext } from "./remedy.ts";
import { PATCH_CONFIG_MAPS, PATCH_PODS, PATCH_SERVICES, PATCH_WORKLOADS } from "./workload-rights.ts";

/** Clocks of committers and of the cluster differ, and a symptom's first sign may be rounded. */
const SLACK_MS = 10 * 60_000;

/** Names through which a path would leave the object, in some program or other on its way. */
const ESCAPES = new Set(["__proto__", "prototype"]);
const Step = z.union([
  z.string().refine((name) => !ESCAPES.has(name)),
  z.number().int().min(0),
  z.strictObject({ by: z.string(), value: z.union([z.string(), z.number()]) }),
]);
const Value = z.json();
const Ref = z.strictObject({
  apiVersion: z.string(),
  kind: z.string(),
  namespace: z.string().min(1),
  name: z.string().min(1),
});
const Params = z.strictObject({
  commit: z
    .string()
    .regex(/^[0-9a-f]{7,64}$/)
    .optional()
    .describe(
      "The commit whose change of these fields is taken back. Absent: the cluster differs from Git, and Git is right.",
    ),
  fields: z
    .array(
      z.strictObject({ object: Ref, path: z.array(Step).min(1).max(20), from: Value.optional(), to: Value.optional() }),
    )
    .min(1)
    .max(50)
    .describe("Fields to put back, with the value they have and the one they had."),
});
type Params = z.output<typeof Params>;

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
  params: Params,
  needs: [...PATCH_WORKLOADS, PATCH_PODS, PATCH_CONFIG_MAPS, PATCH_SERVICES],
  async diagnose(finding, context) {
    let reason = "Git's recent history changed nothing that explains the symptom";
    for (const ref of subjectsOf(finding, context)) {
      const drift = await fromDrift(ref, finding, context);
      if (drift?.applies === true) return drift;
      const found = await fromHistory(ref, finding, context);
      if (found?.applies === true) return found;
      reason = found?.reason ?? drift?.reason ?? reason;
    }
    return { applies: false, reason };
  },
  plan({ fields }, finding, context) {
    const changes: Change[] = fields.map(({ object, path, from, to }) => ({
      object,
      path,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    }));
    for (const change of changes) {
      const objection = objectionTo(change, finding, context);
      if (objection !== null) return { possible: false, reason: objection };
    }
    const groups = Map.groupBy(changes, (change) => keyOf(change.object));
    for (const group of groups.values()) {
      const ref = group[0]?.object;
      const gone = ref === undefined ? [] : conflicts(group, context.live(ref));
      if (gone.length > 0)
        return {
          possible: false,
          reason: `${ref === undefined ? "" : describeRef(ref)} has changed: ${gone.join("; ")}`,
        };
    }
    const gitOnly = immutableBecause(changes, (change) => context.live(change.object));
    return {
      possible: true,
      changes,
      title: `restore ${describeChanges(changes)}`,
      ...(gitOnly === undefined ? {} : { gitOnly }),
    };
  },
});

type Found = Answer<Params> | null;

/** The objects whose history may explain a finding: its own first, then what its template refers to. Never Secrets. */
function subjectsOf(finding: Finding, context: PlanContext): ObjectRef[] {
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
  return [...new Map([workload, ...wanted].map((ref) => [keyOf(ref), ref])).values()].slice(0, 12);
}

async function fromHistory(ref: ObjectRef, finding: Finding, context: RemedyContext): Promise<Found> {
  const versions = await context.previous(ref);
  const now = timeOf(context.snapshot.takenAt) ?? 0;
  const began = timeOf(finding.since) ?? now;
  for (const [index, version] of versions.entries()) {
    const at = timeOf(version.commit.at);
    if (at === undefined || now - at > context.settings.remedies.history.age) break;
    // A commit made after the failing began is not its cause.
    if (at > began + SLACK_MS) continue;
    const own = ownChanges(version, versions[index - 1]);
    const relevant = relevantChanges(own, finding, context.workload?.object ?? context.live(finding.workload));
    if (relevant.length === 0) continue;
    return offer(ref, relevant, version, context);
  }
  return null;
}

/** What this commit changed itself: versions are told as differences from now, which hold those of later commits, too. */
function ownChanges(version: PreviousVersion, newer: PreviousVersion | undefined): Change[] {
  const later = new Set(newer?.changes.map((change) => JSON.stringify([change.path, change.from, change.to])));
  return version.changes.filter(
    (change) => change.path.length > 0 && !later.has(JSON.stringify([change.path, change.from, change.to])),
  );
}

async function offer(
  ref: ObjectRef,
  relevant: readonly Change[],
  { commit }: PreviousVersion,
  context: RemedyContext,
): Promise<Answer<Params>> {
  const short = commit.sha.slice(0, 7);
  const aligned = alignToLive(ref, relevant, context);
  if (typeof aligned === "string")
    return { applies: false, reason: `commit ${short} changed ${describeChanges(relevant)}, but ${aligned}` };
  const objection = (await missingImage(aligned, context)) ?? (await missingTarget(aligned, context));
  if (objection !== null)
    return { applies: false, reason: `what commit ${short} changed cannot be taken back: ${objection}` };
  return {
    applies: true,
    params: { commit: commit.sha, fields: fieldsOf(aligned) },
    reason: `Commit ${short} ("${show(commit.subject)}") changed ${describeRef(ref)} (${formatPath(relevant[0]?.path ?? [])}), and the failing began after it.`,
    evidence: [
      fact(
        "git",
        `Commit ${short} by ${commit.author}, "${commit.subject}": ${describeRef(ref)} had ${relevant.map((change) => `${formatPath(change.path)} = ${show(change.to)}, now ${show(change.from)}`).join("; ")}`,
        commit.at,
      ),
    ],
    culprit: commit,
  };
}

/** The cluster differs from what Git says now, in a field that explains the symptom: somebody changed it live. */
async function fromDrift(ref: ObjectRef, finding: Finding, context: RemedyContext): Promise<Found> {
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

/** The changes as they apply to the live object; a sentence when it does not hold what Git has now. */
function alignToLive(ref: ObjectRef, changes: readonly Change[], context: PlanContext): Change[] | string {
  const live = context.live(ref);
  if (live === null) return `${describeRef(ref)} is not in the cluster`;
  const out: Change[] = [];
  for (const { path, from, to } of changes) {
    const is = getAt(live, path);
    if (!sameAsLive(path, from, is)) return `the cluster has ${show(is)} there and not ${show(from)}`;
    if (to !== undefined && sameAsLive(path, to, is)) continue;
    out.push({ object: ref, path, ...(is === undefined ? {} : { from: is }), ...(to === undefined ? {} : { to }) });
  }
  return out.length === 0 ? "the cluster has the earlier value already" : out;
}

function objectionTo({ object, path, from, to }: Change, finding: Finding, context: PlanContext): string | null {
  const where = `${formatPath(path)} of ${describeRef(object)}`;
  if (object.namespace !== finding.workload.namespace) return `${where} is in another namespace`;
  const own = sameRef(object, finding.workload);
  if (!own && !isNeighbour(object, context)) return `${describeRef(object)} has nothing to do with the failing`;
  // Another object's fields come along when the same commit broke it in another way.
  if (!isRestorable(object.kind, path, own ? finding.symptom.kind : null))
    return `${where} is no field that this remedy may restore`;
  if (from === undefined && to === undefined) return `${where} does not change`;
  return null;
}

/** An object that shows a symptom itself, or a ConfigMap or claim that a failing workload of the namespace refers to. */
function isNeighbour(ref: ObjectRef, { snapshot, workload }: PlanContext): boolean {
  const failing = [...snapshot.workloads, ...(workload === undefined ? [] : [workload])].filter(
    (item) => item.ref.namespace === ref.namespace,
  );
  if (ref.kind === "ConfigMap" || ref.kind === "PersistentVolumeClaim") {
    if (
      failing.some((item) =>
        referencesOf(item.object).some((reference) => reference.kind === ref.kind && reference.name === ref.name),
      )
    )
      return true;
  }
  return [...failing, ...snapshot.services, ...snapshot.claims].some((item) => sameRef(item.ref, ref));
}

function fieldsOf(changes: readonly Change[]): Params["fields"] {
  return changes.map(({ object, path, from, to }) => ({
    object: { ...object },
    path: path.map((step) => (typeof step === "object" ? { ...step } : step)),
    ...(from === undefined ? {} : { from: from as Json }),
    ...(to === undefined ? {} : { to: to as Json }),
  }));
}
