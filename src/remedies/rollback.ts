import { z } from "zod";
import { diffObjects } from "../gitops/object-diff.ts";
import { conditionOf } from "../kube/conditions.ts";
import { mapAt, textAt, timeOf } from "../kube/fields.ts";
import { revisionTemplate } from "../kube/revisions.ts";
import type { Change, Evidence, Finding, Json, KubeObject, Revision, Workload } from "../model.ts";
import { describeChanges, fact } from "./evidence.ts";
import { goneImages, missingImage } from "./missing-image.ts";
import { placeOf } from "./place.ts";
import { relevantChanges } from "./relevance.ts";
import { defineRemedy } from "./remedy.ts";
import { isTold } from "./told-fields.ts";
import { PATCH_WORKLOADS } from "./workload-rights.ts";

const KINDS = new Set(["Deployment", "StatefulSet", "DaemonSet"]);

/**
 * Back to the last healthy revision of the workload, in as few fields as explain the symptom. Proof is that pods of that
 * revision are ready now, or that the workload was available until the present revision came.
 */
export const rollback = defineRemedy({
  id: "rollback",
  summary: "Returns the fields that matter to what the workload's last healthy revision had.",
  risk: "low",
  reversibility: "inverse",
  params: z.strictObject({
    revision: z.string().min(1).max(253).describe("Name of the ReplicaSet or ControllerRevision to return to."),
    images: z
      .array(z.string().min(1).max(63))
      .max(50)
      .optional()
      .describe("Containers whose image goes back, too, because the registry does not have the present one."),
  }),
  needs: PATCH_WORKLOADS.filter((access) => access.group === "apps"),
  async diagnose(finding, context) {
    const { workload } = context;
    if (workload === undefined || !KINDS.has(workload.ref.kind))
      return { applies: false, reason: `a ${finding.workload.kind} keeps no earlier revisions` };
    const healthy = healthyRevision(workload);
    if ("reason" in healthy) return { applies: false, reason: healthy.reason };
    const changes = changesTo(healthy.revision, finding, workload);
    if ("reason" in changes) return { applies: false, reason: changes.reason };
    const also = await goneImages(changes.rest, context);
    const all = [...changes.changes, ...also];
    const missing = await missingImage(all, context);
    if (missing !== null) return { applies: false, reason: missing };
    const evidence: Evidence[] = [
      fact("history", healthy.proof, healthy.revision.createdAt || undefined),
      fact("spec", describeChanges(all)),
    ];
    const images = also.flatMap((change) => placeOf(change.object.kind, change.path)?.container ?? []);
    return {
      applies: true,
      params: { revision: healthy.revision.name, ...(images.length === 0 ? {} : { images }) },
      reason: healthy.proof,
      evidence,
    };
  },
  plan({ revision: name, images = [] }, finding, context) {
    const { workload } = context;
    if (workload === undefined || !KINDS.has(workload.ref.kind))
      return { possible: false, reason: `a ${finding.workload.kind} keeps no earlier revisions` };
    const revision = workload.revisions.find((candidate) => candidate.name === name);
    if (revision === undefined) return { possible: false, reason: `revision ${name} does not exist any more` };
    if (revision.current) return { possible: false, reason: `revision ${name} is the present one` };
    const proof = proofOf(revision, workload);
    if (proof === null) return { possible: false, reason: `nothing proves that revision ${name} was healthy` };
    const answer = changesTo(revision, finding, workload);
    if ("reason" in answer) return { possible: false, reason: answer.reason };
    const also = answer.rest.filter(
      (change) =>
        change.path.at(-1) === "image" && images.includes(placeOf(workload.ref.kind, change.path)?.container ?? ""),
    );
    const changes = [...answer.changes, ...also];
    return {
      possible: true,
      changes,
      title: `roll back to revision ${revision.number}: ${describeChanges(changes)}`,
    };
  },
  async origin({ images = [] }, _finding, context, changes) {
    const named = changes.filter(
      ({ object, path }) => path.at(-1) === "image" && images.includes(placeOf(object.kind, path)?.container ?? ""),
    );
    const gone = await goneImages(named, context);
    const [stray] = named.filter((change) => !gone.includes(change));
    return stray === undefined
      ? missingImage(changes, context)
      : `nothing says that the registry does not have ${String(stray.from)}`;
  },
});

