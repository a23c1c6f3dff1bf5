import { expect, it } from "vitest";
import { type RunEntry, recordRun } from "../../src/incident/run-history.ts";
import { makeWorld, virtualClock } from "../pipeline/world.ts";

const NAMESPACE = "stanch-system";
const entry = (at: number): RunEntry => ({
  at: new Date(Date.UTC(2026, 0, 1, 0, at)).toISOString(),
  seconds: at,
  mode: "remediate",
  version: "0.1.0",
  pods: 1,
  workloads: 1,
  calls: 9,
  gaps: 0,
  outcomes: { proposed: 1 },
});

it("keeps the last runs, the newest first", async () => {
  await using world = await makeWorld({}, virtualClock());
  const context = { cluster: world.api, clock: world.clock, namespace: NAMESPACE };
  for (let at = 0; at < 5; at += 1) await recordRun(entry(at), 3, context);
  const kept = world.cluster.get("stanch.dev/v1alpha1", "Run", NAMESPACE, "stanch") as unknown as {
    entries: RunEntry[];
  };
  expect(kept.entries).toEqual([entry(4), entry(3), entry(2)]);
});

it("loses no entry to another writer", async () => {
  await using world = await makeWorld({}, virtualClock());
  const context = { cluster: world.api, clock: world.clock, namespace: NAMESPACE };
  await recordRun(entry(0), 9, context);
  let met = false;
  const cluster: typeof world.api = {
    ...world.api,
    async replace(object, options) {
      if (!met) {
        met = true;
        await recordRun(entry(1), 9, context);
      }
      return world.api.replace(object, options);
    },
  };
  await recordRun(entry(2), 9, { ...context, cluster });
  const kept = world.cluster.get("stanch.dev/v1alpha1", "Run", NAMESPACE, "stanch") as unknown as {
    entries: RunEntry[];
  };
  expect(kept.entries.map((it) => it.seconds)).toEqual([2, 1, 0]);
});

it("a run goes on without its CustomResourceDefinition, and without keeping any where that is set", async () => {
  await using world = await makeWorld({}, virtualClock());
  await world.run(undefined, { history: 0 });
  expect(world.cluster.list("stanch.dev/v1alpha1", "Run", NAMESPACE)).toEqual([]);
  world.cluster.deny({ group: "stanch.dev", resource: "runs", verb: "create" });
  expect((await world.run()).outcomes).toEqual([]);
  expect(world.cluster.list("stanch.dev/v1alpha1", "Run", NAMESPACE)).toEqual([]);
});
