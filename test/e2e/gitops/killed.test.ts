import { describe, expect, it } from "vitest";
import { type Gate, openGate } from "./gate.ts";
import { expectSettled, mergeAll } from "./job.ts";
import { missing } from "./present.ts";
import { single } from "./trees/single.ts";
import { openWorld, REPOSITORY, type World } from "./world.ts";

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
      using _ = killAtCodeHost(world, gate);
      const met = new Set<string>();
      const deaths: string[] = [];
      const end = Date.now() + 800_000;
      for (;;) {
        const death = await gate.run(world.token, (write, moment) => {
          const key = `${moment} ${write}`;
          if (met.has(key)) return false;
          met.add(key);
          return true;
        });
        if (death !== null) {
          deaths.push(death);
          expect(deaths.length, deaths.join("\n")).toBeLessThan(80);
          world.note(`killed ${death}`);
          continue;
        }
        const [incident, ...others] = await world.incidents();
        expect(others, "one fault is one incident").toEqual([]);
        if (incident?.status?.phase === "Resolved") break;
        if (incident?.status?.phase === "Proposed") await mergeAll(world);
        expect(Date.now(), `stuck: ${incident?.status?.phase}: ${incident?.status?.message}`).toBeLessThan(end);
      }
      // The phases at which the issue wants it killed, at least; holds and their release lie between them.
      for (const phase of ["Acting", "Hotfixed", "Verified", "Proposed", "Merged", "Resolved"])
        expect(deaths).toContain(`after PUT incidents/status ${phase}`);
      for (const step of ["git-receive-pack", "pulls"]) expect(deaths.join()).toContain(`POST ${step}`);
      expect(world.host.pulls(REPOSITORY), "never a second pull request").toHaveLength(1);
      await expectSettled(world);
    });
});

/**
 * Kills runs at the code host's writes, too, each twice: the first push and the first new pull request never happen, the
 * second ones do, and nobody hears of it. The delay is the time in which the death is noticed here.
 */
function killAtCodeHost(world: World, gate: Gate): Disposable {
  const steps = [/git-receive-pack$/, /\/(pulls)$/];
  for (const path of steps) {
    world.host.faults.add({ method: "POST", path, delayMs: 1000, closeConnection: true });
    world.host.faults.add({ method: "POST", path, delayMs: 1000 });
  }
  const left = new Map(steps.map((step) => [step, 2]));
  let seen = 0;
  const timer = setInterval(() => {
    for (const row of world.host.requests.slice(seen)) {
      seen += 1;
      const step = steps.find((candidate) => row.method === "POST" && candidate.test(row.path));
      const times = step === undefined ? 0 : (left.get(step) ?? 0);
      if (step === undefined || times === 0) continue;
      left.set(step, times - 1);
      gate.kill(`${times === 2 ? "before" : "after"} POST ${row.path.split("/").at(-1)}`);
    }
  }, 50);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
