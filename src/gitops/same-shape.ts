import type { Json } from "../model.ts";

/**
 * Is a value of the shape of another: the same kind of scalar, or a map or list of as many such? What the API server takes in
 * the one it can read in the other; whether it likes the value is not said.
 */
export function sameShape(a: Json | undefined, b: Json | undefined): boolean {
  if (a === undefined || b === undefined || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b))
    return (
      Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, at) => sameShape(item, b[at]))
    );
  if (typeof a !== "object" || typeof b !== "object") return typeof a === typeof b;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && sameShape(a[key], b[key]))
  );
}
