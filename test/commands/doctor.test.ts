import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Config } from "../../src/config/schema.ts";
import { GRANTED } from "../../src/demo/code-host/app-shapes.ts";
import { incidentCrd } from "../../src/incident/crd.ts";
import type { KubeObject } from "../../src/model.ts";
import { deployment, isKilled, makeWorld, REPOSITORY, TOKEN, type World } from "../pipeline/world.ts";
import { command, flagsFor } from "./command.ts";
import { generatedRules } from "./generated-rules.ts";

interface Line {
  readonly check: string;
  readonly ok: boolean;
  readonly text: string;
  readonly fix?: string;
}

/** As much of a definition as is taken out of it. */
interface OlderDefinition {
  readonly spec: {
    readonly versions: readonly {
      readonly schema: {
        readonly openAPIV3Schema: {
          readonly properties: Record<string, { readonly properties: Record<string, unknown> }>;
        };
      };
    }[];
  };
}

let world: World;
let at: Awaited<ReturnType<typeof flagsFor>>;

beforeEach(async () => {
  world = await makeWorld({ "apps/app.yaml": deployment(), "k/kustomization.yaml": "resources: []\n" });
  at = await flagsFor(world);
});
afterEach(async () => {
  await at.close();
  await world[Symbol.asyncDispose]();
});

/** The failed lines; every one says what to do. */
async function failures(flags: object = {}): Promise<Line[]> {
  const { out, code } = await command("doctor", { ...at.flags, ...flags, output: "json" });
  const bad = (JSON.parse(out) as Line[]).filter((line) => !line.ok);
  expect(code).toBe(bad.length > 0 ? 3 : 0);
  for (const line of bad) expect(line.fix ?? "").not.toBe("");
  expect(out).not.toContain(TOKEN);
  return bad;
}
const sources = (entry: object) => ({ sources: [{ repository: REPOSITORY, path: "apps", ...entry }] });

