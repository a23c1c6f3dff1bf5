import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { table } from "../../src/commands/table.ts";
import { deployment, isKilled, makeWorld, type World } from "../pipeline/world.ts";
import { command, flagsFor } from "./command.ts";

let world: World;
let at: Awaited<ReturnType<typeof flagsFor>>;

beforeAll(async () => {
  world = await makeWorld({
    "apps/app.yaml": deployment({ annotations: "  labels: {team: a}\n" }),
    "apps/fine.yaml": deployment({ name: "fine", memory: "256Mi" }),
  });
  world.cluster.apply([{ apiVersion: "v1", kind: "Namespace", metadata: { name: "other" } }]);
  at = await flagsFor(world, { mode: "observe" });
  await world.deploy();
  await world.until(() => isKilled(world));
}, 30_000);
afterAll(async () => {
  await at.close();
  await world[Symbol.asyncDispose]();
});

describe("stanch scan", () => {
  it("shows a table as kubectl does, and asks for attention", async () => {
    const { out, code } = await command("scan", at.flags);
    const [head = "", ...rows] = out.trimEnd().split("\n");
    expect(head).toMatch(/^NAMESPACE {3}WORKLOAD {2,}CONTAINER {3}SYMPTOM {2,}PODS {3}SINCE {3}WHAT$/);
    expect(rows[0]).toMatch(/^shop {8}deployment\/app {3}app {9}OOMKilled {3}1 {6}\d+s/);
    expect(out).not.toContain("deployment/fine");
    expect(code).toBe(3);
  });

  it("says the same as JSON, and nothing else on standard output", async () => {
    const { out, error } = await command("scan", { ...at.flags, output: "json" });
    const said = JSON.parse(out);
    expect(said.findings[0]).toMatchObject({
      workload: { kind: "Deployment", namespace: "shop", name: "app" },
      symptom: { kind: "OOMKilled" },
    });
    expect(Object.keys(said)).toEqual(["takenAt", "counts", "gaps", "findings"]);
    for (const line of error.split("\n").filter((text) => text !== "")) expect(() => JSON.parse(line)).not.toThrow();
  });

  it("reads only", async () => {
    const before = world.cluster.requests.length;
    await command("scan", at.flags);
    expect(new Set(world.cluster.requests.slice(before).map((row) => row.method))).toEqual(new Set(["GET"]));
    expect(world.host.requests).toEqual([]);
  });

  it.each([
    ["-n of a healthy namespace", { namespace: ["other"] }, 0],
    ["-n of this namespace", { namespace: ["shop"] }, 3],
    ["-n twice", { namespace: ["other", "shop"] }, 3],
    ["-n with a glob", { namespace: ["sh*"] }, 3],
    ["-A wins over -n", { namespace: ["other"], "all-namespaces": true }, 3],
    ["-l that matches", { selector: "team=a" }, 3],
    ["-l that does not", { selector: "team!=a" }, 0],
    ["-l with a set", { selector: "team in (x, a)" }, 3],
  ])("%s", async (_, flags, code) => {
    const said = await command("scan", { ...at.flags, ...flags });
    expect(said.code).toBe(code);
    if (code === 0) expect(said.out).toMatch(/^Nothing fails: \d+ pods? of \d+ workloads? in \d+ namespaces?\.\n$/);
  });

  it("lists a named namespace alone, which needs no right beyond it", async () => {
    const before = world.cluster.requests.length;
    await command("scan", { ...at.flags, namespace: ["shop"] });
    const paths = world.cluster.requests.slice(before).map((row) => row.path);
    expect(paths.filter((path) => /\/(pods|deployments)$/.test(path) && !path.includes("/namespaces/shop/"))).toEqual(
      [],
    );
  });

  it("names every mistake of the configuration with its line, and asks nobody anything", async () => {
    const config = join(at.folder, "bad.yaml");
    await writeFile(config, "mod: observe\nverify:\n  patience: soon\nsources:\n  - repository: shop\n");
    const before = world.cluster.requests.length;
    const { code, error, out } = await command("scan", { ...at.flags, config });
    expect([code, out]).toEqual([2, ""]);
    expect(error).toContain(`${config}:3: verify.patience: is not a duration such as 90s`);
    expect(error).toContain(`${config}:5: sources.0.repository: is not owner/name`);
    expect(error).toContain('unknown key "mod"; did you mean "mode"?');
    expect(error).toContain("docs/configuration.md");
    expect(world.cluster.requests.length).toBe(before);
  });

  it.each<[string, object, number, RegExp]>([
    ["a context that is not there", { context: "prod" }, 2, /no context "prod"[\s\S]*known contexts: embedded/],
    ["a selector that is none", { selector: "app in (" }, 2, /selector/],
    ["an excluded namespace", { namespace: ["left-out"] }, 2, /never watched[\s\S]*excludeNamespaces/],
  ])("refuses %s", async (_, flags, code, sentence) => {
    await at.configure({ mode: "observe", scope: { excludeNamespaces: ["left-out"] } });
    const said = await command("scan", { ...at.flags, ...flags });
    await at.configure({ mode: "observe" });
    expect(said.error).toMatch(sentence);
    expect(said.code).toBe(code);
  });
});

describe("a table", () => {
  it("cannot be redrawn by what stands in it", () => {
    const shown = table(["A", "B"], [["\u001b[2Jx", "one\ntwo\u202e\u0007"]]);
    expect(shown).not.toMatch(/[\p{Cc}\p{Cf}](?<!\n)/u);
    expect(shown.split("\n")).toHaveLength(3);
  });
});
