import { messageOf } from "../errors.ts";
import { projectEvent, projectPod } from "../kube/project.ts";
import { keyOf, refOf } from "../kube/ref.ts";
import { RESOURCES, resourceOf } from "../kube/resources.ts";
import { type RevisionCount, revisionsOf } from "../kube/revisions.ts";
import { formatSelector } from "../kube/selector-text.ts";
import type { EventState, KubeObject, NodeState, ObjectRef, PodState, Workload } from "../model.ts";
import { atOnce } from "./at-once.ts";
import { largestMemory, observeLimits, observeNodes } from "./limits.ts";
import type { Reading } from "./reading.ts";

/** Pods of one direct owner. */
export interface OwnerCount {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  readonly apiVersion: string;
  total: number;
  ready: number;
  suspicious: PodState[];
  hidden?: number;
}

export interface Census {
  readonly pods: number;
  readonly owners: ReadonlyMap<string, OwnerCount>;
}

/** Does a workload object say itself that something is wrong or under way? */
export function troubled(object: KubeObject): boolean {
  const spec = (object["spec"] ?? {}) as { replicas?: number };
  const status = (object["status"] ?? {}) as {
    readyReplicas?: number;
    updatedReplicas?: number;
    numberReady?: number;
    desiredNumberScheduled?: number;
    failed?: number;
    conditions?: { type: string; status: string }[];
  };
  if (
    status.conditions?.some(
      (condition) =>
        (condition.type === "ReplicaFailure" && condition.status === "True") ||
        (condition.type === "Progressing" && condition.status === "False") ||
        (condition.type === "Failed" && condition.status === "True"),
    ) === true
  )
    return true;
  if (object.kind === "Job") return false;
  if (object.kind === "DaemonSet") return (status.numberReady ?? 0) < (status.desiredNumberScheduled ?? 0);
  return (status.readyReplicas ?? 0) < (spec.replicas ?? 1) || (status.updatedReplicas ?? 0) < (spec.replicas ?? 1);
}

/** Brings suspicious pods and troubled objects together under their top owners, with revisions and events. */
export async function assembleWorkloads(
  reading: Reading,
  census: Census,
  objects: readonly KubeObject[],
): Promise<{ workloads: Workload[]; nodes: NodeState[] }> {
  const tops = new Map<string, { ref: ObjectRef; object: KubeObject }>();
  const add = (object: KubeObject): void => {
    tops.set(keyOf(refOf(object)), { ref: refOf(object), object });
  };
  objects.forEach(add);
  const failing = [...census.owners.values()].filter((owner) => owner.suspicious.length > 0);
  const climbed = await atOnce(failing, ({ apiVersion, kind, namespace, name }) =>
    climb(reading, { apiVersion, kind, namespace, name }),
  );
  for (const top of climbed) if (top !== null) add(top);
  const namespaces = [...new Set([...tops.values()].map((top) => top.ref.namespace))];
  const warnings = await atOnce(namespaces, (namespace) => readEvents(reading, namespace));
  const events = new Map(namespaces.map((namespace, index) => [namespace, warnings[index] ?? []]));
  const loaded = await atOnce([...tops.values()], ({ object }) =>
    loadWorkload(reading, object, events.get(object.metadata.namespace ?? "") ?? []),
  );
  const out = loaded.filter((workload) => workload !== null);
  // Nodes tell what fits; most scans do not need to know.
  const nodes = out.some((workload) => starved(workload) || homeless(workload)) ? await observeNodes(reading) : [];
  return { workloads: await withLimits(reading, out, nodes), nodes };
}

/** LimitRanges and quotas are read only where something ran out of memory. */
async function withLimits(
  reading: Reading,
  workloads: readonly Workload[],
  nodes: readonly NodeState[],
): Promise<Workload[]> {
  const largestNodeBytes = largestMemory(nodes);
  return Promise.all(
    workloads.map(async (workload) => {
      if (!starved(workload)) return workload;
      const limits = await observeLimits(reading, workload.ref.namespace);
      return {
        ...workload,
        ...(limits === undefined ? {} : { limits }),
        ...(largestNodeBytes === undefined ? {} : { largestNodeBytes }),
      };
    }),
  );
}

function starved(workload: Workload): boolean {
  return workload.pods.some((pod) =>
    pod.containers.some(
      (container) => container.last?.reason === "OOMKilled" || container.terminated?.reason === "OOMKilled",
    ),
  );
}

function homeless(workload: Workload): boolean {
  return workload.pods.some((pod) =>
    pod.conditions.some((condition) => condition.type === "PodScheduled" && condition.status === "False"),
  );
}

/** The top controller of an object: Pod → ReplicaSet → Deployment, Job → CronJob. Null when it is gone or out of reach. */
async function climb(reading: Reading, from: ObjectRef): Promise<KubeObject | null> {
  let ref = from;
  for (let depth = 0; depth < 4; depth += 1) {
    // Owners of other kinds are custom resources: what is above a workload is told by its own ownerReferences.
    if (resourceOf(ref.apiVersion, ref.kind) === undefined) return null;
    const object = await reading.cluster.get(ref).catch((error: unknown) => {
      reading.gaps.push(`${ref.kind} ${ref.namespace}/${ref.name} cannot be read: ${messageOf(error)}`);
      return null;
    });
    if (object === null) return null;
    const owner = object.metadata.ownerReferences?.find((reference) => reference.controller === true);
    if (owner === undefined || resourceOf(owner.apiVersion, owner.kind) === undefined) return object;
    ref = { apiVersion: owner.apiVersion, kind: owner.kind, namespace: ref.namespace, name: owner.name };
  }
  return null;
}

