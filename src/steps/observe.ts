import type { Config } from "../config/schema.ts";
import { IGNORE, inScope, namedNamespaces } from "../config/scope.ts";
import { messageOf, StanchError } from "../errors.ts";
import { isSuspicious, projectPod } from "../kube/project.ts";
import { RESOURCES } from "../kube/resources.ts";
import { matchesRequirements, parseSelector } from "../kube/selectors.ts";
import type { KubeObject, Snapshot } from "../model.ts";
import { observeFailing } from "../observe/failing.ts";
import { observeIngresses } from "../observe/ingress-backends.ts";
import { observeClaims, observeConfigs, observeServices } from "../observe/others.ts";
import type { Reading } from "../observe/reading.ts";
import { assembleWorkloads, type Census, type OwnerCount, troubled } from "../observe/workloads.ts";
import type { Clock, Cluster, Resource } from "../ports.ts";

export interface Observation {
  readonly snapshot: Snapshot;
  /** Annotations of the watched namespaces. */
  readonly namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** What recent commits changed was looked into, too (inspect, listen, cutOffs). */
  readonly inspected?: true;
}

/**
 * Reads the cluster page by page and keeps in full only what is suspicious: memory grows with what is broken and with the
 * page, not with the cluster. A part that may not be read becomes a gap, never a silent "all is well".
 */
export async function observe(cluster: Cluster, config: Config, clock: Clock): Promise<Observation> {
  const calls = cluster.calls();
  const selector = parseSelector(config.scope.selector);
  if (!selector.ok)
    throw new StanchError("config", `the label selector is wrong: ${selector.reason}`, {
      hint: "correct -l or scope.selector",
    });
  const { requirements } = selector;
  const gaps: string[] = [];
  const named = namedNamespaces(config);
  const namespaces = await readNamespaces(cluster, config, named, gaps);
  const reading: Reading = {
    cluster,
    config,
    clock,
    gaps,
    watched: (namespace) => namespaces.has(namespace),
    pages: (resource) => scoped(cluster, resource, config, named),
  };

  const watchedKinds = new Set<string>(config.scope.kinds);
  // Lists that do not wait for each other are read side by side, each page by page.
  const [census, workloadObjects, { services, ports }, claims, failing, routes] = await Promise.all([
    countPods(reading),
    readWorkloadObjects(reading),
    watchedKinds.has("Service") ? observeServices(reading) : { services: [], ports: [] },
    watchedKinds.has("PersistentVolumeClaim") ? observeClaims(reading) : [],
    observeFailing(reading),
    watchedKinds.has("Ingress") ? observeIngresses(reading) : [],
  ]);
  const assembled = await assembleWorkloads(reading, census, workloadObjects.troubled);
  const workloads = assembled.workloads.filter(
    (workload) =>
      !isIgnored(workload.object, namespaces) && matchesRequirements(requirements, workload.object.metadata.labels),
  );
  const configs = await observeConfigs(reading, workloads);
  const wanted = (object: KubeObject): boolean =>
    !isIgnored(object, namespaces) && matchesRequirements(requirements, object.metadata.labels);
  const snapshot: Snapshot = {
    takenAt: clock.now().toISOString(),
    workloads: workloads.filter((workload) => watchedKinds.has(workload.ref.kind)),
    services: services.filter((service) => wanted(service.object)),
    ports: ports.filter((port) => wanted(port.object)),
    claims: claims.filter((claim) => wanted(claim.object)),
    failing: [...failing, ...routes].filter((state) => wanted(state.object)),
    configs,
    // Git is looked into beside the cluster (inspect).
    refused: [],
    complaints: [],
    cutOffs: [],
    nodes: assembled.nodes,
    counts: {
      pods: census.pods,
      workloads: workloadObjects.count,
      namespaces: namespaces.size,
      calls: cluster.calls() - calls,
    },
    gaps,
  };
  return { snapshot, namespaces };
}

