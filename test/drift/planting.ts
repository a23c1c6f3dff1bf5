import { getAt, withValue } from "../../src/kube/field-path.ts";
import type { FieldPath, Json, KubeObject, ManagedFields, PathStep } from "../../src/model.ts";

type Tree = { [key: string]: Tree };

/**
 * The object after somebody wrote (undefined: took away) one field, with managedFields as the API server keeps them: what changes is taken
 * from every other owner, and belongs to the writer.
 */
export function plant(
  live: KubeObject,
  path: FieldPath,
  value: Json | undefined,
  manager: string | null,
  more: Partial<ManagedFields> = {},
): KubeObject {
  const written = withValue(live, path, value);
  const keys = path.map((step, index) => keyFor(written, path.slice(0, index), step));
  // A mutating webhook's change is nobody's, and is taken from nobody.
  if (manager === null) return written;
  const others = (live.metadata.managedFields ?? []).map((entry) => ({
    ...entry,
    fieldsV1: without(entry.fieldsV1 as Tree, keys) as Json,
  }));
  const own: ManagedFields = {
    manager,
    operation: "Update",
    time: "2026-02-02T02:02:02Z",
    // An item whose keys change is a new item.
    fieldsV1: treeOf(keys, value, path.at(-1) === "port") as Json,
    ...more,
  };
  const managedFields = value === undefined ? others : [...others, own];
  return { ...written, metadata: { ...written.metadata, managedFields } };
}

function keyFor(live: KubeObject, path: FieldPath, step: PathStep): string {
  if (typeof step === "string") return `f:${step}`;
  if (typeof step === "number") return `i:${step}`;
  for (const entry of live.metadata.managedFields ?? []) {
    const found = Object.keys(nodeAt(entry.fieldsV1 as Tree, path) ?? {}).find(
      (key) => key.startsWith("k:") && JSON.parse(key.slice(2))[step.by] === step.value,
    );
    if (found !== undefined) return found;
  }
  // An item that is called by another field than its merge keys.
  const item = getAt(live, [...path, step]) as { port?: number; protocol?: string } | undefined;
  if (path.at(-1) === "ports" && item?.port !== undefined)
    return `k:${JSON.stringify({ port: item.port, protocol: item.protocol ?? "TCP" })}`;
  return `k:${JSON.stringify({ [step.by]: step.value })}`;
}

function nodeAt(tree: Tree | undefined, path: FieldPath): Tree | undefined {
  let at = tree;
  for (const step of path) {
    const key = Object.keys(at ?? {}).find((each) =>
      typeof step === "string"
        ? each === `f:${step}`
        : typeof step === "object" && each.startsWith("k:") && JSON.parse(each.slice(2))[step.by] === step.value,
    );
    at = key === undefined ? undefined : at?.[key];
  }
  return at;
}

function without(tree: Tree, [key, ...rest]: readonly string[]): Tree {
  if (key === undefined || tree[key] === undefined) return tree;
  const { [key]: child, ...others } = tree;
  return rest.length === 0 ? others : { ...others, [key]: without(child as Tree, rest) };
}

function treeOf([key, ...rest]: readonly string[], value: Json | undefined, isNew: boolean): Tree {
  if (key === undefined) return valueTree(value);
  const inner = treeOf(rest, value, isNew);
  return { [key]: key.startsWith("k:") && (rest.length === 0 || isNew) ? { ".": {}, ...inner } : inner };
}

function valueTree(value: Json | undefined): Tree {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [`f:${key}`, valueTree(child)]));
}
