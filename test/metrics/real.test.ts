import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RESULTS } from "../../src/metrics/labels.ts";
import { command, flagsFor } from "../commands/command.ts";
import { findProgram, said } from "../monitoring/program.ts";
import { deployment, isKilled, makeWorld, REPOSITORY, type World } from "../pipeline/world.ts";
import { readText } from "./exposition.ts";

const [promtool, prometheus, pushgateway] = [
  await findProgram("promtool"),
  await findProgram("prometheus"),
  await findProgram("pushgateway"),
];

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function ready(url: string): Promise<void> {
  const end = Date.now() + 20_000;
  while (Date.now() < end) {
    if (
      await fetch(url).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      return;
    await sleep(100);
  }
  throw new Error(`${url} does not get ready`);
}

interface Answer {
  readonly data: { readonly result: { readonly metric: Record<string, string>; readonly value: [number, string] }[] };
}

describe.skipIf(prometheus === null || pushgateway === null)("a real Prometheus and a real Pushgateway", () => {
  let folder = "";
  const running: ChildProcess[] = [];
  let push = "";
  let base = "";
  let world: World;
  const pushed = async (): Promise<string> => (await fetch(`${push}/metrics`)).text();
  const query = async (expr: string): Promise<Record<string, number>> => {
    const answer = await fetch(`${base}/api/v1/query?query=${encodeURIComponent(expr)}`);
    const { data } = (await answer.json()) as Answer;
    return Object.fromEntries(
      data.result.map(({ metric, value }) => [
        Object.entries(metric)
          .toSorted()
          .map(([label, text]) => `${label}=${text}`)
          .join(","),
        Number(value[1]),
      ]),
    );
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "stanch-prometheus-"));
    const [pushPort, port] = [await freePort(), await freePort()];
    push = `http://127.0.0.1:${pushPort}`;
    base = `http://127.0.0.1:${port}`;
    const settings = {
      global: { scrape_interval: "1s" },
      scrape_configs: [
        { job_name: "push", honor_labels: true, static_configs: [{ targets: [`127.0.0.1:${pushPort}`] }] },
      ],
    };
    await writeFile(join(folder, "prometheus.yml"), JSON.stringify(settings));
    running.push(
      spawn(pushgateway ?? "", [`--web.listen-address=127.0.0.1:${pushPort}`], { stdio: "ignore" }),
      spawn(
        prometheus ?? "",
        [
          `--config.file=${join(folder, "prometheus.yml")}`,
          `--storage.tsdb.path=${join(folder, "data")}`,
          `--web.listen-address=127.0.0.1:${port}`,
          "--web.enable-otlp-receiver",
        ],
        { stdio: "ignore" },
      ),
    );
    await Promise.all([ready(`${push}/-/ready`), ready(`${base}/-/ready`)]);
    world = await makeWorld({ "apps/app.yaml": deployment() });
    await world.deploy();
    await world.until(() => isKilled(world));
  }, 60_000);

  afterAll(async () => {
    for (const child of running) child.kill("SIGKILL");
    await world?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it("take what runs tell, both ways and under the same names, and add it up over processes", async () => {
    const made = await flagsFor(world, {
      metrics: { pushgateway: { url: push }, otlp: { endpoint: `${base}/api/v1/otlp` } },
    });
    try {
      const names = new Set<string>();
      for (let run = 0; run < 3; run += 1) {
        const result = await command("run", made.flags);
        expect(result.error).not.toContain("not exported");
        if (run === 0) {
          await world.host.merge(REPOSITORY, 1, { as: "ada" });
          await world.deploy();
        }
        await sleep(1500);
        for (const [, name = ""] of (await pushed()).matchAll(/^(stanch_\w+)/gm)) names.add(name);
      }
      const stanch = (await pushed()).split("\n").filter((line) => /^(# (HELP|TYPE) )?stanch_/.test(line));
      if (promtool !== null) {
        const checked = await said(promtool, ["check", "metrics"], { input: `${stanch.join("\n")}\n` });
        expect(checked.text).toBe("");
      }
      expect(
        readText(stanch.join("\n"))["stanch_runs_total{cluster=test,instance=stanch-system,job=stanch,result=done}"],
      ).toBe(3);

      // One series each, whichever way it came: the same labels and the same value.
      const runs = await query("stanch_runs_total");
      const of = (result: string): string =>
        `__name__=stanch_runs_total,cluster=test,instance=stanch-system,job=stanch,result=${result}`;
      expect(runs).toEqual(Object.fromEntries(RESULTS.map((result) => [of(result), result === "done" ? 3 : 0])));
      expect(names.size).toBeGreaterThan(30);
      const known = (await (await fetch(`${base}/api/v1/label/__name__/values`)).json()) as { data: string[] };
      expect(known.data.filter((name) => name.startsWith("stanch_")).toSorted()).toEqual([...names].toSorted());
      const target = await query('target_info{job="stanch"}');
      expect(Object.keys(target)[0]).toContain("k8s_cluster_name=test");
      expect(await query('sum(stanch_incidents{phase="Resolved"})')).toEqual({ "": 1 });
      expect(Object.values(await query("increase(stanch_runs_total[1m]) > 0"))).toHaveLength(1);
      expect(Object.values(await query("stanch_hotfix_debt"))).toEqual([0]);
    } finally {
      await made.close();
    }
  }, 90_000);

  it("a group that is replaced forgets what is over, and one that is added to does not", async () => {
    const made = await flagsFor(world, { metrics: { pushgateway: { url: push } } });
    const old = `${push}/metrics/job/stanch/cluster/test/instance/stanch-system`;
    try {
      const left = /stanch_hold_next_expiry_timestamp_seconds\{[^}]*\} 5/;
      const leave = (): Promise<Response> =>
        fetch(old, { method: "POST", body: "stanch_hold_next_expiry_timestamp_seconds 5\n" });
      await leave();
      expect(await pushed()).toMatch(left);
      await command("run", made.flags);
      expect(await pushed()).not.toMatch(left);
      await leave();
      world.cluster.deny({ group: "stanch.dev", resource: "incidents", verb: "list" });
      await command("run", made.flags);
      expect(await pushed()).toMatch(left);
      expect(await pushed()).toMatch(/stanch_last_run_result\{[^}]*result="fault"\} 1/);
    } finally {
      await made.close();
    }
  }, 60_000);
});
