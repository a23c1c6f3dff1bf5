import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "./adapters/clock.ts";
import type { Flags } from "./commands/flags.ts";
import { hostsOf } from "./config/hosts.ts";
import { loadConfig } from "./config/load.ts";
import type { Config } from "./config/schema.ts";
import { inScope, isProtected } from "./config/scope.ts";
import { StanchError } from "./errors.ts";
import { createIncidentStore } from "./incident/store.ts";
import { createLog } from "./log.ts";
import type { Reading } from "./observe/reading.ts";
import type { Charts, Clock, Cluster, CodeHost, Log, Receiver, Registry, Renderer, Repositories } from "./ports.ts";
import type { ModelDoor, Run } from "./run.ts";
import { version } from "./version.ts";
import type { WorkbenchPorts } from "./workbench.ts";

/** What every command starts with. */
export interface Base {
  readonly config: Config;
  readonly configFile: string | undefined;
  readonly log: Log;
  readonly clock: Clock;
  readonly output: "table" | "json";
}

/** Configuration and log, from flags and environment. Throws StanchError `config`. */
export async function composeBase(flags: Flags): Promise<Base> {
  const output = flags.output ?? "table";
  if (output !== "table" && output !== "json")
    throw new StanchError("config", `--output ${output} is not known`, { hint: "use table or json" });
  const level = flags["log-level"] ?? "info";
  if (!["debug", "info", "warn", "error"].includes(level))
    throw new StanchError("config", `--log-level ${level} is not known`, { hint: "use debug, info, warn or error" });
  const configFile =
    flags.config ?? flags.env["STANCH_CONFIG"] ?? (existsSync("stanch.yaml") ? "stanch.yaml" : undefined);
  const loaded = await loadConfig(configFile);
  const scope = {
    ...loaded.scope,
    // As with kubectl, -A wins over -n.
    ...(flags.namespace === undefined ? {} : { namespaces: flags.namespace }),
    ...(flags["all-namespaces"] === true ? { namespaces: ["*"] } : {}),
    ...(flags.selector === undefined ? {} : { selector: flags.selector }),
  };
  for (const name of scope.namespaces.filter((glob) => flags.namespace?.includes(glob) && !/[*?]/.test(glob)))
    if (!inScope(name, { ...loaded, scope }))
      throw new StanchError("config", `namespace ${name} is never watched`, {
        hint: isProtected(name, loaded)
          ? "Kubernetes' own namespaces and Stanch's own are left alone"
          : "`scope.excludeNamespaces` of the configuration leaves it out",
      });
  const log = createLog({
    format: flags.interactive ? "text" : "json",
    level: level as "info",
    interactive: flags.interactive,
    write: (text) => void process.stderr.write(text),
    now: systemClock.now,
  });
  return { config: { ...loaded, scope }, configFile, log, clock: systemClock, output };
}

/** The cluster of the flags; in a pod the service account's. */
export async function composeCluster(flags: Flags, clock: Clock): Promise<Cluster> {
  const { connectCluster } = await import("./adapters/kubernetes.ts");
  return connectCluster({
    clock,
    ...(flags.kubeconfig === undefined ? {} : { kubeconfig: flags.kubeconfig }),
    ...(flags.context === undefined ? {} : { context: flags.context }),
  });
}

export interface Hosts {
  readonly codeHost: CodeHost;
  readonly repositories: Repositories;
  readonly renderer: Renderer;
  readonly registry: Registry;
  readonly charts?: Charts;
  readonly model?: ModelDoor;
  readonly receivers?: readonly Receiver[];
}

/** Code host, Git, renderers and registry. `cluster`: whose capabilities charts are rendered for. */
export async function composeHosts(base: Base, flags: Flags, cluster: Cluster | null = null): Promise<Hosts> {
  const { config, log, clock } = base;
  const [
    { createGitHub },
    { gitRemote },
    { createRepositories },
    { createRenderer },
    { createRegistry },
    { createCharts },
  ] = await Promise.all([
    import("./adapters/github.ts"),
    import("./adapters/github-address.ts"),
    import("./adapters/git.ts"),
    import("./adapters/renderers.ts"),
    import("./adapters/registry.ts"),
    import("./adapters/charts.ts"),
  ]);
  const { apiUrl, allowHttp, appId, installationId, authorName, authorEmail } = config.github;
  // A Secret made from a file often ends with a line break.
  const token = flags.env["GITHUB_TOKEN"]?.trim();
  const key = flags.env["STANCH_GITHUB_APP_KEY"];
  if (appId !== undefined && (key === undefined || key === ""))
    throw new StanchError("config", "github.appId is set, but STANCH_GITHUB_APP_KEY is not", {
      hint: "put the App's private key (PEM) into that variable, from a Secret",
    });
  const auth =
    appId !== undefined && key !== undefined
      ? { appId, privateKey: key, ...(installationId === undefined ? {} : { installationId }) }
      : { token: token ?? "" };
  const codeHost = await createGitHub({ apiUrl, auth, allowHttp, pauseMs: config.github.pause, log, clock });
  const cache = config.git.cache === "" ? join(tmpdir(), "stanch-git") : config.git.cache;
  const repositories = createRepositories({
    cacheDirectory: cache,
    remote: (repository) => gitRemote(apiUrl, repository),
    token: (repository) => codeHost.gitToken(repository),
    author: { name: authorName, email: authorEmail },
    log,
    path: flags.env["PATH"] ?? "",
  });
  const model = await composeModel(base, flags);
  return {
    codeHost,
    repositories,
    ...(model === undefined ? {} : { model }),
    renderer: createRenderer({
      path: flags.env["PATH"] ?? "",
      // Charts ask what the cluster serves; without an answer they are told Helm's own defaults.
      ...(cluster === null ? {} : { cluster: () => cluster.capabilities().catch(() => null) }),
    }),
    registry: createRegistry(config.registry),
    ...(config.charts.fetch
      ? {
          charts: createCharts({
            path: flags.env["PATH"] ?? "",
            cacheDirectory: join(cache, "charts"),
            timeoutMs: config.charts.timeout,
            allowHttp: config.charts.allowHttp,
            env: flags.env,
          }),
        }
      : {}),
    ...(config.notify.receivers.length === 0 ? {} : { receivers: await composeReceivers(base, flags) }),
  };
}