/** The newest revision before the present one that is proved to be healthy: by ready pods before anything else. */
function healthyRevision(workload: Workload): { revision: Revision; proof: string } | { reason: string } {
  const current = workload.revisions.find((revision) => revision.current);
  if (current === undefined) return { reason: "its controller has not yet seen the newest template" };
  const older = workload.revisions.filter((revision) => !revision.current && revision.number < current.number);
  if (older.length === 0) return { reason: "there is no earlier revision: it was never deployed otherwise" };
  const ready = older.find((revision) => revision.readyReplicas > 0) ?? older[0];
  const proof = ready === undefined ? null : proofOf(ready, workload);
  return ready === undefined || proof === null
    ? { reason: "nothing proves that an earlier revision was healthy; a person must decide which one to return to" }
    : { revision: ready, proof };
}

/** What proves that a revision was healthy, in a sentence; null: nothing. */
function proofOf(revision: Revision, workload: Workload): string | null {
  const current = workload.revisions.find((candidate) => candidate.current);
  if (current === undefined || revision.number >= current.number) return null;
  if (revision.readyReplicas > 0)
    return `${revision.readyReplicas} pod${revision.readyReplicas === 1 ? "" : "s"} of revision ${revision.number} (${revision.name}) ${revision.readyReplicas === 1 ? "is" : "are"} ready right now.`;
  const before = workload.revisions.filter((candidate) => !candidate.current && candidate.number < current.number)[0];
  if (before?.name !== revision.name) return null;
  return workload.ref.kind === "StatefulSet"
    ? completedSet(revision, workload.object)
    : wasAvailable(revision, current, workload.object);
}

/** `status.currentRevision` is the last revision whose rollout was completed, with every pod ready. */
function completedSet(revision: Revision, object: KubeObject): string | null {
  const completed = textAt(object, "status", "currentRevision");
  return completed === revision.name && textAt(object, "status", "updateRevision") !== completed
    ? `Revision ${revision.number} (${revision.name}) is the last one whose rollout was completed.`
    : null;
}

/** A Deployment that was available when the present revision came was so by the one before it. */
function wasAvailable(revision: Revision, current: Revision, object: KubeObject): string | null {
  const available = conditionOf(object, "Available");
  const [since, came, made] = [
    timeOf(available?.since),
    timeOf(current.createdAt),
    timeOf(object.metadata.creationTimestamp),
  ];
  if (available === undefined || since === undefined || came === undefined) return null;
  if (available.status === "True" && since < came)
    return `The workload has been available since ${available.since}, before the present revision came: by revision ${revision.number} (${revision.name}).`;
  // It can only have become unavailable by having been available; the first seconds of its life do not count.
  const turned = available.status === "False" && since >= came && made !== undefined && came - made > 30_000;
  return turned
    ? `The workload was available by revision ${revision.number} (${revision.name}) until the present revision came.`
    : null;
}

/** What goes back, and what else the revision has otherwise. */
interface Differences {
  readonly changes: Change[];
  readonly rest: Change[];
}

function changesTo(revision: Revision, finding: Finding, workload: Workload): Differences | { reason: string } {
  const now = revisionTemplate(workload.object);
  if (now === null) return { reason: "it has no pod template" };
  const all = diffObjects(withTemplate(workload.object, now), withTemplate(workload.object, revision.template)).filter(
    (change) => placeOf(workload.ref.kind, change.path) !== null,
  );
  if (all.length === 0)
    return { reason: `revision ${revision.number} has the same pod specification: the fault lies elsewhere` };
  const relevant = relevantChanges(all, finding, workload.object);
  if (relevant.length > 0) return { changes: relevant, rest: all.filter((change) => !relevant.includes(change)) };
  if (!FALLS_BACK.has(finding.symptom.kind))
    return { reason: `what revision ${revision.number} has otherwise does not explain the symptom` };
  const told = all.filter((change) => isTold(change, finding));
  return told.length > 0
    ? { changes: told, rest: all.filter((change) => !told.includes(change)) }
    : { reason: `what revision ${revision.number} has otherwise is not what the symptom speaks of` };
}

/** Where any difference may be the cause, all of them go back. */
const FALLS_BACK = new Set(["CrashLoop", "LivenessKill", "NotReady", "RolloutStuck"]);

function withTemplate(object: KubeObject, template: Json): KubeObject {
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { name: object.metadata.name, namespace: object.metadata.namespace ?? "" },
    spec: { template: { spec: mapAt(template, "spec") } },
  };
}
