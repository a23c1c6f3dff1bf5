import type { Json, KubeObject } from "../../../model.ts";
import type { Tree } from "../shapes.ts";
import { isTree } from "../shapes.ts";
import type { Schema } from "./kinds.ts";
import type { Place } from "./list-keys.ts";
import { into, intoItem, isAtomicMap, keyValue, listRule, top } from "./list-keys.ts";

/** Who writes, as it is recorded in `metadata.managedFields`. */
export interface Manager {
  readonly name: string;
  readonly operation: "Update" | "Apply";
  readonly apiVersion: string;
  readonly subresource?: string;
}

/** The fields of an object as FieldsV1 names them (structured-merge-diff): path → value. Containers have a "." member. */
export type FieldSet = Map<string, string>;

interface Entry {
  manager: string;
  operation: string;
  apiVersion: string;
  time: string;
  fieldsType: "FieldsV1";
  fieldsV1: Json;
  subresource?: string;
}

const SEPARATOR = "\u0001";
const OWN_METADATA = new Set(
  "name namespace uid resourceVersion generation creationTimestamp deletionTimestamp deletionGracePeriodSeconds managedFields selfLink".split(
    " ",
  ),
);
// Plain structs of the Go types: always there, therefore never owned for themselves.
const STRUCTS = new Set(["metadata", "spec", "status", "template", "strategy", "updateStrategy", "jobTemplate"]);

/** The fields an object sets. Identity, bookkeeping and, when asked, everything but status are left out. */
export function fieldsOf(object: KubeObject, schema: Schema | undefined): FieldSet {
  const fields: FieldSet = new Map();
  for (const [name, value] of Object.entries(object)) {
    if (name === "apiVersion" || name === "kind") continue;
    if (name === "metadata") {
      for (const [key, item] of Object.entries(object.metadata)) {
        if (!OWN_METADATA.has(key))
          walk(item, into(into(top(schema), "metadata"), key), ["f:metadata", `f:${key}`], fields);
      }
    } else walk(value, into(top(schema), name), [`f:${name}`], fields);
  }
  return fields;
}

function walk(value: unknown, place: Place, path: readonly string[], fields: FieldSet): void {
  const put = (at: readonly string[], text: string): unknown => fields.set(at.join(SEPARATOR), text);
  if (isTree(value) && Object.keys(value).length > 0 && !isAtomicMap(place)) {
    const last = place.path.at(-1) ?? "";
    const struct = place.schema === undefined && STRUCTS.has(last) && path.at(-1) === `f:${last}`;
    if (!struct) put([...path, "."], "");
    for (const [key, item] of Object.entries(value)) walk(item, into(place, key), [...path, `f:${key}`], fields);
    return;
  }
  const rule = Array.isArray(value) && value.length > 0 ? listRule(place, value) : "atomic";
  if (!Array.isArray(value) || rule === "atomic") {
    put(path, JSON.stringify(value));
    return;
  }
  put([...path, "."], "");
  for (const item of value) {
    if (rule === "set") put([...path, `v:${JSON.stringify(item)}`], "");
    else {
      const keys = Object.fromEntries([...rule.keys].sort().map((key) => [key, keyValue(item, key)]));
      walk(item, intoItem(place), [...path, `k:${JSON.stringify(keys)}`], fields);
    }
  }
}

function toFieldsV1(paths: Iterable<string>): Json {
  const root: { [key: string]: Json } = {};
  for (const path of [...paths].sort()) {
    let at = root;
    for (const step of path.split(SEPARATOR)) {
      at[step] ??= {};
      at = at[step] as { [key: string]: Json };
    }
  }
  return prune(root);
}

// A container whose members are all gone is written as a leaf.
function prune(node: { [key: string]: Json }): { [key: string]: Json } {
  const keys = Object.keys(node);
  if (keys.length === 1 && keys[0] === ".") return {};
  return Object.fromEntries(keys.map((key) => [key, prune(node[key] as { [key: string]: Json })]));
}

/** The paths of an entry, in the form of `fieldsOf`. A leaf may stand for a container that lost its members. */
function fromFieldsV1(node: unknown, path: readonly string[] = [], out: Set<string> = new Set()): Set<string> {
  if (!isTree(node)) return out;
  const keys = Object.keys(node);
  if (keys.length === 0 && path.length > 0) {
    out.add(path.join(SEPARATOR));
    if (path.at(-1) !== ".") out.add([...path, "."].join(SEPARATOR));
  }
  for (const key of keys) fromFieldsV1(node[key], [...path, key], out);
  return out;
}

