import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { systemClock } from "../../src/adapters/clock.ts";
import { connectCluster } from "../../src/adapters/kubernetes.ts";
import { composeHosts, composeRun, type Hosts } from "../../src/compose.ts";
import { parseConfig } from "../../src/config/load.ts";
import { type EmbeddedCluster, startCluster } from "../../src/demo/cluster/cluster.ts";
import type { ProgramSource } from "../../src/demo/cluster/programs.ts";
import { type EmbeddedCodeHost, startCodeHost } from "../../src/demo/code-host/code-host.ts";
import type { Deployers } from "../../src/gitops/origin.ts";
import { incidentCrd, runCrd } from "../../src/incident/crd.ts";
import type { Incident } from "../../src/incident/incident.ts";
import { createIncidentStore, type IncidentStore } from "../../src/incident/store.ts";
import { createLog } from "../../src/log.ts";
import type { KubeObject } from "../../src/model.ts";
import { cycle } from "../../src/pipeline.ts";
import type { Clock, Cluster, Log } from "../../src/ports.ts";
import type { RunReport } from "../../src/run.ts";
import { createWorkbench } from "../../src/workbench.ts";

export const REPOSITORY = "acme/shop";
export const TOKEN = "test-token-0123456789";

/** What the tests' programs need. */
const PROGRAMS: Readonly<Record<string, ProgramSource>> = {
  "example.com/flagged:1.0.0": { requires: [{ name: "FEATURE", log: "ERROR: FEATURE is not set" }] },
  "example.com/app:1.0.0": { ports: [8080], memory: 90 * 2 ** 20 },
  "example.com/app:1.1.0": { ports: [8080], memory: 90 * 2 ** 20 },
  // Two tags that are equally near to `stabl`.
  "example.com/tagged:stable": { ports: [8080] },
  "example.com/tagged:stabla": { ports: [8080] },
};

