import { describe, expect, it } from "vitest";
import { createGitHub } from "../../src/adapters/github.ts";
import type { Hosts } from "../../src/compose.ts";
import { StanchError } from "../../src/errors.ts";
import { createLog } from "../../src/log.ts";
import type { Cluster } from "../../src/ports.ts";
import type { RunReport } from "../../src/run.ts";
import { deployment, isKilled, makeWorld, REPOSITORY, TOKEN, virtualClock, type World } from "./world.ts";

const FILE = "apps/app.yaml";
type Doors = { api: Cluster; hosts: Hosts };

async function broken(files: Readonly<Record<string, string>> = {}): Promise<World> {
  const world = await makeWorld({ [FILE]: deployment(), ...files }, virtualClock());
  await world.deploy();
  await world.until(() => isKilled(world));
  return world;
}

const message = (report: RunReport): string => report.outcomes.map((outcome) => outcome.message).join("\n");
const kinds = (report: RunReport): string[] => report.outcomes.map((outcome) => outcome.kind);
const phases = (world: World): (string | undefined)[] => world.incidents().map((incident) => incident.status?.phase);
const pulls = (world: World): string[] => world.host.pulls(REPOSITORY).map((pull) => pull.state);
const faultOf = async (work: Promise<unknown>): Promise<StanchError> => {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StanchError);
  return error as StanchError;
};

/** What was deployed still says so in Git, and nothing is open that nobody can judge. */
async function unharmed(world: World, memory: string, open: readonly string[] = []): Promise<void> {
  expect(await world.host.read(REPOSITORY, "main", FILE)).toBe(deployment());
  expect(world.memory()).toBe(memory);
  expect(pulls(world)).toEqual(open);
}

/** Once the cause is gone, the next runs finish the job. */
async function heals(world: World, wrap?: (doors: Doors) => Doors): Promise<void> {
  for (let round = 0; round < 3 && pulls(world).length === 0; round += 1) {
    await world.until(() => isKilled(world) || world.memory() !== "64Mi");
    await world.clock.sleep(60_000);
    await world.run(wrap);
  }
  await unharmed(world, "128Mi", ["open"]);
  expect(phases(world)).toEqual(["Proposed"]);
}

/** The same host, asked by a client of another token, or one that loses no real time over retries. */
async function codeHost(world: World, token = TOKEN): Promise<(doors: Doors) => Doors> {
  const log = createLog({
    format: "json",
    level: "error",
    interactive: false,
    write: () => undefined,
    now: world.clock.now,
  });
  const { apiUrl } = world.host;
  const github = await createGitHub({
    apiUrl,
    auth: { token },
    allowHttp: false,
    pauseMs: 0,
    log,
    clock: world.clock,
    secondMs: 1,
  });
  return (doors) => ({ ...doors, hosts: { ...doors.hosts, codeHost: github } });
}

