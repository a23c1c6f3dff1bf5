import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Hosts } from "../../src/compose.ts";
import type { Cluster, Repositories } from "../../src/ports.ts";
import { deployment, isKilled, makeWorld, REPOSITORY, type World } from "./world.ts";

type Doors = { api: Cluster; hosts: Hosts };

/**
 * Ends a run at its nth write to anything outside, right before or right after it happened: like a killed process, nothing that
 * comes later is done, not even what `finally` says.
 */
function killAt(nth: number, when: "before" | "after") {
  let writes = 0;
  let dead = (): void => undefined;
  const died = new Promise<"died">((resolve) => {
    dead = () => resolve("died");
  });
  const never = new Promise<never>(() => undefined);
  const write =
    <A extends unknown[], R>(does: (...args: A) => Promise<R>, counts: (...args: A) => boolean = () => true) =>
    async (...args: A): Promise<R> => {
      if (!counts(...args)) return does(...args);
      writes += 1;
      if (writes > nth) return never;
      if (writes === nth && when === "before") {
        dead();
        return never;
      }
      const result = await does(...args);
      if (writes === nth) {
        dead();
        return never;
      }
      return result;
    };
  const wrap = ({ api, hosts }: Doors): Doors => {
    const real = (_: unknown, ...rest: unknown[]): boolean =>
      rest.every((options) => (options as { dryRun?: boolean } | undefined)?.dryRun !== true);
    const repositories: Repositories = {
      async open(repository, branch) {
        const checkout = await hosts.repositories.open(repository, branch);
        return { ...checkout, publish: write(checkout.publish) };
      },
    };
    return {
      api: {
        ...api,
        create: write(api.create, real),
        patch: write(api.patch, real),
        replace: write(api.replace),
        delete: write(api.delete),
        evict: write(api.evict),
      },
      hosts: {
        ...hosts,
        repositories,
        codeHost: {
          ...hosts.codeHost,
          createPullRequest: write(hosts.codeHost.createPullRequest),
          addLabels: write(hosts.codeHost.addLabels),
        },
      },
    };
  };
  return { wrap, died, writes: () => writes };
}

async function broken(): Promise<World> {
  const world = await makeWorld({ "apps/app.yaml": deployment() });
  await world.deploy();
  await world.until(() => isKilled(world));
  return world;
}

async function goesOn(nth: number, when: "before" | "after"): Promise<void> {
  await using world = await broken();
  const kill = killAt(nth, when);
  const ended = await Promise.race([world.run(kill.wrap).then(() => "finished" as const), kill.died]);
  if (ended === "finished") return;
  // The dead run's lease runs out; then the next runs find what was left and go on.
  await sleep(1100);
  for (let round = 0; round < 3 && world.host.pulls(REPOSITORY).length === 0; round += 1) {
    await world.run();
    await sleep(300);
  }
  const place = `killed ${when} write ${nth}`;
  expect(world.memory(), place).toBe("128Mi");
  expect(
    world.host.pulls(REPOSITORY).map((pull) => pull.state),
    place,
  ).toEqual(["open"]);
  expect(
    world.incidents().map((incident) => incident.status?.phase),
    place,
  ).toEqual(["Proposed"]);
  expect(await world.host.read(REPOSITORY, world.host.pulls(REPOSITORY)[0]?.head ?? "", "apps/app.yaml"), place).toBe(
    deployment({ memory: "128Mi" }),
  );
}

describe("a run that is killed", () => {
  // A run makes about fifteen writes: lease, incident, journal, patch, events, branch, pull request, label.
  const places = Array.from({ length: 18 }, (_, index) => index + 1);
  it.concurrent.each(places)("right before write %i is finished by the next", (nth) => goesOn(nth, "before"), 60_000);
  it.concurrent.each(places)("right after write %i is finished by the next", (nth) => goesOn(nth, "after"), 60_000);

  it("makes no more writes than are tried here", async () => {
    await using world = await broken();
    const kill = killAt(1000, "before");
    await world.run(kill.wrap);
    expect(world.host.pulls(REPOSITORY)).toHaveLength(1);
    expect(kill.writes()).toBeGreaterThan(8);
    expect(kill.writes()).toBeLessThanOrEqual(places.length);
  }, 60_000);
});
