import { describe, expect, it } from "vitest";
import { StanchError } from "../../src/errors.ts";
import type { RunReport } from "../../src/run.ts";
import { deployment, isKilled, makeWorld, REPOSITORY, virtualClock, type World } from "./world.ts";

const FILE = "apps/app.yaml";

/** Deployed, and killed for its memory often enough to count. */
async function broken(): Promise<World> {
  const world = await makeWorld({ [FILE]: deployment() }, virtualClock());
  await world.deploy();
  await world.until(() => isKilled(world));
  return world;
}

/** Hotfixed live, with an open pull request. */
async function proposed(settings: object = {}): Promise<World> {
  const world = await broken();
  expect(said(await world.run(undefined, settings))).toEqual(["proposed"]);
  expect(pulls(world)).toEqual(["open"]);
  return world;
}

const said = (report: RunReport): string[] => report.outcomes.map((outcome) => outcome.kind);
const message = (report: RunReport): string => report.outcomes.map((outcome) => outcome.message).join("\n");
const pulls = (world: World): string[] => world.host.pulls(REPOSITORY).map((pull) => pull.state);
const phases = (world: World): (string | undefined)[] => world.incidents().map((incident) => incident.status?.phase);
const branch = (world: World): string => world.host.pulls(REPOSITORY)[0]?.head ?? "";
const onMain = (world: World, memory: string): Promise<string> =>
  world.host.commit(REPOSITORY, "main", { [FILE]: deployment({ memory }) }, { message: "By hand" });
const owners = (world: World): (string | undefined)[] =>
  (world.cluster.get("apps/v1", "Deployment", "shop", "app")?.metadata.managedFields ?? []).map(
    (entry) => entry.manager,
  );
const APP = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "app" };

/** Somebody applies the old manifest, or the deployer does. */
async function revertLive(world: World): Promise<void> {
  const file = await world.host.read(REPOSITORY, "main", FILE);
  await world.api.patch(APP, [
    {
      op: "replace",
      path: "/spec/template/spec/containers/0/resources/limits/memory",
      value: /memory: (\w+)/.exec(file)?.[1] ?? "",
    },
  ]);
  await world.until(() => isKilled(world));
}