describe("stanch doctor", () => {
  it("is content when everything is there, and changes nothing", async () => {
    const { out, code } = await command("doctor", at.flags);
    expect(code).toBe(0);
    expect(out).toMatch(/^ok {4}configuration .*mode remediate$/m);
    expect(out).toMatch(/^ok .*cluster .*\(context embedded\), v1\./m);
    expect(out).toMatch(/^ok .*incidents.stanch.dev is installed$/m);
    expect(out).toMatch(/^ok .*rights to read .*all \d+ held$/m);
    expect(out).toMatch(/^ok .*rights to write .*all \d+ held$/m);
    expect(out).toMatch(/^ok .*acme\/shop: token of stanch\[bot\], may push, default branch main$/m);
    expect(out).toMatch(/^ok .*acme\/shop:apps@main: 1 objects by plain$/m);
    expect(out).toContain("Everything that a run needs is there.");
    const writes = world.cluster.requests.filter((row) => row.method !== "GET");
    expect(writes.every((row) => /selfsubject(access|rules)reviews$/.test(row.path))).toBe(true);
    expect(world.host.requests.filter((row) => row.method !== "GET" && !row.path.endsWith("upload-pack"))).toEqual([]);
  });

  it("shows each failed line with its fix, and counts them", async () => {
    await at.configure(sources({ repository: "acme/none" }));
    const { out, code } = await command("doctor", at.flags);
    expect(code).toBe(3);
    expect(out).toMatch(/^FAIL {2}repository .*acme\/none.*\n +fix: .*the token does not see it$/m);
    expect(out).toMatch(/2 checks failed\.\n$/);
  });

  it("a cluster that cannot be reached", async () => {
    const kubeconfig = join(at.folder, "gone");
    await writeFile(kubeconfig, world.cluster.kubeconfig().replace(world.cluster.url, "http://127.0.0.1:9"));
    expect(await failures({ kubeconfig })).toMatchObject([
      {
        check: "cluster",
        text: expect.stringContaining("127.0.0.1:9 cannot be reached"),
        fix: expect.stringContaining("--context"),
      },
    ]);
  }, 20_000);

  it("a kubeconfig that is not there does not hide the rest", async () => {
    const bad = await failures({ kubeconfig: "/none" });
    expect(bad.map((line) => line.check)).toEqual(["cluster"]);
  });

  it("credentials of the cluster that are not accepted", async () => {
    world.cluster.faults.add({ path: /./, status: 401 });
    expect((await failures())[0]).toMatchObject({ check: "cluster", fix: expect.stringContaining("log in again") });
  });

  it("a definition of an older version, with what it drops", async () => {
    const older = structuredClone(incidentCrd) as unknown as OlderDefinition;
    const { status } = older.spec.versions[0]?.schema.openAPIV3Schema.properties ?? {};
    for (const field of ["code", "contained", "holds", "issue"]) delete status?.properties[field];
    world.cluster.apply([older as unknown as KubeObject]);
    expect(await failures()).toEqual([
      {
        check: "incidents",
        ok: false,
        text: expect.stringMatching(
          /of another version and drops .*: status\.\w+, status\.\w+, status\.\w+, and 1 more$/,
        ),
        fix: "kubectl apply --server-side -f deploy/crd.yaml",
      },
    ]);
  });

  it("a custom resource and a namespace that are missing", async () => {
    const crd = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      namespace: "",
      name: "incidents.stanch.dev",
    };
    await world.api.delete(crd);
    await world.api.delete({ apiVersion: "v1", kind: "Namespace", namespace: "", name: "stanch-system" });
    const bad = await failures();
    expect(bad).toContainEqual(
      expect.objectContaining({ check: "incidents", fix: "kubectl apply --server-side -f deploy/crd.yaml" }),
    );
    expect(bad.find((line) => line.check === "namespace")?.fix).toContain("kubectl create namespace stanch-system");
  });

  it("the place of the books, where something is kept in it", async () => {
    const crd = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", namespace: "" };
    await world.api.delete({ ...crd, name: "runs.stanch.dev" });
    const missing = { check: "runs", fix: "kubectl apply --server-side -f deploy/crd.yaml" };
    expect(await failures()).toEqual([expect.objectContaining(missing)]);
    await at.configure({ mode: "observe" });
    expect(await failures()).toEqual([]);
  });

  it("rights that are missing, by verb, with the rule that grants them", async () => {
    world.cluster.deny({ group: "apps", resource: "deployments", verb: "patch" });
    world.cluster.deny({ group: "", resource: "pods/log", verb: "get" });
    const bad = await failures();
    expect(bad).toContainEqual({
      check: "rights to read",
      ok: false,
      text: "missing: get pods/log",
      fix: 'grant { apiGroups: [""], resources: ["pods/log"], verbs: ["get"] } to this account',
    });
    expect(bad.find((line) => line.check === "rights to write")?.text).toBe("missing: patch deployments.apps");
    await at.configure({ mode: "propose" });
    expect((await failures()).map((line) => line.text)).toEqual(["missing: get pods/log"]);
  });

  it("what stands live and could not be taken back, by incident and right", async () => {
    await world.deploy();
    await world.until(() => isKilled(world));
    await command("run", at.flags);
    const [incident] = world.incidents();
    expect((await command("doctor", at.flags)).out).toMatch(/^ok .*rights to take back .*1 objects/m);
    // As after `mode: propose`, which takes the writer's rights away.
    await at.configure({ mode: "propose" });
    world.cluster.deny({ group: "apps", resource: "deployments", verb: "patch" });
    const bad = await failures();
    expect(bad).toEqual([
      {
        check: "rights to take back",
        ok: false,
        text: `Deployment shop/app is changed or held live (incident shop/${incident?.metadata.name}), and this account may not patch it`,
        fix: expect.stringMatching(
          /^grant patch on deployments again until `stanch undo app-\S+ -n shop`, or the merge/,
        ),
      },
    ]);
  });

  it("rights are asked for in the namespaces of the scope only", async () => {
    world.cluster.deny({ group: "apps", resource: "deployments", verb: "patch", namespace: "other" });
    expect(await failures({ namespace: ["shop"] })).toEqual([]);
    expect((await failures({ namespace: ["other"] }))[0]?.text).toBe("missing: patch deployments.apps in other");
  });

  it.each<[string, string | undefined, string]>([
    ["no token", undefined, "set GITHUB_TOKEN"],
    ["a bad token", "bad-token-0123456789", "renew GITHUB_TOKEN"],
    ["a token that may only read", "reader-0123456789", "give the token contents: write and pull requests: write"],
  ])("%s", async (_, token, fix) => {
    world.host.addToken("reader-0123456789", { login: "reader", permission: "read" });
    const bad = await failures({ env: { ...at.flags.env, GITHUB_TOKEN: token } });
    expect(bad.find((line) => line.check === "repository")?.fix).toContain(fix);
  });

  it("an App without its key, and an address in the clear", async () => {
    await at.configure({ github: { apiUrl: world.host.apiUrl, appId: "7" } });
    expect((await failures())[0]).toMatchObject({
      check: "code host",
      text: expect.stringContaining("STANCH_GITHUB_APP_KEY"),
    });
    await at.configure({ github: { apiUrl: "http://ghe.example.com/api/v3" } });
    expect((await failures())[0]).toMatchObject({ check: "code host", fix: expect.stringContaining("https") });
  });

  it("works as a GitHub App, with the key from the environment", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const key = privateKey.export({ type: "pkcs1", format: "pem" }).toString();
    await at.configure({ github: { apiUrl: world.host.apiUrl, appId: "7", pause: "0s" } });
    const { PATH } = at.flags.env;
    const { out, code } = await command("doctor", { ...at.flags, env: { PATH, STANCH_GITHUB_APP_KEY: key } });
    expect(out).toMatch(/^ok .*acme\/shop: token of app 7, may push, default branch main$/m);
    expect(out).toMatch(/^ok .*acme\/shop:apps@main: 1 objects by plain$/m);
    expect(code).toBe(0);
  });

  it("as a GitHub App that may write no check runs, where drift is published", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const key = privateKey.export({ type: "pkcs1", format: "pem" }).toString();
    const github = { apiUrl: world.host.apiUrl, appId: "7", pause: "0s" };
    const { PATH } = at.flags.env;
    const doctor = () => command("doctor", { ...at.flags, env: { PATH, STANCH_GITHUB_APP_KEY: key } });
    GRANTED.checks = "read";
    try {
      await at.configure({ github, drift: { publish: true } });
      expect((await doctor()).out).toMatch(
        /app 7 may write no check runs[\s\S]*give the App the permission checks: write/,
      );
      await at.configure({ github });
      expect((await doctor()).out).not.toContain("check runs");
    } finally {
      GRANTED.checks = "write";
    }
    await at.configure({ github, drift: { publish: true } });
    expect((await doctor()).out).not.toContain("check runs");
  });

  it("a repository that is archived", async () => {
    world.host.archive(REPOSITORY);
    expect(await failures()).toMatchObject([{ check: "repository", fix: expect.stringContaining("unarchive") }]);
  });

  it.each<[string, object, RegExp, RegExp]>([
    ["no sources", { sources: [] }, /no source is configured/, /add `sources`/],
    ["a branch that is not there", sources({ branch: "trunk" }), /no branch "trunk"/, /correct `branch`/],
    ["a folder that is not there", sources({ path: "nowhere" }), /no folder "nowhere"/, /correct `path`/],
    ["a source that renders nothing", sources({ path: "k", tool: "plain" }), /0 objects/, /correct `path`/],
  ])("%s", async (_, settings, text, fix) => {
    await at.configure(settings);
    const [line] = await failures();
    expect(line?.text).toMatch(text);
    expect(line?.fix).toMatch(fix);
  });

  it("a source that does not render", async () => {
    await world.host.commit(
      REPOSITORY,
      "main",
      { "k/kustomization.yaml": "resources: [none.yaml]\n" },
      { message: "x" },
    );
    await at.configure(sources({ path: "k" }));
    const [line] = await failures();
    expect(line).toMatchObject({ check: "source", ok: false });
    expect(line?.text).not.toContain("/tmp/");
  });

  it("a renderer that is missing", async () => {
    const bin = join(at.folder, "bin");
    await mkdir(bin);
    await symlink(execFileSync("which", ["git"]).toString().trim(), join(bin, "git"));
    await at.configure(sources({ path: "k" }));
    const bad = await failures({ env: { ...at.flags.env, PATH: bin } });
    expect(bad.find((line) => line.check === "renderer")).toMatchObject({
      text: "kustomize: neither kustomize nor kubectl is on the PATH",
      fix: "put kustomize (or kubectl) on the PATH; plain YAML needs neither",
    });
  });

  it("a cache that cannot be written", async () => {
    await writeFile(join(at.folder, "file"), "");
    await at.configure({ git: { cache: join(at.folder, "file", "git") } });
    expect((await failures()).find((line) => line.check === "git cache")?.fix).toContain("git.cache");
  });

  it("asks for less where it only observes", async () => {
    await at.configure({ mode: "observe", sources: [] });
    world.cluster.deny({ group: "apps", resource: "deployments", verb: "patch" });
    expect(await failures({ env: { PATH: at.flags.env.PATH } })).toEqual([]);
  });
});

