import { isDeepStrictEqual } from "node:util";
import type { Json, KubeObject, Revision } from "../model.ts";
import { type Fields, mapAt, numberAt, textAt } from "./fields.ts";
import { templateOf } from "./template.ts";

/** Pods of a revision: how many there are, and how many of them are ready. */
export interface RevisionCount {
  readonly replicas: number;
  readonly ready: number;
}

/**
 * The revisions of a workload, newest first: of a Deployment from its ReplicaSets, of a StatefulSet or DaemonSet from its
 * ControllerRevisions. Objects that another owner controls are left out, so a whole namespace's may be given.
 *
 * @param counts pods by revision name (`PodState.revision`); ReplicaSets tell it themselves
 */
export function revisionsOf(
  workload: KubeObject,
  made: readonly KubeObject[],
  counts: ReadonlyMap<string, RevisionCount> = new Map(),
): Revision[] {
  const own = made.filter((object) => ownedBy(object, workload));
  const live = bareTemplate(templateOf(workload));
  const revisions = own.flatMap((object): Revision[] => {
    const template =
      object.kind === "ReplicaSet"
        ? bareTemplate(mapAt(object, "spec", "template"))
        : bareTemplate(mapAt(object, "data", "spec", "template"));
    if (template === null) return [];
    const count = counts.get(object.metadata.name);
    return [
      {
        name: object.metadata.name,
        number: numberOf(object),
        createdAt: object.metadata.creationTimestamp ?? "",
        template,
        replicas: count?.replicas ?? numberAt(object, "status", "replicas") ?? 0,
        readyReplicas: count?.ready ?? numberAt(object, "status", "readyReplicas") ?? 0,
        current: false,
      },
    ];
  });
  const sorted = revisions.sort((a, b) => b.number - a.number || (a.name < b.name ? 1 : -1));
  const current = currentOf(workload, sorted, live);
  return sorted.map((revision) => ({ ...revision, current: revision.name === current }));
}

/** The pod template of a workload as revisions keep it, without what controllers add; null when it has none. */
export function revisionTemplate(workload: KubeObject): Json | null {
  return bareTemplate(templateOf(workload));
}

/** The revision whose template is the workload's. Where none is equal (defaults of another version), the newest. */
function currentOf(workload: KubeObject, revisions: readonly Revision[], live: Json | null): string | undefined {
  const equal = live === null ? undefined : revisions.find((revision) => isDeepStrictEqual(revision.template, live));
  if (equal !== undefined) return equal.name;
  // Until the controller has seen the newest template, none of its revisions is the current one.
  const observed = numberAt(workload, "status", "observedGeneration");
  if (observed !== undefined && workload.metadata.generation !== undefined && observed < workload.metadata.generation)
    return undefined;
  const told = textAt(workload, "status", "updateRevision");
  if (told !== undefined && revisions.some((revision) => revision.name === told)) return told;
  return revisions[0]?.name;
}

function numberOf(object: KubeObject): number {
  const written = object.metadata.annotations?.["deployment.kubernetes.io/revision"];
  return numberAt(object, "revision") ?? (written !== undefined && /^\d+$/.test(written) ? Number(written) : 0);
}

function ownedBy(object: KubeObject, workload: KubeObject): boolean {
  const owner = object.metadata.ownerReferences?.find((reference) => reference.controller === true);
  if (owner === undefined || object.metadata.namespace !== workload.metadata.namespace) return false;
  return workload.metadata.uid === undefined
    ? owner.kind === workload.kind && owner.name === workload.metadata.name
    : owner.uid === workload.metadata.uid;
}

/** `metadata` (labels and annotations) and `spec`, without `pod-template-hash`, `$patch` and the empty creation time. */
function bareTemplate(template: Fields | null | undefined): Json | null {
  const spec = mapAt(template, "spec");
  if (template === null || template === undefined || spec === undefined) return null;
  const metadata: Record<string, unknown> = { ...mapAt(template, "metadata") };
  const labels: Record<string, unknown> = { ...mapAt(metadata, "labels") };
  delete labels["pod-template-hash"];
  delete metadata["creationTimestamp"];
  if (Object.keys(labels).length === 0) delete metadata["labels"];
  else metadata["labels"] = labels;
  return { metadata, spec } as unknown as Json;
}
