import { stringify } from "yaml";
import type { KubeObject } from "../../model.ts";
import { startSimulation } from "./controllers/simulation.ts";
import type { Faults } from "./faults.ts";
import { createFaults } from "./faults.ts";
import { createLogs } from "./kubelet/logs.ts";
import type { ImageRegistry, ProgramSource } from "./programs.ts";
import { answerRegistry, createImageRegistry } from "./registry.ts";
import type { SeedOptions } from "./seed.ts";
import { seedPods } from "./seed.ts";
import { createApi } from "./server/api.ts";
import { ApiError } from "./server/api-error.ts";
import type { Account, Denial, PermittedRule } from "./server/authorization.ts";
import type { RequestRecord } from "./server/http.ts";
import { serve } from "./server/http.ts";
import { createKinds } from "./server/kinds.ts";
import { top } from "./server/list-keys.ts";
import { createReader } from "./server/reading.ts";
import { routeExec } from "./server/remote-command.ts";
import { route } from "./server/routes.ts";
import { createStore } from "./server/store.ts";
import { threeWayMerge } from "./server/strategic-merge.ts";
import { isTree } from "./shapes.ts";
import { createTimeline } from "./timeline.ts";

export interface ClusterOptions {
  /** What can be pulled, and what it needs to run. */
  readonly registry: ImageRegistry | Readonly<Record<string, ProgramSource>>;
  /** Where timestamps come from; the system's clock by default. */
  readonly clock?: { now(): Date };
  /** Divides every delay of the simulation (probe periods, back-offs, pulls); timestamps stay those of the clock. Default 1. */
  readonly speed?: number;
  /** What requests and access reviews are refused. */
  readonly denied?: readonly Denial[];
  /** 0 (the default): any free port. */
  readonly port?: number;
  /** Requests without this bearer token are Unauthorized. */
  readonly token?: string;
}

/** A Kubernetes cluster in this process: kube-apiserver's HTTP API, controllers and a kubelet that runs nothing. */
export interface EmbeddedCluster extends AsyncDisposable {
  readonly url: string;
  /** YAML text with which kubectl and client libraries reach it. */
  kubeconfig(): string;
  /** As `kubectl apply -f` does: three-way merge by the last-applied annotation. Namespaces and definitions come first. */
  apply(objects: readonly KubeObject[]): void;
  /** The object as stored, undefined when there is none. */
  get(apiVersion: string, kind: string, namespace: string, name: string): KubeObject | undefined;
  list(apiVersion: string, kind: string, namespace?: string): readonly KubeObject[];
  readonly registry: ImageRegistry;
  readonly faults: Faults;
  /** Every request so far, oldest first. */
  readonly requests: readonly RequestRecord[];
  /** Adds to what is denied, at run time. */
  deny(denial: Denial): void;
  /** From now on only what these rules give is permitted, as RBAC would have it. */
  permit(rules: readonly PermittedRule[]): void;
  /** Lets simulated time pass at once (also for timestamps): what is due in it happens in order. */
  advance(seconds: number): void;
  /** Forgets old revisions: continue tokens and watches from before are answered 410 Expired. */
  compact(): void;
  /** Thousands of realistic pods with their owners, for benchmarks. Nothing simulates them. Answers how many objects it made. */
  seedPods(count: number, options?: SeedOptions): number;
  close(): Promise<void>;
}

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
const FIRST = [
  "CustomResourceDefinition",
  "Namespace",
  "StorageClass",
  "ConfigMap",
  "Secret",
  "ServiceAccount",
  "LimitRange",
  "ResourceQuota",
];