/** Watched namespaces that are not opted out, with their annotations. */
async function readNamespaces(
  cluster: Cluster,
  config: Config,
  named: readonly string[] | null,
  gaps: string[],
): Promise<Map<string, Readonly<Record<string, string>>>> {
  const out = new Map<string, Readonly<Record<string, string>>>();
  const add = (object: KubeObject): void => {
    const annotations = object.metadata.annotations ?? {};
    if (
      inScope(object.metadata.name, config) &&
      annotations[IGNORE] !== "true" &&
      object.metadata.deletionTimestamp === undefined
    )
      out.set(object.metadata.name, annotations);
  };
  try {
    if (named === null)
      for await (const page of cluster.list(RESOURCES.Namespace, { limit: config.observe.pageSize })) page.forEach(add);
    else {
      const found = await Promise.all(
        named.map((name) => cluster.get({ apiVersion: "v1", kind: "Namespace", namespace: "", name })),
      );
      for (const object of found) if (object !== null) add(object);
    }
  } catch (error) {
    if (!(error instanceof StanchError) || error.code !== "forbidden" || named === null) throw error;
    // A role of one namespace may not read the namespace itself; its opt-out annotation is then not seen.
    gaps.push(`namespaces cannot be read (${messageOf(error)}); their ${IGNORE} annotation is not honoured`);
    for (const name of named) out.set(name, {});
  }
  return out;
}

async function* scoped(
  cluster: Cluster,
  resource: Resource,
  config: Config,
  named: readonly string[] | null,
): AsyncIterable<readonly KubeObject[]> {
  const limit = config.observe.pageSize;
  if (named === null) yield* cluster.list(resource, { limit });
  else for (const namespace of named) yield* cluster.list(resource, { namespace, limit });
}

/** Every pod is counted for its owner; only suspicious ones are kept, and of them only so many. */
async function countPods(reading: Reading): Promise<Census> {
  const owners = new Map<string, OwnerCount>();
  const now = reading.clock.now().getTime();
  const seen = new Set<string>();
  let pods = 0;
  for await (const page of reading.pages(RESOURCES.Pod)) {
    for (const pod of page) {
      const namespace = pod.metadata.namespace ?? "";
      if (!reading.watched(namespace)) continue;
      pods += 1;
      const suspicious = isSuspicious(pod, now, reading.config.detect.recent);
      const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller === true);
      const key =
        owner === undefined ? `${namespace}/Pod/${pod.metadata.name}` : `${namespace}/${owner.kind}/${owner.name}`;
      let count = owners.get(key);
      if (count === undefined) {
        // Healthy pods need no more than a number.
        count = {
          namespace,
          kind: owner?.kind ?? "Pod",
          name: owner?.name ?? pod.metadata.name,
          apiVersion: owner?.apiVersion ?? "v1",
          total: 0,
          ready: 0,
          suspicious: [],
        };
        owners.set(key, count);
      }
      if (suspicious && seen.has(pod.metadata.uid ?? pod.metadata.name)) continue;
      count.total += 1;
      if (!suspicious) count.ready += 1;
      else {
        seen.add(pod.metadata.uid ?? pod.metadata.name);
        if (count.suspicious.length < 4 * reading.config.observe.podsPerWorkload)
          count.suspicious.push(projectPod(pod));
        count.hidden = (count.hidden ?? 0) + 1;
      }
    }
  }
  return { pods, owners };
}

/** Workload objects that say themselves that something is wrong. */
async function readWorkloadObjects(reading: Reading): Promise<{ count: number; troubled: KubeObject[] }> {
  const out: KubeObject[] = [];
  let count = 0;
  const kinds = [RESOURCES.Deployment, RESOURCES.StatefulSet, RESOURCES.DaemonSet, RESOURCES.Job];
  await Promise.all(
    kinds.map(async (resource) => {
      for await (const page of reading.pages(resource)) {
        for (const object of page) {
          if (!reading.watched(object.metadata.namespace ?? "")) continue;
          count += 1;
          if (troubled(object)) out.push(object);
        }
      }
    }),
  );
  return { count, troubled: out };
}

function isIgnored(object: KubeObject, namespaces: Observation["namespaces"]): boolean {
  return object.metadata.annotations?.[IGNORE] === "true" || !namespaces.has(object.metadata.namespace ?? "");
}
