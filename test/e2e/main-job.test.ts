import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { diffLines } from "diff";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedCodeHost, startCodeHost } from "../../src/demo/code-host/code-host.ts";
import type { Outcome } from "../../src/model.ts";
import { kubectl, stanch, versions, writeConfig } from "./lab.ts";
import { brokenState, healthyState, MINIMAL } from "./manifests.ts";

const REPOSITORY = "acme/shop";
const TOKEN = "e2e-token";
const tag = Math.random().toString(36).slice(2, 7);
const namespace = `e2e-${tag}`;
const healthy = `e2e-healthy-${tag}`;
/** Its own, so that another installation in the cluster does not hold the lease. */
const own = `e2e-stanch-${tag}`;

describe("the main job on a real cluster", () => {
  let folder = "";
  let config = "";
  let host: EmbeddedCodeHost;
  let before: Record<string, string> = {};
  const outcomes: Outcome[] = [];

  const applied = async (): Promise<string> => {
    const files = await Promise.all(
      Object.keys(brokenState(namespace)).map((file) => host.read(REPOSITORY, "main", file)),
    );
    return files.join("\n---\n");
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "stanch-e2e-"));
    host = await startCodeHost();
    host.addToken(TOKEN, { login: "stanch[bot]", permission: "write" });
    const ago = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);
    await host.addRepository(REPOSITORY, {
      commits: [{ message: "Import", files: healthyState(namespace), date: ago(600) }],
    });
    await kubectl(["apply", "--server-side", "-f", new URL("../../deploy/crd.yaml", import.meta.url).pathname]);
    await kubectl(["wait", "--for=condition=Established", "crd/incidents.stanch.dev", "--timeout=30s"]);
    for (const name of [own, namespace, healthy])
      await kubectl(["apply", "--server-side", "-f", "-"], {
        input: JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name } }),
      });
    config = await writeConfig(folder, {
      mode: "remediate",
      cluster: "e2e",
      namespace: own,
      scope: { namespaces: [namespace, healthy] },
      sources: [{ repository: REPOSITORY, branch: "main", path: "deploy", namespaces: [namespace] }],
      github: { apiUrl: host.apiUrl, pause: "0s" },
      git: { cache: join(folder, "git") },
      // The lab's registry answers for every registry, by path.
      registry: { mirrors: { "*": process.env["STANCH_E2E_REGISTRY"] ?? "http://127.0.0.1:5000" } },
      detect: { notReady: "15s" },
      verify: { least: "8s", patience: "2m", poll: "1s" },
    });

    // A healthy neighbour, and the release that once worked.
    await kubectl(["-n", healthy, "apply", "-f", "-"], { input: healthyState(healthy)["deploy/release.yaml"] ?? "" });
    await kubectl(["apply", "-f", "-"], { input: healthyState(namespace)["deploy/release.yaml"] ?? "" });
    for (const name of [namespace, healthy])
      await kubectl(["-n", name, "rollout", "status", "deployment/release", "--timeout=90s"]);
    // A deployment that became unavailable must have been available for a while.
    await sleep(32_000);
    await host.commit(REPOSITORY, "main", brokenState(namespace), { message: "An afternoon of changes", date: ago(1) });
    await kubectl(["apply", "-f", "-"], { input: await applied() });
    before = await versions(healthy);
  });

  afterAll(async () => {
    await kubectl(["delete", "namespace", own, namespace, healthy, "--wait=false", "--ignore-not-found"], { may: [1] });
    await host?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("finds, hotfixes, verifies and proposes five faults of five classes", async () => {
    const end = Date.now() + 330_000;
    let first: { hotfix?: number | undefined; pull?: number | undefined } = {};
    while (host.pulls(REPOSITORY).length < 5 && Date.now() < end) {
      const { report, stderr } = await stanch(["run", "--config", config], TOKEN);
      expect(report, stderr).not.toBeNull();
      outcomes.push(...(report?.outcomes ?? []));
      if (first.hotfix === undefined && report?.firstHotfixSeconds !== undefined)
        first = { hotfix: report.firstHotfixSeconds, pull: report.firstPullRequestSeconds };
      await sleep(3000);
    }
    process.stdout.write(
      `first hotfix accepted after ${first.hotfix} s, first proved pull request after ${first.pull} s\n`,
    );
    expect(outcomes.filter((outcome) => outcome.kind === "failed").map((outcome) => outcome.message)).toEqual([]);
    const proposed = outcomes
      .filter((outcome) => outcome.kind === "proposed")
      .map((outcome) => `${outcome.workload.name}: ${outcome.symptom}`);
    expect(proposed.toSorted()).toEqual([
      "config: ConfigMissing",
      "memory: OOMKilled",
      "probe: NotReady",
      "release: CrashLoop",
      "tag: ImagePull",
    ]);
    for (const name of Object.keys(MINIMAL))
      await kubectl(["-n", namespace, "rollout", "status", `deployment/${name}`, "--timeout=20s"]);
  });

  it("opens one pull request each, of minimal diff, proved and no draft", async () => {
    const pulls = host.pulls(REPOSITORY);
    expect(pulls).toHaveLength(5);
    for (const [name, expected] of Object.entries(MINIMAL)) {
      const pull = pulls.find((candidate) => candidate.title.startsWith(`fix(${namespace}/${name}):`));
      expect(pull, name).toBeDefined();
      if (pull === undefined) continue;
      process.stdout.write(`\n#${pull.number} ${pull.title}\n`);
      expect(pull.draft, pull.body).toBe(false);
      for (const file of Object.keys(brokenState(namespace))) {
        const parts = diffLines(
          await host.read(REPOSITORY, "main", file),
          await host.read(REPOSITORY, pull.head, file),
        );
        const lines = (kind: "added" | "removed"): string[] =>
          parts
            .filter((part) => part[kind] === true)
            .flatMap((part) => part.value.trimEnd().split("\n"))
            .map((line) => line.trim());
        for (const line of lines("removed")) process.stdout.write(`  - ${line}\n`);
        for (const line of lines("added")) process.stdout.write(`  + ${line}\n`);
        expect([lines("removed"), lines("added")], `${name} in ${file}`).toEqual(
          file === expected.file ? [expected.minus, expected.plus] : [[], []],
        );
      }
      expect(pull.body).toContain("**What broke:**");
      expect(pull.body).toMatch(/P4 \| ✅ passed/);
    }
  });

  it("leaves the healthy namespace beside it untouched", async () => {
    expect(await versions(healthy)).toEqual(before);
  });

  it("after the merge there is no drift, and the next run resolves all five", async () => {
    for (const pull of host.pulls(REPOSITORY)) await host.merge(REPOSITORY, pull.number, { as: "ada" });
    const manifests = await applied();
    await kubectl(["apply", "-f", "-"], { input: manifests });
    expect(await kubectl(["diff", "-f", "-"], { input: manifests, may: [1] })).toBe("");
    const { report } = await stanch(["run", "--config", config], TOKEN);
    expect(report?.outcomes.filter((outcome) => outcome.kind === "resolved")).toHaveLength(5);
    expect(host.pulls(REPOSITORY)).toHaveLength(5);
    const phases = JSON.parse(await kubectl(["-n", namespace, "get", "incidents", "-o", "json"])) as {
      items: { status: { phase: string } }[];
    };
    expect(phases.items.map((item) => item.status.phase)).toEqual(Array(5).fill("Resolved"));
    const owners = await kubectl(["-n", namespace, "get", "deployments", "-o", "json", "--show-managed-fields"]);
    expect(owners).not.toContain('"manager": "stanch"');
    const again = await stanch(["run", "--config", config], TOKEN);
    expect(again.report?.outcomes).toEqual([]);
    expect(again.code).toBe(0);
  });

  it("`kubectl get incidents` shows the story", async () => {
    const table = await kubectl(["-n", namespace, "get", "inc"]);
    process.stdout.write(table);
    expect(table).toMatch(/PHASE +KIND +WORKLOAD +SYMPTOM +FIX +PULL-REQUEST/);
  });
});