/** Starts a cluster with the namespaces every cluster has and one node. */
export async function startCluster(options: ClusterOptions): Promise<EmbeddedCluster> {
  // A controller may be refused (a quota, a namespace on its way out); anything else is a fault of this program.
  const onFault = (error: unknown): void => {
    if (error instanceof ApiError && (error.code === 403 || error.code === 404)) return;
    queueMicrotask(() => {
      throw error;
    });
  };
  const clock = options.clock;
  const timeline = createTimeline({
    clock: clock === undefined ? Date.now : () => clock.now().getTime(),
    speed: options.speed ?? 1,
    onFault,
  });
  const kinds = createKinds();
  const store = createStore();
  const api = createApi(kinds, store, timeline);
  const logs = createLogs();
  const registry: ImageRegistry = isRegistry(options.registry)
    ? options.registry
    : createImageRegistry(options.registry);
  const simulation = startSimulation(api, { registry, logs });
  const faults = createFaults();
  const requests: RequestRecord[] = [];
  const account: Account = { denied: [...(options.denied ?? [])], permitted: null };
  const routes = { api, logs, reader: createReader(api), account, answer: simulation.answer, exec: simulation.exec };

  function applyOne(object: KubeObject): void {
    const kind = kinds.of(object);
    const namespace = kind.namespaced ? (object.metadata.namespace ?? "default") : "";
    const { [LAST_APPLIED]: _, ...annotations } = object.metadata.annotations ?? {};
    const config = {
      ...object,
      metadata: { ...object.metadata, annotations, ...(kind.namespaced ? { namespace } : {}) },
    };
    const modified = structuredClone(config);
    modified.metadata.annotations = { ...annotations, [LAST_APPLIED]: `${JSON.stringify(config)}\n` };
    const write = { manager: "kubectl-client-side-apply" };
    const live = store.get(kind, namespace, object.metadata.name);
    if (live === undefined) {
      api.create(kind, namespace, modified, write);
      return;
    }
    const before = live.metadata.annotations?.[LAST_APPLIED];
    const original: unknown = before === undefined ? {} : JSON.parse(before);
    const { status: _s, ...desired }: Partial<KubeObject> = modified;
    api.update(kind, live, threeWayMerge(original, desired, live, top(kind.schema)) as KubeObject, write);
  }

  const started = serve({
    port: options.port ?? 0,
    token: options.token,
    faults,
    requests,
    exec(request) {
      timeline.catchUp();
      return routeExec(request, routes);
    },
    handle(request) {
      timeline.catchUp();
      return request.path.startsWith("/v2") ? answerRegistry(request, registry) : route(request, routes);
    },
  });
  for (const name of ["default", "kube-system", "kube-public", "kube-node-lease"]) applyOne(namespaceOf(name));
  applyOne({
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "standard", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: "embedded",
  });
  const { server, port } = await started;
  const url = `http://127.0.0.1:${port}`;
  const close = async (): Promise<void> => {
    timeline.stop();
    simulation.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    url,
    kubeconfig: () => kubeconfigFor(url, options.token),
    apply(objects) {
      timeline.catchUp();
      const rank = (object: KubeObject): number =>
        FIRST.includes(object.kind) ? FIRST.indexOf(object.kind) : FIRST.length;
      for (const object of [...objects].sort((a, b) => rank(a) - rank(b))) {
        applyOne(object);
        // A definition is served from the moment it is reconciled.
        if (object.kind === "CustomResourceDefinition") simulation.settle(object);
      }
    },
    get(apiVersion, kind, namespace, name) {
      timeline.catchUp();
      return store.get(kinds.of({ apiVersion, kind }), namespace, name);
    },
    list(apiVersion, kind, namespace) {
      timeline.catchUp();
      return store.list(kinds.of({ apiVersion, kind }), namespace);
    },
    registry,
    faults,
    requests,
    deny: (denial) => account.denied.push(denial),
    permit(rules) {
      account.permitted = rules;
    },
    advance: timeline.advance,
    compact: store.compact,
    seedPods(count, seed = {}) {
      let made = 0;
      simulation.mute(() => {
        made = seedPods(api, count, seed);
      });
      return made;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function isRegistry(value: ClusterOptions["registry"]): value is ImageRegistry {
  return isTree(value) && typeof value.find === "function" && typeof value.push === "function";
}

function namespaceOf(name: string): KubeObject {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
}

function kubeconfigFor(server: string, token: string | undefined): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "embedded",
    contexts: [{ name: "embedded", context: { cluster: "embedded", user: "embedded" } }],
    clusters: [{ name: "embedded", cluster: { server } }],
    users: [{ name: "embedded", user: token === undefined ? {} : { token } }],
  });
}