async function readEvents(reading: Reading, namespace: string): Promise<EventState[]> {
  const out: EventState[] = [];
  try {
    for await (const page of reading.cluster.list(RESOURCES.Event, {
      namespace,
      fieldSelector: "type=Warning",
      limit: reading.config.observe.pageSize,
    })) {
      for (const event of page) out.push(projectEvent(event));
      // Events are evidence, not state: the newest few thousand are enough.
      if (out.length >= 5000) break;
    }
  } catch (error) {
    reading.gaps.push(`events of ${namespace} cannot be read: ${messageOf(error)}`);
  }
  return out.sort((a, b) => b.lastSeen.localeCompare(a.lastSeen));
}

/**
 * One workload as it is now, with its pods, revisions and warnings. Also used to look again before and after a change.
 * `events` absent: they are read.
 */
export async function loadWorkload(
  reading: Reading,
  object: KubeObject,
  events?: readonly EventState[],
): Promise<Workload | null> {
  const ref = refOf(object);
  const [pods, revisionObjects, warnings] = await Promise.all([
    podsOf(reading, object),
    revisionObjectsOf(reading, object),
    events ?? readEvents(reading, ref.namespace),
  ]);
  const projected = pods.map((pod) => withRevision(projectPod(pod), pod, revisionObjects));
  const revisions = revisionsOf(object, revisionObjects, countsOf(projected));
  const names = new Set([
    ref.name,
    ...revisionObjects.map((revision) => revision.metadata.name),
    ...projected.map((pod) => pod.name),
  ]);
  const current = revisions.find((revision) => revision.current)?.name;
  const order = (pod: PodState): number => (pod.ready ? 2 : 0) + (pod.revision === current ? 0 : 1);
  const sorted = projected.toSorted(
    (a, b) => order(a) - order(b) || b.createdAt.localeCompare(a.createdAt) || a.name.localeCompare(b.name),
  );
  return {
    ref,
    object,
    revisions,
    pods: sorted.filter((pod) => !pod.deleting).slice(0, Math.max(reading.config.observe.podsPerWorkload, 1) * 4),
    podCount: projected.length,
    readyCount: projected.filter((pod) => pod.ready).length,
    events: warnings.filter((event) => names.has(event.on.name)).slice(0, reading.config.observe.eventsPerWorkload * 4),
  };
}

async function podsOf(reading: Reading, object: KubeObject): Promise<KubeObject[]> {
  if (object.kind === "Pod") return [object];
  const namespace = object.metadata.namespace ?? "";
  const out: KubeObject[] = [];
  if (object.kind === "CronJob") {
    const jobs: string[] = [];
    for await (const page of reading.cluster.list(RESOURCES.Job, {
      namespace,
      limit: reading.config.observe.pageSize,
    })) {
      for (const job of page)
        if (job.metadata.ownerReferences?.some((owner) => owner.uid === object.metadata.uid) === true)
          jobs.push(job.metadata.name);
    }
    for (const job of jobs.slice(-3))
      for await (const page of reading.cluster.list(RESOURCES.Pod, { namespace, labelSelector: `job-name=${job}` }))
        out.push(...page);
    return out;
  }
  const selector = (object["spec"] as { selector?: Record<string, unknown> } | undefined)?.selector;
  const labelSelector = formatSelector(selector);
  if (labelSelector === "") return [];
  for await (const page of reading.cluster.list(RESOURCES.Pod, {
    namespace,
    labelSelector,
    limit: reading.config.observe.pageSize,
  })) {
    out.push(...page);
    if (out.length >= 1000) break;
  }
  return out;
}

async function revisionObjectsOf(reading: Reading, object: KubeObject): Promise<KubeObject[]> {
  const resource =
    object.kind === "Deployment"
      ? RESOURCES.ReplicaSet
      : object.kind === "StatefulSet" || object.kind === "DaemonSet"
        ? RESOURCES.ControllerRevision
        : null;
  if (resource === null) return [];
  const labelSelector = formatSelector(
    (object["spec"] as { selector?: Record<string, unknown> } | undefined)?.selector,
  );
  const out: KubeObject[] = [];
  try {
    for await (const page of reading.cluster.list(resource, {
      namespace: object.metadata.namespace ?? "",
      labelSelector,
      limit: reading.config.observe.pageSize,
    })) {
      for (const revision of page)
        if (revision.metadata.ownerReferences?.some((owner) => owner.uid === object.metadata.uid) === true)
          out.push(revision);
    }
  } catch (error) {
    reading.gaps.push(
      `revisions of ${object.kind} ${object.metadata.namespace}/${object.metadata.name} cannot be read: ${messageOf(error)}`,
    );
  }
  return out;
}

function countsOf(pods: readonly PodState[]): Map<string, RevisionCount> {
  const counts = new Map<string, { replicas: number; ready: number }>();
  for (const pod of pods) {
    if (pod.revision === undefined || pod.deleting) continue;
    const count = counts.get(pod.revision) ?? { replicas: 0, ready: 0 };
    counts.set(pod.revision, { replicas: count.replicas + 1, ready: count.ready + (pod.ready ? 1 : 0) });
  }
  return counts;
}

/** The revision that a pod belongs to: its ReplicaSet, or the ControllerRevision named by its hash label. */
function withRevision(state: PodState, pod: KubeObject, revisions: readonly KubeObject[]): PodState {
  const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller === true);
  const hash = pod.metadata.labels?.["controller-revision-hash"];
  const revision =
    owner?.kind === "ReplicaSet"
      ? owner.name
      : revisions.find(
          (candidate) =>
            hash !== undefined &&
            (candidate.metadata.name === hash || candidate.metadata.labels?.["controller.kubernetes.io/hash"] === hash),
        )?.metadata.name;
  return revision === undefined ? state : { ...state, revision };
}
