import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { StanchError } from "../../src/errors.ts";
import { createLog } from "../../src/log.ts";
import { createMeter } from "../../src/metrics/meter.ts";
import { addCounts, samplesOf, seriesOf, totalsWith } from "../../src/metrics/series.ts";
import { METRICS, type MetricName } from "../../src/metrics/table.ts";
import type { Outcome } from "../../src/model.ts";
import type { Cluster } from "../../src/ports.ts";
import { countsOf, entryOf, faultOf, keepsBooks, type Recorded, remember, resultOf } from "../../src/remember.ts";
import type { RunReport } from "../../src/run.ts";

const START = Date.UTC(2026, 2, 1, 12);

function runOf(over: Partial<Recorded> = {}, settings: object = {}): Recorded & { text: () => string } {
  let text = "";
  let now = START;
  const clock = {
    now: () => new Date(now),
    sleep: async (ms: number) => {
      now += ms;
    },
  };
  const write = (more: string): void => {
    text += more;
  };
  return {
    config: parseConfig(JSON.stringify({ mode: "remediate", ...settings })),
    cluster: { calls: () => 17 } as Partial<Cluster> as Cluster,
    clock,
    dryRun: false,
    id: "ab12cd34",
    log: createLog({ format: "json", level: "debug", interactive: false, write, now: clock.now }),
    meter: createMeter(clock),
    startedAt: START,
    tally: { ripe: 0, hotfixes: 0, opened: 0 },
    version: "0.1.0",
    text: () => text,
    ...over,
  };
}

const REPORT: RunReport = {
  outcomes: [],
  scanned: { pods: 4, workloads: 2, namespaces: 1, calls: 15 },
  gaps: ["nodes"],
  findings: { OOMKilled: { ripe: 1, unripe: 0 } },
  seconds: 3.5,
};
const outcome = (kind: Outcome["kind"]): Outcome => ({
  kind,
  workload: { apiVersion: "v1", kind: "Pod", namespace: "a", name: "b" },
  symptom: "NotReady",
  message: "",
});

describe("how a run ended", () => {
  it.each<[Outcome["kind"][], string]>([
    [[], "done"],
    [["proposed", "waiting", "resolved"], "done"],
    [["proposed", "escalated"], "attention"],
    [["refused"], "attention"],
    [["escalated", "failed"], "fault"],
  ])("%j: %s", (kinds, result) => {
    expect(resultOf({ ...REPORT, outcomes: kinds.map(outcome) })).toBe(result);
  });

  it.each<[unknown, string]>([
    [new StanchError("lease", ""), "lease"],
    [new StanchError("config", ""), "config"],
    [new StanchError("cluster", ""), "fault"],
    [new TypeError(""), "fault"],
    ["thrown", "fault"],
  ])("%s: %s", (error, result) => expect(faultOf(error)).toBe(result));
});

