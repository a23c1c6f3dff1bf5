import type { FieldPath, Json, PathStep } from "../model.ts";

/** `spec.template.spec.containers[name=app].resources.limits["nvidia.com/gpu"]` */
export function formatPath(path: FieldPath): string {
  let out = "";
  for (const step of path) {
    if (typeof step === "number") out += `[${step}]`;
    else if (typeof step === "object") out += `[${step.by}=${step.value}]`;
    else if (/^[A-Za-z_$][\w$-]*$/.test(step)) out += out === "" ? step : `.${step}`;
    else out += `[${JSON.stringify(step)}]`;
  }
  return out;
}

/** The value at a path, or undefined where there is none. */
export function getAt(root: unknown, path: FieldPath): Json | undefined {
  let at: unknown = root;
  for (const step of path) {
    at = child(at, step);
    if (at === undefined) return undefined;
  }
  return at as Json;
}

/** Steps with every named item turned into its index in `root`; undefined when an item is not there. */
export function resolvePath(root: unknown, path: FieldPath): (string | number)[] | undefined {
  const out: (string | number)[] = [];
  let at: unknown = root;
  for (const step of path) {
    if (typeof step === "object") {
      const index = indexOfItem(at, step);
      if (index < 0) return undefined;
      out.push(index);
    } else out.push(step);
    at = child(at, step);
  }
  return out;
}

/** A JSON Pointer (RFC 6901). */
export function toPointer(steps: readonly (string | number)[]): string {
  return steps.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/**
 * A copy of `root` with the value at `path` set, or removed when `value` is undefined. Maps on the way are made; a
 * named list item that is not there is appended. The input is not changed.
 */
export function withValue<T>(root: T, path: FieldPath, value: Json | undefined): T {
  const [step, ...rest] = path;
  if (step === undefined) return value as T;
  if (typeof step === "string") {
    const map = { ...(isMap(root) ? root : {}) } as Record<string, unknown>;
    const next = rest.length === 0 ? value : withValue(map[step], rest, value);
    if (next === undefined) delete map[step];
    else map[step] = next;
    return map as T;
  }
  const list = Array.isArray(root) ? [...root] : [];
  const index = typeof step === "number" ? step : indexOfItem(root, step);
  if (index < 0 || index >= list.length) {
    const made =
      rest.length === 0
        ? value
        : withValue(typeof step === "object" ? { [step.by]: step.value } : undefined, rest, value);
    if (made !== undefined) list.push(made);
    return list as T;
  }
  const next = rest.length === 0 ? value : withValue(list[index], rest, value);
  if (next === undefined) list.splice(index, 1);
  else list[index] = next;
  return list as T;
}

function child(at: unknown, step: PathStep): unknown {
  if (typeof step === "object") return Array.isArray(at) ? at[indexOfItem(at, step)] : undefined;
  if (typeof step === "number") return Array.isArray(at) ? at[step] : undefined;
  return isMap(at) && Object.hasOwn(at, step) ? at[step] : undefined;
}

function indexOfItem(list: unknown, step: { by: string; value: string | number }): number {
  return Array.isArray(list) ? list.findIndex((item) => isMap(item) && item[step.by] === step.value) : -1;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
