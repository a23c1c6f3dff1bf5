import { describe, expect, it } from "vitest";
import { createLog } from "../../src/log.ts";
import { createMeter } from "../../src/metrics/meter.ts";
import { METRICS, type MetricDefinition } from "../../src/metrics/table.ts";

function clockAt(start = 1_000_000) {
  let time = start;
  return {
    now: () => new Date(time),
    pass: (seconds: number): void => {
      time += seconds * 1000;
    },
  };
}

describe("the meter", () => {
  it("gives every second to the innermost step; the sum is the whole", async () => {
    const clock = clockAt();
    const meter = createMeter(clock);
    clock.pass(1);
    await meter.time("repair", async () => {
      clock.pass(2);
      await meter.time("verify", () => clock.pass(30));
      await meter.time("verify", () => clock.pass(3));
      clock.pass(4);
    });
    await expect(
      meter.time("act", () => {
        clock.pass(5);
        throw new Error("conflict");
      }),
    ).rejects.toThrow("conflict");
    clock.pass(6);
    const steps = meter.steps();
    expect(steps).toEqual({ other: 7, repair: 6, verify: 33, act: 5 });
    expect(Object.values(steps).reduce((sum, seconds) => sum + seconds, 0)).toBe(51);
  });

  it("loses no time to steps that overlap, or to a clock that goes back", async () => {
    const clock = clockAt();
    const meter = createMeter(clock);
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = meter.time("observe", () => gate);
    const fast = meter.time("detect", () => clock.pass(2));
    await fast;
    clock.pass(3);
    release();
    await slow;
    clock.pass(-100);
    expect(meter.steps()).toEqual({ other: 0, observe: 3, detect: 2 });
  });

  it("makes no series of what strangers wrote, and takes no amount that is none", () => {
    const meter = createMeter(clockAt());
    for (let at = 0; at < 1000; at += 1) {
      meter.count("stanch_incident_transitions_total", { symptom: `x"} 1\nforged{a="${at}`, phase: `p${at}` });
      meter.count("stanch_remedies_total", { remedy: `Not An Id ${at}`, result: "worse" });
    }
    meter.count("stanch_model_cost_dollars_total", {}, Number.NaN);
    meter.count("stanch_model_cost_dollars_total", {}, -5);
    meter.count("stanch_model_cost_dollars_total", {}, 0.25);
    expect(meter.counts()).toEqual({
      'stanch_incident_transitions_total{symptom="other",phase="other"}': 1000,
      'stanch_remedies_total{remedy="other",result="worse"}': 1000,
      stanch_model_cost_dollars_total: 0.25,
    });
  });

  it("tells the log which step is done", async () => {
    let text = "";
    const clock = clockAt();
    const log = createLog({
      format: "json",
      level: "info",
      interactive: false,
      write: (more) => {
        text += more;
      },
      now: clock.now,
    });
    await createMeter(clock).time("prove", () => log.info("rendered"));
    expect(JSON.parse(text)).toMatchObject({ msg: "rendered", step: "prove" });
  });
});

describe("the table", () => {
  it.each(Object.entries(METRICS) as [string, MetricDefinition][])("%s follows the conventions", (name, definition) => {
    expect(name).toMatch(/^stanch_[a-z]+(_[a-z]+)*$/);
    expect(name.endsWith("_total")).toBe(definition.type === "counter");
    // Base units, and the unit in the name.
    expect(name).not.toMatch(/milli|minutes|hours|kilo|percent/);
    expect(definition.unit === "s").toBe(/_seconds(_total)?$/.test(name));
    expect(definition.help).toMatch(/^[A-Z0-9].*[.)]$/);
    expect(definition.help).not.toContain("\n");
    for (const label of Object.keys(definition.labels ?? {})) expect(label).toMatch(/^[a-z]+$/);
    // One series for each mix of values: what a metric may cost at most.
    const values = Object.values(definition.labels ?? {}).map((list) => (typeof list === "string" ? 40 : list.length));
    if (name !== "stanch_incident_info") expect(values.reduce((all, count) => all * count, 1)).toBeLessThanOrEqual(250);
  });
});
