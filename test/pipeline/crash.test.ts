import { describe, expect, it } from "vitest";
import { broken, FILE, phases } from "./incident.ts";
import { killAt, RENEWAL } from "./kill.ts";
import { deployment, REPOSITORY } from "./world.ts";

/** Every write of a run that heals one workload, in order. Each is a place where the run is killed, before it and after it. */
const WRITES = [
  "create Lease",
  "create Incident",
  "Incident Detected",
  "Incident Diagnosed",
  "Incident Acting",
  "patch Deployment",
  "Incident Hotfixed",
  "create Event StanchHotfix",
  "create Event StanchHotfix, second time",
  "Incident Verified",
  "create Event StanchVerified",
  "create Event StanchVerified, second time",
  "Incident Verified, second time",
  "publish",
  "create pull request",
  "Incident Proposed",
  "create Event StanchPullRequest",
  "create Event StanchPullRequest, second time",
  "add labels",
  "create Run",
  "release Lease",
];

/** Short enough to be renewed within a run. */
const SETTINGS = { lease: "30s" };

async function goesOn(place: string, when: "before" | "after"): Promise<void> {
  await using world = await broken();
  const kill = killAt(place, when);
  const ended = await Promise.race([world.run(kill.wrap, SETTINGS).then(() => "finished" as const), kill.died]);
  expect(ended, `the run never came to: ${place}`).toBe("died");
  // The dead run's lease runs out; then the next runs find what was left and go on.
  await world.clock.sleep(150_000);
  for (let round = 0; round < 4 && (round === 0 || phases(world)[0] !== "Proposed"); round += 1) {
    await world.run(undefined, SETTINGS);
    await world.clock.sleep(20_000);
  }
  expect(world.memory()).toBe("128Mi");
  expect(phases(world)).toEqual(["Proposed"]);
  const pulls = world.host.pulls(REPOSITORY);
  expect(pulls.map((pull) => pull.state)).toEqual(["open"]);
  expect(await world.host.read(REPOSITORY, pulls[0]?.head ?? "", FILE)).toBe(deployment({ memory: "128Mi" }));
}

describe("a run that is killed", () => {
  const places = [...WRITES, RENEWAL];
  it.concurrent.each(places)("right before its write is finished by the next: %s", (place) => goesOn(place, "before"));
  it.concurrent.each(places)("right after its write is finished by the next: %s", (place) => goesOn(place, "after"));

  it("makes exactly the writes that are tried here", async () => {
    await using world = await broken();
    const kill = killAt("nowhere", "before");
    await world.run(kill.wrap, SETTINGS);
    expect(world.host.pulls(REPOSITORY)).toHaveLength(1);
    expect(kill.writes).toContain(RENEWAL);
    expect(kill.writes.filter((name) => name !== RENEWAL)).toEqual(WRITES);
  });
});