describe.concurrent("the cluster", () => {
  it("cannot be reached", async () => {
    await using world = await broken();
    world.cluster.faults.add({ path: /./, closeConnection: true });
    const error = await faultOf(world.run());
    expect(error).toMatchObject({ code: "cluster", hint: expect.stringContaining("check the server address") });
    expect(error.message).toMatch(/^the API server at 127\.0\.0\.1:\d+ cannot be reached/);
    world.cluster.faults.clear();
    await unharmed(world, "64Mi");
    await heals(world);
  });

  it("does not accept the credentials any more", async () => {
    await using world = await broken();
    world.cluster.faults.add({ path: /./, status: 401 });
    expect(await faultOf(world.run())).toMatchObject({
      code: "forbidden",
      hint: expect.stringContaining("log in again"),
    });
    world.cluster.faults.clear();
    await unharmed(world, "64Mi");
  });

  it("has no custom resource", async () => {
    await using world = await broken();
    const kind = "CustomResourceDefinition";
    await world.api.delete({
      apiVersion: "apiextensions.k8s.io/v1",
      kind,
      namespace: "",
      name: "incidents.stanch.dev",
    });
    const error = await faultOf(world.run());
    expect(error).toMatchObject({ code: "config", message: "the cluster has no incidents.stanch.dev" });
    expect(error.hint).toContain("kubectl apply --server-side -f deploy/crd.yaml");
    await unharmed(world, "64Mi");
  });

  it("does not let us read pods: nothing is called well", async () => {
    await using world = await broken();
    world.cluster.deny({ group: "", resource: "pods", verb: "list" });
    const error = await faultOf(world.run());
    expect(error.message).toContain('cannot list resource "pods" in API group ""');
    expect(error.hint).toBe("`stanch doctor` names the rights that are missing");
    await unharmed(world, "64Mi");
  });

  it("does not let us patch: the fix goes to Git only, and says why", async () => {
    await using world = await broken();
    world.cluster.deny({ group: "apps", resource: "deployments", verb: "patch" });
    const report = await world.run();
    expect(kinds(report)).toEqual(["proposed"]);
    await unharmed(world, "64Mi", ["open"]);
    expect(world.host.pulls(REPOSITORY)[0]?.body).toMatch(/nothing was changed: .*patch deployments/);
  });

  it("does not let us keep our books: nothing is done without them", async () => {
    await using world = await broken();
    world.cluster.deny({ group: "stanch.dev", resource: "incidents", verb: "create" });
    const report = await world.run();
    expect(kinds(report)).toEqual(["failed"]);
    expect(message(report)).toMatch(/incidents.*`stanch doctor` names the rights that are missing/);
    await unharmed(world, "64Mi");
  });

  const PATCH = /\/deployments\/app\?fieldManager=stanch$/;
  it.each<[string, { status: number; headers?: Record<string, string> }, number]>([
    ["409", { status: 409 }, 1],
    ["500", { status: 500 }, 1],
    ["429", { status: 429, headers: { "retry-after": "1" } }, 2],
    ["503", { status: 503, headers: { "retry-after": "1" } }, 2],
    ["429 for good", { status: 429, headers: { "retry-after": "1" } }, 99],
    ["500 for good", { status: 500 }, 99],
  ])("answers the patch with %s", async (_, fault, times) => {
    await using world = await broken();
    world.cluster.faults.add({ method: "PATCH", path: PATCH, times, ...fault });
    const report = await world.run();
    // It went through, or it did not, and the next run finds out which.
    if (kinds(report)[0] !== "proposed") {
      expect(message(report)).toMatch(
        /cannot patch Deployment shop\/app: injected fault|somebody else|rolled back|taken back/i,
      );
      await unharmed(world, "64Mi");
    }
    world.cluster.faults.clear();
    await heals(world);
  });

  it("has another writer in the middle: theirs stays", async () => {
    await using world = await broken();
    const report = await world.run(({ api, hosts }) => ({
      hosts,
      api: {
        ...api,
        async patch(ref, operations, options) {
          if (ref.kind === "Deployment" && options?.dryRun !== true && world.memory() === "64Mi")
            await api.patch(ref, [
              { op: "replace", path: "/spec/template/spec/containers/0/resources/limits/memory", value: "96Mi" },
            ]);
          return api.patch(ref, operations, options);
        },
      },
    }));
    expect(kinds(report)).not.toContain("proposed");
    await unharmed(world, "96Mi");
  });
});

describe.concurrent("the repository", () => {
  it("does not render: the run says which source and what its tool says, and waits", async () => {
    await using world = await broken();
    const files = { "apps/kustomization.yaml": "resources: [none.yaml]\n" };
    await world.host.commit(REPOSITORY, "main", files, { message: "x" });
    const report = await world.run();
    expect(kinds(report)).toEqual(["failed"]);
    expect(message(report)).toMatch(/^acme\/shop:apps@main cannot be rendered: .*(none\.yaml|on the PATH)/);
    expect(message(report)).toMatch(/\(.*(correct what it says|install kustomize).*\)$/);
    expect(message(report)).not.toMatch(/\/tmp\/|run\.go/);
    await unharmed(world, "64Mi");
    await world.host.commit(REPOSITORY, "main", { "apps/kustomization.yaml": null }, { message: "y" });
    await heals(world);
  });

  const source = (path: string) => ({ repository: REPOSITORY, path, namespaces: ["shop"] });
  it.each<[string, object, RegExp]>([
    [
      "no source for the namespace",
      { sources: [] },
      /no source is configured for namespace shop; add an entry to `sources`/,
    ],
    [
      "an object that is in none",
      { sources: [source("other")] },
      /Deployment shop\/app is in none of the sources: acme\/shop:other/,
    ],
    [
      "two sources that declare it",
      { sources: [source("apps"), source(".")] },
      /declared by two sources: .*; narrow `namespaces` or `path`/,
    ],
  ])("%s", async (_, settings, sentence) => {
    await using world = await broken({ "other/x.yaml": deployment({ name: "x" }) });
    const report = await world.run(undefined, settings);
    expect(kinds(report)).toEqual(["escalated"]);
    expect(message(report)).toMatch(sentence);
    await unharmed(world, "128Mi");
    expect(phases(world)).toEqual(["Escalated"]);
  });

  // Without Git's history nobody knows yet which remedy is right: the run says what is wrong with the source and waits.
  it.each<[string, object, RegExp]>([
    ["a folder that is not there", { sources: [source("gone")] }, /no folder "gone" on branch main.*correct `path`/],
    [
      "a branch that is not there",
      { sources: [{ ...source("apps"), branch: "trunk" }] },
      /no branch "trunk".*correct `branch`/,
    ],
    [
      "a repository that is not there",
      { sources: [{ ...source("apps"), repository: "acme/none" }] },
      /acme\/none.*the token does not see it/,
    ],
  ])("%s: nothing is changed", async (_, settings, sentence) => {
    await using world = await broken();
    const report = await world.run(undefined, settings);
    expect(kinds(report)).toEqual(["failed"]);
    expect(message(report)).toMatch(sentence);
    await unharmed(world, "64Mi");
    await heals(world);
  });
});

