import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type CaseName,
  expectFree,
  type Held,
  NAMES,
  settingsOf,
  startCase,
  traces,
  wait,
  writeMemory,
} from "./held.ts";
import { phases } from "./incident.ts";
import { killAt } from "./kill.ts";
import { REPOSITORY } from "./world.ts";

interface Crash {
  /** Which of a run's writes, from 0. */
  readonly at: number;
  readonly when: "before" | "after";
}

/** How an incident with a held hotfix comes to its end, and what then stands in the cluster. */
const ENDINGS = {
  merged: { begin: (world: Held) => world.host.merge(REPOSITORY, 1, { as: "ada" }), memory: "128Mi" },
  closed: { begin: async (world: Held) => world.host.closePull(REPOSITORY, 1, { as: "ada" }), memory: "64Mi" },
  expired: { begin: (world: Held) => world.clock.sleep(25 * 3_600_000), memory: "64Mi" },
  lost: {
    begin: (world: Held) => writeMemory(world, "80Mi", "flux-client"),
    // Another engine's value is left alone until the one that is not held any more puts Git's back.
    memory: "64Mi",
  },
} as const;
type Ending = keyof typeof ENDINGS;

/** A run that is killed there; false: it came to its end before. The dead run's lease runs out afterwards. */
async function crashed(world: Held, { at, when }: Crash, settings: object): Promise<boolean> {
  const kill = killAt(at, when);
  const ended = await Promise.race([world.run(kill.wrap, settings), kill.died]);
  await wait(world, ended === "died" ? 150 : 20);
  return ended === "died";
}

async function runs(world: Held, settings: object, done: () => boolean): Promise<void> {
  for (let round = 0; round < 6 && !done(); round += 1) {
    await world.run(undefined, settings);
    await wait(world, 20);
  }
}

/** Killed in its first run and in the one that ends it, an incident ends all the same, and nothing stands. Whether a run was killed at all. */
async function lives(name: CaseName, ending: Ending, first: Crash | null, last: Crash | null): Promise<boolean> {
  await using world = await startCase(name);
  const settings = settingsOf(name);
  if (first !== null && !(await crashed(world, first, settings))) return false;
  await runs(world, settings, () => phases(world)[0] === "Proposed");
  expect([phases(world), world.memory()]).toEqual([["Proposed"], "128Mi"]);
  expect(traces(world)).not.toEqual([]);
  const { begin, memory } = ENDINGS[ending];
  await begin(world);
  if (last !== null && !(await crashed(world, last, settings))) return false;
  await runs(
    world,
    settings,
    () => traces(world).length === 0 && ["Resolved", "Silenced"].includes(phases(world)[0] ?? ""),
  );
  await wait(world, 60);
  expectFree(world);
  expect(world.memory()).toBe(memory);
  expect(phases(world)).toEqual([
    { merged: "Resolved", closed: "Silenced", expired: "Proposed", lost: "Proposed" }[ending],
  ]);
  return true;
}

const crash = (most: number): fc.Arbitrary<Crash> =>
  fc.record({ at: fc.nat(most), when: fc.constantFrom("before" as const, "after" as const) });

/** More of them once in a while: STANCH_CRASHES=200. */
const RUNS = Number(process.env["STANCH_CRASHES"] ?? 8);

describe("an incident whose runs are killed", () => {
  it("never leaves a hold standing, wherever they are killed", async () => {
    const any = fc.tuple(
      fc.constantFrom(...NAMES),
      fc.constantFrom(...(Object.keys(ENDINGS) as Ending[])),
      fc.option(crash(18)),
      fc.option(crash(6)),
    );
    await fc.assert(
      fc.asyncProperty(any, async ([name, ending, first, last]) => {
        await lives(name, ending, first, last);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  }, 1_200_000);

  // One hold that is written with the fields, and one that is written to the owner. After a write is the same as before the next. Both
  // endings of a hold let go by the same writes, of which each meets every second one; with STANCH_CRASHES, each meets all.
  const exhaustive: [CaseName, Ending, number][] = [
    ["argocd-skip", "merged", 1],
    ["argocd-skip", "closed", 2],
    ["flux-object", "expired", 1],
    ["flux-object", "lost", 2],
  ];
  const step = process.env["STANCH_CRASHES"] === undefined ? 2 : 1;
  it.concurrent.each(exhaustive)(
    "lets go of %s, %s, after whichever write of the run that does it is killed",
    async (name, ending, second) => {
      // Before these comes the lease.
      let at = step === 1 ? 1 : second;
      while (await lives(name, ending, null, { at, when: "after" })) at += step;
      expect(at).toBeGreaterThan(4);
    },
    300_000,
  );
});
