import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { type EmbeddedCodeHost, startCodeHost } from "../../src/demo/code-host/code-host.ts";
import { readText } from "../metrics/exposition.ts";
import { findProgram } from "../monitoring/program.ts";
import { kubectl, stanch, writeConfig } from "./lab.ts";
import { brokenState } from "./manifests.ts";

const REPOSITORY = "acme/shop";
const TOKEN = "e2e-token";
const tag = Math.random().toString(36).slice(2, 7);
const namespace = `metrics-e2e-${tag}`;
const own = `metrics-stanch-${tag}`;
const FILE = "deploy/memory.yaml";
const pushgateway = await findProgram("pushgateway");

/** By an account that holds exactly what `stanch rbac` prints: books, Events and their counts included. */
describe.skipIf(pushgateway === null)("what a run tells on a real cluster", () => {
  let folder = "";
  let config = "";
  let kubeconfig = "";
  let push = "";
  let host: EmbeddedCodeHost;
  let gateway: ChildProcess;
  const asBot = (...words: string[]) => stanch([...words, "--config", config, "--kubeconfig", kubeconfig], TOKEN);
  const pushed = async (): Promise<string> => (await fetch(`${push}/metrics`)).text();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "stanch-e2e-"));
    host = await startCodeHost();
    host.addToken(TOKEN, { login: "stanch[bot]", permission: "write" });
    const text = brokenState(namespace)[FILE] ?? "";
    await host.addRepository(REPOSITORY, {
      commits: [{ message: "Import", files: { [FILE]: text }, date: new Date(Date.now() - 86_400_000) }],
    });
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    push = `http://127.0.0.1:${port}`;
    gateway = spawn(pushgateway ?? "", [`--web.listen-address=127.0.0.1:${port}`], { stdio: "ignore" });
    await kubectl([
      "apply",
      "--server-side",
      "--force-conflicts",
      "-f",
      new URL("../../deploy/crd.yaml", import.meta.url).pathname,
    ]);
    await kubectl(["wait", "--for=condition=Established", "crd/runs.stanch.dev", "--timeout=30s"]);
    for (const name of [own, namespace])
      await kubectl(["apply", "--server-side", "-f", "-"], {
        input: JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name } }),
      });
    config = await writeConfig(folder, {
      mode: "remediate",
      cluster: "e2e",
      namespace: own,
      scope: { namespaces: [namespace] },
      sources: [{ repository: REPOSITORY, branch: "main", path: "deploy", namespaces: [namespace] }],
      github: { apiUrl: host.apiUrl, pause: "0s" },
      git: { cache: join(folder, "git") },
      registry: { mirrors: { "*": process.env["STANCH_E2E_REGISTRY"] ?? "http://127.0.0.1:5000" } },
      verify: { least: "5s", patience: "1m", poll: "1s" },
      metrics: { pushgateway: { url: push }, perIncident: true },
    });
    const { stdout } = await stanch(["rbac", "--config", config], TOKEN);
    await kubectl(["apply", "-f", "-"], { input: stdout });
    const token = (await kubectl(["-n", own, "create", "token", "stanch-writer"])).trim();
    const admin = JSON.parse(await kubectl(["config", "view", "--raw", "--minify", "-o", "json"])) as {
      clusters: { name: string; cluster: object }[];
    };
    const cluster = admin.clusters[0];
    kubeconfig = join(folder, "bot.kubeconfig");
    await writeFile(
      kubeconfig,
      stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "lab", cluster: cluster?.cluster }],
        users: [{ name: "bot", user: { token } }],
        contexts: [{ name: "bot", context: { cluster: "lab", user: "bot" } }],
        "current-context": "bot",
      }),
      { mode: 0o600 },
    );
    await kubectl(["apply", "-f", "-"], { input: text });
  });

  afterAll(async () => {
    gateway?.kill();
    await kubectl(["delete", "namespace", own, namespace, "--wait=false", "--ignore-not-found"], { may: [1] });
    // Another suite may have put its own in place of ours.
    const bound = await kubectl(["get", "clusterrolebinding", "stanch-reader-cluster", "-o", "yaml"], { may: [1] });
    if (bound.includes(own))
      await kubectl(["delete", "clusterrole/stanch-reader-cluster", "clusterrolebinding/stanch-reader-cluster"], {
        may: [1],
      });
    await host?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("metrics, Events and log lines from a fault to its end", async () => {
    const end = Date.now() + 240_000;
    let runs = 0;
    let lines: Record<string, unknown>[] = [];
    while (host.pulls(REPOSITORY).length === 0 && Date.now() < end) {
      const { stderr } = await asBot("run");
      runs += 1;
      lines = stderr
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      await sleep(2000);
    }
    expect(lines.filter((line) => line["level"] !== "info")).toEqual([]);
    expect(lines.at(-1)).toMatchObject({ msg: "run finished", result: "done" });
    process.stdout.write(`${JSON.stringify(lines.at(-1))}\n`);
    await host.merge(REPOSITORY, 1, { as: "ada" });
    await kubectl(["apply", "-f", "-"], { input: await host.read(REPOSITORY, "main", FILE) });
    const last = await asBot("run");
    runs += 1;
    expect(last.report?.outcomes.map((outcome) => outcome.kind)).toEqual(["resolved"]);

    const text = await pushed();
    process.stdout.write(
      `${text
        .split("\n")
        .filter((line) => /^stanch_/.test(line) && !/ 0$/.test(line))
        .join("\n")}\n`,
    );
    const said = readText(text);
    const id = `cluster=e2e,instance=${own},job=stanch`;
    expect(said).toMatchObject({
      [`stanch_runs_total{${id},result=done}`]: runs,
      [`stanch_hotfixes_total{cluster=e2e,event=applied,instance=${own},job=stanch}`]: 1,
      [`stanch_pull_requests_total{cluster=e2e,event=merged,instance=${own},job=stanch}`]: 1,
      [`stanch_incidents{${id},phase=Resolved}`]: 1,
      [`stanch_hotfix_debt{${id}}`]: 0,
    });
    const described = await kubectl(["-n", namespace, "describe", "deployment", "memory"]);
    process.stdout.write(`${described.slice(described.indexOf("Events:"))}\n`);
    const incident = await kubectl(["-n", namespace, "describe", "incidents"]);
    for (const reason of ["StanchHotfix", "StanchVerified", "StanchPullRequest", "StanchMerged", "StanchResolved"]) {
      expect(described, reason).toContain(reason);
      expect(incident, reason).toContain(reason);
    }
    process.stdout.write(await kubectl(["-n", own, "get", "runs"]));
    const printed = await stanch(["metrics", "--config", config, "--kubeconfig", kubeconfig], TOKEN);
    expect(printed.code, printed.stderr).toBe(0);
  });
});