describe.concurrent("the code host", () => {
  const POST = { method: "POST", path: /\/pulls$/ };
  it.each<[string, object, RegExp]>([
    [
      "403 without scope",
      { ...POST, status: 403, body: { message: "Resource not accessible" } },
      /pull requests: write/,
    ],
    ["422", { ...POST, status: 422, body: { message: "Validation Failed" } }, /Validation Failed/],
    ["429 for good", { ...POST, status: 429, times: 99, headers: { "retry-after": "1" } }, /rate limit is used up/],
    ["503 for good", { ...POST, status: 503, times: 99 }, /fault of its own/],
    ["a cut connection for good", { ...POST, closeConnection: true, times: 99 }, /cannot be reached/],
  ])("answers the pull request with %s: the next run goes on", async (_, fault, hint) => {
    await using world = await broken();
    const wrap = await codeHost(world);
    world.host.faults.add(fault as Parameters<World["host"]["faults"]["add"]>[0]);
    const report = await world.run(wrap);
    expect(kinds(report)).toEqual(["failed"]);
    expect(message(report)).toMatch(/^cannot open the pull request in acme\/shop: /);
    expect(message(report)).toMatch(hint);
    expect(message(report)).not.toContain(TOKEN);
    await unharmed(world, "128Mi");
    world.host.faults.clear();
    await heals(world, wrap);
  });

  it("lets the token read only: the hotfix stands, and the next run with a better one goes on", async () => {
    await using world = await broken();
    world.host.addToken("reader-0123456789", { login: "reader", permission: "read" });
    // Git's half of it: the clone belongs to the better token of the world.
    world.host.faults.add({ path: /git-receive-pack/, status: 403, times: 99 });
    const report = await world.run(await codeHost(world, "reader-0123456789"));
    expect(kinds(report)).toEqual(["failed"]);
    expect(message(report)).toMatch(/contents: write/);
    await unharmed(world, "128Mi");
    world.host.faults.clear();
    await heals(world);
  });

  it("protects our branches: said, and tried again", async () => {
    await using world = await broken();
    await world.host.protect(REPOSITORY, ["stanch/*"]);
    const report = await world.run();
    expect(kinds(report)).toEqual(["failed"]);
    expect(message(report)).toMatch(/the host refuses a push to stanch\/test\/.*GH006/);
    await unharmed(world, "128Mi");
    await world.host.protect(REPOSITORY, []);
    await heals(world);
  });

  it("has archived the repository", async () => {
    await using world = await broken();
    world.host.archive(REPOSITORY);
    const report = await world.run();
    expect(kinds(report)).toEqual(["failed"]);
    expect(message(report)).toMatch(/contents: write|archived/);
    await unharmed(world, "128Mi");
  });

  it("does not know the token", async () => {
    await using world = await broken();
    const report = await world.run(await codeHost(world, "wrong-0123456789"));
    expect(kinds(report)).toEqual(["failed"]);
    expect(message(report)).toMatch(/Bad credentials.*renew GITHUB_TOKEN/);
    expect(message(report)).not.toContain("wrong-0123456789");
    await unharmed(world, "64Mi");
  });
});
