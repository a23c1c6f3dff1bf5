import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { repositoryPath } from "../../src/gitops/repository-path.ts";
import { commitIn, revisionOf } from "../../src/gitops/revision.ts";

describe("revisionOf", () => {
  it.each<[string, ReturnType<typeof revisionOf>]>([
    ["", {}],
    ["HEAD", {}],
    ["main", { branch: "main" }],
    ["release-1.2", { branch: "release-1.2" }],
    ["release/1.2", { branch: "release/1.2" }],
    ["env/prod", { branch: "env/prod" }],
    ["refs/heads/v1", { branch: "v1" }],
    ["refs/tags/main", { pinned: "tag main" }],
    ["refs/pull/7/head", { pinned: "reference refs/pull/7/head" }],
    ["v1.2.3", { pinned: "tag v1.2.3" }],
    ["v1", { pinned: "tag v1" }],
    ["1.2.3-rc.1", { pinned: "tag 1.2.3-rc.1" }],
    ["1.x", { pinned: "version 1.x" }],
    ["1.2.*", { pinned: "version 1.2.*" }],
    ["*", { pinned: "version *" }],
    ["^1.2", { pinned: "version ^1.2" }],
    [">=1.0.0 <2.0.0", { pinned: "version >=1.0.0 <2.0.0" }],
    ["1.0.0 || ~2.1", { pinned: "version 1.0.0 || ~2.1" }],
    ["1a2b3c4", { pinned: "commit 1a2b3c4" }],
    ["F".repeat(40), { pinned: `commit ${"F".repeat(40)}` }],
    ["--upload-pack=sh", null],
    ["a b", null],
    ["a..b", null],
    ["a\nb", null],
    ["main.lock", null],
    ["refs/heads/-x", null],
    ["refs/heads/a\u0000", null],
  ])("%j", (text, revision) => {
    expect(revisionOf(text)).toEqual(revision);
  });

  it("yields no branch that a program could take for anything else", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const branch = revisionOf(text)?.branch ?? "x";
        expect(branch).toMatch(/^[^-\s]\S*$/);
        expect(branch).not.toContain("\u0000");
      }),
    );
  });
});

describe("commitIn", () => {
  const sha = "0123456789abcdef0123456789abcdef01234567";
  it.each([sha, `main@sha1:${sha}`, `sha1:${sha}`, `main/${sha}`, `feature/a@sha1:${sha}`])("%s", (text) => {
    expect(commitIn(text)).toBe(sha);
  });
  it.each([undefined, "", "main", "6.5.3", `x${sha}`, "sha1:12"])("%s is none", (text) => {
    expect(commitIn(text)).toBeUndefined();
  });
});

describe("repositoryPath", () => {
  it.each<[readonly string[], string | null, string | null]>([
    [[""], ".", "."],
    [["./"], ".", "."],
    [["./apps/shop/"], "apps/shop", "apps/shop"],
    [["/apps"], "apps", "apps"],
    [["apps", "../base"], "base", "base"],
    [["apps", "../../x"], null, "x"],
    [["a\u0000b"], null, null],
  ])("%j", (parts, plain, clamped) => {
    expect(repositoryPath(parts)).toBe(plain);
    expect(repositoryPath(parts, { clamp: true })).toBe(clamped);
  });
});
