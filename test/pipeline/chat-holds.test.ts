import { describe, expect, it } from "vitest";
import { expectFree, expectHeld, type Held, holdsOf, startCase, wait } from "./held.ts";
import { phases, pulls, said } from "./incident.ts";
import { killAt } from "./kill.ts";
import { REPOSITORY } from "./world.ts";

const HOUR = 3_600_000;

/** A held hotfix with an open pull request, and ada, who may write. */
async function held(): Promise<Held> {
  const world = await startCase("flux-object");
  world.host.addCollaborator(REPOSITORY, "ada", "write");
  expect(said(await world.run())).toEqual(["proposed"]);
  expectHeld(world, "flux-object");
  return world;
}
const asks = (world: Held, body: string) => world.host.comment(REPOSITORY, 1, { as: "ada", body });
const answers = (world: Held) =>
  (world.host.pulls(REPOSITORY)[0]?.comments ?? []).flatMap(({ user, body }) => (user === "stanch[bot]" ? [body] : []));
const left = (world: Held) =>
  (Date.parse(holdsOf(world)[0]?.expiresAt ?? "") - Date.parse(holdsOf(world)[0]?.takenAt ?? "")) / HOUR;

describe.concurrent("/stanch hold", () => {
  it("keeps the hold for longer than it was taken for, never beyond holds.longest and never for less", async () => {
    await using world = await held();
    expect(left(world)).toBe(24);
    asks(world, "/stanch hold 1h");
    await world.run();
    expect(left(world)).toBe(24);
    asks(world, "/stanch hold 40h");
    await world.run();
    expect(left(world)).toBeGreaterThan(40);
    expect(left(world)).toBeLessThan(41);
    asks(world, "/stanch hold 30d");
    await world.run();
    expect(left(world)).toBe(72);
    expect(answers(world)[2]).toContain("as long as `holds.longest` lets it");
    // Past what it was taken for, and it stands.
    await world.clock.sleep(30 * HOUR);
    await world.run();
    expectHeld(world, "flux-object");
    await world.clock.sleep(43 * HOUR);
    expect(said(await world.run())).toEqual(["rolled-back"]);
    expectFree(world);
    asks(world, "/stanch hold 4h");
    await world.run();
    expect(answers(world)[3]).toContain("nothing is held here");
    expectFree(world);
  });
});

describe.concurrent("killed at any write", () => {
  it.each([
    ["/stanch undo", 0, "Proposed", "open"],
    ["/stanch ignore 2h", 1, "Silenced", "closed"],
  ] as const)(
    "%s is done, and answered once",
    async (command, parity, phase, state) => {
      for (let place = 0; place < 40; place += 2) {
        await using world = await held();
        asks(world, command);
        const kill = killAt(place, (place / 2) % 2 === parity ? "before" : "after");
        const ended = await Promise.race([world.run(kill.wrap), kill.died]);
        await wait(world, ended === "died" ? 150 : 20);
        for (let round = 0; round < 3; round += 1) await world.run();
        const where = `write ${place}: ${kill.writes.at(-1)}`;
        expect(answers(world), where).toHaveLength(1);
        expect(phases(world), where).toEqual([phase]);
        expect(pulls(world), where).toEqual([state]);
        expect(world.memory(), where).toBe("64Mi");
        expectFree(world);
        const status = world.incidents()[0]?.status;
        expect(status?.chat?.pending, where).toBeUndefined();
        // For the time that was asked for, not for that of a refusal.
        if (phase === "Silenced")
          expect(Date.parse(status?.silencedUntil ?? "") - world.clock.now().getTime(), where).toBeLessThan(3 * HOUR);
        if (ended !== "died") {
          expect(place).toBeGreaterThan(5);
          return;
        }
      }
    },
    240_000,
  );
});
