import { describe, expect, it } from "vitest";
import { differs, FAULTS, type Fault, liveValue, writeLive } from "./faults.ts";
import { leftOver, unheld } from "./holds.ts";
import { expectSettled, mergeAll, untilProposed, untilResolved } from "./job.ts";
import { missing } from "./present.ts";
import { single } from "./trees/single.ts";
import { eventually, steadily } from "./wait.ts";
import { openWorld, REPOSITORY, type World } from "./world.ts";

const ENGINES = ["flux", "argocd"] as const;
const { good, bad } = FAULTS.tag;

function theFault(world: World): Fault {
  const [fault] = world.tree.faults;
  if (fault === undefined) throw new Error("the tree has no fault");
  return fault;
}

/** What may happen between the hotfix and the merge. */
describe.concurrent("the window between hotfix and merge", () => {
  for (const engine of ENGINES) {
    it.skipIf(missing(engine))(
      `${engine}: a hold that expires before the merge is given back, and the merge heals`,
      async () => {
        await using world = await openWorld(`expired, ${engine}`, (tag) => single(tag, { engine }), {
          holds: { object: true, application: false, expiry: "1m" },
        });
        const fault = theFault(world);
        await world.breakIt();
        await untilProposed(world);
        expect(await differs(fault, good)).toBeNull();
        expect(await unheld(world.tree, fault)).toBeNull();
        await world.runUntil("the hold given back", 120, () => leftOver(fault));
        await eventually("Git's value back", 60, () => differs(fault, bad));
        // No second hold for the same incident: the window is over, and a person decides by merging.
        await world.run();
        expect(await leftOver(fault)).toBeNull();
        expect(await liveValue(fault)).toBe(bad);
        expect(world.host.pulls(REPOSITORY).map((pull) => pull.state)).toEqual(["open"]);
        await mergeAll(world);
        await untilResolved(world);
        await expectSettled(world);
      },
    );

    it.skipIf(missing(engine))(
      `${engine}: a pull request closed unmerged takes the hotfix and the hold along`,
      async () => {
        await using world = await openWorld(`closed, ${engine}`, (tag) => single(tag, { engine }), {
          holds: { object: true, application: false, expiry: "30m" },
        });
        const fault = theFault(world);
        await world.breakIt();
        await untilProposed(world);
        const [pull] = world.host.pulls(REPOSITORY);
        world.host.closePull(REPOSITORY, pull?.number ?? 0, { as: "ada" });
        await world.runUntil("silenced", 60, async () => {
          const phases = (await world.incidents()).map(({ status }) => status?.phase);
          return phases.join() === "Silenced" ? null : phases.join();
        });
        expect(await leftOver(fault)).toBeNull();
        await eventually("Git's value back", 30, () => differs(fault, bad));
        // Both let go: Git's value is the engine's again, and Stanch does not try a second time.
        await world.run();
        await steadily("Git's value stays", 15, () => differs(fault, bad));
        expect(await world.drift()).toBe("");
        expect(world.host.pulls(REPOSITORY)).toHaveLength(1);
      },
    );

    it.skipIf(missing(engine))(`${engine}: a person's change is never overwritten`, async () => {
      await using world = await openWorld(`person, ${engine}`, (tag) => single(tag, { engine }), {
        holds: { object: true, application: false, expiry: "30m" },
      });
      const fault = theFault(world);
      await world.breakIt();
      await untilProposed(world);
      const persons = "nginx:1.28";
      await writeLive(fault, persons, "kubectl-edit");
      if (engine === "argocd") {
        // The field is the person's now, no longer Stanch's: Argo CD takes it back at once, and Stanch does not join in.
        await eventually("Argo CD takes the field back", 60, () => differs(fault, bad));
        await world.run();
        await world.run();
        await steadily("Stanch writes it no second time", 15, () => differs(fault, bad));
      } else {
        await world.run();
        await world.run();
        await steadily("the person's value stands", 25, () => differs(fault, persons));
      }
      await mergeAll(world);
      await untilResolved(world);
      await expectSettled(world);
    });
  }

  it.skipIf(missing("argocd"))(
    "argocd: without any hold allowed it is Git first, and the incident says why",
    async () => {
      await using world = await openWorld("git first", (tag) => single(tag, { engine: "argocd", optIn: false }), {
        holds: { object: true, application: false, expiry: "30m" },
      });
      const fault = theFault(world);
      await world.breakIt();
      await untilProposed(world);
      expect(await liveValue(fault)).toBe(bad);
      expect(await leftOver(fault), "nothing was written live").toBeNull();
      const [incident] = await world.incidents();
      world.note(`the incident says: ${incident?.status?.plan?.gitOnly}`);
      const told = [incident?.status?.plan?.gitOnly, ...(incident?.status?.timeline ?? []).map((entry) => entry.text)];
      expect(told.join("\n")).toMatch(/Application .*(self-heal|revert)/i);
      expect(world.host.pulls(REPOSITORY)[0]?.body, "and so does the pull request").toMatch(
        /Application .*(self-heal|revert)/i,
      );
      expect(world.said.some((outcome) => outcome.kind === "hotfixed")).toBe(false);
      await mergeAll(world);
      await untilResolved(world);
      await expectSettled(world);
    },
  );
});
