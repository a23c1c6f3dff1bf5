import { StanchError } from "../errors.ts";
import type { Change, FieldPath, Json, PatchOperation, PathStep } from "../model.ts";
import { formatPath, getAt, resolvePath, toPointer, withValue } from "./field-path.ts";
import { sameValue } from "./same-value.ts";

/**
 * Changes of one object as one JSON Patch (RFC 6902) against `live`. Every value that is replaced or removed is tested
 * first, and so is the merge key of every list item whose index is used, so that a patch which does not meet the object
 * it was made for fails as a whole. What cannot be tested is that a field is absent: `live` must be of the
 * resourceVersion that the caller tests. Maps and lists on the way to a new field are added with it.
 *
 * Throws StanchError `conflict` when `live` is not what the changes start from.
 */
export function toPatch(changes: readonly Change[], live: unknown): PatchOperation[] {
  const operations: PatchOperation[] = [];
  let at = live;
  for (const change of changes) {
    operations.push(...operationsFor(change, at));
    // The next change's indexes are those that this one leaves behind.
    at = applied(at, change);
  }
  return unrepeated(operations);
}

/** What takes the changes back, in reverse order. Parents that were added with a field stay behind, empty. */
export function inverse(changes: readonly Change[]): Change[] {
  return changes.toReversed().map(({ object, path, from, to }) => ({
    object,
    path,
    ...(to === undefined ? {} : { from: to }),
    ...(from === undefined ? {} : { to: from }),
  }));
}

/** A copy of the object with the changes made, whatever was there before. */
export function applyChanges<T>(object: T, changes: readonly Change[]): T {
  return changes.reduce(applied, object);
}

/** A sentence for each change whose `from` no longer is, exactly, what the object holds. Empty: all may be made. */
export function conflicts(changes: readonly Change[], live: unknown): string[] {
  const found: string[] = [];
  let at = live;
  for (const change of changes) {
    const is = getAt(at, change.path);
    if (!sameValue(is, change.from))
      found.push(`${formatPath(change.path)} is ${show(is)} and not ${show(change.from)}`);
    else if (change.to !== undefined && !isReachable(at, change.path))
      found.push(`${formatPath(change.path)} has no place to stand in`);
    at = applied(at, change);
  }
  return found;
}

function operationsFor({ path, from, to }: Change, at: unknown): PatchOperation[] {
  const is = getAt(at, path);
  if (!sameValue(is, from))
    throw new StanchError("conflict", `${formatPath(path)} is ${show(is)} and not ${show(from)}`);
  if (from === undefined) return to === undefined ? [] : addition(path, to, at);
  const steps = resolvePath(at, path);
  if (steps === undefined) throw new StanchError("conflict", `${formatPath(path)} is not there`);
  const pointer = toPointer(steps);
  const tests: PatchOperation[] = [...itemTests(at, path), { op: "test", path: pointer, value: from }];
  return [...tests, to === undefined ? { op: "remove", path: pointer } : { op: "replace", path: pointer, value: to }];
}

/** Adds at the first place of the path that is not there, with everything below it. */
function addition(path: FieldPath, to: Json, at: unknown): PatchOperation[] {
  let length = 0;
  while (length < path.length && getAt(at, path.slice(0, length + 1)) !== undefined) length += 1;
  const parentPath = path.slice(0, length);
  const step = path[length];
  const parent = getAt(at, parentPath);
  const steps = resolvePath(at, parentPath);
  if (steps === undefined || step === undefined || !holds(parent, step))
    throw new StanchError("conflict", `${formatPath(path)} has no place to stand in`);
  const value = getAt(applied(at, { path, to }), path.slice(0, length + 1)) ?? to;
  const last = typeof step === "string" ? step : "-";
  return [...itemTests(at, parentPath), { op: "add", path: toPointer([...steps, last]), value }];
}

/** Can a value be put below `parent` at `step`: a field of a map, a new item of a list? */
function holds(parent: Json | undefined, step: PathStep): boolean {
  if (typeof step === "string") return typeof parent === "object" && parent !== null && !Array.isArray(parent);
  if (!Array.isArray(parent)) return false;
  return typeof step === "object" || step === parent.length;
}

function isReachable(at: unknown, path: FieldPath): boolean {
  let length = 0;
  while (length < path.length && getAt(at, path.slice(0, length + 1)) !== undefined) length += 1;
  const step = path[length];
  return step === undefined || holds(getAt(at, path.slice(0, length)), step);
}

/** A `test` of the merge key for every named item on the way: its index alone does not say that it is the one. */
function itemTests(at: unknown, path: FieldPath): PatchOperation[] {
  return path.flatMap((step, index): PatchOperation[] => {
    if (typeof step !== "object") return [];
    const steps = resolvePath(at, path.slice(0, index + 1));
    return steps === undefined ? [] : [{ op: "test", path: toPointer([...steps, step.by]), value: step.value }];
  });
}

function applied<T>(object: T, { path, to }: Pick<Change, "path" | "to">): T {
  // Removing what is not there must not make its parents.
  if (to === undefined && getAt(object, path) === undefined) return object;
  return withValue(object, path, to);
}

/** Without tests that were made already and that nothing in between can have changed. */
function unrepeated(operations: readonly PatchOperation[]): PatchOperation[] {
  const made = new Set<string>();
  return operations.filter((operation) => {
    if (operation.op !== "test") {
      made.clear();
      return true;
    }
    const key = `${operation.path} ${JSON.stringify(operation.value)}`;
    if (made.has(key)) return false;
    made.add(key);
    return true;
  });
}

function show(value: Json | undefined): string {
  if (value === undefined) return "not set";
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
