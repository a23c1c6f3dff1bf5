import { describe, expect, it } from "vitest";
import type { Program } from "../../src/demo/cluster/programs.ts";
import { acted, deployed, inGit, manifest, minutes, PROBED, pods, ready, TOLD } from "./contained.ts";
import { message, phases, said } from "./incident.ts";
import { APPS, issues, runs, states } from "./issues.ts";
import { killAt, RENEWAL } from "./kill.ts";
import type { World } from "./world.ts";

/** It serves until it is told to hang, and then accepts and never answers. */
const server = (hangs: () => boolean): Program => ({
  ports: [8080],
  get answerSeconds() {
    return hangs() ? 60 : 0;
  },
});

/** Three pods, of which those whose start is in `hung` hang, for long enough to be acted on. */
async function hanging(hung: Set<number>, start: ReadonlySet<number> = new Set(hung), replicas = 3): Promise<World> {
  hung.clear();
  const world = await deployed(manifest({ container: PROBED, replicas }), (nth) => server(() => hung.has(nth)));
  await world.until(() => ready(world) === replicas);
  await minutes(world, 10);
  for (const nth of start) hung.add(nth);
  await world.until(() => ready(world) === replicas - start.size);
  await minutes(world, 7);
  return world;
}

const unready = (world: World): string[] =>
  pods(world)
    .filter((pod) => !pod.ready)
    .map((pod) => pod.name);

describe.concurrent("a pod that hangs", { timeout: 120_000 }, () => {
  it("is evicted, and it alone; the incident says that nothing is healed, and ends with the symptom", async () => {
    await using world = await hanging(new Set([2]));
    const before = pods(world).filter((pod) => pod.ready);
    const victims = unready(world);
    const text = await runs(world, ["contained"]);
    expect(text).toMatch(/^Contained: restart app-\S+, which does not answer any more; pod app-\S+ took its place/);
    expect(text).toContain("What it hung on is not known");
    expect(text).toContain("1 of 3 times within 24h");
    expect(acted(world, "eviction")).toEqual(victims);
    expect(ready(world)).toBe(3);
    expect(pods(world).map((pod) => pod.uid)).toEqual(expect.arrayContaining(before.map((pod) => pod.uid)));
    expect(phases(world)).toEqual(["Contained"]);
    expect(inGit(world)).toBe(0);
    expect(issues(world, APPS)).toEqual([]);
    const events = world.cluster.list("v1", "Event", "shop").map((event) => event["reason"]);
    expect(events).toContain("StanchContained");
    expect(await runs(world, ["resolved"])).toContain("The cause was not found and may bring it back.");
    expect(world.incidents()[0]?.status?.contained).toHaveLength(1);
  });

  it("is one of two: one is evicted in a run, the other in the next", async () => {
    await using world = await hanging(new Set([1, 3]));
    const victims = unready(world).toSorted();
    await runs(world, ["contained"]);
    expect(acted(world, "eviction")).toHaveLength(1);
    expect(ready(world)).toBe(2);
    await runs(world, ["contained"]);
    expect(acted(world, "eviction").toSorted()).toEqual(victims);
    expect(ready(world)).toBe(3);
    await runs(world, ["resolved"]);
  });

  it("hangs again and again: after some times it is left, and its developers are told", async () => {
    const hung = new Set([2]);
    await using world = await hanging(hung);
    const settings = { ...TOLD, remedies: { contain: { tries: 2 } } };
    let last = 3;
    for (let time = 1; time <= 2; time += 1) {
      await runs(world, ["contained"], settings);
      await runs(world, ["resolved"], settings);
      await minutes(world, 20);
      last += 1;
      hung.add(last);
      await minutes(world, 7);
    }
    expect(issues(world, APPS)).toEqual([]);
    const text = await runs(world, ["escalated"], settings);
    expect(text).toContain("it was done 2 times within 24h (remedies.contain)");
    expect(text).toContain(`Reported in ${world.host.url}/${APPS}/issues/1.`);
    const body = issues(world, APPS)[0]?.body ?? "";
    expect(body).toContain("**Live:** contained, not healed: restart app-");
    expect(body).toContain("it did not last");
    expect(body).toContain("it does not work as its health check needs it");
    expect(acted(world, "eviction")).toHaveLength(2);
    expect(inGit(world)).toBe(0);
    await runs(world, ["escalated"], settings);
    expect(acted(world, "eviction")).toHaveLength(2);
    expect(states(world, APPS)).toEqual(["open"]);
  });

  it("hangs with all the others: one shows that a restart does not help, and the rest is left", async () => {
    // What they all wait for is away: new pods hang, too.
    let away = false;
    await using world = await deployed(manifest({ container: PROBED }), () => server(() => away));
    await world.until(() => ready(world) === 3);
    await minutes(world, 10);
    away = true;
    await minutes(world, 8);
    const text = await runs(world, ["escalated"]);
    expect(acted(world, "eviction")).toHaveLength(1);
    expect(text).toMatch(/restart: not healthy after .*: new pod app-\S+ is not ready/);
    await minutes(world, 10);
    await runs(world, ["escalated"]);
    expect(acted(world, "eviction")).toHaveLength(1);
    expect(issues(world, APPS)).toEqual([]);
  });

  it("is not evicted against a PodDisruptionBudget, and a later run tries again", async () => {
    await using world = await hanging(new Set([2]));
    world.cluster.apply([
      {
        apiVersion: "policy/v1",
        kind: "PodDisruptionBudget",
        metadata: { name: "app", namespace: "shop" },
        spec: { minAvailable: 3, selector: { matchLabels: { app: "app" } } },
      },
    ]);
    expect(await runs(world, ["escalated"])).toContain("a PodDisruptionBudget forbids the eviction");
    expect(pods(world)).toHaveLength(3);
    expect(ready(world)).toBe(2);
  });

  it.each([
    ["is not enabled", { remedies: { enabled: ["rollback", "evict"] } }],
    ["would be live in mode propose", { mode: "propose" }],
    ["is one of a storm", { guard: { storm: 1, cooldown: "0s" }, detect: { notReady: "1m" } }],
    ["may not be evicted", {}],
  ])("%s is left", async (name, settings) => {
    await using world = await hanging(new Set([2]));
    if (name === "may not be evicted") world.cluster.deny({ group: "", resource: "pods/eviction", verb: "create" });
    if (name === "is one of a storm")
      world.cluster.apply([
        {
          apiVersion: "batch/v1",
          kind: "Job",
          metadata: { name: "other", namespace: "shop" },
          spec: {
            backoffLimit: 0,
            template: {
              spec: { restartPolicy: "Never", containers: [{ name: "app", image: "example.com/flagged:1.0.0" }] },
            },
          },
        },
      ]);
    await minutes(world, 3);
    const report = await world.run(undefined, settings);
    expect(said(report)).not.toContain("contained");
    expect(acted(world, "eviction")).toEqual([]);
    expect(message(report)).toContain("A person is needed");
    expect(inGit(world)).toBe(0);
  });
});

