import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type EmbeddedCodeHost, startCodeHost } from "../../../src/demo/code-host/code-host.ts";
import { kubectl, stanch, versions, writeConfig } from "../lab.ts";
import { driftOf } from "./drift.ts";
import { removeEngines, untilSynced } from "./engines.ts";
import { type Fault, untilBroken } from "./faults.ts";
import type { Tree } from "./trees/tree.ts";
import { eventually } from "./wait.ts";

const call = promisify(execFile);
export const REPOSITORY = "acme/fleet";
const BOT = "e2e-bot";
const READER = "e2e-reader";
const DAY = 86_400_000;

/** A repository on a code host of its own, deployed by a real engine, and a Stanch that knows none of it. */
export interface World extends AsyncDisposable {
  readonly tree: Tree;
  readonly host: EmbeddedCodeHost;
  /** Stanch's configuration file: no sources, because to find them is the point. */
  readonly config: string;
  readonly token: string;
  /** One run of the real command line. */
  run(): ReturnType<typeof stanch>;
  /** Runs until this says so (null), or until Stanch gives something up. */
  runUntil(what: string, seconds: number, done: () => Promise<string | null>): Promise<void>;
  /** What the runs said, without repetitions. */
  readonly said: { kind: string; workload: string; message: string }[];
  /** Commits the faults, one commit each, waits until the engine deployed them and the cluster shows them. */
  breakIt(): Promise<void>;
  head(): Promise<string>;
  incidents(): Promise<readonly StoredIncident[]>;
  /** `kubectl diff` of everything that the engines render from the branch now. */
  drift(): Promise<string>;
  /** Versions of what must not be touched: the other environment, and the healthy neighbours beside the faults. */
  neighbours(): Promise<Record<string, string>>;
  note(text: string): void;
}

export interface StoredIncident {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly workload: { readonly name: string; readonly namespace: string } };
  /** Absent where a run died between making it and its first word. */
  readonly status?: {
    readonly phase: string;
    readonly message: string;
    readonly timeline: readonly { readonly text: string }[];
    readonly plan?: { readonly gitOnly?: string };
  };
}

