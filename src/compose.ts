import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "./adapters/clock.ts";
import { gitNetwork, useProxies } from "./adapters/network.ts";
import type { Flags } from "./commands/flags.ts";
import { composeChecks } from "./compose-checks.ts";
import { composeModel } from "./compose-model.ts";
import { hostsOf } from "./config/hosts.ts";
import { loadConfig } from "./config/load.ts";
import type { Config } from "./config/schema.ts";
import { deployerNamespaces, inScope, isProtected } from "./config/scope.ts";
import { StanchError } from "./errors.ts";
import { announce } from "./incident/event.ts";
import { createIncidentStore, type OnStep } from "./incident/store.ts";
import { createLog, type LogOptions, secretsOf } from "./log.ts";
import { createMeter, type Meter } from "./metrics/meter.ts";
import { countStep } from "./metrics/transitions.ts";
import type { Reading } from "./observe/reading.ts";
import type {
  Charts,
  Clock,
  Cluster,
  CodeHost,
  Log,
  Receiver,
  Registry,
  Renderer,
  Repositories,
  ReviewHost,
} from "./ports.ts";
import type { CheckDoor, ModelDoor, Run } from "./run.ts";
import { version } from "./version.ts";
import type { WorkbenchPorts } from "./workbench.ts";

/** What every command starts with. */
export interface Base {
  readonly config: Config;
  readonly configFile: string | undefined;
  readonly log: Log;
  readonly clock: Clock;
  readonly output: "table" | "json";
  /** Stands in every log line of this process. */
  readonly id?: string;
  /** Counts what goes out; absent: nothing is counted. */
  readonly meter?: Meter;
}

