import { describe, expect, it } from "vitest";
import { attributeOf, wildmatch } from "../../src/gitops/attributes.ts";
import { cpuTime } from "../cpu-time.ts";

describe("wildmatch", () => {
  it.each([
    ["*.yaml", "a.yaml", true],
    ["*.yaml", "a/b.yaml", false],
    ["**/b.yaml", "b.yaml", true],
    ["**/b.yaml", "a/c/b.yaml", true],
    ["**/b.yaml", "ab.yaml", false],
    ["a/**", "a/b/c.yaml", true],
    ["a/**", "a", false],
    ["a/**", "ab/c", false],
    ["a/**/b", "a/b", true],
    ["a/**/b", "a/x/y/b", true],
    ["a/**/b", "a/xb", false],
    ["a?c", "abc", true],
    ["a?c", "a/c", false],
    ["a*c*e", "abcde", true],
    ["a**e", "abcde", true],
    ["a**e", "ab/de", false],
    ["{a,b}", "a", false],
    ["a.b", "axb", false],
    ["", "", true],
    ["x".repeat(600), "x".repeat(600), false],
  ])("%s, %s: %s", (pattern, path, expected) => expect(wildmatch(pattern, path)).toBe(expected));

  it.each([
    ["{a,b}".repeat(30), "apps/cart.yaml"],
    [`${"*a".repeat(200)}b`, "a".repeat(4000)],
    [`${"**/".repeat(150)}b`, "a/".repeat(2000)],
  ])("a pattern made to take forever does not: %.20s", (pattern, path) => {
    const started = cpuTime();
    expect(wildmatch(pattern, path)).toBe(false);
    expect(cpuTime() - started).toBeLessThan(3_000);
  });
});

describe("attributeOf", () => {
  const generated = attributeOf(
    "linguist-generated",
    new Map([
      ["apps/own", "*.yaml -linguist-generated\n"],
      [
        ".",
        [
          "# *.md linguist-generated",
          "*.lock text linguist-generated=true",
          "/apps/** linguist-generated",
          "apps/hand.yaml linguist-generated=false",
          "docs/*.yaml !linguist-generated",
          "other.yaml linguist-documentation",
          "deep.yaml linguist-generated",
        ].join("\n"),
      ],
    ]),
  );
  it.each([
    ["x/y.lock", true],
    ["apps/a/b.yaml", true],
    ["apps/hand.yaml", false],
    ["apps/own/x.yaml", false],
    ["apps/own/x.json", true],
    ["docs/a.yaml", false],
    ["other.yaml", false],
    ["any/where/deep.yaml", true],
    ["readme.md", false],
  ])("%s: %s", (path, expected) => expect(generated(path)).toBe(expected));
});