export function deployment(
  options: {
    readonly name?: string;
    readonly image?: string;
    readonly memory?: string;
    readonly annotations?: string;
    readonly namespace?: string;
  } = {},
): string {
  const {
    name = "app",
    image = "example.com/app:1.0.0",
    memory = "64Mi",
    annotations = "",
    namespace = "shop",
  } = options;
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  namespace: ${namespace}
${annotations}spec:
  replicas: 1
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
      containers:
        - name: app
          image: ${image}
          resources:
            limits: {memory: ${memory}}   # measured in May
`;
}

export interface World extends AsyncDisposable {
  readonly cluster: EmbeddedCluster;
  readonly host: EmbeddedCodeHost;
  readonly api: Cluster;
  readonly clock: Clock;
  readonly store: IncidentStore;
  /** Applies what main says. */
  deploy(): Promise<void>;
  /** One cycle of the real pipeline. `wrap` may stand between it and the outside. */
  run(
    wrap?: (doors: { api: Cluster; hosts: Hosts }) => { api: Cluster; hosts: Hosts },
    settings?: object,
    options?: { readonly dryRun: boolean; readonly env?: Readonly<Record<string, string>>; readonly log?: Log },
  ): Promise<RunReport>;
  until(done: () => boolean): Promise<void>;
  incidents(): readonly Incident[];
  memory(): string | undefined;
}

/** Time that stands still unless somebody sleeps: minutes of waiting take none. */
export function virtualClock(): Clock {
  let ahead = Date.now();
  return {
    now: () => new Date(ahead),
    async sleep(ms) {
      ahead += ms;
    },
  };
}

/** An embedded cluster and code host with one deployed folder. `readDeployers`: what the cluster's GitOps engines say that they deploy. */
export async function makeWorld(
  files: Readonly<Record<string, string>>,
  clock: Clock = systemClock,
  { readDeployers }: { readonly readDeployers?: () => Promise<Deployers> } = {},
): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "stanch-test-"));
  const real = clock === systemClock;
  const cluster = await startCluster({ registry: PROGRAMS, clock, speed: real ? 40 : 1 });
  const host = await startCodeHost();
  host.addToken(TOKEN, { login: "stanch[bot]", permission: "write" });
  await host.addRepository(REPOSITORY, {
    commits: [{ message: "Import", files, date: new Date(Date.now() - 86_400_000) }],
  });
  const kubeconfig = join(folder, "kubeconfig");
  await writeFile(kubeconfig, cluster.kubeconfig());
  const namespaces = ["stanch-system", "shop"].map(
    (name): KubeObject => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } }),
  );
  cluster.apply([incidentCrd, runCrd, ...namespaces]);
  const api = await connectCluster({ kubeconfig, clock });
  const log = createLog({
    format: "json",
    level: "error",
    interactive: false,
    write: () => undefined,
    now: clock.now,
  });

  return {
    cluster,
    host,
    api,
    clock,
    store: createIncidentStore(api, clock),
    async deploy() {
      const objects: KubeObject[] = [];
      for (const file of Object.keys(files).filter((name) => name.startsWith("apps/"))) {
        for (const document of parseAllDocuments(await host.read(REPOSITORY, "main", file)))
          objects.push(document.toJS() as KubeObject);
      }
      cluster.apply(objects);
    },
    async run(wrap = (doors) => doors, settings = {}, options = { dryRun: false }) {
      const config = parseConfig(
        JSON.stringify({
          mode: "remediate",
          cluster: "test",
          sources: [{ repository: REPOSITORY, path: "apps", namespaces: ["shop"] }],
          github: { apiUrl: host.apiUrl, pause: "0s" },
          git: { cache: join(folder, "git") },
          registry: { mirrors: { "*": cluster.url } },
          ...(real ? { verify: { least: "200ms", patience: "6s", poll: "50ms" }, lease: "1s" } : {}),
          guard: { cooldown: "0s" },
          ...settings,
        }),
      );
      const base = { config, configFile: undefined, log: options.log ?? log, clock, output: "json" as const };
      const hosts = await composeHosts(base, {
        env: { PATH: process.env["PATH"], GITHUB_TOKEN: TOKEN, ...options.env },
        interactive: false,
      });
      const doors = wrap({ api, hosts });
      const composed = await composeRun(base, doors.api, doors.hosts, options);
      const { holder } = composed;
      const run =
        readDeployers === undefined
          ? composed.run
          : { ...composed.run, workbench: createWorkbench(config, { ...doors.hosts, readDeployers }) };
      try {
        return await cycle(run, holder);
      } finally {
        await run.workbench.close();
      }
    },
    async until(done) {
      const end = clock.now().getTime() + (real ? 15_000 : 3_600_000);
      while (!done()) {
        if (clock.now().getTime() > end) throw new Error("it did not come about in time");
        await clock.sleep(real ? 20 : 1000);
      }
    },
    incidents: () => cluster.list("stanch.dev/v1alpha1", "Incident", "shop") as unknown as readonly Incident[],
    memory() {
      const live = cluster.get("apps/v1", "Deployment", "shop", "app") as
        | { spec?: { template: { spec: { containers: { resources: { limits: { memory: string } } }[] } } } }
        | undefined;
      return live?.spec?.template.spec.containers[0]?.resources.limits.memory;
    },
    async [Symbol.asyncDispose]() {
      api.close();
      await cluster.close();
      await host.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Has the app been OOM-killed often enough to count? */
export function isKilled(world: World): boolean {
  return world.cluster.list("v1", "Pod", "shop").some((pod) => {
    const status = (
      pod["status"] as
        | { containerStatuses?: { restartCount: number; lastState?: { terminated?: { reason?: string } } }[] }
        | undefined
    )?.containerStatuses?.[0];
    return status?.lastState?.terminated?.reason === "OOMKilled" && status.restartCount >= 3;
  });
}
