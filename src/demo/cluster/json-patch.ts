import { badRequest, patchRefused } from "./server/api-error.ts";
import type { Tree } from "./shapes.ts";
import { isTree, same } from "./shapes.ts";

/** Applies an RFC 6902 document to a copy of `target`. Throws ApiError 400 for no patch, 422 for one that does not apply. */
export function applyJsonPatch<T>(target: T, operations: unknown): T {
  if (!Array.isArray(operations)) {
    throw badRequest(
      "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
    );
  }
  const holder: Tree = { root: structuredClone(target) };
  for (const operation of operations) run(holder, operation);
  return holder.root as T;
}

function run(holder: Tree, operation: unknown): void {
  if (!isTree(operation) || typeof operation.path !== "string") throw patchRefused();
  const { op, path } = operation;
  switch (op) {
    case "test":
      if (!same(read(holder, path) ?? null, operation.value ?? null)) throw patchRefused();
      return;
    case "add":
      write(holder, path, structuredClone(operation.value), true);
      return;
    case "replace":
      if (read(holder, path) === undefined) throw patchRefused();
      write(holder, path, structuredClone(operation.value), false);
      return;
    case "remove":
      remove(holder, path);
      return;
    case "copy":
    case "move": {
      const value = read(holder, String(operation.from));
      if (value === undefined) throw patchRefused();
      if (op === "move") remove(holder, String(operation.from));
      write(holder, path, structuredClone(value), true);
      return;
    }
    default:
      throw patchRefused();
  }
}

function steps(pointer: string): string[] {
  if (pointer !== "" && !pointer.startsWith("/")) throw patchRefused();
  return ["root", ...pointer.split("/").slice(1)].map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function child(at: unknown, step: string): unknown {
  if (Array.isArray(at)) return /^\d+$/.test(step) ? at[Number(step)] : undefined;
  return isTree(at) && Object.hasOwn(at, step) ? at[step] : undefined;
}

function read(holder: Tree, pointer: string): unknown {
  let at: unknown = holder;
  for (const step of steps(pointer)) at = child(at, step);
  return at;
}

function parentOf(holder: Tree, pointer: string): { parent: unknown; last: string } {
  const all = steps(pointer);
  let parent: unknown = holder;
  for (const step of all.slice(0, -1)) parent = child(parent, step);
  return { parent, last: all.at(-1) ?? "" };
}

function write(holder: Tree, pointer: string, value: unknown, insert: boolean): void {
  const { parent, last } = parentOf(holder, pointer);
  if (Array.isArray(parent)) {
    const index = last === "-" && insert ? parent.length : /^\d+$/.test(last) ? Number(last) : -1;
    if (index < 0 || index > parent.length) throw patchRefused();
    parent.splice(index, insert ? 0 : 1, value);
  } else if (isTree(parent)) parent[last] = value;
  else throw patchRefused();
}

function remove(holder: Tree, pointer: string): void {
  const { parent, last } = parentOf(holder, pointer);
  if (child(parent, last) === undefined) throw patchRefused();
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else if (isTree(parent)) delete parent[last];
}

/** Applies an RFC 7396 merge patch. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isTree(patch)) return structuredClone(patch);
  const result: Tree = isTree(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = applyMergePatch(result[key], value);
  }
  return result;
}
