import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ownersOf, parseCodeowners } from "../../src/pull-request/codeowners.ts";
import { chooseReviewers } from "../../src/pull-request/reviewers.ts";
import { cpuTime } from "../cpu-time.ts";

const of = (text: string, ...files: string[]): string => {
  const { users, teams } = ownersOf(files, parseCodeowners(text));
  return [...users, ...teams].join(" ");
};

/** The lines of the example in GitHub's documentation, without its comments. */
const EXAMPLE = `
# This is a comment.
*       @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.com
*.txt @octo-org/octocats
/build/logs/ @doctocat
docs/* docs@example.com @docs-owner
apps/ @apps-owner
/docs/ @all-docs
/scripts/ @doctocat @octocat
**/logs @logs-owner
/apps/ @root-apps
/apps/github
/apps/github @apps-github
`;

describe("GitHub's documented examples", () => {
  it.each([
    ["README", "global-owner1 global-owner2"],
    ["a/deep/file.rb", "global-owner1 global-owner2"],
    ["index.js", "js-owner"],
    ["a/deep/index.js", "js-owner"],
    ["main.go", ""],
    ["a/notes.txt", "octo-org/octocats"],
    ["scripts/run", "doctocat octocat"],
    ["scripts/deep/run.js", "doctocat octocat"],
    ["build/logs/a.log", "logs-owner"],
    ["deeply/nested/logs/b/c.log", "logs-owner"],
    ["x/apps/a", "apps-owner"],
    ["x/apps/deep/a.js", "apps-owner"],
    ["apps/a", "root-apps"],
    ["apps/github/a", "apps-github"],
    ["docs/a.md", "all-docs"],
    ["docs/build-app/a.md", "all-docs"],
  ])("%s is owned by %s", (file, owners) => expect(of(EXAMPLE, file)).toBe(owners));

  it("a star in a folder takes what lies in it, and not what lies deeper", () => {
    const text = "docs/* @docs-owner\n";
    expect(of(text, "docs/getting-started.md")).toBe("docs-owner");
    expect(of(text, "docs/build-app/troubleshooting.md")).toBe("");
    expect(of(text, "x/docs/a.md")).toBe("");
    expect(of("/* @top", "a")).toBe("top");
    expect(of("/* @top", "a/b")).toBe("");
  });

  it("a rule without owners takes its paths away from those above", () => {
    const text = "/apps/ @octocat\n/apps/github\n";
    expect(of(text, "apps/a.yaml")).toBe("octocat");
    expect(of(text, "apps/github/a.yaml")).toBe("");
  });

  it("what gitignore has and GitHub has not makes no rule", () => {
    const text = "* @all\n!a.yaml @not\n[ab].yaml @range\n\\#a @hash\n";
    expect(of(text, "a.yaml")).toBe("all");
    expect(of(text, "#a")).toBe("all");
  });
});

describe("patterns", () => {
  it.each<[string, string, boolean]>([
    ["a\\ b/ @x", "a b/c", true],
    ["a\\ b.yaml @x", "a b.yaml", true],
    ["a\\*b @x", "a*b", true],
    ["dir/**/*.yaml @x", "dir/a.yaml", true],
    ["dir/**/*.yaml @x", "dir/a/b/c.yaml", true],
    ["dir/**/*.yaml @x", "other/dir/a.yaml", false],
    ["dir/** @x", "dir/a/b", true],
    ["dir/** @x", "dir", false],
    ["**/dir/a @x", "x/y/dir/a", true],
    ["**/dir/a @x", "dir/a", true],
    ["a/b @x", "a/b/c/d", true],
    ["a/b @x", "x/a/b", false],
    ["b @x", "a/b/c", true],
    ["b/ @x", "a/b", false],
    ["?.yaml @x", "a.yaml", true],
    ["?.yaml @x", "ab.yaml", false],
    ["*.yaml @x", "a.yaml.bak", false],
    ["*a*b*c @x", "1a2b3c", true],
    ["apps/*/ @x", "apps/a/b", true],
    ["apps/*/ @x", "apps/a", false],
    ["A.yaml @x", "a.yaml", false],
    ["\t a.yaml\t @x", "a.yaml", true],
    ["a//b @x", "a/b", false],
    ["/ @x", "a", false],
    ["** @x", "a/b", true],
  ])("%s and %s: %s", (line, file, isOwned) => expect(of(line, file)).toBe(isOwned ? "x" : ""));

  it("lines may end in any way, and names that nobody can have are left out", () => {
    expect(of("a @x\r\na @y", "a")).toBe("y");
    expect(of("a @x @org/team a@example.com @ @-x @a/b/c x @y[bot] @org/", "a")).toBe("x org/team");
  });

  it("the last rule wins for each file, and owners are named once", () => {
    expect(of("*.yaml @y\n/a/ @x @y\n", "b.yaml", "a/b.yaml")).toBe("y x");
  });
});

describe("hostile files", () => {
  it("take no time", () => {
    const file = `${"a".repeat(250)}/${"a".repeat(250)}/${"a".repeat(250)}.yaml`;
    const lines = [
      "*a".repeat(120),
      `*${"a".repeat(200)}b`,
      "**/".repeat(300).concat("b"),
      "**/*a/".repeat(100).concat("b"),
      "*".repeat(1000),
      "?*".repeat(500),
    ];
    const text = Array.from({ length: 100 }, (_, index) => `${lines[index % lines.length]} @x`).join("\n");
    const started = cpuTime();
    of(text, file, file, file);
    expect(cpuTime() - started).toBeLessThan(10_000);
  });

  it("and any text whatever are read without a fault", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary", minLength: 1 }), (text, file) => {
        const { users, teams } = ownersOf([file], parseCodeowners(`${text} @x\n${file} @y`));
        for (const name of users) expect(name).toMatch(/^[\w-]+$/);
        for (const name of teams) expect(name).toMatch(/^[\w-]+\/[\w.-]+$/);
      }),
    );
    expect(parseCodeowners("x".repeat(2_000_000))).toEqual([]);
    expect(parseCodeowners(`${"x".repeat(2000)} @x`)).toEqual([]);
  });
});

describe("who is asked", () => {
  const base = { repository: "acme/shop", owners: { users: [], teams: [] }, culprit: null, self: "stanch[bot]" };
  it("owners first, then the author of the commit; ourselves and bots never, and everybody once", () => {
    const owners = {
      users: ["ada", "Robin", "renovate[bot]", "Stanch"],
      teams: ["Acme/shop", "other/team", "acme/shop"],
    };
    expect(chooseReviewers({ ...base, owners, culprit: "robin", self: "stanch" })).toEqual({
      users: ["ada", "Robin"],
      teams: ["shop"],
    });
    expect(chooseReviewers({ ...base, culprit: "eve" })).toEqual({ users: ["eve"], teams: [] });
    expect(chooseReviewers(base)).toEqual({ users: [], teams: [] });
  });

  it("but not everybody there is", () => {
    const owners = { users: Array.from({ length: 60 }, (_, index) => `u${index}`), teams: [] };
    expect(chooseReviewers({ ...base, owners }).users).toHaveLength(10);
  });
});
