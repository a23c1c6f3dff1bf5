import { expect, it } from "vitest";
import {
  changeDaySpend,
  type RunEntry,
  type RunRecord,
  type RunTotals,
  readHistory,
  recordDrift,
  recordRun,
} from "../../src/incident/run-history.ts";
import { addCounts } from "../../src/metrics/series.ts";
import { changeBook } from "../../src/notify/book.ts";
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
const DONE = 'stanch_runs_total{result="done"}';
const STARTED = Date.UTC(2025, 11, 31, 23);
const record = (at: number, counts: Record<string, number> = { [DONE]: 1 }): RunRecord => ({
  entry: entry(at),
  startedAt: STARTED,
  success: true,
  count: (before) => addCounts(before ?? {}, counts),
});
type Kept = { entries: RunEntry[]; totals: RunTotals };

it("keeps the last runs, the newest first", async () => {
  await using world = await makeWorld({}, virtualClock());
  const context = { cluster: world.api, clock: world.clock, namespace: NAMESPACE };
  for (let at = 0; at < 5; at += 1) await recordRun(record(at), 3, context);
  const kept = world.cluster.get("stanch.dev/v1alpha1", "Run", NAMESPACE, "stanch") as unknown as Kept;
  expect(kept.entries).toEqual([entry(4), entry(3), entry(2)]);
  expect(kept.totals.counters).toEqual({ [DONE]: 5 });
});

it("loses neither an entry nor an amount to another writer", async () => {
  await using world = await makeWorld({}, virtualClock());
  const context = { cluster: world.api, clock: world.clock, namespace: NAMESPACE };
  await recordRun(record(0), 9, context);
  let met = false;
  const cluster: typeof world.api = {
    ...world.api,
    async replace(object, options) {
      if (!met) {
        met = true;
        await recordRun(record(1), 9, context);
      }
      return world.api.replace(object, options);
    },
  };
  await recordRun(record(2), 9, { ...context, cluster });
  const kept = world.cluster.get("stanch.dev/v1alpha1", "Run", NAMESPACE, "stanch") as unknown as Kept;
  expect(kept.entries.map((it) => it.seconds)).toEqual([2, 1, 0]);
  expect(kept.totals.counters).toEqual({ [DONE]: 3 });
});

it("a run goes on without its CustomResourceDefinition, and without keeping any where that is set", async () => {
  await using world = await makeWorld({}, virtualClock());
  await world.run(undefined, { history: 0 });
  expect(world.cluster.list("stanch.dev/v1alpha1", "Run", NAMESPACE)).toEqual([]);
  world.cluster.deny({ group: "stanch.dev", resource: "runs", verb: "create" });
  expect((await world.run()).outcomes).toEqual([]);
  expect(world.cluster.list("stanch.dev/v1alpha1", "Run", NAMESPACE)).toEqual([]);
});

it("counts a run that gave way without listing it, and keeps when a run last came to its end", async () => {
  await using world = await makeWorld({}, virtualClock());
  const context = { cluster: world.api, clock: world.clock, namespace: NAMESPACE };
  await recordRun(record(0), 9, context);
  const succeeded = (await readHistory(context)).totals?.lastSuccessAt;
  await world.clock.sleep(60_000);
  const lease = 'stanch_runs_total{result="lease"}';
  await recordRun(
    { startedAt: STARTED + 1, success: false, count: (before) => addCounts(before ?? {}, { [lease]: 1 }) },
    9,
    context,
  );
  const { entries, totals } = await readHistory(context);
  expect(entries).toHaveLength(1);
  expect(totals).toMatchObject({ lastSuccessAt: succeeded, counters: { [DONE]: 1, [lease]: 1 } });
  // What the first run counted lies after the time since when totals count, and that time stays.
  expect(totals?.since).toBe(new Date(STARTED).toISOString());
});