describe.concurrent("a pull request that is merged", () => {
  it("is over when Git and the cluster say the same and the workload is healthy; its fields are given up", async () => {
    await using world = await proposed();
    expect(said(await world.run())).toEqual(["waiting"]);
    expect(owners(world)).toContain("stanch");
    await world.host.merge(REPOSITORY, 1, { as: "ada" });
    expect(said(await world.run())).toEqual(["resolved"]);
    expect(phases(world)).toEqual(["Resolved"]);
    expect(owners(world)).not.toContain("stanch");
    expect(world.memory()).toBe("128Mi");
    expect(said(await world.run())).toEqual([]);
  });

  it("is waited for until it is deployed, then a person is asked, and it is over once it is", async () => {
    await using world = await proposed({ mode: "propose" });
    expect(world.memory()).toBe("64Mi");
    await world.host.merge(REPOSITORY, 1, { as: "ada" });
    const waits = await world.run(undefined, { mode: "propose" });
    expect(said(waits)).toEqual(["waiting"]);
    expect(message(waits)).toMatch(
      /#1 is merged; waiting for its deployment: Deployment shop\/app does not run what Git says/,
    );
    await world.clock.sleep(31 * 60_000);
    const asks = await world.run(undefined, { mode: "propose" });
    expect(said(asks)).toEqual(["escalated"]);
    expect(message(asks)).toMatch(/#1 was merged .* ago, but .*A person must look at the deployment/);
    await world.deploy();
    await world.clock.sleep(60_000);
    expect(said(await world.run(undefined, { mode: "propose" }))).toEqual(["resolved"]);
    expect(phases(world)).toEqual(["Resolved"]);
  });

  it("is measured by what was merged, which a person may have improved", async () => {
    await using world = await proposed();
    await world.host.commit(
      REPOSITORY,
      branch(world),
      { [FILE]: deployment({ memory: "256Mi" }) },
      { message: "More" },
    );
    await world.host.merge(REPOSITORY, 1, { as: "ada" });
    expect(message(await world.run())).toMatch(/does not run what Git says/);
    expect(world.memory()).toBe("128Mi");
    await world.deploy();
    await world.clock.sleep(60_000);
    expect(said(await world.run())).toEqual(["resolved"]);
    expect(world.memory()).toBe("256Mi");
  });

  it("and whose fault comes back later gets a second one, on another branch", async () => {
    // Not the commit that took it back, which would be another change.
    const only = { remedies: { enabled: ["raise-memory-limit"] } };
    await using world = await proposed(only);
    await world.host.merge(REPOSITORY, 1, { as: "ada" });
    expect(said(await world.run(undefined, only))).toEqual(["resolved"]);
    await onMain(world, "64Mi");
    await revertLive(world);
    expect(said(await world.run(undefined, only))).toEqual(["proposed"]);
    expect(pulls(world)).toEqual(["closed", "open"]);
    expect(world.host.pulls(REPOSITORY)[1]?.head).toBe(`${branch(world)}-2`);
    expect(world.incidents().map((incident) => incident.status?.recurrences)).toEqual([1]);
  });
});

describe.concurrent("a pull request that is closed unmerged", () => {
  it("takes the hotfix back, and the problem is left alone for as long as configured", async () => {
    await using world = await proposed();
    world.host.closePull(REPOSITORY, 1, { as: "ada" });
    const report = await world.run();
    expect(said(report)).toEqual(["closed"]);
    expect(message(report)).toMatch(/#1 was closed unmerged by ada\. Live change taken back/);
    expect(world.memory()).toBe("64Mi");
    expect(owners(world)).not.toContain("stanch");
    expect(phases(world)).toEqual(["Silenced"]);

    await world.until(() => isKilled(world));
    expect(said(await world.run())).toEqual([]);
    expect(world.memory()).toBe("64Mi");
    expect(pulls(world)).toEqual(["closed"]);
  });

  it("is respected even after that: no second one for the same change, and nothing stays changed live", async () => {
    const soon = { followUp: { silence: "1h" } };
    await using world = await proposed(soon);
    world.host.closePull(REPOSITORY, 1, { as: "ada" });
    await world.run(undefined, soon);
    await world.clock.sleep(2 * 3_600_000);
    await world.until(() => isKilled(world));
    const report = await world.run(undefined, soon);
    expect(said(report)).toEqual(["closed"]);
    expect(message(report)).toMatch(/#1 for the same change was closed unmerged before: a person said no/);
    expect(pulls(world)).toEqual(["closed"]);
    expect(phases(world)).toEqual(["Silenced"]);
    expect(world.memory()).toBe("64Mi");
    expect(owners(world)).not.toContain("stanch");
  });

  it("keeps the hotfix where that is configured, and says that Git says something else", async () => {
    const keep = { pullRequest: { onClose: "keep" } };
    await using world = await proposed(keep);
    world.host.closePull(REPOSITORY, 1, { as: "ada" });
    const report = await world.run(undefined, keep);
    expect(message(report)).toMatch(/The live change is kept, as configured; Git says something else/);
    expect(world.memory()).toBe("128Mi");
    expect(phases(world)).toEqual(["Silenced"]);
  });
});

describe.concurrent("an open pull request", () => {
  it("is closed with the reason when somebody else has fixed it in Git", async () => {
    await using world = await proposed();
    const name = branch(world);
    await onMain(world, "128Mi");
    const report = await world.run();
    expect(said(report)).toEqual(["resolved"]);
    const [pull] = world.host.pulls(REPOSITORY);
    expect(pull).toMatchObject({ state: "closed", mergedAt: null });
    expect(pull?.comments.map((comment) => comment.body).join()).toMatch(
      /`main` already says this: the fix came another way/,
    );
    await expect(world.host.read(REPOSITORY, name, FILE)).rejects.toThrow();
    expect(phases(world)).toEqual(["Resolved"]);
    expect(owners(world)).not.toContain("stanch");
  });

  it("is met again by the same problem, though the incident was lost", async () => {
    await using world = await proposed();
    for (const incident of world.incidents()) await world.store.remove(incident);
    await revertLive(world);
    expect(said(await world.run())).toEqual(["updated"]);
    expect(pulls(world)).toEqual(["open"]);
    expect(world.memory()).toBe("128Mi");
  });

  it("with a person's commit on its branch is never overwritten", async () => {
    await using world = await proposed();
    const theirs = deployment({ memory: "256Mi" });
    const head = await world.host.commit(REPOSITORY, branch(world), { [FILE]: theirs }, { message: "Better" });
    for (const incident of world.incidents()) await world.store.remove(incident);
    await revertLive(world);
    const report = await world.run();
    expect(said(report)).toEqual(["waiting"]);
    expect(message(report)).toMatch(/#1 has commits of a person; it is left as it is/);
    expect(await world.host.read(REPOSITORY, branch(world), FILE)).toBe(theirs);
    expect(await world.host.read(REPOSITORY, head, FILE)).toBe(theirs);
    expect(pulls(world)).toEqual(["open"]);
  });

  it("is all that is left to do once the object is opted out: nothing is changed live any more", async () => {
    await using world = await proposed();
    await world.api.patch(APP, [{ op: "add", path: "/metadata/annotations/stanch.dev~1ignore", value: "true" }]);
    await revertLive(world);
    expect(said(await world.run())).toEqual(["waiting"]);
    expect(world.memory()).toBe("64Mi");
    expect(pulls(world)).toEqual(["open"]);
  });
});

describe.concurrent("a live change that stands", () => {
  it("is not called over while GitHub cannot be reached, and gets its pull request afterwards", async () => {
    await using world = await broken();
    world.host.faults.add({
      method: "POST",
      path: /\/pulls$/,
      status: 422,
      body: { message: "Validation Failed" },
      times: 99,
    });
    expect(said(await world.run())).toEqual(["failed"]);
    expect(world.memory()).toBe("128Mi");
    const again = await world.run();
    expect(said(again)).toContain("failed");
    expect(said(again)).not.toContain("resolved");
    expect(phases(world)).toEqual(["Verified"]);
    world.host.faults.clear();
    expect(said(await world.run())).toContain("proposed");
    expect(pulls(world)).toEqual(["open"]);
  });

  it("without a way into Git waits for a person, and is over when they have corrected Git", async () => {
    await using world = await broken();
    // Git and the cluster disagree, so that no edit can be proved.
    const only = { remedies: { enabled: ["raise-memory-limit"] } };
    await onMain(world, "80Mi");
    const report = await world.run(undefined, only);
    expect(said(report)).toEqual(["escalated"]);
    expect(message(report)).toMatch(
      /The live change stands, and Git still says the opposite.*A person must make this change/,
    );
    expect(said(await world.run(undefined, only))).toEqual(["waiting"]);
    await onMain(world, "128Mi");
    expect(said(await world.run(undefined, only))).toEqual(["resolved"]);
    expect(owners(world)).not.toContain("stanch");
  });

  it("is not made at all without proof, where that is required", async () => {
    await using world = await broken();
    await onMain(world, "80Mi");
    const report = await world.run(undefined, {
      remedies: { enabled: ["raise-memory-limit"] },
      guard: { requireProof: true },
    });
    expect(said(report)).toEqual(["escalated"]);
    expect(world.memory()).toBe("64Mi");
  });
});

describe.concurrent("a fault", () => {
  it("that heals by itself is over, but not by a scan that did not see everything", async () => {
    await using world = await broken();
    const none = { remedies: { enabled: ["evict"] } };
    expect(said(await world.run(undefined, none))).toEqual(["escalated"]);
    expect(world.memory()).toBe("64Mi");
    await onMain(world, "128Mi");
    await world.deploy();
    await world.clock.sleep(20 * 60_000);
    world.cluster.faults.add({ method: "GET", path: /\/services\?/, status: 403 });
    const partial = await world.run(undefined, none);
    expect(partial.gaps).toEqual([expect.stringMatching(/services cannot be read/)]);
    expect(phases(world)).toEqual(["Escalated"]);
    world.cluster.faults.clear();
    expect(said(await world.run(undefined, none))).toEqual(["resolved"]);
    expect(phases(world)).toEqual(["Resolved"]);
  });

  it("is acted on once by two runs at once: the lease lets one of them through", async () => {
    await using world = await broken();
    const runs = await Promise.allSettled([world.run(), world.run()]);
    const [lost] = runs.flatMap((run) => (run.status === "rejected" ? [run.reason] : []));
    expect(runs.filter((run) => run.status === "fulfilled")).toHaveLength(1);
    expect(lost).toBeInstanceOf(StanchError);
    expect(lost).toMatchObject({ code: "lease", message: expect.stringMatching(/another run is at work/) });
    const patches = world.cluster.requests.filter(
      (request) => request.method === "PATCH" && request.path.endsWith("/app") && request.query["dryRun"] === undefined,
    );
    expect(patches).toHaveLength(1);
    expect(pulls(world)).toEqual(["open"]);
  });
});
