import type { ContainerState, EventState, PodState, Termination } from "../model.ts";
import { conditionsOf } from "./conditions.ts";
import { fieldAt, flagAt, listAt, mapAt, numberAt, textAt, timeOf } from "./fields.ts";

/**
 * Must this pod be looked at in full? Called for every pod of the cluster, so it reads few fields and makes nothing. Says
 * yes rather than no: Pending and Failed pods, unready ones, and those of which a container ended within `recentMs`.
 * Finished, evicted and deleted pods show no symptom. `now` in milliseconds since 1970.
 */
export function isSuspicious(raw: unknown, now: number, recentMs: number): boolean {
  const pod = raw as RawPod;
  const status = pod?.status;
  if (status === undefined || status === null || typeof status !== "object") return true;
  if (pod.metadata?.deletionTimestamp !== undefined) return false;
  const phase = status.phase;
  if (phase === "Succeeded" || status.reason === "Evicted") return false;
  if (phase !== "Running") return true;
  const since = now - recentMs;
  return (
    hasRestless(status.containerStatuses, since, false) ||
    hasRestless(status.initContainerStatuses, since, true) ||
    !isReady(status.conditions)
  );
}

interface RawPod {
  readonly metadata?: { readonly deletionTimestamp?: string };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly conditions?: unknown;
    readonly containerStatuses?: unknown;
    readonly initContainerStatuses?: unknown;
  };
}

interface RawStatus {
  readonly ready?: boolean;
  readonly state?: { readonly waiting?: object; readonly running?: object; readonly terminated?: object };
  readonly lastState?: { readonly terminated?: { readonly finishedAt?: string } };
}

function hasRestless(statuses: unknown, since: number, init: boolean): boolean {
  if (!Array.isArray(statuses)) return false;
  for (const status of statuses as readonly (RawStatus | null)[]) {
    if (status === null || typeof status !== "object") continue;
    // An init container that is done is "ready" and terminated for the rest of the pod's life.
    if (!init && status.ready !== true) return true;
    if (status.state?.waiting !== undefined) return true;
    const ended = status.lastState?.terminated?.finishedAt;
    if (ended !== undefined && Date.parse(ended) >= since) return true;
  }
  return false;
}

function isReady(conditions: unknown): boolean {
  if (!Array.isArray(conditions)) return false;
  for (const condition of conditions as readonly { type?: unknown; status?: unknown }[])
    if (condition?.type === "Ready") return condition.status === "True";
  return false;
}

/** A Pod as the API server sends it, projected to what detectors need. Fields that are missing or odd are left out. */
export function projectPod(raw: unknown): PodState {
  const conditions = conditionsOf(raw);
  const node = textAt(raw, "spec", "nodeName");
  const reason = textAt(raw, "status", "reason");
  const message = textAt(raw, "status", "message");
  const revision = revisionName(raw);
  return {
    name: textAt(raw, "metadata", "name") ?? "",
    uid: textAt(raw, "metadata", "uid") ?? "",
    createdAt: textAt(raw, "metadata", "creationTimestamp") ?? "",
    ...(node === undefined || node === "" ? {} : { node }),
    phase: textAt(raw, "status", "phase") ?? "Unknown",
    ...(reason === undefined || reason === "" ? {} : { reason }),
    ...(message === undefined || message === "" ? {} : { message }),
    deleting: textAt(raw, "metadata", "deletionTimestamp") !== undefined,
    ready: conditions.some((condition) => condition.type === "Ready" && condition.status === "True"),
    ...(revision === undefined ? {} : { revision }),
    conditions,
    containers: [
      ...containers(raw, "initContainers", "initContainerStatuses"),
      ...containers(raw, "containers", "containerStatuses"),
    ],
    restartPolicy: textAt(raw, "spec", "restartPolicy") ?? "Always",
  };
}

/** The ReplicaSet or ControllerRevision that made a pod; undefined when the pod does not tell. */
function revisionName(raw: unknown): string | undefined {
  const owner = listAt(raw, "metadata", "ownerReferences").find((item) => flagAt(item, "controller"));
  const kind = textAt(owner, "kind");
  const name = textAt(owner, "name");
  if (kind === "ReplicaSet") return name;
  const hash = textAt(raw, "metadata", "labels", "controller-revision-hash");
  if (hash === undefined || name === undefined) return undefined;
  // A StatefulSet labels its pods with the revision's whole name, a DaemonSet with the hash alone.
  if (kind === "StatefulSet") return hash;
  return kind === "DaemonSet" ? `${name}-${hash}` : undefined;
}

