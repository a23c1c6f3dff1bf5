import type { Change, Hotfix, KubeObject, ObjectRef, PatchOperation } from "../model.ts";
import { formatPath } from "./field-path.ts";
import { keyOf } from "./ref.ts";

/** Changes grouped by object, in order of first appearance. */
export function byObject(changes: readonly Change[]): { ref: ObjectRef; changes: Change[] }[] {
  const groups = new Map<string, { ref: ObjectRef; changes: Change[] }>();
  for (const change of changes) {
    const key = keyOf(change.object);
    const group = groups.get(key) ?? { ref: change.object, changes: [] };
    group.changes.push(change);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** The patch that holds for exactly the version of the object that it was made for. */
export function withVersion(operations: readonly PatchOperation[], live: KubeObject): PatchOperation[] {
  const version = live.metadata.resourceVersion;
  return version === undefined
    ? [...operations]
    : [{ op: "test", path: "/metadata/resourceVersion", value: version }, ...operations];
}

/** What identifies an object as a write left it. */
export function versionOf(object: KubeObject): Hotfix["objects"][string] {
  return {
    resourceVersion: object.metadata.resourceVersion ?? "",
    generation: object.metadata.generation ?? 0,
    uid: object.metadata.uid ?? "",
  };
}

/** Names one field of one object. */
export function changeKey({ object, path }: Change): string {
  return `${keyOf(object)} ${formatPath(path)}`;
}
