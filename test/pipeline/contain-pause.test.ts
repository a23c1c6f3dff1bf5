import { describe, expect, it } from "vitest";
import { getAt } from "../../src/kube/field-path.ts";
import { inGit, minutes, TOLD } from "./contained.ts";
import { APP, owners, phases, said } from "./incident.ts";
import { APPS, issues, runs, states } from "./issues.ts";
import { killAt } from "./kill.ts";
import { deployImage, FIXED, old, rollingOut } from "./rolling-out.ts";
import type { World } from "./world.ts";

const settings = { ...TOLD, remedies: { enabled: ["pause"] } };
const live = (world: World) => world.cluster.get("apps/v1", "Deployment", "shop", "app");
const paused = (world: World): unknown => getAt(live(world) as never, ["spec", "paused"]);

describe.concurrent("a rollout that takes serving pods away", { timeout: 400_000 }, () => {
  it("rests, the old pods go on serving, and the program's developers are told; another image resumes it", async () => {
    await using world = await rollingOut();
    const text = await runs(world, ["contained"], settings);
    expect(text).toMatch(
      /^Contained: pause the rollout, while 3 pods of an earlier revision still serve; 3 pods of an earlier revision serve/,
    );
    expect(text).toContain(`Reported in ${world.host.url}/${APPS}/issues/1.`);
    expect(paused(world)).toBe(true);
    expect(phases(world)).toEqual(["Contained"]);
    expect(inGit(world)).toBe(0);
    await minutes(world, 30);
    expect(old(world)).toBe(3);
    expect(await runs(world, ["waiting"], settings)).toContain("Contained: pause");
    expect(paused(world)).toBe(true);
    // The fix is deployed while it rests: it must not be kept back.
    await deployImage(world, FIXED);
    await minutes(world, 5);
    await runs(world, ["rolled-back"], settings);
    expect(paused(world)).toBeUndefined();
    expect(owners(world)).not.toContain("stanch");
    await minutes(world, 10);
    expect(await runs(world, ["resolved"], settings)).toBeTruthy();
    expect(states(world, APPS)).toEqual(["closed"]);
    expect(live(world)?.["status"]).toMatchObject({ readyReplicas: 10, updatedReplicas: 10 });
    const events = world.cluster.list("v1", "Event", "shop").map((event) => event["reason"]);
    expect(events).toEqual(expect.arrayContaining(["StanchContained", "StanchReleased"]));
  });

  it("is resumed when its time is over, and is not paused again; without it the old pods would have gone", async () => {
    await using world = await rollingOut();
    await runs(world, ["contained"], settings);
    await world.clock.sleep(25 * 3_600_000);
    const report = await world.run(undefined, settings);
    expect(said(report)).toContain("rolled-back");
    expect(paused(world)).toBeUndefined();
    await minutes(world, 20);
    expect(await runs(world, ["escalated"], settings)).toMatch(
      /paused with this template before|no pod of an earlier revision serves/,
    );
    expect(paused(world)).toBeUndefined();
  });

  it("that somebody resumes is left to them", async () => {
    await using world = await rollingOut();
    await runs(world, ["contained"], settings);
    await world.api.patch(APP, [{ op: "remove", path: "/spec/paused" }]);
    const report = await world.run(undefined, settings);
    expect(said(report)[0]).toBe("rolled-back");
    await minutes(world, 3);
    await world.run(undefined, settings);
    expect(paused(world)).toBeUndefined();
  });

  it("is resumed by /stanch undo in its issue", async () => {
    await using world = await rollingOut();
    await runs(world, ["contained"], settings);
    world.host.addCollaborator(APPS, "ada", "write");
    world.host.comment(APPS, 1, { as: "ada", body: "/stanch undo" });
    await world.run(undefined, settings);
    expect(paused(world)).toBeUndefined();
    expect(phases(world)).toEqual(["Silenced"]);
  });

  it("is rolled back instead where that may be done", async () => {
    await using world = await rollingOut();
    const report = await world.run(undefined, TOLD);
    expect(said(report)).toEqual(["proposed"]);
    expect(paused(world)).toBeUndefined();
    expect(issues(world, APPS)).toEqual([]);
  });

  it.each(
    ["patch Deployment", "Incident Contained"].flatMap((place) => [
      ["before", place] as const,
      ["after", place] as const,
    ]),
  )("and a run that is killed right %s %s: the next one knows what it paused", async (when, place) => {
    await using world = await rollingOut();
    const kill = killAt(place, when);
    expect(await Promise.race([world.run(kill.wrap, settings).then(() => "finished"), kill.died])).toBe("died");
    await world.clock.sleep(150_000);
    for (let round = 0; round < 3; round += 1) await world.run(undefined, settings);
    const known = world.incidents()[0]?.status;
    // Paused, it is known to be ours; or nothing of it stands.
    if (paused(world) === true) {
      expect(known?.phase).toBe("Contained");
      await deployImage(world, FIXED);
      await world.run(undefined, settings);
    }
    expect(paused(world)).toBeUndefined();
    expect(owners(world)).not.toContain("stanch");
    expect(inGit(world)).toBe(0);
  });
});