function containers(raw: unknown, specs: "containers" | "initContainers", statuses: string): ContainerState[] {
  const init = specs === "initContainers";
  const found = listAt(raw, "status", statuses).flatMap((status): ContainerState[] => {
    const name = textAt(status, "name");
    return name === undefined ? [] : [containerState(name, init, status, imageOf(raw, specs, name))];
  });
  // In the order of the spec: statuses come sorted by name.
  const order = listAt(raw, "spec", specs).map((item) => textAt(item, "name"));
  return found.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
}

/** The image as the spec writes it: the status names what it resolved to. */
function imageOf(raw: unknown, specs: string, name: string): string | undefined {
  return textAt(
    listAt(raw, "spec", specs).find((item) => textAt(item, "name") === name),
    "image",
  );
}

function containerState(name: string, init: boolean, status: unknown, image: string | undefined): ContainerState {
  const waiting = mapAt(status, "state", "waiting");
  const started = fieldAt(status, "started");
  const running = textAt(status, "state", "running", "startedAt");
  const terminated = termination(fieldAt(status, "state", "terminated"));
  const last = termination(fieldAt(status, "lastState", "terminated"));
  return {
    name,
    init,
    image: image ?? textAt(status, "image") ?? "",
    ready: flagAt(status, "ready"),
    ...(typeof started === "boolean" ? { started } : {}),
    restarts: numberAt(status, "restartCount") ?? 0,
    ...(waiting === undefined
      ? {}
      : { waiting: { reason: textAt(waiting, "reason") ?? "", message: textAt(waiting, "message") ?? "" } }),
    ...(running === undefined ? {} : { running: { startedAt: running } }),
    ...(terminated === undefined ? {} : { terminated }),
    ...(last === undefined ? {} : { last }),
  };
}

function termination(raw: unknown): Termination | undefined {
  if (mapAt(raw) === undefined) return undefined;
  const signal = numberAt(raw, "signal");
  const startedAt = textAt(raw, "startedAt");
  const finishedAt = textAt(raw, "finishedAt");
  const message = textAt(raw, "message");
  return {
    reason: textAt(raw, "reason") ?? "",
    exitCode: numberAt(raw, "exitCode") ?? 0,
    ...(signal === undefined || signal === 0 ? {} : { signal }),
    // A container that could not be started carries 1970.
    ...(startedAt === undefined || timeOf(startedAt) === undefined ? {} : { startedAt }),
    ...(finishedAt === undefined || timeOf(finishedAt) === undefined ? {} : { finishedAt }),
    ...(message === undefined || message === "" ? {} : { message }),
  };
}

/** An Event of the core or the events.k8s.io API. A series counts its occurrences. */
export function projectEvent(raw: unknown): EventState {
  const on = mapAt(raw, "involvedObject") ?? mapAt(raw, "regarding");
  const created = textAt(raw, "metadata", "creationTimestamp") ?? "";
  const time = textAt(raw, "eventTime");
  const first = textAt(raw, "firstTimestamp") ?? textAt(raw, "deprecatedFirstTimestamp") ?? time ?? created;
  const last =
    textAt(raw, "series", "lastObservedTime") ??
    textAt(raw, "lastTimestamp") ??
    textAt(raw, "deprecatedLastTimestamp") ??
    time ??
    first;
  return {
    reason: textAt(raw, "reason") ?? "",
    message: textAt(raw, "message") ?? textAt(raw, "note") ?? "",
    count: numberAt(raw, "series", "count") ?? numberAt(raw, "count") ?? numberAt(raw, "deprecatedCount") ?? 1,
    firstSeen: first,
    lastSeen: last,
    on: {
      apiVersion: textAt(on, "apiVersion") ?? "v1",
      kind: textAt(on, "kind") ?? "",
      namespace: textAt(on, "namespace") ?? textAt(raw, "metadata", "namespace") ?? "",
      name: textAt(on, "name") ?? "",
    },
  };
}
