import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manifestsFor } from "../../src/commands/rbac.ts";
import { Config } from "../../src/config/schema.ts";
import type { DriftReport } from "../../src/drift/model.ts";
import type { KubeObject } from "../../src/model.ts";
import { readRights } from "../../src/remedies/rights.ts";
import { deployment, makeWorld, REPOSITORY, type World } from "../pipeline/world.ts";
import { command, flagsFor, program } from "./command.ts";

let world: World;
let at: Awaited<ReturnType<typeof flagsFor>>;

beforeAll(async () => {
  world = await makeWorld({
    "apps/app.yaml": `# The app.\n${deployment({ memory: "256Mi" })}`,
    "apps/fine.yaml": deployment({ name: "fine", memory: "256Mi" }),
  });
  at = await flagsFor(world, { mode: "observe", drift: { wait: "0s" } });
  await world.deploy();
}, 30_000);
afterAll(async () => {
  await at.close();
  await world[Symbol.asyncDispose]();
});

const drift = (more: Partial<Parameters<typeof command>[1]> = {}) => command("drift", { ...at.flags, ...more });
const report = async (
  more: Partial<Parameters<typeof command>[1]> = {},
): Promise<{ report: DriftReport; code: number }> => {
  const { out, code, error } = await drift({ output: "json", ...more });
  if (out === "") throw new Error(error);
  return { report: JSON.parse(out) as DriftReport, code };
};

describe("stanch drift", () => {
  it("finds nothing where the cluster is what Git says, and writes nothing", async () => {
    const before = world.cluster.requests.length;
    const said = await report();
    expect(said.report.roots).toMatchObject([{ compared: 2, inSync: 2, items: [], repository: REPOSITORY }]);
    expect(said.code).toBe(0);
    const asked = world.cluster.requests.slice(before).filter(({ method }) => method !== "GET");
    expect(asked.filter(({ path }) => !path.includes("selfsubjectaccessreviews"))).toEqual([]);
  });

  it("names field, writer and line of what was changed, in all formats", async () => {
    await world.api.patch({ apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "app" }, [
      { op: "replace", path: "/spec/template/spec/containers/0/image", value: "example.com/app:1.1.0" },
    ]);
    const said = await report();
    expect(said.report.roots[0]?.items).toMatchObject([
      {
        class: "drift",
        object: { name: "app" },
        location: { file: "apps/app.yaml", line: 2 },
        fields: [
          {
            text: "spec.template.spec.containers[name=app].image",
            git: { value: "example.com/app:1.0.0" },
            live: { value: "example.com/app:1.1.0" },
            by: { writer: "stanch" },
            location: { file: "apps/app.yaml", line: 17 },
          },
        ],
      },
    ]);
    expect(said.code).toBe(3);
    expect((await drift()).out).toMatch(/DRIFT {5}Deployment shop\/app: .*\n.*apps\/app\.yaml:17\n/);
    expect((await drift({ output: "markdown" })).out).toMatch(/^### ❌ Drift of cluster `test`/);
    expect(JSON.parse((await drift({ output: "sarif" })).out)).toMatchObject({
      version: "2.1.0",
      runs: [{ results: [{ ruleId: "drift", locations: [{ physicalLocation: { region: { startLine: 17 } } }] }] }],
    });
  });

  it("fails as it was told to", async () => {
    expect((await report({ "fail-on": "error" })).code).toBe(0);
    expect((await report({ "fail-on": "never" })).code).toBe(0);
  });

  it("asks the API server where it may, and says which way it compared", async () => {
    expect((await report({ mode: "server" })).report.mode).toBe("server");
    expect((await report({ mode: "client" })).report.mode).toBe("client");
    world.cluster.deny({ group: "apps", verb: "patch", resource: "deployments" });
    const said = await report({ mode: "auto" });
    expect(said.report.mode).toBe("client");
    expect(said.code).toBe(3);
  });

  it("looks at one root, and at one namespace", async () => {
    expect((await report({ root: ["apps"] })).report.roots).toHaveLength(1);
    const other = await drift({ root: ["other"] });
    expect([other.code, other.error]).toEqual([2, expect.stringMatching(/no source here is called other\n.*apps/)]);
    expect((await report({ namespace: ["elsewhere"] })).report.roots[0]).toMatchObject({ compared: 0 });
  });

  it.each([
    [{ output: "yaml" }, "--output yaml is not known", "text, json, markdown, sarif"],
    [{ mode: "fast" }, "--mode fast is not known", "auto, server, client"],
    [{ "fail-on": "x" }, "--fail-on x is not known", "drift, error, never"],
    [{ wait: "soon" }, "--wait soon is no duration", "30s"],
  ])("%j is refused with the words that are known", async (flags, text, hint) => {
    const { code, error } = await drift(flags);
    expect(code).toBe(2);
    expect(error).toContain(text);
    expect(error).toContain(hint);
  });

  it.each([{ root: ["apps"] }, { namespace: ["shop"] }])("publishes no half of a report: %j", async (flags) => {
    const { code, error, out } = await drift({ publish: true, ...flags });
    expect([code, out]).toEqual([2, ""]);
    expect(error).toContain("--publish tells of every source");
  });

  it("a repository that cannot be had is an error, and never no drift", async () => {
    await at.configure({ sources: [{ repository: "acme/nothing", path: "apps" }], drift: { wait: "0s" } });
    const said = await report();
    expect(said.code).toBe(1);
    expect(said.report.roots[0]?.error).toBeDefined();
    expect((await report({ "fail-on": "error" })).code).toBe(1);
  });

  it("is in the help", async () => {
    expect((await program(["drift", "--help"])).out).toContain("Is the cluster what Git says?");
  }, 30_000);
});

describe("rights of stanch drift", () => {
  const flat = (objects: readonly KubeObject[]): string[] =>
    objects.flatMap((object) =>
      ((object["rules"] ?? []) as { apiGroups: string[]; resources: string[]; verbs: string[] }[]).flatMap((rule) =>
        rule.resources.flatMap((resource) => rule.verbs.map((verb) => `${verb} ${resource}.${rule.apiGroups[0]}`)),
      ),
    );
  const rights = (drift: object, more: object = {}): string[] =>
    flat(manifestsFor(Config.parse({ drift, ...more }), { account: "stanch", part: "reader" }));

  it("are none unless it runs in the cluster", () => {
    expect(rights({ enabled: false, secrets: true, kinds: ["x.y.io"] })).toEqual(rights({}));
  });

  it("are reads only, of what it compares, without a wildcard; Secrets only where they are compared", () => {
    const added = rights({ enabled: true }).filter((right) => !rights({}).includes(right));
    expect(added).toContain("list poddisruptionbudgets.policy");
    expect(
      added.every((right) => /^(get|list) /.test(right) && !right.includes("*") && !right.includes("secrets")),
    ).toBe(true);
    expect(rights({ enabled: true, secrets: true })).toContain("get secrets.");
    expect(rights({ enabled: true, kinds: ["rollouts.argoproj.io", "pods"] })).toContain("list rollouts.argoproj.io");
  });

  it("stay in the namespaces that are named", () => {
    const scope = { namespaces: ["shop"] };
    const config = Config.parse({ drift: { enabled: true }, scope });
    const ofCluster = (given: Config): string[] =>
      flat(manifestsFor(given, { account: "stanch", part: "reader" }).filter(({ kind }) => kind === "ClusterRole"));
    expect(ofCluster(config)).toEqual(ofCluster(Config.parse({ scope })));
    expect(readRights(config).some(({ resource }) => resource === "roles")).toBe(true);
  });
});
