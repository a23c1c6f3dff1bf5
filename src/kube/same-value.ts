import { isDeepStrictEqual } from "node:util";
import type { Json } from "../model.ts";

/** Are two values of a field the same? Absent and absent are; absent and null are not. */
export function sameValue(a: Json | undefined, b: Json | undefined): boolean {
  return isDeepStrictEqual(a, b);
}
