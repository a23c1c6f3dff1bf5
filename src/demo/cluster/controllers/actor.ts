import { createHash } from "node:crypto";
import type { KubeObject } from "../../../model.ts";
import type { Api } from "../server/api.ts";
import type { Kind } from "../server/kinds.ts";
import type { Condition, Pod, PodOwner, Tree } from "../shapes.ts";
import { isOwnedBy } from "../shapes.ts";
import type { Timeline } from "../timeline.ts";
import type { Events } from "./events.ts";
import { createEvents } from "./events.ts";

/** How a component of the cluster (a controller, the scheduler, the kubelet) sees it and acts on it. */
export interface Actor {
  readonly timeline: Timeline;
  readonly events: Events;
  list(kind: string, namespace?: string): KubeObject[];
  get(kind: string, namespace: string, name: string): KubeObject | undefined;
  /** The objects of a kind that `owner` controls. */
  owned(kind: string, owner: KubeObject): KubeObject[];
  create(object: KubeObject): KubeObject;
  update(before: KubeObject, change: Partial<KubeObject>): KubeObject;
  status(before: KubeObject, status: Tree): KubeObject;
  remove(object: KubeObject, graceSeconds?: number): void;
}

const VERSIONS: Record<string, string> = {
  Deployment: "apps/v1",
  ReplicaSet: "apps/v1",
  StatefulSet: "apps/v1",
  DaemonSet: "apps/v1",
  ControllerRevision: "apps/v1",
  Job: "batch/v1",
  CronJob: "batch/v1",
  EndpointSlice: "discovery.k8s.io/v1",
  PodDisruptionBudget: "policy/v1",
  StorageClass: "storage.k8s.io/v1",
  CustomResourceDefinition: "apiextensions.k8s.io/v1",
};

/** An actor that writes as `manager` and reports events as `component`. */
export function createActor(api: Api, manager: string, component: string): Actor {
  const kindOf = (kind: string): Kind => api.kinds.of({ apiVersion: VERSIONS[kind] ?? "v1", kind });
  return {
    timeline: api.timeline,
    events: createEvents(api, component),
    list: (kind, namespace) => api.store.list(kindOf(kind), namespace),
    get: (kind, namespace, name) => api.store.get(kindOf(kind), namespace, name),
    owned: (kind, owner) =>
      api.store.list(kindOf(kind), owner.metadata.namespace).filter((object) => isOwnedBy(object, owner)),
    create: (object) => api.create(api.kinds.of(object), object.metadata.namespace ?? "", object, { manager }),
    update: (before, change) => api.update(api.kinds.of(before), before, { ...before, ...change }, { manager }),
    status: (before, status) =>
      api.update(api.kinds.of(before), before, { ...before, status }, { manager, subresource: "status" }),
    remove: (object, graceSeconds) => {
      api.remove(api.kinds.of(object), object, graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds });
    },
  };
}

const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

/** A short name of a pod template, as pod-template-hash and controller-revision-hash have one: equal templates, equal names. */
export function templateHash(template: unknown): string {
  const bytes = createHash("sha256").update(stable(template)).digest();
  return [...bytes.subarray(0, 10)].map((byte) => ALPHABET[byte % ALPHABET.length]).join("");
}

function stable(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

/** The conditions with one replaced. `lastTransitionTime` moves only when the status changes, `lastUpdateTime` when anything does. */
export function withCondition(conditions: readonly Condition[], next: Condition, stamp: string): Condition[] {
  const old = conditions.find((condition) => condition.type === next.type);
  if (old !== undefined && old.status === next.status && old.reason === next.reason && old.message === next.message)
    return [...conditions];
  const lastTransitionTime = old?.status === next.status ? (old.lastTransitionTime ?? stamp) : stamp;
  const made: Condition = {
    type: next.type,
    status: next.status,
    lastUpdateTime: stamp,
    lastTransitionTime,
    ...(next.reason === undefined ? {} : { reason: next.reason }),
    ...(next.message === undefined ? {} : { message: next.message }),
  };
  return [...conditions.filter((condition) => condition.type !== next.type), made];
}

export function conditionOf(object: KubeObject, type: string): Condition | undefined {
  return (object as PodOwner | Pod).status?.conditions?.find((condition) => condition.type === type);
}

/** A pod for a controller to create, from its template. */
export function podFrom(
  owner: PodOwner,
  name: { name: string } | { generateName: string },
  labels: Record<string, string>,
): KubeObject {
  const { template } = owner.spec;
  const { apiVersion, kind, metadata } = owner;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...name,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      labels: { ...template.metadata?.labels, ...labels },
      ...(template.metadata?.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
      ownerReferences: [
        { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? "", controller: true, blockOwnerDeletion: true },
      ],
    } as unknown as KubeObject["metadata"],
    spec: structuredClone(template.spec),
  };
}
