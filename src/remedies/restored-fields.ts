import { z } from "zod";
import { scaleTarget } from "../kube/failing.ts";
import { formatPath } from "../kube/field-path.ts";
import { conflicts } from "../kube/json-patch.ts";
import { describeRef, keyOf, sameRef } from "../kube/ref.ts";
import { referencesOf } from "../kube/references.ts";
import type { Change, Finding, Json, KubeObject, ObjectRef, SymptomKind } from "../model.ts";
import { isForService } from "./behind-service.ts";
import { describeChanges } from "./evidence.ts";
import { immutableBecause } from "./immutable.ts";
import { comesWithGit } from "./missing-target.ts";
import { isRestorable } from "./relevance.ts";
import type { Drafted, PlanContext } from "./remedy.ts";
import { isScaleBack } from "./scale-back.ts";
import { isTold } from "./told-fields.ts";

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
/** Parameters of the remedies that put fields back. */
export const RestoredFields = z.strictObject({
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
export type RestoredFields = z.output<typeof RestoredFields>;

/** Fields to put back, as changes. */
export function changesOf(fields: RestoredFields["fields"]): Change[] {
  return fields.map(({ object, path, from, to }) => ({
    object,
    path,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  }));
}

/** Why nothing is done live about what only a log, or only Git, tells of. */
const SILENT: Partial<Record<SymptomKind, string>> = {
  Complains: "the program runs, so that nothing would show whether a live change helps",
  CutOff: "what asks for it need not fail, so that nothing would show whether a live change helps",
};

/** Plans to put fields back, each checked again against the live objects and the allow-list. */
export function planRestore(
  fields: RestoredFields["fields"],
  finding: Finding,
  context: PlanContext,
  /** `any`: also fields of the failing object that explain other symptoms. */
  reach: "symptom" | "any" = "symptom",
): Drafted {
  const changes = changesOf(fields);
  for (const change of changes) {
    const objection = objectionTo(change, finding, context, reach);
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
  const gitOnly =
    immutableBecause(changes, (change) => context.live(change.object)) ??
    comesWithGit(changes, context) ??
    SILENT[finding.symptom.kind];
  return {
    possible: true,
    changes,
    title: `restore ${describeChanges(changes)}`,
    ...(gitOnly === undefined ? {} : { gitOnly }),
  };
}

function objectionTo(change: Change, finding: Finding, context: PlanContext, reach: "symptom" | "any"): string | null {
  const { object, path, from, to } = change;
  const where = `${formatPath(path)} of ${describeRef(object)}`;
  if (object.namespace !== finding.workload.namespace) return `${where} is in another namespace`;
  if (isForService(change, finding, context.live(finding.workload))) return null;
  if (isScaleBack(change, finding)) return null;
  const own = sameRef(object, finding.workload);
  if (!own && !isNeighbour(object, context)) return `${describeRef(object)} has nothing to do with the failing`;
  // Another object's fields come along when the same commit broke it in another way.
  // So does an image that is not to be had, which a pod that was not placed has not asked for yet.
  const narrow = own && reach === "symptom" && path.at(-1) !== "image";
  if (!isRestorable(object.kind, path, narrow ? finding.symptom.kind : null))
    return `${where} is no field that this remedy may restore`;
  if (finding.symptom.kind === "CutOff" && object.kind !== "Service" && !isTold(change, finding))
    return `${where} is not where it was cut off`;
  if (from === undefined && to === undefined) return `${where} does not change`;
  return null;
}

function sameTarget(scaler: KubeObject, ref: ObjectRef): boolean {
  const target = scaleTarget(scaler);
  return target !== null && sameRef(target, ref);
}

/** An object that shows a symptom itself, or a ConfigMap or claim that a failing workload of the namespace refers to. */
function isNeighbour(ref: ObjectRef, { snapshot, workload }: PlanContext): boolean {
  const failing = [...snapshot.workloads, ...snapshot.complaints, ...(workload === undefined ? [] : [workload])].filter(
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
  if (snapshot.failing.some((state) => sameTarget(state.object, ref))) return true;
  const { services, ports, claims, cutOffs } = snapshot;
  return [...failing, ...services, ...ports, ...claims, ...snapshot.failing, ...cutOffs].some((item) =>
    sameRef(item.ref, ref),
  );
}

export function fieldsOf(changes: readonly Change[]): RestoredFields["fields"] {
  return changes.map(({ object, path, from, to }) => ({
    object: { ...object },
    path: path.map((step) => (typeof step === "object" ? { ...step } : step)),
    ...(from === undefined ? {} : { from: from as Json }),
    ...(to === undefined ? {} : { to: to as Json }),
  }));
}
