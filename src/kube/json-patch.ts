import type { Change, FieldPath, Json, KubeObject, PatchOperation } from "../model.ts";
import { formatPath, getAt, resolvePath, toPointer, withValue } from "./field-path.ts";
import { sameValue } from "./same-value.ts";

/**
 * The JSON Patch (RFC 6902) that makes `changes` of one live object. Every replaced value is tested first, and a list
 * item is addressed by its index only after a `test` on the key that names it, so the patch fails as a whole when the
 * object is not what it was. Operations are computed one after the other against the object as the ones before leave it.
 */
export function toPatch(changes: readonly Change[], live: KubeObject): PatchOperation[] {
  const operations: PatchOperation[] = [];
  let object = live;
  for (const change of changes) {
    operations.push(...operationsOf(change, object));
    object = withValue(object, change.path, change.to);
  }
  return operations;
}

/** What takes the changes back, last first. */
export function inverse(changes: readonly Change[]): Change[] {
  return changes.toReversed().map(({ object, path, from, to }) => ({ object, path, ...(to === undefined ? {} : { from: to }), ...(from === undefined ? {} : { to: from }) }));
}

/** A copy of an object with the changes made. */
export function applyChanges<T>(object: T, changes: readonly Change[]): T {
  return changes.reduce((at, change) => withValue(at, change.path, change.to), object);
}

/** Sentences about fields that are not what the changes expect them to be; empty: all still hold. */
export function conflicts(changes: readonly Change[], live: KubeObject): string[] {
  const out: string[] = [];
  let object = live;
  for (const change of changes) {
    const now = getAt(object, change.path);
    if (!sameValue(now, change.from)) out.push(`${formatPath(change.path)} is ${say(now)}, not ${say(change.from)}`);
    object = withValue(object, change.path, change.to);
  }
  return out;
}

function operationsOf(change: Change, object: KubeObject): PatchOperation[] {
  const { path, from, to } = change;
  const named = testsOfItems(path, object);
  const steps = resolvePath(object, path);
  if (from !== undefined && steps !== undefined) {
    const pointer = toPointer(steps);
    const test: PatchOperation = { op: "test", path: pointer, value: from };
    return [...named, test, to === undefined ? { op: "remove", path: pointer } : { op: "replace", path: pointer, value: to }];
  }
  return to === undefined ? named : [...named, addition(path, to, object)];
}

/** Adds a value where there is none; the missing maps and items above it come with it, as one `add`. */
function addition(path: FieldPath, to: Json, object: KubeObject): PatchOperation {
  for (let length = 0; length < path.length; length += 1) {
    const step = path[length];
    const parent = getAt(object, path.slice(0, length));
    const made = withValue<unknown>(parent, path.slice(length), to);
    const above = toPointer(resolvePath(object, path.slice(0, length)) ?? []);
    if (parent === undefined || parent === null) return { op: "add", path: above, value: made as Json };
    if (typeof step === "object" && Array.isArray(parent) && getAt(parent, [step]) === undefined) {
      const item = (made as Json[]).at(-1);
      return { op: "add", path: `${above}/-`, value: item ?? null };
    }
    if (length === path.length - 1) {
      const last = typeof step === "object" ? "-" : String(step ?? "");
      return { op: "add", path: `${above}${toPointer([last])}`, value: to };
    }
  }
  return { op: "add", path: "", value: to };
}

/** A `test` for the name of every list item on the way. */
function testsOfItems(path: FieldPath, object: KubeObject): PatchOperation[] {
  return path.flatMap((step, index): PatchOperation[] => {
    if (typeof step !== "object") return [];
    const steps = resolvePath(object, path.slice(0, index + 1));
    return steps === undefined ? [] : [{ op: "test", path: toPointer([...steps, step.by]), value: step.value }];
  });
}

function say(value: Json | undefined): string {
  if (value === undefined) return "not set";
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