/** Configuration and log, from flags and environment. Throws StanchError `config`. */
export async function composeBase(flags: Flags): Promise<Base> {
  const output = flags.output ?? "table";
  if (output !== "table" && output !== "json")
    throw new StanchError("config", `--output ${output} is not known`, { hint: "use table or json" });
  const level = flags["log-level"] ?? "info";
  if (!["debug", "info", "warn", "error"].includes(level))
    throw new StanchError("config", `--log-level ${level} is not known`, { hint: "use debug, info, warn or error" });
  useProxies(flags.env);
  const configFile =
    flags.config ?? flags.env["STANCH_CONFIG"] ?? (existsSync("stanch.yaml") ? "stanch.yaml" : undefined);
  const loaded = await loadConfig(configFile);
  const scope = {
    ...loaded.scope,
    // As with kubectl, -A wins over -n.
    ...(flags.namespace === undefined
      ? {}
      : { namespaces: flags.namespace, deployers: [...(deployerNamespaces(loaded) ?? ["*"])] }),
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
  const id = randomBytes(4).toString("hex");
  const log = logOf(flags, { level: level as "info", always: { run: id } });
  const meter = createMeter(systemClock);
  return { config: { ...loaded, scope }, configFile, log, clock: systemClock, output, id, meter };
}

/** The log of this process: text on a terminal, JSON in a pipe. Needs no configuration, so that its faults can be told as well. */
export function logOf(
  flags: Flags,
  { level = "info", always = {} }: Partial<Pick<LogOptions, "level" | "always">> = {},
): Log {
  return createLog({
    format: flags.interactive ? "text" : "json",
    level,
    interactive: flags.interactive,
    write: (text) => void process.stderr.write(text),
    now: systemClock.now,
    always,
    secrets: secretsOf(flags.env),
  });
}

/** The cluster of the flags; in a pod the service account's. */
export async function composeCluster(flags: Flags, clock: Clock): Promise<Cluster> {
  const { connectCluster } = await import("./adapters/kubernetes.ts");
  return connectCluster({
    clock,
    env: flags.env,
    ...(flags.kubeconfig === undefined ? {} : { kubeconfig: flags.kubeconfig }),
    ...(flags.context === undefined ? {} : { context: flags.context }),
  });
}

export interface Hosts {
  readonly codeHost: CodeHost & ReviewHost;
  readonly repositories: Repositories;
  readonly renderer: Renderer;
  readonly registry: Registry;
  readonly charts?: Charts;
  readonly model?: ModelDoor;
  readonly checks?: CheckDoor;
  readonly receivers?: readonly Receiver[];
}

/** Code host, Git, renderers and registry. `cluster`: whose capabilities charts are rendered for. */
export async function composeHosts(base: Base, flags: Flags, cluster: Cluster | null = null): Promise<Hosts> {
  const { config, log, clock, meter } = base;
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
  const onRequest = (): void => meter?.count("stanch_api_requests_total", { api: "github" });
  const codeHost = await createGitHub({ apiUrl, auth, allowHttp, pauseMs: config.github.pause, log, clock, onRequest });
  const cache = config.git.cache === "" ? join(tmpdir(), "stanch-git") : config.git.cache;
  const repositories = countedFetches(
    createRepositories({
      cacheDirectory: cache,
      remote: (repository) => gitRemote(apiUrl, repository),
      token: (repository) => codeHost.gitToken(repository),
      author: { name: authorName, email: authorEmail },
      log,
      path: flags.env["PATH"] ?? "",
      network: gitNetwork(flags.env),
    }),
    meter,
  );
  const model = await composeModel(config, log, flags.env);
  const checks = await composeChecks(config, flags.env, { cache, configFile: base.configFile });
  return {
    codeHost,
    repositories,
    ...(model === undefined ? {} : { model }),
    ...(checks === undefined ? {} : { checks }),
    renderer: countedRenders(
      createRenderer({
        path: flags.env["PATH"] ?? "",
        // Charts ask what the cluster serves; without an answer they are told Helm's own defaults.
        ...(cluster === null ? {} : { cluster: () => cluster.capabilities().catch(() => null) }),
      }),
      meter,
    ),
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

function countedFetches(repositories: Repositories, meter: Meter | undefined): Repositories {
  if (meter === undefined) return repositories;
  return {
    open: (repository, branch) =>
      counted(repositories.open(repository, branch), (result) => meter.count("stanch_git_fetches_total", { result })),
  };
}

function countedRenders(renderer: Renderer, meter: Meter | undefined): Renderer {
  if (meter === undefined) return renderer;
  return {
    ...renderer,
    render: (directory, source) =>
      counted(renderer.render(directory, source), (result) =>
        meter.count("stanch_renders_total", { tool: source.tool, result }),
      ),
  };
}

async function counted<T>(work: Promise<T>, count: (result: "done" | "failed") => void): Promise<T> {
  try {
    const done = await work;
    count("done");
    return done;
  } catch (error) {
    count("failed");
    throw error;
  }
}

/** What is done at each step of an incident: it is counted, and told at the workload. */
export function onStepOf(base: Pick<Base, "clock" | "log" | "meter">, cluster: Cluster): OnStep {
  return async (before, after) => {
    if (base.meter !== undefined) countStep(before, after, base.meter);
    await announce(before, after, { cluster, clock: base.clock, log: base.log });
  };
}

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
      return readDeployers({
        cluster,
        hosts: hostsOf(config.github),
        pageSize: config.observe.pageSize,
        namespaces: deployerNamespaces(config),
        log,
      });
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
  const { config, clock, log, id = randomBytes(4).toString("hex"), meter = createMeter(base.clock) } = base;
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
  meter.start();
  return {
    run: {
      config,
      cluster,
      ...hosts,
      clock,
      log,
      store: createIncidentStore(cluster, clock, onStepOf({ clock, log, meter }, cluster)),
      workbench,
      reading,
      dryRun: options.dryRun,
      version,
      tally: { ripe: 0, hotfixes: 0, opened: 0 },
      meter,
      id,
      startedAt: clock.now().getTime(),
    },
    holder: `${hostname()}-${id}`,
  };
}