describe("rights in excess", () => {
  const pods = { apiGroups: [""], resources: ["pods"], verbs: ["delete"] };

  it("are a warning, and with --strict a failure", async () => {
    world.cluster.permit([...generatedRules(Config.parse({ mode: "remediate" })), pods]);
    const { out, code } = await command("doctor", at.flags);
    expect(out).toMatch(
      /^warn {2}rights in excess .*held and not needed: delete pods\n +fix: use the account that `stanch rbac` prints/m,
    );
    expect(code).toBe(0);
    expect(await failures({ strict: true })).toMatchObject([{ check: "rights in excess" }]);
  });

  it("end a run that is told to refuse before anything is written, and say what and why", async () => {
    const exact = generatedRules(Config.parse({ mode: "remediate" }));
    world.cluster.permit([...exact, pods]);
    await at.configure({ rights: { excess: "refuse" } });
    const { code, error } = await command("run", at.flags);
    expect(code).toBe(1);
    expect(error).toContain("this account may do more than it needs: delete pods");
    expect(error).toContain("`rights.excess` is refuse");
    const writes = world.cluster.requests.filter((row) => row.method !== "GET" && !row.path.includes("selfsubject"));
    expect(writes).toEqual([]);
    // With exactly its rights it runs.
    world.cluster.permit(exact);
    expect((await command("run", at.flags)).code).toBe(0);
  });
});