describe("the books", () => {
  it("hold what the model cost, and nothing of a model that was not asked", () => {
    const model = { requests: 2, inputTokens: 9000, outputTokens: 400, cacheReadTokens: 5000, dollars: 0.0123 };
    const run = runOf({ tally: { ripe: 0, hotfixes: 0, opened: 0, model } });
    const entry = entryOf(REPORT, "done", run);
    expect(entry).toMatchObject({
      model,
      id: "ab12cd34",
      gaps: 1,
      pods: 4,
      namespaces: 1,
      seconds: 3.5,
      result: "done",
    });
    expect(countsOf(entry, run)).toMatchObject({
      stanch_model_requests_total: 2,
      'stanch_model_tokens_total{direction="input"}': 9000,
      'stanch_model_tokens_total{direction="output"}': 400,
      stanch_model_cost_dollars_total: 0.0123,
      'stanch_api_requests_total{api="kubernetes"}': 17,
    });
    const without = countsOf(entryOf(REPORT, "done", runOf()), runOf());
    expect(Object.keys(without).filter((series) => series.includes("model"))).toEqual([]);
  });

  it("lose no small amount of money over many runs", () => {
    let counts = {};
    for (let run = 0; run < 10_000; run += 1) counts = addCounts(counts, { stanch_model_cost_dollars_total: 0.0007 });
    expect(counts).toEqual({ stanch_model_cost_dollars_total: 7 });
  });

  it("begin every counter of few labels at 0, so that its first increase is one", () => {
    const undone = 'stanch_hotfixes_total{event="undone"}';
    const first = totalsWith(null, { 'stanch_runs_total{result="done"}': 1, stanch_run_seconds_total: 3 });
    expect(first).toMatchObject({
      'stanch_runs_total{result="done"}': 1,
      'stanch_runs_total{result="fault"}': 0,
      stanch_run_seconds_total: 3,
      stanch_model_cost_dollars_total: 0,
      [undone]: 0,
      'stanch_pull_requests_total{event="opened"}': 0,
    });
    expect(totalsWith(first, { [undone]: 6 })[undone]).toBe(6);
    // Neither hundreds of them, nor names that are not known.
    expect(Object.keys(first).length).toBeLessThan(100);
    expect(Object.keys(first).filter((series) => /transitions|remedies|guard/.test(series))).toEqual([]);
    expect(samplesOf(first)).toHaveLength(Object.keys(first).length);
  });

  it("of an older version get those too, and lose nothing to them", () => {
    const older = { 'stanch_runs_total{result="done"}': 90, 'stanch_remedies_total{remedy="evict",result="worse"}': 2 };
    const totals = totalsWith(older, {});
    expect(totals).toMatchObject({ ...older, 'stanch_hotfixes_total{event="undone"}': 0 });
    const full = Object.fromEntries(
      Array.from({ length: 600 }, (_, at) => [`stanch_remedies_total{remedy="r-${at}",result="worse"}`, 1]),
    );
    expect(totalsWith(full, {})).toEqual(full);
  });

  it.each<[object, boolean, boolean]>([
    [{ mode: "remediate" }, false, true],
    [{ mode: "propose" }, false, true],
    [{ mode: "observe" }, false, false],
    [{ mode: "remediate" }, true, false],
    [{ mode: "remediate", history: 0 }, false, false],
  ])("are kept with %j, dry run %s: %s", (settings, dryRun, kept) => {
    expect(keepsBooks(runOf({ dryRun }, settings))).toBe(kept);
  });

  it("that cannot be written are a line, and no fault", async () => {
    const cluster = {
      calls: () => 0,
      get: async () => {
        throw new StanchError("forbidden", 'runs.stanch.dev "stanch" is forbidden');
      },
    } as Partial<Cluster> as Cluster;
    const run = runOf({ cluster });
    await remember(entryOf(REPORT, "done", run), run);
    expect(JSON.parse(run.text())).toMatchObject({ level: "warn", msg: "the run's summary was not kept" });
    const quiet = runOf({ cluster, dryRun: true });
    await remember(entryOf(REPORT, "done", quiet), quiet);
    expect(quiet.text()).toBe("");
  });
});

describe("series", () => {
  const counters = (Object.keys(METRICS) as MetricName[]).filter((name) => METRICS[name].type === "counter");

  it("read back as what they were written from, whatever the labels say", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...counters),
        fc.dictionary(
          fc.constantFrom("result", "step", "kind", "phase", "remedy", "guard", "x"),
          fc.string({ unit: "binary" }),
        ),
        fc.double({ min: 0, max: 1e12, noNaN: true }),
        (name, labels, value) => {
          const series = seriesOf(name, labels);
          expect(series).toMatch(/^[a-z_]+(\{([a-z]+="[A-Za-z0-9-]+",?)+\})?$/);
          const [sample] = samplesOf({ [series]: value });
          expect(sample?.value).toBe(value);
          expect(seriesOf(name, sample?.labels ?? {})).toBe(series);
        },
      ),
    );
  });

  it("of anything that was stored are known ones or none", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.anything()), (stored) => {
        for (const sample of samplesOf(stored as Record<string, number>)) expect(counters).toContain(sample.name);
      }),
    );
  });
});
