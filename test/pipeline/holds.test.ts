import { describe, expect, it } from "vitest";
import { expectFree, expectHeld, holdsOf, NAMES, settingsOf, startCase, wait } from "./held.ts";
import { message, onMain, phases, pulls, said } from "./incident.ts";
import { REPOSITORY } from "./world.ts";

describe.each(NAMES)("a hold: %s", (name) => {
  const settings = settingsOf(name);

  it("keeps the hotfix, and ends when the pull request is merged and deployed; Git then rules again", async () => {
    await using world = await startCase(name);
    expect(said(await world.run(undefined, settings))).toEqual(["proposed"]);
    expectHeld(world, name);
    expect(world.host.pulls(REPOSITORY)[0]?.body).toMatch(
      /\*\*Held:\*\* .*, until .* at the latest\. Then the live change is taken back/,
    );
    await wait(world, 120);
    expect(world.memory()).toBe("128Mi");
    expect(world.engine.reverts()).toBe(0);
    expect(said(await world.run(undefined, settings))).toEqual(["waiting"]);

    await world.host.merge(REPOSITORY, 1, { as: "ada" });
    for (let round = 0; round < 3 && phases(world)[0] !== "Resolved"; round += 1) {
      await world.run(undefined, settings);
      await wait(world, 20);
    }
    expect(phases(world)).toEqual(["Resolved"]);
    expect(world.memory()).toBe("128Mi");
    expect(world.engine.reverts()).toBe(0);
    expectFree(world);
    expect(holdsOf(world)[0]?.releaseReason).toMatch(/#1 is merged and deployed/);

    // The trap of a hold by ownership: Synced, and nothing of Git comes any more.
    await onMain(world, "96Mi");
    await wait(world, 300);
    expect(world.memory()).toBe("96Mi");
  }, 60_000);

  it("ends when the pull request is closed: the value of Git is back, and nothing stands", async () => {
    await using world = await startCase(name);
    await world.run(undefined, settings);
    world.host.closePull(REPOSITORY, 1, { as: "ada" });
    const report = await world.run(undefined, settings);
    expect(said(report)).toEqual(["closed"]);
    expect(world.memory()).toBe("64Mi");
    expectFree(world);
    expect(phases(world)).toEqual(["Silenced"]);
  }, 60_000);

  it("ends at its expiry: the live change is taken back, and the pull request stays open", async () => {
    await using world = await startCase(name);
    await world.run(undefined, settings);
    await world.clock.sleep(25 * 3_600_000);
    expect(world.memory()).toBe("128Mi");
    const report = await world.run(undefined, settings);
    expect(said(report)).toEqual(["rolled-back"]);
    expect(message(report)).toMatch(
      /#1 waits for review\. Live change taken back: its hold expired at .*the fault is back/,
    );
    expect(world.memory()).toBe("64Mi");
    expectFree(world);
    expect(pulls(world)).toEqual(["open"]);
    expect(phases(world)).toEqual(["Proposed"]);
    const events = world.cluster.list("v1", "Event", "shop").map((event) => event["reason"]);
    expect(events).toContain("StanchHoldExpired");
    // And it is over when the pull request is merged after all.
    await world.host.merge(REPOSITORY, 1, { as: "ada" });
    await world.run(undefined, settings);
    await wait(world, 60);
    await world.run(undefined, settings);
    expect(phases(world)).toEqual(["Resolved"]);
    expectFree(world);
  }, 60_000);
});
