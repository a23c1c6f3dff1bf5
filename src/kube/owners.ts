import type { KubeObject, ObjectRef, OwnerReference } from "../model.ts";
import { groupOf, keyOf, refOf } from "./ref.ts";

/** Looks up an object that was read before, by its name. Undefined or null: not read, or gone. */
export type OwnerLookup = (ref: ObjectRef) => Pick<KubeObject, "metadata"> | null | undefined;

export interface Ownership {
  /** The top owner: a workload that people declare, or the object itself when nobody owns it. */
  readonly top: ObjectRef;
  /** From the object's direct owner to the top. Empty when nobody owns it. */
  readonly chain: readonly ObjectRef[];
}

/** Kinds that people and Git declare: an operator above them is not followed. */
const TOP = new Set(["apps/Deployment", "apps/StatefulSet", "apps/DaemonSet", "batch/CronJob"]);
const DEPTH = 6;

/** The owner that controls an object; undefined when there is none. */
export function controllerOf(object: Pick<KubeObject, "metadata">): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true);
}

/**
 * Follows `ownerReferences` from a pod (or any object) to its top owner: ReplicaSet → Deployment, Job → CronJob. An
 * owner that is gone, or is a later object of the same name (another uid), ends the way at itself. Static pods belong to
 * a node and are their own top.
 */
export function topOwner(object: KubeObject, lookup: OwnerLookup): Ownership {
  const chain: ObjectRef[] = [];
  const seen = new Set([keyOf(refOf(object))]);
  const namespace = object.metadata.namespace ?? "";
  let at: Pick<KubeObject, "metadata"> = object;
  while (chain.length < DEPTH) {
    const owner = controllerOf(at);
    if (owner === undefined || owner.kind === "Node") break;
    const ref: ObjectRef = { apiVersion: owner.apiVersion, kind: owner.kind, namespace, name: owner.name };
    if (seen.has(keyOf(ref))) break;
    seen.add(keyOf(ref));
    chain.push(ref);
    if (TOP.has(`${groupOf(owner.apiVersion)}/${owner.kind}`)) break;
    const next = lookup(ref);
    if (next === undefined || next === null || (next.metadata.uid !== undefined && next.metadata.uid !== owner.uid))
      break;
    at = next;
  }
  return { top: chain.at(-1) ?? refOf(object), chain };
}
