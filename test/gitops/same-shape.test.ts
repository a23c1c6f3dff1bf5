import { expect, it } from "vitest";
import { sameShape } from "../../src/gitops/same-shape.ts";
import type { Json } from "../../src/model.ts";

it.each<[Json | undefined, Json | undefined, boolean]>([
  ["64Mi", "128Mi", true],
  [8080, 8081, true],
  [8080, "http", false],
  ["a", undefined, false],
  [undefined, "a", false],
  [null, "a", false],
  [{ name: "a" }, { name: "b" }, true],
  [{ name: "a" }, { nam: "b" }, false],
  [{ name: "a" }, { name: "b", optional: true }, false],
  [["a", "b"], ["c", "d"], true],
  [["a"], ["c", "d"], false],
  [["a"], { 0: "a" }, false],
  [[{ name: "a", value: "1" }], [{ name: "a", value: 1 }], false],
])("%j and %j: %s", (a, b, same) => expect(sameShape(a, b)).toBe(same));
