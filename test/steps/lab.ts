import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectCluster } from "../../src/adapters/kubernetes.ts";
import { parseConfig } from "../../src/config/load.ts";
import { type EmbeddedCluster, startCluster } from "../../src/demo/cluster/cluster.ts";
import type { ProgramSource } from "../../src/demo/cluster/programs.ts";
import { incidentCrd } from "../../src/incident/crd.ts";
import type { Incident } from "../../src/incident/incident.ts";
import { createIncidentStore, type IncidentStore } from "../../src/incident/store.ts";
import type { Change, FieldPath, Finding, Json, KubeObject, ObjectRef, Plan } from "../../src/model.ts";
import type { Reading } from "../../src/observe/reading.ts";
import type { Clock, Cluster, Log } from "../../src/ports.ts";

const MI = 2 ** 20;

/** Each fails only when its manifest does not give it what it needs. */
const PROGRAMS: Readonly<Record<string, ProgramSource>> = {
  "example.com/app:1": { ports: [8080], memory: 90 * MI },
  "example.com/app:2": { ports: [8080], memory: 90 * MI, exit: { code: 1, afterSeconds: 40 } },
  "example.com/app:3": { exit: { code: 3 } },
};

/**
 * An embedded cluster whose time stands still unless somebody sleeps: minutes of waiting take no time at all, and nothing
 * depends on how fast the machine is.
 */
export interface Lab extends AsyncDisposable {
  readonly cluster: EmbeddedCluster;
  readonly api: Cluster;
  readonly clock: Clock;
  readonly store: IncidentStore;
  readonly reading: Reading;
  readonly warnings: string[];
  readonly log: Log;
  deployment(name?: string): KubeObject | undefined;
  incident(finding?: Finding): Promise<Incident>;
  /** Writes since the last call: `PATCH deployments/app (dry run)`, `PUT incidents/app-… status Acting`. */
  writes(): string[];
}

export const APP: ObjectRef = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "app" };
const CONTAINER: FieldPath = ["spec", "template", "spec", "containers", { by: "name", value: "app" }];
export const MEMORY: FieldPath = [...CONTAINER, "resources", "limits", "memory"];

export function deployment(
  over: { name?: string; image?: string; memory?: string; spec?: object; container?: object } = {},
) {
  const { name = "app", image = "example.com/app:1", memory = "64Mi", spec = {}, container = {} } = over;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: "shop" },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: "app", image, resources: { limits: { memory } }, ...container }] },
      },
      ...spec,
    },
  };
}

export function memoryTo(to: Json, from: Json = "64Mi", object = APP): Change {
  return { object, path: MEMORY, from, to };
}

export function imageTo(to: string, from: string): Change {
  return { object: APP, path: [...CONTAINER, "image"], from, to };
}

export function findingOf(over: Partial<Finding> = {}): Finding {
  return {
    detector: "oom-killed",
    workload: APP,
    container: "app",
    symptom: { kind: "OOMKilled", limit: "64Mi" },
    summary: "Container app is killed for its memory.",
    evidence: [],
    since: "2026-01-10T12:00:00Z",
    pods: 1,
    fingerprint: "0123456789abcdef",
    ...over,
  };
}

export function planOf(changes: readonly Change[], over: Partial<Plan> = {}): Plan {
  return {
    finding: findingOf(),
    choice: { remedy: "raise-memory-limit", params: {}, reason: "It is killed.", evidence: [] },
    risk: "medium",
    changes,
    title: "raise memory limit",
    ...over,
  };
}

export async function startLab(...objects: readonly object[]): Promise<Lab> {
  const folder = await mkdtemp(join(tmpdir(), "stanch-lab-"));
  let time = Date.parse("2026-01-10T12:00:00Z");
  const clock: Clock = {
    now: () => new Date(time),
    async sleep(ms) {
      time += ms;
    },
  };
  const cluster = await startCluster({ registry: PROGRAMS, clock });
  const shop: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
  cluster.apply([incidentCrd, shop, ...(objects as KubeObject[])]);
  const kubeconfig = join(folder, "kubeconfig");
  await writeFile(kubeconfig, cluster.kubeconfig());
  const api = await connectCluster({ kubeconfig, clock });
  const config = parseConfig(JSON.stringify({ mode: "remediate" }));
  const warnings: string[] = [];
  let seen = cluster.requests.length;
  const store = createIncidentStore(api, clock);
  return {
    cluster,
    api,
    clock,
    store,
    warnings,
    reading: {
      cluster: api,
      config,
      clock,
      gaps: [],
      watched: () => true,
      pages: (resource) => api.list(resource),
    },
    log: {
      debug: () => undefined,
      info: () => undefined,
      warn: (message) => warnings.push(message),
      error: (message) => warnings.push(message),
      progress: () => undefined,
    },
    deployment: (name = "app") => cluster.get("apps/v1", "Deployment", "shop", name),
    incident: (finding = findingOf()) => store.open(finding),
    writes() {
      const rows = cluster.requests.slice(seen).filter((request) => request.method !== "GET");
      seen = cluster.requests.length;
      return rows.map(({ method, path, query, body }) => {
        const [plural, name, subresource] = path.split("/").slice(-(path.endsWith("/status") ? 3 : 2));
        const phase = (body as { status?: { phase?: string } } | undefined)?.status?.phase;
        return [
          `${method} ${plural}/${name}`,
          ...(subresource === undefined ? [] : [subresource]),
          ...(phase === undefined ? [] : [phase]),
          ...(query["dryRun"] === undefined ? [] : ["(dry run)"]),
        ].join(" ");
      });
    },
    async [Symbol.asyncDispose]() {
      api.close();
      await cluster.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What somebody else does to the cluster right before the nth real patch of an object of that name. */
export function meanwhile(lab: Lab, name: string, deed: (nth: number) => void | Promise<void>): Cluster {
  let nth = 0;
  return {
    ...lab.api,
    async patch(ref, operations, options) {
      if (ref.name === name && options?.dryRun !== true) {
        nth += 1;
        await deed(nth);
      }
      return lab.api.patch(ref, operations, options);
    },
  };
}

/** As `kubectl annotate` by a person: moves the resourceVersion and no field of ours. */
export function annotate(lab: Lab, ref: ObjectRef, value: string): Promise<KubeObject> {
  return lab.api.get(ref).then((live) =>
    lab.api.replace({
      ...(live as KubeObject),
      metadata: { ...(live as KubeObject).metadata, annotations: { "acme/touched": value } },
    }),
  );
}
