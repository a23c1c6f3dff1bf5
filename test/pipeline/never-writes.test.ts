import { describe, expect, it } from "vitest";
import type { ObjectRef } from "../../src/model.ts";
import { deployment, isKilled, makeWorld, REPOSITORY, virtualClock, type World } from "./world.ts";

/** Modes that promise to change nothing are held to it by what reaches the servers, not by what they say. */

const NAMESPACE = { apiVersion: "v1", kind: "Namespace", namespace: "", name: "shop" };
const APP = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "app" };

async function optOut(world: World, ref: ObjectRef): Promise<void> {
  const live = await world.api.get(ref);
  if (live === null) throw new Error("it is not there");
  const annotations = { ...live.metadata.annotations, "stanch.dev/ignore": "true" };
  await world.api.replace({ ...live, metadata: { ...live.metadata, annotations } });
}

async function broken(): Promise<World> {
  const world = await makeWorld({ "apps/app.yaml": deployment() }, virtualClock());
  await world.deploy();
  await world.until(() => isKilled(world));
  return world;
}

/** Requests of a run that change something: neither reads, nor dry runs, nor questions about rights. */
async function writesOf(world: World, settings: object, options?: { readonly dryRun: boolean }) {
  const [cluster, host] = [world.cluster.requests.length, world.host.requests.length];
  const report = await world.run(undefined, settings, options);
  const live = world.cluster.requests
    .slice(cluster)
    .filter((request) => request.method !== "GET" && request.query["dryRun"] === undefined)
    .filter((request) => !request.path.endsWith("/selfsubjectaccessreviews"))
    .map((request) => `${request.method} ${request.path}`);
  const git = world.host.requests
    .slice(host)
    .filter((request) => request.method !== "GET" && !request.path.endsWith("/git-upload-pack"))
    .map((request) => `${request.method} ${request.path}`);
  return { report, live, git };
}

describe("nothing is written", () => {
  it("by a run that observes, which says what it would do", async () => {
    await using world = await broken();
    const { report, live, git } = await writesOf(world, { mode: "observe" });
    expect([...live, ...git]).toEqual([]);
    expect(report.outcomes.map((outcome) => outcome.kind)).toEqual(["reported"]);
    expect(report.outcomes[0]?.message).toMatch(/Would try raise-memory-limit/);
    expect(world.memory()).toBe("64Mi");
  });

  it("by a dry run, which says what the API server would say", async () => {
    await using world = await broken();
    const { report, live, git } = await writesOf(world, {}, { dryRun: true });
    expect([...live, ...git]).toEqual([]);
    expect(report.outcomes[0]?.message).toMatch(
      /64Mi → 128Mi: would be applied live \(accepted by server-side dry run\)/,
    );
    expect(world.memory()).toBe("64Mi");
    expect(world.incidents()).toEqual([]);
  });

  it.each<[string, (world: World) => Promise<unknown>, object]>([
    ["an object that is opted out", (world) => optOut(world, APP), {}],
    ["a namespace that is opted out", (world) => optOut(world, NAMESPACE), {}],
    ["a namespace out of scope", async () => undefined, { scope: { excludeNamespaces: ["sh*"] } }],
    ["objects that the selector leaves out", async () => undefined, { scope: { selector: "team=payments" } }],
    ["kinds that are not watched", async () => undefined, { scope: { kinds: ["StatefulSet"] } }],
  ])("about %s", async (_, prepare, settings) => {
    await using world = await broken();
    await prepare(world);
    const { report, live, git } = await writesOf(world, settings);
    // Its own books, in its own namespace, are all that a run with nothing to do writes.
    expect([...live, ...git].filter((line) => !/\/(leases|runs)(\/stanch)?$/.test(line))).toEqual([]);
    expect(report.outcomes).toEqual([]);
    expect(world.memory()).toBe("64Mi");
    expect(world.host.pulls(REPOSITORY)).toEqual([]);
  });
});

describe("only Git is written", () => {
  it("by a run that proposes: the live object is not touched", async () => {
    await using world = await broken();
    const { report, live } = await writesOf(world, { mode: "propose" });
    expect(live.filter((line) => line.includes("/deployments/"))).toEqual([]);
    expect(report.outcomes.map((outcome) => outcome.kind)).toEqual(["proposed"]);
    expect(world.memory()).toBe("64Mi");
  });
});
