import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "../../src/config/duration.ts";
import { loadConfig, parseConfig } from "../../src/config/load.ts";
import { editDistance, nearest } from "../../src/config/nearest.ts";
import { inScope, matchesGlob } from "../../src/config/scope.ts";
import { StanchError } from "../../src/errors.ts";

function fault(text: string): StanchError {
  try {
    parseConfig(text, "stanch.yaml");
  } catch (error) {
    if (error instanceof StanchError) return error;
  }
  throw new Error("it was accepted");
}

describe("the configuration", () => {
  it("has a production default for everything, and observes only", () => {
    const config = parseConfig("");
    expect(config.mode).toBe("observe");
    expect(config.verify.patience).toBe(300_000);
    expect(config.guard.requireProof).toBe(false);
    expect(config.remedies.memory.ceiling).toBe("4Gi");
  });

  it("keeps the defaults of a section beside what is set in it", () => {
    const config = parseConfig("verify:\n  patience: 90s\n");
    expect(config.verify).toMatchObject({ patience: 90_000, least: 20_000 });
  });

  it.each([
    ["mod: remediate", 'stanch.yaml: unknown key "mod"; did you mean "mode"?'],
    ["guard:\n  cooldwn: 5m", 'unknown key "guard.cooldwn"; did you mean "cooldown"?'],
    ["sources:\n  - repository: acme/shop\n    pth: apps", 'unknown key "sources.0.pth"; did you mean "path"?'],
    ["zebra: 1", 'unknown key "zebra"; known here: mode, cluster'],
  ])("refuses an unknown key with the nearest known one: %s", (text, sentence) => {
    expect(fault(text).message).toContain(sentence);
  });

  it("names the line of every bad value", () => {
    const { message } = fault("mode: remediate\nverify:\n  patience: soon\nguard:\n  storm: 0\n");
    expect(message).toContain("stanch.yaml:3: verify.patience: is not a duration");
    expect(message).toContain("stanch.yaml:5: guard.storm:");
  });

  it("says where the YAML is broken", () => {
    expect(fault("mode: [").message).toMatch(/stanch\.yaml: .*line 1/);
    expect(fault("mode: observe\nmode: propose").message).toContain("unique");
  });

  it("refuses a configuration that is no map", () => {
    expect(fault("- a\n- b").message).toContain("the configuration");
  });

  it("says that a file is not there", async () => {
    await expect(loadConfig("/nowhere/stanch.yaml")).rejects.toMatchObject({
      code: "config",
      hint: expect.stringContaining("--config"),
    });
  });
});

describe("durations", () => {
  it.each([
    ["90s", 90_000],
    ["1h30m", 5_400_000],
    ["14d", 1_209_600_000],
    ["250ms", 250],
  ])("%s", (text, ms) => expect(parseDuration(text)).toBe(ms));
  it.each(["", "5", "m5", "5 m", "-5m", "1.5h"])("refuses %j", (text) => expect(parseDuration(text)).toBeNull());
  it("shows what it reads, for round numbers", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 119 }),
        fc.constantFrom("s", "m"),
        (count, unit) =>
          parseDuration(formatDuration(parseDuration(`${count}${unit}`) ?? 0)) === parseDuration(`${count}${unit}`),
      ),
    );
  });
});

describe("scope", () => {
  const config = parseConfig("scope:\n  namespaces: ['team-*', shop]\n  excludeNamespaces: [team-x]\n");
  it.each([
    ["team-a", true],
    ["team-x", false],
    ["shop", true],
    ["shopping", false],
    ["other", false],
  ])("%s → %s", (name, expected) => expect(inScope(name, config)).toBe(expected));
  it("never has Kubernetes' own namespaces, nor Stanch's", () => {
    const all = parseConfig("");
    for (const name of ["kube-system", "kube-public", "kube-node-lease", "stanch-system"])
      expect(inScope(name, all)).toBe(false);
    expect(inScope("stanch-system", parseConfig("scope:\n  namespaces: [stanch-system, kube-system]"))).toBe(false);
  });
  it("takes nothing but * and ? for special", () => {
    expect(matchesGlob("a.c", "abc")).toBe(false);
    expect(matchesGlob("a?c", "abc")).toBe(true);
    fc.assert(fc.property(fc.string(), (name) => matchesGlob("*", name)));
  });
});

describe("the nearest word", () => {
  it.each([
    ["kubernets", "kubernetes"],
    ["cmoand", null],
    ["Mode", "mode"],
  ])("%s → %s", (word, expected) => expect(nearest(word, ["kubernetes", "mode"])).toBe(expected));
  it("is a metric but for the triangle", () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 12 }),
        fc.string({ maxLength: 12 }),
        (a, b) => editDistance(a, b) === editDistance(b, a) && (editDistance(a, b) === 0) === (a === b),
      ),
    );
  });
  it("counts a swap of neighbours as one", () => expect(editDistance("1.72", "1.27")).toBe(1));
});

describe("a value that could not work", () => {
  it.each([
    ["remedies: {memory: {ceiling: lots}}", "remedies.memory.ceiling: is no quantity"],
    ["pullRequest: {report: ../../etc}", "pullRequest.report: is no folder inside the repository"],
    ['pullRequest: {report: ".git/hooks"}', "pullRequest.report: is no folder inside the repository"],
    ['github: {apiUrl: "ftp://x"}', "github.apiUrl: is no http or https URL"],
    ["registry: {mirrors: {ghcr.io: nonsense}}", "registry.mirrors.ghcr.io: is no http or https URL"],
    ['github: {authorEmail: "a@b\\nc"}', "github.authorEmail: is no address"],
    ['github: {authorName: "x <y>"}', "github.authorName: is no name"],
    ["sources: [{repository: acme/shop, path: ../x}]", "sources.0.path: is no folder inside the repository"],
    ["sources: [{repository: acme/..}]", "sources.0.repository: is not owner/name"],
    ["sources: [{repository: https://github.com/acme/shop}]", "sources.0.repository: is not owner/name"],
    ['namespace: "Not Valid"', "namespace: is no name of a namespace"],
    ["scope: {namespaces: []}", "scope.namespaces: is empty"],
    ["lease: 0s", "lease: must be at least 1s"],
    ["verify: {poll: 0s}", "verify.poll: must be at least 10ms"],
  ])("is refused before anything is asked: %s", (text, sentence) => {
    expect(fault(text).message).toMatch(/^stanch\.yaml:1: /);
    expect(fault(text).message).toContain(sentence);
  });
});
