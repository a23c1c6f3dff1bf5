import { describe, expect, it } from "vitest";
import { openGate } from "./gate.ts";
import { expectSettled, mergeAll } from "./job.ts";
import { missing } from "./present.ts";
import { single } from "./trees/single.ts";
import { openWorld, REPOSITORY } from "./world.ts";

/**
 * One incident, and a run that is killed before and after each kind of write that the job makes: each is met once, the
 * next run repairs what the dead one left and gets one write further, until it is resolved.
 */
describe.concurrent("killed between any two steps", () => {
  for (const engine of ["flux", "argocd"] as const)
    it.skipIf(missing(engine))(`${engine}: the next run always finishes the job`, async () => {
      await using world = await openWorld(`killed, ${engine}`, (tag) => single(tag, { engine }), {
        holds: { object: true, application: false, expiry: "30m" },
        lease: "1s",
        // What the dead runs tried is no reason to wait or to give up.
        guard: { cooldown: "0s", attempts: 20 },
      });
      await world.breakIt();
      await using gate = await openGate(world.config);
      const met = new Set<string>();
      const deaths: string[] = [];
      const end = Date.now() + 330_000;
      for (;;) {
        const death = await gate.run(world.token, (write, moment) => {
          const key = `${moment} ${write}`;
          if (met.has(key)) return false;
          met.add(key);
          return true;
        });
        if (death !== null) {
          deaths.push(death);
          world.note(`killed ${death}`);
          continue;
        }
        const [incident, ...others] = await world.incidents();
        expect(others, "one fault is one incident").toEqual([]);
        if (incident?.status.phase === "Resolved") break;
        if (incident?.status.phase === "Proposed") await mergeAll(world);
        expect(Date.now(), `stuck: ${incident?.status.phase}: ${incident?.status.message}`).toBeLessThan(end);
      }
      // The phases at which the issue wants it killed, at least; holds and their release lie between them.
      for (const phase of ["Acting", "Hotfixed", "Verified", "Proposed", "Merged", "Resolved"])
        expect(deaths).toContain(`after PUT incidents/status ${phase}`);
      expect(world.host.pulls(REPOSITORY), "never a second pull request").toHaveLength(1);
      await expectSettled(world);
    });
});
