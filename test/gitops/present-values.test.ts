import { describe, expect, it } from "vitest";
import type { Origin } from "../../src/gitops/origin.ts";
import { presentValues } from "../../src/gitops/present-values.ts";

const FILES = ["envs/z.yaml", "envs/a.yaml", "envs/nested/c.yaml", "envs/x.txt", "base.yaml"];
const origin = (values: readonly string[], more: Partial<Origin> = {}): Origin =>
  ({ helm: { release: "a", values }, ...more }) as Origin;

describe("presentValues", () => {
  it.each<[string, Origin, readonly string[]]>([
    ["plain files as they are", origin(["base.yaml", "gone.yaml"]), ["base.yaml", "gone.yaml"]],
    [
      "without what may be missing and is",
      origin(["base.yaml", "gone.yaml"], { optional: ["base.yaml", "gone.yaml"] }),
      ["base.yaml"],
    ],
    ["inputs", origin(["\u0000a"]), ["\u0000a"]],
    [
      "patterns in place and in order",
      origin(["base.yaml", "envs/*.yaml", "\u0000a"], { patterns: ["envs/*.yaml"] }),
      ["base.yaml", "envs/a.yaml", "envs/z.yaml", "\u0000a"],
    ],
    [
      "folder by folder",
      origin(["envs/**/*.yaml"], { patterns: ["envs/**/*.yaml"] }),
      ["envs/a.yaml", "envs/z.yaml", "envs/nested/c.yaml"],
    ],
    [
      "a named file where it is named",
      origin(["envs/*.yaml", "envs/a.yaml"], { patterns: ["envs/*.yaml"] }),
      ["envs/z.yaml", "envs/a.yaml"],
    ],
    [
      "each file once",
      origin(["envs/*.yaml", "envs/a*"], { patterns: ["envs/*.yaml", "envs/a*"] }),
      ["envs/a.yaml", "envs/z.yaml"],
    ],
    ["a pattern that matches nothing", origin(["no/*.yaml"], { patterns: ["no/*.yaml"] }), ["no/*.yaml"]],
    ["or nothing, where that may be", origin(["no/*.yaml"], { patterns: ["no/*.yaml"], optional: ["no/*.yaml"] }), []],
    ["a name with a star that is no pattern", origin(["envs/*.yaml"]), ["envs/*.yaml"]],
  ])("%s", (_, given, expected) => {
    expect(presentValues(given, FILES)).toEqual(expected);
  });
});