it.each<[string, object]>([
  ["an older version's", { entries: [entry(7)] }],
  ["totals without a time", { entries: [entry(7)], totals: { counters: { [DONE]: 9 } } }],
])("begins to count anew on %s object, and keeps its entries", async (_, stored) => {
  await using world = await makeWorld({}, virtualClock());
  const context = { cluster: world.api, clock: world.clock, namespace: NAMESPACE };
  await world.api.create({
    apiVersion: "stanch.dev/v1alpha1",
    kind: "Run",
    metadata: { name: "stanch", namespace: NAMESPACE },
    ...stored,
  });
  expect((await readHistory(context)).totals).toBeNull();
  await recordRun(record(8), 9, context);
  const { entries, totals } = await readHistory(context);
  expect(entries.map((it) => it.seconds)).toEqual([8, 7]);
  expect(totals?.counters).toEqual({ [DONE]: 1 });
  expect(Date.parse(totals?.since ?? "")).toBeGreaterThan(0);
});

it("drops what is no amount of a known counter, and takes no more series than there may be", () => {
  const odd = {
    [DONE]: 3,
    stanch_gone_total: 4,
    'stanch_runs_total{result="sabotage"}': 5,
    'stanch_runs_total{result="done",extra="x"}': 5,
    stanch_run_seconds_total: -1,
    stanch_hotfix_debt: 2,
    constructor: 1,
    'stanch_step_seconds_total{step="act"}': "many" as unknown as number,
  };
  expect(addCounts(odd, { [DONE]: 1 })).toEqual({ [DONE]: 4 });
  const flood = Object.fromEntries(
    Array.from({ length: 2000 }, (_, at) => [`stanch_remedies_total{remedy="r-${at}",result="worse"}`, 1]),
  );
  const kept = addCounts(flood, flood);
  expect(Object.keys(kept)).toHaveLength(600);
  expect(JSON.stringify(kept).length).toBeLessThan(64_000);
});

it("every writer of the object leaves the others' keys alone, also when two write at once", async () => {
  await using world = await makeWorld({}, virtualClock());
  const context = { cluster: world.api, clock: world.clock, namespace: NAMESPACE };
  const told = [{ name: "team", since: "2026-01-01T00:00:00.000Z" }];
  const drift = { at: "2026-01-01T00:00:00.000Z", nextAt: "2026-01-01T01:00:00.000Z" };
  const writers = {
    model: () => changeDaySpend((day) => ({ ...day, requests: day.requests + 1, dollars: day.dollars + 0.5 }), context),
    notified: () => changeBook((book) => ({ ...book, receivers: told }), context),
    drift: () => recordDrift(drift, context),
    entries: () => recordRun(record(1), 9, context),
  };
  for (const write of Object.values(writers)) await write();
  await Promise.all([writers.model(), writers.entries(), writers.notified(), writers.drift()]);
  const kept = world.cluster.get("stanch.dev/v1alpha1", "Run", NAMESPACE, "stanch");
  expect(kept).toMatchObject({
    model: { day: world.clock.now().toISOString().slice(0, 10), requests: 2, dollars: 1 },
    notified: { receivers: told },
    drift,
    totals: { counters: { [DONE]: 2 } },
  });
  expect((kept as unknown as Kept).entries).toHaveLength(2);
});

it("a definition that drops what a model cost is an error: without it no budget holds", async () => {
  await using world = await makeWorld({}, virtualClock());
  const drops = <T extends object>(kept: T): T => ({ ...kept, model: undefined });
  const cluster = {
    get: world.api.get,
    create: async (...given: Parameters<typeof world.api.create>) => drops(await world.api.create(...given)),
    replace: async (...given: Parameters<typeof world.api.replace>) => drops(await world.api.replace(...given)),
  };
  const context = { cluster, clock: world.clock, namespace: NAMESPACE };
  const spend = () => changeDaySpend((day) => ({ ...day, dollars: 1 }), context);
  await expect(spend()).rejects.toMatchObject({ code: "config", hint: expect.stringContaining("deploy/crd.yaml") });
  await expect(spend()).rejects.toThrow(/older than this program/);
  await expect(changeDaySpend(() => null, context)).resolves.toBeUndefined();
});