/** The model, where one is wanted and has a key. Without a key rules work alone: a run never fails for a model's sake. */
async function composeModel({ config, log }: Base, flags: Flags): Promise<ModelDoor | undefined> {
  if (!config.model.enabled) return undefined;
  const apiKey = flags.env["ANTHROPIC_API_KEY"]?.trim() ?? "";
  if (apiKey === "") {
    log.warn("model.enabled is set, but ANTHROPIC_API_KEY is not: no model is asked");
    return undefined;
  }
  const [{ createAnthropic }, { exchangeFiles }] = await Promise.all([
    import("./adapters/anthropic.ts"),
    import("./adapters/exchange-files.ts"),
  ]);
  const baseUrl = config.model.baseUrl === "" ? (flags.env["ANTHROPIC_BASE_URL"] ?? "") : config.model.baseUrl;
  const told = config.notify.receivers.flatMap((entry) => [entry.tokenEnv, entry.urlEnv, ...(entry.secretEnv ?? [])]);
  const secrets = [apiKey, ...[...SECRETS, ...told].flatMap((name) => flags.env[name ?? ""] ?? [])];
  return {
    advisor: createAnthropic({ apiKey, baseUrl }),
    secrets,
    draw: () => randomBytes(9).toString("hex"),
    ...(config.model.record === "" ? {} : { save: exchangeFiles(config.model.record) }),
  };
}

/** Variables of our own that hold secrets. */
const SECRETS = [
  "GITHUB_TOKEN",
  "STANCH_GITHUB_APP_KEY",
  "STANCH_SLACK_TOKEN",
  "STANCH_SLACK_WEBHOOK_URL",
  "STANCH_WEBHOOK_SECRET",
];

/** Who is told, with secrets from the environment. */
export async function composeReceivers({ config, clock }: Base, flags: Flags): Promise<Receiver[]> {
  const { createReceivers } = await import("./adapters/notify.ts");
  return createReceivers(config, flags.env, clock);
}

/** What a workbench learns from the cluster: live objects, and what deploys them. */
export function clusterSide(
  { config, log }: Pick<Base, "config" | "log">,
  cluster: Cluster,
): Pick<WorkbenchPorts, "live" | "readDeployers"> {
  return {
    live: (ref) => cluster.get(ref),
    async readDeployers() {
      const { readDeployers } = await import("./observe/deployers.ts");
      return readDeployers({ cluster, hosts: hostsOf(config.github), pageSize: config.observe.pageSize, log });
    },
  };
}

/** A run, but for its lease. */
export async function composeRun(
  base: Base,
  cluster: Cluster,
  hosts: Hosts,
  options: { readonly dryRun: boolean },
): Promise<{ run: Omit<Run, "renew">; holder: string }> {
  const { config, clock, log } = base;
  const { createWorkbench } = await import("./workbench.ts");
  const workbench = createWorkbench(config, { ...hosts, ...clusterSide(base, cluster) });
  const gaps: string[] = [];
  const reading: Reading = {
    cluster,
    config,
    clock,
    gaps,
    watched: () => true,
    pages: (resource) => cluster.list(resource, { limit: config.observe.pageSize }),
  };
  return {
    run: {
      config,
      cluster,
      ...hosts,
      clock,
      log,
      store: createIncidentStore(cluster, clock),
      workbench,
      reading,
      dryRun: options.dryRun,
      version,
      tally: { ripe: 0, hotfixes: 0, opened: 0 },
      startedAt: clock.now().getTime(),
    },
    holder: `${hostname()}-${randomBytes(4).toString("hex")}`,
  };
}