/** The writes of a run that contains. Each is a place where the run is killed, before it and after it. */
const WRITES = [
  "create Lease",
  "create Incident",
  "Incident Detected",
  "Incident Diagnosed",
  "Incident Acting",
  "evict",
  "Incident Hotfixed",
  "create Event StanchHotfix",
  "create Event StanchHotfix, second time",
  "Incident Verified",
  "create Event StanchVerified",
  "create Event StanchVerified, second time",
  "Incident Contained",
  "create Event StanchContained",
  "create Event StanchContained, second time",
  "create Run",
  "release Lease",
];

describe.concurrent("a run that contains and is killed", { timeout: 120_000 }, () => {
  it("makes exactly these writes", async () => {
    await using world = await hanging(new Set([1]), new Set([1]), 1);
    const kill = killAt("nowhere", "before");
    await world.run(kill.wrap);
    expect(kill.writes.filter((name) => name !== RENEWAL)).toEqual(WRITES);
  });

  const places = WRITES.slice(WRITES.indexOf("Incident Acting")).filter((name) => /^(Incident|evict)/.test(name));
  it.each(places.flatMap((place) => [["before", place] as const, ["after", place] as const]))(
    "right %s %s is finished by the next, and no pod is evicted that is well",
    async (when, place) => {
      await using world = await hanging(new Set([1]), new Set([1]), 1);
      const victims = unready(world);
      const kill = killAt(place, when);
      expect(await Promise.race([world.run(kill.wrap).then(() => "finished"), kill.died])).toBe("died");
      await minutes(world, 5);
      for (let round = 0; round < 4 && phases(world)[0] !== "Resolved"; round += 1) await world.run();
      // Right after it, nobody knows whether it happened: the same pod is asked for again at most.
      expect(new Set(acted(world, "eviction"))).toEqual(new Set(victims));
      expect(ready(world)).toBe(1);
      expect(phases(world)).toEqual(["Resolved"]);
      expect(inGit(world)).toBe(0);
    },
  );
});
