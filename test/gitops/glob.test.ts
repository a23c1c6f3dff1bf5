import { describe, expect, it } from "vitest";
import { matchAlternatives, matchGlob } from "../../src/gitops/glob.ts";

describe("globs", () => {
  it.each([
    ["*.yaml", "a.yaml", true],
    ["*.yaml", "sub/a.yaml", true],
    ["*.yaml", "a.yml", false],
    ["**/a.yaml", "x/y/a.yaml", true],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["[a-c]x", "bx", true],
    ["[!a-c]x", "bx", false],
    ["\\*", "*", true],
    ["\\*", "a", false],
    ["{deploy,service}.yaml", "service.yaml", true],
    ["{deploy,service}.yaml", "other.yaml", false],
    ["{a,{b,c}}/*.{yaml,yml}", "c/x.yml", true],
    ["{a", "a", false],
    ["[", "[", false],
    ["", "", true],
    ["é*", "éa", true],
    [`${"*a".repeat(60)}b`, "a".repeat(500), false],
    [`${"{a,b}".repeat(40)}`, "a", false],
  ])("%s and %s: %s", (pattern, text, wanted) => {
    expect(matchAlternatives(pattern, text)).toBe(wanted);
  });

  it.each(["[", "[a", "[]", "a\\", "[a-]"])("%s is malformed", (pattern) => {
    expect(matchGlob(pattern, "a")).toBeNull();
  });
});