function entriesOf(object: KubeObject | undefined): Entry[] {
  return (object?.metadata.managedFields ?? []) as unknown as Entry[];
}

function isBy(entry: Entry, manager: Manager): boolean {
  return (
    entry.manager === manager.name &&
    entry.operation === manager.operation &&
    entry.apiVersion === manager.apiVersion &&
    (entry.subresource ?? "") === (manager.subresource ?? "")
  );
}

/** The entries that a write says should stay; undefined where it says nothing. One empty entry clears them all. */
export function entriesGiven(asked: KubeObject["metadata"]["managedFields"]): KubeObject["metadata"]["managedFields"] {
  if (asked === undefined || asked === null || asked.length === 0) return undefined;
  return asked.length === 1 && Object.keys(asked[0] ?? {}).length === 0 ? [] : asked;
}

/** The paths `manager` owns by apply. */
export function appliedPaths(object: KubeObject | undefined, manager: Manager): Set<string> {
  const entry = entriesOf(object).find((each) => isBy(each, manager));
  return entry === undefined ? new Set() : fromFieldsV1(entry.fieldsV1);
}

/** Managers other than `manager` that own a path. */
export function otherOwners(object: KubeObject, manager: Manager, path: string): string[] {
  const others = entriesOf(object).filter((entry) => !isBy(entry, manager));
  return others.filter((entry) => fromFieldsV1(entry.fieldsV1).has(path)).map((entry) => entry.manager);
}

/** `f:spec\u0001f:replicas` as messages write it: `.spec.replicas`. */
export function readablePath(path: string): string {
  return path
    .split(SEPARATOR)
    .map((step) => {
      if (step.startsWith("f:")) return `.${step.slice(2)}`;
      if (!step.startsWith("k:")) return "";
      const keys: Tree = JSON.parse(step.slice(2));
      return `[${Object.entries(keys)
        .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
        .join(",")}]`;
    })
    .join("");
}

/** The steps of a path, for whoever walks the object along it. */
export function pathSteps(path: string): string[] {
  return path.split(SEPARATOR);
}

/**
 * `metadata.managedFields` after a write: what changed or was added belongs to the writer (an apply owns all it says),
 * and what changed or went is taken from the others.
 */
export function manageFields(
  change: { before: KubeObject | undefined; after: KubeObject; schema: Schema | undefined; applied?: FieldSet },
  manager: Manager,
  time: string,
): Entry[] {
  const { before, after, schema, applied } = change;
  const old = before === undefined ? new Map() : fieldsOf(before, schema);
  const now = fieldsOf(after, schema);
  const changed = [...now].filter(([path, value]) => old.get(path) !== value).map(([path]) => path);
  const lost = new Set([...changed, ...[...old.keys()].filter((path) => !now.has(path))]);
  const out: Entry[] = [];
  let own: Entry | undefined;
  // A writer may give up entries, its own or others'; what it leaves out stays out.
  for (const entry of entriesOf(before === undefined ? undefined : after)) {
    if (isBy(entry, manager)) {
      own = entry;
      continue;
    }
    const paths = fromFieldsV1(entry.fieldsV1);
    const kept = [...paths].filter((path) => !lost.has(path) && now.has(path));
    if (kept.length === 0) continue;
    const moved = [...paths].some((path) => lost.has(path));
    out.push(moved ? { ...entry, fieldsV1: toFieldsV1(kept) } : entry);
  }
  const mine = new Set<string>(
    applied === undefined
      ? changed
      : [...applied.keys()].filter((path) => !path.endsWith(`${SEPARATOR}.`) || path.includes("k:")),
  );
  if (applied === undefined && own !== undefined) {
    for (const path of fromFieldsV1(own.fieldsV1)) if (now.has(path)) mine.add(path);
  }
  if (mine.size === 0) return own === undefined || applied !== undefined ? out : [...out, own];
  const untouched = own !== undefined && changed.length === 0 && applied === undefined;
  const entry: Entry = {
    manager: manager.name,
    operation: manager.operation,
    apiVersion: manager.apiVersion,
    time: untouched && own !== undefined ? own.time : time,
    fieldsType: "FieldsV1",
    fieldsV1: toFieldsV1(mine),
    ...(manager.subresource === undefined ? {} : { subresource: manager.subresource }),
  };
  return [...out, entry].sort((a, b) => rank(a) - rank(b) || a.time.localeCompare(b.time));
}

// Applies come first, then updates by time.
function rank(entry: Entry): number {
  return entry.operation === "Apply" ? 0 : 1;
}
