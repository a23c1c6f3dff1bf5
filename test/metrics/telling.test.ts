import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { takeLease } from "../../src/incident/lease.ts";
import type { RunEntry, RunTotals } from "../../src/incident/run-history.ts";
import type { KubeObject } from "../../src/model.ts";
import { command, flagsFor, program, type Said } from "../commands/command.ts";
import { deployment, isKilled, makeWorld, REPOSITORY, type World } from "../pipeline/world.ts";
import { readText } from "./exposition.ts";
import { readOtlp } from "./otlp-message.ts";
import { startReceiver } from "./receiver.ts";

const ID = "cluster=test,instance=stanch-system";

async function broken(): Promise<World> {
  const world = await makeWorld({ "apps/app.yaml": deployment() });
  await world.deploy();
  await world.until(() => isKilled(world));
  return world;
}

/** Every line of a run is JSON; the last one sums it up. */
function linesOf({ error }: Said): Record<string, unknown>[] {
  return error
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const kept = (world: World) =>
  world.cluster.get("stanch.dev/v1alpha1", "Run", "stanch-system", "stanch") as unknown as
    | { entries: RunEntry[]; totals: RunTotals }
    | undefined;

const eventsOn = (world: World, kind: string): KubeObject[] =>
  world.cluster
    .list("v1", "Event", "shop")
    .filter(
      (event) =>
        (event["involvedObject"] as { kind: string }).kind === kind && event["reportingComponent"] === "stanch",
    );

describe("three runs from a fault to its end", () => {
  it("are told by metrics, Events and logs that agree", async () => {
    await using world = await broken();
    await using gateway = await startReceiver();
    await using collector = await startReceiver();
    const made = await flagsFor(world, {
      metrics: { pushgateway: { url: gateway.url }, otlp: { endpoint: collector.url }, perIncident: true },
    });
    const last = (): Record<string, number> => readText(gateway.received.at(-1)?.body ?? "");
    try {
      const first = await command("run", made.flags);
      expect(first.code, first.error).toBe(0);
      const one = last();
      const transition = (phase: string): string =>
        `stanch_incident_transitions_total{${ID},phase=${phase},symptom=OOMKilled}`;
      expect(one).toMatchObject({
        [`stanch_runs_total{${ID},result=done}`]: 1,
        [transition("Detected")]: 1,
        [transition("Verified")]: 1,
        [transition("Proposed")]: 1,
        [`stanch_hotfixes_total{cluster=test,event=applied,instance=stanch-system}`]: 1,
        [`stanch_remedies_total{${ID},remedy=raise-memory-limit,result=recovered}`]: 1,
        [`stanch_pull_requests_total{cluster=test,event=opened,instance=stanch-system}`]: 1,
        [`stanch_outcomes_total{${ID},kind=proposed}`]: 1,
        [`stanch_incidents{${ID},phase=Proposed}`]: 1,
        [`stanch_hotfix_debt{${ID}}`]: 1,
        [`stanch_pull_requests{${ID},state=open}`]: 1,
        [`stanch_findings{${ID},ripe=true,symptom=OOMKilled}`]: 1,
      });
      expect(one[`stanch_api_requests_total{api=kubernetes,${ID}}`]).toBeGreaterThan(20);
      expect(one[`stanch_api_requests_total{api=github,${ID}}`]).toBeGreaterThan(3);
      expect(one[`stanch_git_fetches_total{${ID},result=done}`]).toBe(1);
      expect(one[`stanch_renders_total{${ID},result=done,tool=plain}`]).toBeGreaterThan(1);
      expect(one[`stanch_last_run_first_hotfix_seconds{${ID}}`]).toBeGreaterThan(0);
      const steps = Object.entries(one).filter(([series]) =>
        series.startsWith("stanch_last_run_step_duration_seconds{"),
      );
      const whole = one[`stanch_last_run_duration_seconds{${ID}}`] ?? 0;
      const summed = steps.reduce((sum, [, value]) => sum + value, 0);
      expect(Math.abs(summed - whole)).toBeLessThan(0.3);
      for (const step of ["observe", "diagnose", "act", "verify", "locate", "prove", "propose"])
        expect(one[`stanch_last_run_step_duration_seconds{${ID},step=${step}}`], step).toBeGreaterThan(0);
      const named = Object.keys(one).find((series) => series.startsWith("stanch_incident_info"));
      expect(named).toContain("workload=app");

      // Logs: one id, one summary, the incident where it is about one.
      const lines = linesOf(first);
      const [id] = new Set(lines.map((line) => line["run"]));
      expect(id).toMatch(/^[0-9a-f]{8}$/);
      expect(lines.every((line) => line["run"] === id)).toBe(true);
      expect(lines.filter((line) => line["msg"] === "run finished")).toHaveLength(1);
      expect(lines.at(-1)).toMatchObject({ level: "info", result: "done", findings: 1, outcomes: { proposed: 1 } });
      expect(kept(world)?.entries[0]).toMatchObject({ id, result: "done" });

      // Nothing to do: the counters go on, and nothing is told twice at the workload.
      const before = eventsOn(world, "Deployment").length;
      await command("run", made.flags);
      const two = last();
      expect(two[`stanch_runs_total{${ID},result=done}`]).toBe(2);
      expect(two[transition("Proposed")]).toBe(1);
      expect(two[`stanch_outcomes_total{${ID},kind=waiting}`]).toBe(1);
      expect(eventsOn(world, "Deployment")).toHaveLength(before);

      await world.host.merge(REPOSITORY, 1, { as: "ada" });
      await world.deploy();
      await command("run", made.flags);
      const three = last();
      expect(three).toMatchObject({
        [`stanch_runs_total{${ID},result=done}`]: 3,
        [`stanch_pull_requests_total{cluster=test,event=merged,instance=stanch-system}`]: 1,
        [transition("Resolved")]: 1,
        [`stanch_incidents{${ID},phase=Resolved}`]: 1,
        [`stanch_incidents_open{${ID},symptom=OOMKilled}`]: 0,
        [`stanch_hotfix_debt{${ID}}`]: 0,
      });
      for (const [series, value] of Object.entries(one))
        if (series.includes("_total{")) expect(three[series], series).toBeGreaterThanOrEqual(value);

      // OTLP says the same.
      const totals = kept(world)?.totals;
      const { metrics } = readOtlp(collector.received.at(-1)?.body ?? Buffer.alloc(0));
      const counted = metrics.filter((metric) => metric.kind === "sum").flatMap((metric) => metric.points);
      expect(counted).toHaveLength(Object.keys(totals?.counters ?? {}).length);
      // Nanoseconds are more digits than a number has.
      const starts = counted.map((point) => Math.round(point.start * 1000));
      expect(new Set(starts)).toEqual(new Set([Date.parse(totals?.since ?? "")]));

      // And so does the command, from what the cluster keeps.
      const printed = await command("metrics", made.flags);
      expect(printed.code).toBe(0);
      const shown = readText(printed.out);
      const still = ([series]: [string, number]): boolean => !series.includes("age_seconds");
      expect(Object.entries(shown).filter(still)).toEqual(Object.entries(three).filter(still));
      const json = JSON.parse((await command("metrics", { ...made.flags, output: "json" })).out) as unknown[];
      expect(json).toHaveLength(Object.keys(shown).length);

      // Events: what was done, at the workload and at the incident, each once, with the link.
      const told = (kind: string): string[] =>
        eventsOn(world, kind)
          .map((event) => String(event["reason"]))
          .toSorted();
      const all = ["StanchHotfix", "StanchMerged", "StanchPullRequest", "StanchResolved", "StanchVerified"];
      expect(told("Deployment")).toEqual(all);
      expect(told("Incident")).toEqual(all);
      const uid = world.cluster.get("apps/v1", "Deployment", "shop", "app")?.metadata.uid;
      for (const event of eventsOn(world, "Deployment")) {
        expect(event["involvedObject"]).toMatchObject({ name: "app", uid });
        expect(event["related"]).toMatchObject({ kind: "Incident" });
        expect(event["count"]).toBe(1);
        if (/PullRequest|Merged|Resolved/.test(String(event["reason"]))) expect(event["message"]).toContain("/pull/1");
      }
    } finally {
      await made.close();
    }
  });
});

describe("runs that do not come to their end", () => {
  it("that give way to another count as such, and leave what was seen", async () => {
    await using world = await makeWorld({ "apps/app.yaml": deployment({ memory: "256Mi" }) });
    await world.deploy();
    await using gateway = await startReceiver();
    const made = await flagsFor(world, { metrics: { pushgateway: { url: gateway.url } } });
    const options = { namespace: "stanch-system", holder: "another", durationMs: 60_000 };
    try {
      await command("run", made.flags);
      const lease = await takeLease(world.api, world.clock, options);
      const said = await command("run", made.flags);
      await lease.release();
      expect(said.code).toBe(4);
      expect(linesOf(said).at(-1)).toMatchObject({ level: "error", msg: "run failed", result: "lease", code: "lease" });
      const now = readText(gateway.received.at(-1)?.body ?? "");
      expect(now[`stanch_runs_total{${ID},result=lease}`]).toBe(1);
      expect(now[`stanch_last_run_result{${ID},result=done}`]).toBe(1);
      expect(kept(world)?.entries).toHaveLength(1);
    } finally {
      await made.close();
    }
  });

  it("for want of a right are seen as faults, with the books kept and the code the same", async () => {
    await using world = await broken();
    await using gateway = await startReceiver();
    const made = await flagsFor(world, { metrics: { pushgateway: { url: gateway.url } } });
    try {
      world.cluster.deny({ group: "stanch.dev", resource: "incidents", verb: "list" });
      const said = await command("run", made.flags);
      expect(said.code).toBe(1);
      expect(linesOf(said).at(-1)).toMatchObject({ msg: "metrics are told in part" });
      expect(linesOf(said).find((line) => line["msg"] === "run failed")).toMatchObject({ result: "fault" });
      const request = gateway.received.at(-1);
      expect(request?.method).toBe("POST");
      const now = readText(request?.body ?? "");
      expect(now[`stanch_runs_total{${ID},result=fault}`]).toBe(1);
      expect(now[`stanch_last_run_result{${ID},result=fault}`]).toBe(1);
      expect(now).not.toHaveProperty(`stanch_last_success_timestamp_seconds{${ID}}`);
      expect(kept(world)?.entries[0]).toMatchObject({ result: "fault" });
    } finally {
      await made.close();
    }
  });

  it("for a setting that is missing are told, too, though they never began", async () => {
    await using world = await makeWorld({ "apps/app.yaml": deployment({ memory: "256Mi" }) });
    await using gateway = await startReceiver();
    const made = await flagsFor(world, {
      github: { apiUrl: world.host.apiUrl, appId: "7" },
      metrics: { pushgateway: { url: gateway.url } },
    });
    try {
      const said = await command("run", made.flags);
      expect(said.code).toBe(2);
      expect(linesOf(said)).toHaveLength(1);
      expect(linesOf(said)[0]).toMatchObject({
        msg: "run failed",
        result: "config",
        code: "config",
        error: "github.appId is set, but STANCH_GITHUB_APP_KEY is not",
      });
      const now = readText(gateway.received.at(-1)?.body ?? "");
      expect(now[`stanch_runs_total{${ID},result=config}`]).toBe(1);
      expect(now[`stanch_last_run_result{${ID},result=config}`]).toBe(1);
    } finally {
      await made.close();
    }
  });

  it("for want of the cluster are told at once, without waiting for it again", async () => {
    await using gateway = await startReceiver();
    const world = await makeWorld({ "apps/app.yaml": deployment() });
    const made = await flagsFor(world, { metrics: { pushgateway: { url: gateway.url } } });
    await world[Symbol.asyncDispose]();
    try {
      const said = await command("run", made.flags);
      expect(said.code).toBe(1);
      const failed = linesOf(said).filter((line) => line["msg"] === "run failed");
      expect(failed).toHaveLength(1);
      expect(failed[0]).toMatchObject({ result: "fault", code: "cluster" });
      const [request] = gateway.received;
      expect(request?.method).toBe("POST");
      const now = readText(request?.body ?? "");
      expect(now[`stanch_last_run_result{${ID},result=fault}`]).toBe(1);
      expect(Object.keys(now).filter((series) => /_total|incidents/.test(series))).toEqual([]);
    } finally {
      await made.close();
    }
  });

  it("in mode observe leave nothing in the cluster; a dry run tells nobody", async () => {
    await using world = await broken();
    await using gateway = await startReceiver();
    const made = await flagsFor(world, { mode: "observe", metrics: { pushgateway: { url: gateway.url } } });
    try {
      expect((await command("run", { ...made.flags, "dry-run": true })).code).toBe(0);
      expect(gateway.received).toEqual([]);
      await command("run", made.flags);
      const now = readText(gateway.received[0]?.body ?? "");
      expect(now[`stanch_findings{${ID},ripe=true,symptom=OOMKilled}`]).toBe(1);
      expect(now[`stanch_mode{${ID},mode=observe}`]).toBe(1);
      expect(Object.keys(now).filter((series) => series.includes("_total{"))).toEqual([]);
      expect(kept(world)).toBeUndefined();
      const printed = await command("metrics", made.flags);
      expect(printed.error).toContain("no run is recorded");
      expect(readText(printed.out)[`stanch_incidents{${ID},phase=Proposed}`]).toBe(0);
    } finally {
      await made.close();
    }
  });
});

describe("the program", () => {
  it("loads nothing of a receiver's where none is configured", async () => {
    await using world = await makeWorld({ "apps/app.yaml": deployment({ memory: "256Mi" }) });
    await world.deploy();
    const made = await flagsFor(world);
    const preload = join(made.folder, "loads.mjs");
    await writeFile(
      preload,
      'import { registerHooks } from "node:module"; import { writeSync } from "node:fs";\n' +
        'registerHooks({ load(url, context, next) { writeSync(2, "LOAD " + url + "\\n"); return next(url, context); } });\n',
    );
    try {
      const said = await program(["run", "--kubeconfig", made.flags.kubeconfig, "-c", made.flags.config], { preload });
      const loaded = said.error.split("\n").filter((line) => line.startsWith("LOAD "));
      expect(said.error).toContain('"msg":"run finished"');
      expect(loaded.length).toBeGreaterThan(100);
      expect(loaded.filter((line) => /opentelemetry|prom-client|pushgateway|otlp/.test(line))).toEqual([]);
    } finally {
      await made.close();
    }
  });

  it.each(["silent", "dripping"] as const)(
    "ends on time though its receivers are %s, with the code of what it did",
    async (how) => {
      await using world = await makeWorld({ "apps/app.yaml": deployment({ memory: "256Mi" }) });
      await world.deploy();
      await using receiver = await startReceiver(() => how);
      const made = await flagsFor(world, {
        metrics: { timeout: "700ms", pushgateway: { url: receiver.url }, otlp: { endpoint: receiver.url } },
      });
      try {
        const cli = resolve(import.meta.dirname, "../../src/cli.ts");
        const { PATH = "", GITHUB_TOKEN = "" } = made.flags.env;
        const child = spawn(
          process.execPath,
          [cli, "run", "--kubeconfig", made.flags.kubeconfig, "-c", made.flags.config],
          {
            env: { PATH, GITHUB_TOKEN, HOME: "/nonexistent" },
          },
        );
        let error = "";
        let told = 0;
        child.stderr.on("data", (chunk: Buffer) => {
          error += chunk.toString();
          if (told === 0 && error.includes("run finished")) told = performance.now();
        });
        child.stdout.resume();
        const code = await new Promise<number>((done) => child.on("close", (status) => done(status ?? -1)));
        const lines = linesOf({ code, out: "", error });
        expect(code).toBe(0);
        expect(
          lines
            .filter((line) => line["msg"] === "metrics not exported")
            .map((line) => line["receiver"])
            .toSorted(),
        ).toEqual(["otlp", "pushgateway"]);
        expect(performance.now() - told).toBeLessThan(2500);
      } finally {
        await made.close();
      }
    },
  );
});
