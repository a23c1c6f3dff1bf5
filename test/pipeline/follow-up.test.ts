import { describe, expect, it } from "vitest";
import {
  APP,
  branch,
  broken,
  FILE,
  message,
  onMain,
  owners,
  phases,
  proposed,
  pulls,
  revertLive,
  said,
} from "./incident.ts";
import { deployment, isKilled, REPOSITORY } from "./world.ts";

const ABOUT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: about, namespace: shop}\n";

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

  it.each(["remediate", "propose"] as const)(
    "again and again is a leak, in mode %s: after two raises a person is asked",
    async (mode) => {
      const only = { mode, remedies: { enabled: ["raise-memory-limit"] } };
      await using world = await broken();
      for (const number of [1, 2]) {
        expect(said(await world.run(undefined, only))).toEqual(["proposed"]);
        await world.host.merge(REPOSITORY, number, { as: "ada" });
        await world.deploy();
        await world.until(() => world.memory() === "128Mi");
        await world.clock.sleep(60_000);
        expect(said(await world.run(undefined, only))).toEqual(["resolved"]);
        // What it needs now is more than that again.
        await onMain(world, "64Mi");
        await revertLive(world);
        await world.clock.sleep(3_600_000);
      }
      const third = await world.run(undefined, only);
      expect(said(third)).toEqual(["escalated"]);
      expect(message(third)).toMatch(/raised 2 times already .* looks like a leak/);
      expect(pulls(world)).toEqual(["closed", "closed"]);
      expect(world.incidents()[0]?.status?.raised).toHaveLength(2);
    },
  );

  it("and whose workload is taken out of Git and the cluster afterwards is over", async () => {
    await using world = await proposed();
    await world.host.merge(REPOSITORY, 1, { as: "ada" });
    await world.host.commit(REPOSITORY, "main", { [FILE]: null, "apps/about.yaml": ABOUT }, { message: "Retire" });
    await world.api.delete(APP);
    await world.clock.sleep(60_000);
    const report = await world.run();
    expect(said(report)).toEqual(["resolved"]);
    expect(message(report)).toBe("Deployment shop/app is gone, from the cluster and from Git.");
    expect(said(await world.run())).toEqual([]);
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

  it("says so when somebody takes the live change back meanwhile", async () => {
    await using world = await proposed();
    await revertLive(world);
    const report = await world.run();
    expect(said(report)).toEqual(["waiting"]);
    expect(message(report)).toMatch(
      /^#1 waits for review\. Meanwhile the change was undone by .*: the fault is back until/,
    );
    expect(pulls(world)).toEqual(["open"]);
  });
});