/** Deploys a tree in its healthy state and waits until the engine says that it is. Closing takes everything away. */
export async function openWorld(
  name: string,
  plant: (tag: string, repoUrl: string) => Tree,
  settings: { readonly holds?: object; readonly guard?: object; readonly lease?: string } = {},
): Promise<World> {
  const tag = Math.random().toString(36).slice(2, 7);
  const own = `stanch-${tag}`;
  const started = Date.now();
  const folder = await mkdtemp(join(tmpdir(), "stanch-e2e-"));
  const host = await startCodeHost();
  const url = `${host.url}/${REPOSITORY}.git`;
  const tree = plant(tag, url);
  const namespaces = [...tree.broken, ...(tree.untouched === undefined ? [] : [tree.untouched])];
  const said: World["said"] = [];
  const note = (text: string): void =>
    void process.stdout.write(`  [${name} ${Math.round((Date.now() - started) / 1000)} s] ${text}\n`);
  const head = async (): Promise<string> => {
    const remote = url.replace("://", `://git:${READER}@`);
    return (await call("git", ["ls-remote", remote, "refs/heads/main"])).stdout.split("\t")[0] ?? "";
  };

  const close = async (): Promise<void> => {
    // The engines first: they would make their objects again in a namespace that goes.
    await removeEngines(tree.engines, tree.source);
    await kubectl(["delete", "namespace", own, ...namespaces, "--wait=false", "--ignore-not-found"], { may: [1] });
    await host.close();
    await rm(folder, { recursive: true, force: true });
  };

  const world: World = {
    tree,
    host,
    config: "",
    token: BOT,
    said,
    note,
    head,
    async run() {
      const result = await stanch(["run", "--config", world.config], BOT);
      for (const outcome of result.report?.outcomes ?? []) {
        const at = `${outcome.workload.namespace}/${outcome.workload.name}`;
        const last = said.findLast((entry) => entry.workload === at);
        if (last?.kind === outcome.kind && last.message === outcome.message) continue;
        said.push({ kind: outcome.kind, workload: at, message: outcome.message });
        note(`${outcome.kind} ${at}: ${outcome.message.slice(0, 300)}`);
      }
      return result;
    },
    async runUntil(what, seconds, done) {
      const hopeless: string[] = [];
      await eventually(what, seconds, async () => {
        const { report, stderr } = await world.run();
        // Asking a person is an end: to wait out the time would only hide what was said.
        const ends = report?.outcomes.filter(({ kind }) => kind === "escalated" || kind === "failed") ?? [];
        hopeless.push(...ends.map(({ kind, message }) => `${kind}: ${message}`));
        if (report === null) hopeless.push(stderr.slice(-2000));
        return hopeless.length > 0 ? null : done();
      });
      if (hopeless.length > 0) throw new Error(`${what}: ${hopeless.join("\n")}`);
    },
    async breakIt() {
      for (const fault of tree.faults) {
        const text = await host.read(REPOSITORY, "main", fault.file);
        await host.commit(
          REPOSITORY,
          "main",
          { [fault.file]: put(text, fault) },
          { message: `Tune ${fault.kind} of ${fault.namespace}`, date: new Date() },
        );
      }
      await untilSynced(tree.engines, await head(), { healthy: false, nudge: true });
      note("the engine deployed the faults");
      await Promise.all(tree.faults.map(untilBroken));
      note("the cluster shows the faults");
    },
    async incidents() {
      const all: StoredIncident[] = [];
      for (const namespace of tree.broken) {
        const text = await kubectl(["-n", namespace, "get", "incidents", "-o", "json"]);
        all.push(...(JSON.parse(text) as { items: StoredIncident[] }).items);
      }
      return all;
    },
    async drift() {
      const files: Record<string, string> = {};
      for (const file of Object.keys(tree.files)) files[file] = await host.read(REPOSITORY, "main", file);
      const diffs = await Promise.all(tree.roots.map((root) => driftOf(files, root)));
      return diffs.join("");
    },
    async neighbours() {
      const seen: Record<string, string> = {};
      for (const namespace of namespaces) {
        const whole = !tree.broken.includes(namespace);
        for (const [key, version] of Object.entries(await versions(namespace)))
          if (whole || /\/cache(-|$)/.test(key)) seen[`${namespace}/${key}`] = version;
        if (whole || tree.engine !== "argocd") continue;
        // With RespectIgnoreDifferences every sync of Argo CD writes the object's present status into its annotation of what was
        // applied last: versions and generations of neighbours move by themselves, their specification does not.
        const cache = ["-n", namespace, "get", "deployment", "cache", "-o", "jsonpath={.spec}"];
        seen[`${namespace}/Deployment/cache`] = await kubectl(cache);
        for (const key of Object.keys(seen)) if (key.startsWith(`${namespace}/ReplicaSet/`)) delete seen[key];
      }
      return seen;
    },
    [Symbol.asyncDispose]: close,
  };

  try {
    host.addToken(BOT, { login: "stanch[bot]", permission: "write" });
    host.addToken(READER, { login: "engine", permission: "read" });
    await host.addRepository(REPOSITORY, {
      commits: [{ message: "Import", files: tree.files, date: new Date(Date.now() - 30 * DAY) }],
    });
    const crd = new URL("../../../deploy/crd.yaml", import.meta.url).pathname;
    await kubectl(["apply", "--server-side", "-f", crd]);
    await kubectl(["wait", "--for=condition=Established", "crd/incidents.stanch.dev", "--timeout=30s"]);
    await apply([own, ...namespaces].map((it) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name: it } })));
    const config = await writeConfig(folder, {
      mode: "remediate",
      cluster: "e2e",
      namespace: own,
      scope: { namespaces },
      github: { apiUrl: host.apiUrl, pause: "0s" },
      git: { cache: join(folder, "git") },
      registry: { mirrors: { "*": process.env["STANCH_E2E_REGISTRY"] ?? "http://127.0.0.1:5000" } },
      detect: { notReady: "5s" },
      verify: { least: "5s", patience: "1m", poll: "1s" },
      // Six faults of two environments in one run are a lot, and no storm.
      guard: { hotfixesPerRun: 10, openPullRequests: 10, newPullRequests: 10, storm: 20, ...settings.guard },
      ...(settings.holds === undefined ? {} : { holds: settings.holds }),
      ...(settings.lease === undefined ? {} : { lease: settings.lease }),
    });
    Object.assign(world, { config });
    await apply(tree.applied({ url, token: READER }));
    await untilSynced(tree.engines, await head(), { healthy: true, nudge: true });
    for (const namespace of namespaces)
      await kubectl(["-n", namespace, "wait", "deployments", "--all", "--for=condition=Available", "--timeout=90s"]);
    note("deployed and healthy");
    return world;
  } catch (error) {
    await close();
    throw error;
  }
}

async function apply(objects: readonly object[]): Promise<void> {
  const input = objects.map((object) => JSON.stringify(object)).join("\n---\n");
  await kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], { input });
}

/** A text with one line gone wrong. The line must be there once, or the fixture is not what it says. */
function put(text: string, fault: Fault): string {
  const parts = text.split(fault.good);
  if (parts.length !== 2) throw new Error(`${fault.file}: "${fault.good}" stands there ${parts.length - 1} times`);
  return parts.join(fault.bad);
}
