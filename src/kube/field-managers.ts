import type { FieldPath, Json, KubeObject, ManagedFields, PathStep } from "../model.ts";
import { getAt } from "./field-path.ts";
import { type Fields, mapAt } from "./fields.ts";

/** An entry of `metadata.managedFields` that has to do with a field. */
export interface Ownership {
  readonly entry: ManagedFields;
  /**
   * `exact`: its set names the field itself, or an item that it is. `above`: it owns the list or map around the field as a whole.
   * `below`: its set names something inside the field, and not the field.
   */
  readonly how: "exact" | "above" | "below";
}

/**
 * Who owns a field, by `metadata.managedFields` (structured-merge-diff's `FieldsV1`): the entries whose set holds the
 * field, something below it, or the list or map around it as a whole. Writes to subresources do not count.
 */
export function managersOf(object: Pick<KubeObject, "metadata">, path: FieldPath): ManagedFields[] {
  return ownersOf(object, path)
    .map(({ entry }) => entry)
    .filter(({ subresource = "" }) => subresource === "");
}

/** The same with how each entry owns the field; writes to subresources (`scale`) count. */
export function ownersOf(object: Pick<KubeObject, "metadata">, path: FieldPath): Ownership[] {
  return (object.metadata.managedFields ?? []).flatMap((entry) => {
    const how = owns(entry.fieldsV1, path, object);
    return how === null ? [] : [{ entry, how }];
  });
}

/**
 * How the API server merges the list at a path, as far as an entry tells: by keys, as a set, or as a whole; null when no entry has anything
 * to do with it.
 */
export function listTypeOf(
  object: Pick<KubeObject, "metadata">,
  path: FieldPath,
): { readonly keys: readonly string[] } | "set" | "atomic" | null {
  let found: "atomic" | null = null;
  for (const { fieldsV1 } of object.metadata.managedFields ?? []) {
    const at = nodeAt(fieldsV1, path);
    if (at === undefined) continue;
    const members = Object.keys(at).filter((key) => key !== ".");
    const keyed = members.find((key) => key.startsWith("k:"));
    if (keyed !== undefined) return { keys: Object.keys(keysIn(keyed)) };
    if (members.some((key) => key.startsWith("v:"))) return "set";
    if (members.length === 0) found = "atomic";
  }
  return found;
}

function owns(fields: unknown, path: FieldPath, object: unknown): Ownership["how"] | null {
  let at: Fields | undefined = mapAt(fields);
  if (at === undefined) return null;
  for (const [depth, step] of path.entries()) {
    const keys: string[] = Object.keys(at).filter((key) => key !== ".");
    // A leaf of the set: the field is owned as a whole, with all that is in it.
    if (keys.length === 0) return depth > 0 ? "above" : null;
    const key: string | undefined =
      keys.find((candidate) => matches(candidate, step)) ??
      (typeof step === "string" ? undefined : itemKey(keys, getAt(object, path.slice(0, depth + 1))));
    const next: Fields | undefined = key === undefined ? undefined : mapAt(at, key);
    if (next === undefined) return null;
    at = next;
  }
  const members = Object.keys(at);
  return members.length === 0 || members.includes(".") ? "exact" : "below";
}

function nodeAt(fields: unknown, path: FieldPath): Fields | undefined {
  let at: Fields | undefined = mapAt(fields);
  for (const step of path) {
    const key: string | undefined = Object.keys(at ?? {}).find((candidate) => matches(candidate, step));
    at = key === undefined ? undefined : mapAt(at, key);
  }
  return at;
}

/** `f:image` is a field, `k:{"name":"app"}` a list item by its keys, `v:"x"` an item of a set, `i:0` an index. */
function matches(key: string, step: PathStep): boolean {
  if (typeof step === "string") return key === `f:${step}`;
  if (typeof step === "number") return key === `i:${step}`;
  return key.startsWith("k:") && keysIn(key)[step.by] === step.value;
}

/** The keys in a set that lead to a field; undefined where it names nothing there or below. */
export function nodeStepsTo(fields: unknown, path: FieldPath, object: unknown): readonly string[] | undefined {
  const out: string[] = [];
  let at: Fields | undefined = mapAt(fields);
  for (const [depth, step] of path.entries()) {
    const keys = Object.keys(at ?? {});
    const key =
      keys.find((candidate) => matches(candidate, step)) ??
      (typeof step === "string" ? undefined : itemKey(keys, getAt(object, path.slice(0, depth + 1))));
    if (key === undefined) return undefined;
    out.push(key);
    at = mapAt(at, key);
  }
  return at === undefined ? undefined : out;
}

/** Does a set's key (`k:{…}`) mean this list item? */
export function ofItem(key: string, item: unknown): boolean {
  return itemKey([key], item) !== undefined;
}

/** The key of an item that is called otherwise than by its merge keys: all of these must be the item's. */
function itemKey(keys: readonly string[], item: unknown): string | undefined {
  const map = mapAt(item);
  if (map === undefined) return undefined;
  return keys.find((key) => {
    const said = key.startsWith("k:") ? Object.entries(keysIn(key)) : [];
    return said.length > 0 && said.every(([name, value]) => (map[name] ?? KEY_DEFAULTS[name]) === value);
  });
}

const KEY_DEFAULTS: Readonly<Record<string, string>> = { protocol: "TCP" };

function keysIn(key: string): { readonly [name: string]: Json } {
  try {
    return (JSON.parse(key.slice(2)) as { [name: string]: Json } | null) ?? {};
  } catch {
    return {};
  }
}
