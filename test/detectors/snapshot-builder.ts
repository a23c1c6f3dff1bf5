import { parseDuration } from "../../src/config/duration.ts";
import { Config } from "../../src/config/schema.ts";
import type {
  ClaimState,
  ContainerState,
  EventState,
  Json,
  KubeObject,
  PodState,
  Revision,
  ServiceState,
  Snapshot,
  Termination,
  Workload,
} from "../../src/model.ts";

/** Small makers of snapshots, healthy unless told otherwise. Every time is relative to NOW. */

export const NOW = "2026-01-10T12:00:00Z";
export const settings = Config.parse({}).detect;

export function ago(duration: string): string {
  const ms = parseDuration(duration);
  if (ms === null) throw new Error(`no duration: ${duration}`);
  return new Date(Date.parse(NOW) - ms).toISOString();
}

/** A container that has been running and ready for an hour. */
export function container(over: Partial<ContainerState> = {}): ContainerState {
  const down = over.waiting !== undefined || over.terminated !== undefined;
  return {
    name: "app",
    init: false,
    image: "nginx:1.27",
    ready: !down,
    started: !down,
    restarts: 0,
    ...(down ? {} : { running: { startedAt: ago("1h") } }),
    ...over,
  };
}

export function ended(
  reason: string,
  exitCode: number,
  over: Partial<Termination> & { readonly ran?: string; readonly at?: string } = {},
): Termination {
  const { ran = "2s", at = "1m", ...rest } = over;
  const finishedAt = ago(at);
  return {
    reason,
    exitCode,
    finishedAt,
    startedAt: new Date(Date.parse(finishedAt) - (parseDuration(ran) ?? 0)).toISOString(),
    ...rest,
  };
}

export const backOff = {
  waiting: { reason: "CrashLoopBackOff", message: "back-off 40s restarting failed container=app pod=cart-1_shop(uid)" },
  restarts: 4,
};

/** Running and ready exactly when all of its containers are. */
export function pod(over: Partial<PodState> = {}): PodState {
  const containers = over.containers ?? [container()];
  const ready = over.ready ?? containers.every((item) => item.ready || item.init);
  return {
    name: "cart-1",
    uid: "u1",
    createdAt: ago("1h"),
    node: "n1",
    phase: "Running",
    deleting: false,
    ready,
    revision: "cart-new",
    conditions: [{ type: "Ready", status: ready ? "True" : "False", since: ago("10m") }],
    restartPolicy: "Always",
    ...over,
    containers,
  };
}

export interface WorkloadSpec {
  readonly kind?: string;
  readonly name?: string;
  /** Over the container `app` of the template. */
  readonly container?: { readonly [field: string]: Json };
  readonly podSpec?: { readonly [field: string]: Json };
  readonly labels?: Record<string, string>;
  readonly spec?: { readonly [field: string]: Json };
  readonly status?: { readonly [field: string]: Json };
  readonly metadata?: Partial<KubeObject["metadata"]>;
  readonly pods?: readonly PodState[];
  readonly events?: readonly EventState[];
  readonly revisions?: readonly Revision[];
}

const GROUPS: Record<string, string> = { Job: "batch/v1", CronJob: "batch/v1", Pod: "v1" };

/** A Deployment `shop/cart` whose rollout is done. */
export function workload(over: WorkloadSpec = {}): Workload {
  const kind = over.kind ?? "Deployment";
  const apiVersion = GROUPS[kind] ?? "apps/v1";
  const name = over.name ?? "cart";
  const podSpec = { containers: [{ name: "app", image: "nginx:1.27", ...over.container }], ...over.podSpec };
  const template = { metadata: { labels: over.labels ?? { app: name } }, spec: podSpec };
  const spec =
    kind === "Pod"
      ? podSpec
      : kind === "CronJob"
        ? { schedule: "* * * * *", jobTemplate: { spec: { template } } }
        : { replicas: 1, template };
  const done = {
    replicas: 1,
    updatedReplicas: 1,
    readyReplicas: 1,
    availableReplicas: 1,
    conditions: [{ type: "Progressing", status: "True", reason: "NewReplicaSetAvailable", message: "done" }],
  };
  const pods = over.pods ?? [];
  return {
    ref: { apiVersion, kind, namespace: "shop", name },
    object: {
      apiVersion,
      kind,
      metadata: { name, namespace: "shop", creationTimestamp: ago("30d"), generation: 1, ...over.metadata },
      spec: { ...spec, ...over.spec },
      status: { observedGeneration: 1, ...(kind === "Deployment" ? done : {}), ...over.status },
    },
    revisions:
      over.revisions ?? (kind === "Job" || kind === "CronJob" || kind === "Pod" ? [] : [revision("cart-new", 2, true)]),
    pods,
    podCount: pods.length,
    readyCount: pods.filter((item) => item.ready).length,
    events: over.events ?? [],
  };
}

export function revision(name: string, number: number, current: boolean, over: Partial<Revision> = {}): Revision {
  return {
    name,
    number,
    createdAt: ago(current ? "1h" : "9d"),
    template: {},
    replicas: 1,
    readyReplicas: 0,
    current,
    ...over,
  };
}

/** A rollout that its deadline still allows to finish. */
export const rollingOut = {
  conditions: [{ type: "Progressing", status: "True", reason: "ReplicaSetUpdated", message: "progressing" }],
};

export function event(
  reason: string,
  message: string,
  over: {
    readonly on?: string;
    readonly kind?: string;
    readonly count?: number;
    readonly first?: string;
    readonly last?: string;
  } = {},
): EventState {
  const kind = over.kind ?? "Pod";
  return {
    reason,
    message,
    count: over.count ?? 1,
    firstSeen: ago(over.first ?? "10m"),
    lastSeen: ago(over.last ?? "1m"),
    on: { apiVersion: kind === "Pod" ? "v1" : "apps/v1", kind, namespace: "shop", name: over.on ?? "cart-1" },
  };
}

export function service(
  over: {
    readonly spec?: { readonly [field: string]: Json };
    readonly metadata?: Partial<KubeObject["metadata"]>;
    readonly matching?: number;
  } = {},
): ServiceState {
  const object: KubeObject = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "cart", namespace: "shop", creationTimestamp: ago("1h"), ...over.metadata },
    spec: { clusterIP: "10.0.0.1", selector: { app: "cartt" }, ...over.spec },
  };
  return {
    ref: { apiVersion: "v1", kind: "Service", namespace: "shop", name: "cart" },
    object,
    matching: over.matching ?? 0,
  };
}

export function claim(
  over: {
    readonly name?: string;
    readonly phase?: string;
    readonly age?: string;
    readonly storageClass?: string;
    readonly events?: readonly EventState[];
    readonly metadata?: Partial<KubeObject["metadata"]>;
  } = {},
): ClaimState {
  const name = over.name ?? "data";
  const object: KubeObject = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name, namespace: "shop", creationTimestamp: ago(over.age ?? "1h"), ...over.metadata },
    spec: over.storageClass === undefined ? {} : { storageClassName: over.storageClass },
    status: { phase: over.phase ?? "Pending" },
  };
  return {
    ref: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: "shop", name },
    object,
    events: over.events ?? [],
  };
}

export function snapshot(workloads: readonly Workload[], over: Partial<Snapshot> = {}): Snapshot {
  return {
    takenAt: NOW,
    workloads,
    services: [],
    ports: [],
    refused: [],
    complaints: [],
    cutOffs: [],
    claims: [],
    failing: [],
    configs: {},
    counts: { pods: 0, workloads: 0, namespaces: 1, calls: 0 },
    gaps: [],
    nodes: [],
    ...over,
  };
}
