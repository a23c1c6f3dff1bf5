import { describe, expect, it } from "vitest";
import { expectHeld, expectMinimalPulls, expectSettled, mergeAll, untilProposed, untilResolved } from "./job.ts";
import { missing } from "./present.ts";
import { TREES } from "./trees/index.ts";
import { openWorld } from "./world.ts";

/** OOM, bad tag and bad probe in each way to deploy, with automatic sync and self-heal on, from failing to released. */
describe.concurrent("the main job under a GitOps engine", () => {
  for (const { name, engine, plant } of TREES)
    it.skipIf(missing(engine))(`${name}: hotfixed, held, merged, synced, released, no drift`, async () => {
      await using world = await openWorld(name, plant, { holds: { object: true, application: false, expiry: "30m" } });
      const before = await world.neighbours();
      await world.breakIt();
      await untilProposed(world);
      await expectHeld(world);
      await expectMinimalPulls(world);
      await mergeAll(world);
      await untilResolved(world);
      await expectSettled(world);
      expect(await world.neighbours()).toEqual(before);
      const again = await world.run();
      expect(again.report?.outcomes).toEqual([]);
    });
});
