import { describe, expect, it } from "vitest";
import { nudge, untilSynced } from "./engines.ts";
import { differs, FAULTS, type Fault, liveValue, writeLive } from "./faults.ts";
import { annotate, disown, leftOver, unheld } from "./holds.ts";
import { missing } from "./present.ts";
import { TREES } from "./trees/index.ts";
import { eventually, steadily } from "./wait.ts";
import { openWorld, REPOSITORY, type World } from "./world.ts";

/**
 * The ground on which the product stands, without the product: what the real engines do to a manual change, what holds
 * them, and that a release brings Git's value back. When an engine's new version fails here, the product's tests would, too.
 */
describe.concurrent("what the engines do by themselves", () => {
  for (const { name, engine, plant } of TREES)
    it.skipIf(missing(engine))(
      `${name}: reverts a change, respects the hold, and takes over after the release`,
      async () => {
        await using world = await openWorld(name, plant);
        const { tree } = world;
        expect(await world.drift()).toBe("");
        const before = await world.neighbours();
        await world.breakIt();

        // All faults of a tree are alike to an engine: one in each environment is enough.
        const tags = tree.faults.filter((candidate) => candidate.kind === "tag");
        await Promise.all(tags.map((fault) => tryHold(world, fault)));

        // Git mended while held, as a merge does it.
        const [fault] = tags;
        if (fault === undefined) throw new Error("the tree has no bad tag");
        await annotate(tree, fault, "disabled");
        await writeLive(fault, FAULTS.tag.good, "stanch");
        await world.host.commit(REPOSITORY, "main", { ...tree.files }, { message: "Mend it all" });
        await untilSynced(tree.engines, await world.head(), { healthy: false, nudge: true });
        world.note(`synced at the mended commit while held; live: ${await liveValue(fault)}`);
        await annotate(tree, fault, null);
        await disown(fault);
        await untilSynced(tree.engines, await world.head(), { healthy: true, nudge: true });
        for (const each of tree.faults) await eventually("mended", 60, () => differs(each, FAULTS[each.kind].good));
        expect(await leftOver(fault)).toBeNull();
        expect(await world.drift()).toBe("");
        expect(await world.neighbours()).toEqual(before);
      },
    );
});

/** Without a hold a change is reverted; with one it stands; given back, Git's value comes back. */
async function tryHold(world: World, fault: Fault): Promise<void> {
  const { tree, note } = world;
  const { good, bad } = FAULTS.tag;
  await writeLive(fault, good, "somebody");
  const began = Date.now();
  await eventually("the change reverted", 40, () => differs(fault, bad));
  note(`${fault.namespace}: reverted after ${Math.round((Date.now() - began) / 1000)} s`);

  await annotate(tree, fault, "disabled");
  await writeLive(fault, good, "stanch");
  expect(await unheld(tree, fault)).toBeNull();
  await steadily("held", 25, () => differs(fault, good));
  note(`${fault.namespace}: held for 25 s`);

  await annotate(tree, fault, null);
  await disown(fault);
  await Promise.all(tree.engines.map(nudge));
  const released = Date.now();
  await eventually("Git's value after the release", 60, () => differs(fault, bad));
  note(`${fault.namespace}: Git's value ${Math.round((Date.now() - released) / 1000)} s after the release`);
  expect(await leftOver(fault)).toBeNull();
}
