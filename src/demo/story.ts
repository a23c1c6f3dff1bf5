import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTwoFilesPatch } from "diff";
import { parseAllDocuments } from "yaml";
import { systemClock } from "../adapters/clock.ts";
import { connectCluster } from "../adapters/kubernetes.ts";
import type { Flags } from "../commands/flags.ts";
import { type Base, composeHosts, composeRun } from "../compose.ts";
import { parseConfig } from "../config/load.ts";
import { incidentCrd, runCrd } from "../incident/crd.ts";
import type { KubeObject } from "../model.ts";
import { cycle } from "../pipeline.ts";
import type { RunReport } from "../run.ts";
import { type EmbeddedCluster, startCluster } from "./cluster/cluster.ts";
import { type EmbeddedCodeHost, startCodeHost } from "./code-host/code-host.ts";
import { DEPLOYED, PROGRAMS, shopHistory } from "./shop.ts";

export interface StoryOptions {
  readonly say: (text: string) => void;
  readonly keep: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly base: Pick<Base, "log" | "output">;
  /** Waits until the user has enough of looking around. */
  readonly untilStopped: () => Promise<void>;
}

const REPOSITORY = "acme/shop";
const TOKEN = "demo-token-of-the-bot";

/** Three incidents from failing to resolved, on an embedded cluster and code host. True when all three end well. */
export async function tellStory(options: StoryOptions): Promise<boolean> {
  const { say } = options;
  const folder = await mkdtemp(join(tmpdir(), "stanch-demo-"));
  const started = performance.now();
  await using cluster = await startCluster({ registry: PROGRAMS, speed: 15 });
  await using host = await startCodeHost();
  try {
    host.addToken(TOKEN, { login: "stanch[bot]", permission: "write" });
    const history = shopHistory(new Date());
    await host.addRepository(REPOSITORY, { commits: history.slice(0, 1) });
    const kubeconfig = join(folder, "kubeconfig");
    await writeFile(kubeconfig, cluster.kubeconfig(), { mode: 0o600 });
    cluster.apply([incidentCrd, runCrd, { apiVersion: "v1", kind: "Namespace", metadata: { name: "stanch-system" } }]);

    say("1. A shop is deployed from Git (acme/shop, folder apps/).");
    await deploy(host, cluster);
    await until(() => ready(cluster, "web") === 2, "the shop");
    say("   web is up. cart has a memory limit of 64Mi and a program that needs 90Mi.\n");
    say("2. An afternoon of changes: two commits reach production.");
    for (const commit of history.slice(1)) {
      await host.commit(REPOSITORY, "main", commit.files, {
        message: commit.message,
        ...(commit.author === undefined ? {} : { author: commit.author }),
        ...(commit.date === undefined ? {} : { date: commit.date }),
      });
      say(`   "${commit.message}" by ${commit.author?.name}`);
    }
    await deploy(host, cluster);
    await until(() => failing(cluster) >= 3, "the failures");
    for (const line of symptoms(cluster)) say(`   ${line}`);

    say("\n3. stanch run");
    const first = await run(kubeconfig, host, folder, options);
    tell(first, say);
    const pulls = host.pulls(REPOSITORY).filter((pull) => pull.state === "open");
    for (const pull of pulls) {
      say(`\n   Pull request #${pull.number}: ${pull.title}`);
      for (const line of (await diffOf(host, pull.head)).split("\n")) say(`   | ${line}`);
    }
    say(
      `\n   First hotfix accepted after ${first.firstHotfixSeconds ?? "-"} s, first proved pull request after ${first.firstPullRequestSeconds ?? "-"} s.`,
    );

    say("\n4. People review and merge; the deployer applies the new main.");
    for (const pull of pulls) {
      await host.merge(REPOSITORY, pull.number, { as: "ada" });
      say(`   #${pull.number} merged by ada`);
    }
    const before = specs(cluster);
    await deploy(host, cluster);
    say(
      `   ${same(before, specs(cluster)) ? "Nothing restarts: the cluster already runs what Git now says." : "The deployment changed the cluster."}`,
    );

    say("\n5. stanch run, again");
    const second = await run(kubeconfig, host, folder, options);
    tell(second, say);
    const resolved = second.outcomes.filter((outcome) => outcome.kind === "resolved").length;
    const seconds = Math.round((performance.now() - started) / 100) / 10;
    const good = pulls.length === 3 && resolved === 3 && failing(cluster) === 0;
    say(
      `\n${resolved} of 3 incidents resolved in ${seconds} s: ${good ? "failing → hotfixed → pull request → merged → resolved." : "this is not how it should end."}`,
    );
    if (options.keep) {
      say(
        `\nLook around (Ctrl-C ends it):\n   export KUBECONFIG=${kubeconfig}\n   kubectl get incidents -A\n   kubectl -n shop get deployments,pods\n   git clone http://x:${TOKEN}@${host.url.replace("http://", "")}/${REPOSITORY}.git`,
      );
      await options.untilStopped();
    }
    return good;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** One cycle of the real pipeline, over HTTP and git, with windows that fit a cluster whose clock runs fast. */
async function run(
  kubeconfig: string,
  host: EmbeddedCodeHost,
  folder: string,
  options: StoryOptions,
): Promise<RunReport> {
  const config = parseConfig(
    JSON.stringify({
      mode: "remediate",
      cluster: "demo",
      sources: [{ repository: REPOSITORY, branch: "main", path: "apps", namespaces: ["shop"] }],
      github: { apiUrl: host.apiUrl, pause: "0s" },
      git: { cache: join(folder, "git") },
      registry: { mirrors: { "*": await serverOf(kubeconfig) } },
      guard: { cooldown: "0s" },
      verify: { least: "1s", patience: "20s", poll: "200ms" },
      detect: { notReady: "3s" },
    }),
    "the demo's configuration",
  );
  const base: Base = { ...options.base, config, configFile: undefined, clock: systemClock };
  const cluster = await connectCluster({ kubeconfig, clock: systemClock });
  const flags: Flags = { env: { PATH: options.env["PATH"], GITHUB_TOKEN: TOKEN }, interactive: false };
  const { run: prepared, holder } = await composeRun(base, cluster, await composeHosts(base, flags, cluster), {
    dryRun: false,
  });
  try {
    return await cycle(prepared, holder);
  } finally {
    await prepared.workbench.close();
    cluster.close();
  }
}

/** The embedded registry answers at the cluster's own address. */
async function serverOf(kubeconfig: string): Promise<string> {
  const cluster = await connectCluster({ kubeconfig, clock: systemClock });
  cluster.close();
  return cluster.server;
}

function tell(report: RunReport, say: (text: string) => void): void {
  for (const outcome of report.outcomes) {
    if (outcome.kind === "watching") continue;
    say(`   ${outcome.kind.toUpperCase().padEnd(9)} ${outcome.workload.name}: ${outcome.symptom}. ${outcome.message}`);
  }
}

/** What a deployer does: main of the repository, applied. */
async function deploy(host: EmbeddedCodeHost, cluster: EmbeddedCluster): Promise<void> {
  const objects: KubeObject[] = [];
  for (const file of DEPLOYED) {
    const text = await host.read(REPOSITORY, "main", file).catch(() => "");
    for (const document of parseAllDocuments(text))
      if (document.contents !== null) objects.push(document.toJS() as KubeObject);
  }
  cluster.apply(objects);
}

async function diffOf(host: EmbeddedCodeHost, branch: string): Promise<string> {
  const parts: string[] = [];
  for (const file of DEPLOYED) {
    const [before, after] = [await host.read(REPOSITORY, "main", file), await host.read(REPOSITORY, branch, file)];
    if (before !== after)
      parts.push(
        createTwoFilesPatch(file, file, before, after, undefined, undefined, { context: 1 })
          .split("\n")
          .filter((line) => !line.startsWith("===="))
          .join("\n")
          .trimEnd(),
      );
  }
  return parts.join("\n");
}

interface Status {
  readonly readyReplicas?: number;
  readonly updatedReplicas?: number;
}

function deployments(cluster: EmbeddedCluster): readonly KubeObject[] {
  return cluster.list("apps/v1", "Deployment", "shop");
}

function ready(cluster: EmbeddedCluster, name: string): number {
  return (
    ((deployments(cluster).find((object) => object.metadata.name === name)?.["status"] ?? {}) as Status)
      .readyReplicas ?? 0
  );
}

/** Deployments whose present template is not running everywhere, with a symptom that is there to see. */
function failing(cluster: EmbeddedCluster): number {
  return new Set(symptoms(cluster).map((line) => line.split(":")[0])).size;
}

function symptoms(cluster: EmbeddedCluster): string[] {
  const out = new Map<string, string>();
  for (const pod of cluster.list("v1", "Pod", "shop")) {
    const app = pod.metadata.labels?.["app"] ?? "";
    const statuses =
      (
        (pod["status"] ?? {}) as {
          containerStatuses?: {
            restartCount: number;
            state?: { waiting?: { reason?: string; message?: string } };
            lastState?: { terminated?: { reason?: string } };
          }[];
        }
      ).containerStatuses ?? [];
    for (const status of statuses) {
      const reason = status.state?.waiting?.reason ?? "";
      const killed = status.lastState?.terminated?.reason;
      if (killed === "OOMKilled" && status.restartCount >= 3)
        out.set(app, `${app}: OOMKilled, ${status.restartCount} restarts`);
      else if (/ImagePull|ConfigError/.test(reason)) out.set(app, `${app}: ${reason}`);
    }
  }
  return [...out.values()].sort();
}

/** Specifications, not generations: a Deployment's generation also counts changes of its annotations. */
function specs(cluster: EmbeddedCluster): string[] {
  return deployments(cluster).map((object) => JSON.stringify([object.metadata.name, object["spec"]]));
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

async function until(done: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 30_000;
  while (!done()) {
    if (performance.now() > end) throw new Error(`${what} did not come about within 30 s`);
    await systemClock.sleep(100);
  }
}
