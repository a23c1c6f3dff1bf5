import type { KubeObject } from "../../../model.ts";
import { ApiError } from "../server/api-error.ts";
import { isReady } from "../server/subresources.ts";
import type { Pod, PodOwner, Tree } from "../shapes.ts";
import { controllerOf } from "../shapes.ts";
import type { Actor } from "./actor.ts";
import { podFrom, templateHash } from "./actor.ts";

const HASH = "controller-revision-hash";

/** Reconciles StatefulSets: ordered pods with their claims, a ControllerRevision per template, rolling updates from the last pod. */
export function createStatefulSetController(actor: Actor): (object: KubeObject) => void {
  return (object) => {
    const set = object as PodOwner;
    if (set.metadata.deletionTimestamp !== undefined) return;
    const revision = ensureRevision(actor, set);
    advance(actor, set, revision);
    report(actor, set, revision);
  };
}

/** The ControllerRevision of the template, made or raised to be the newest. */
export function ensureRevision(actor: Actor, owner: PodOwner): string {
  const { metadata, spec } = owner;
  const hash = templateHash(spec.template);
  const name = `${metadata.name}-${hash}`;
  const known = actor.owned("ControllerRevision", owner) as (KubeObject & { revision: number })[];
  const newest = Math.max(0, ...known.map((each) => each.revision));
  const found = known.find((each) => each.metadata.name === name);
  if (found === undefined) {
    const data = { spec: { template: { ...structuredClone(spec.template), $patch: "replace" } } };
    const labels = { ...spec.template.metadata?.labels, [HASH]: hash };
    actor.create({
      apiVersion: "apps/v1",
      kind: "ControllerRevision",
      metadata: { name, namespace: metadata.namespace ?? "", labels, ownerReferences: [controllerOf(owner)] },
      data,
      revision: newest + 1,
    });
  } else if (found.revision < newest) actor.update(found, { revision: newest + 1 });
  return name;
}

function podsOf(actor: Actor, set: PodOwner): Map<number, Pod> {
  const pods = (actor.owned("Pod", set) as Pod[]).map((pod): [number, Pod] => [
    Number(pod.metadata.name.split("-").at(-1)),
    pod,
  ]);
  return new Map(pods);
}

function advance(actor: Actor, set: PodOwner, revision: string): void {
  const { spec, metadata } = set;
  const replicas = spec.replicas ?? 1;
  const pods = podsOf(actor, set);
  const ordered = spec.podManagementPolicy !== "Parallel";
  for (let ordinal = 0; ordinal < replicas; ordinal += 1) {
    const pod = pods.get(ordinal);
    if (pod === undefined) {
      createPod(actor, set, ordinal, revision);
      if (ordered) return;
    } else if (pod.status?.phase === "Failed" || pod.status?.phase === "Succeeded") {
      if (pod.metadata.deletionTimestamp === undefined) actor.remove(pod);
      if (ordered) return;
    } else if (ordered && (!isReady(pod) || pod.metadata.deletionTimestamp !== undefined)) return;
  }
  const surplus = [...pods.keys()].filter((ordinal) => ordinal >= replicas).sort((a, b) => b - a);
  for (const ordinal of surplus) {
    const pod = pods.get(ordinal);
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return;
    actor.remove(pod);
    actor.events.normal(
      set,
      "SuccessfulDelete",
      `Delete Pod ${pod.metadata.name} in StatefulSet ${metadata.name} successful`,
    );
    if (ordered) return;
  }
  const strategy = spec.updateStrategy as { type?: string; rollingUpdate?: { partition?: number } };
  if (strategy.type !== "RollingUpdate") return;
  for (let ordinal = replicas - 1; ordinal >= (strategy.rollingUpdate?.partition ?? 0); ordinal -= 1) {
    const pod = pods.get(ordinal);
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return;
    if (`${metadata.name}-${pod.metadata.labels?.[HASH]}` !== revision && pod.metadata.labels?.[HASH] !== revision) {
      actor.remove(pod);
      actor.events.normal(
        set,
        "SuccessfulDelete",
        `Delete Pod ${pod.metadata.name} in StatefulSet ${metadata.name} successful`,
      );
      return;
    }
    if (!isReady(pod)) return;
  }
}

function createPod(actor: Actor, set: PodOwner, ordinal: number, revision: string): void {
  const name = `${set.metadata.name}-${ordinal}`;
  const labels = {
    "apps.kubernetes.io/pod-index": String(ordinal),
    [HASH]: revision,
    "statefulset.kubernetes.io/pod-name": name,
  };
  const pod = podFrom(set, { name }, labels) as Pod;
  const templates = (set.spec.volumeClaimTemplates ?? []) as KubeObject[];
  for (const template of templates) {
    const claimName = `${template.metadata.name}-${name}`;
    const namespace = set.metadata.namespace ?? "";
    if (actor.get("PersistentVolumeClaim", namespace, claimName) === undefined) {
      actor.create({
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: claimName, namespace, labels: set.spec.selector.matchLabels ?? {} },
        spec: structuredClone(template.spec),
      });
    }
    pod.spec.volumes = [
      ...(pod.spec.volumes ?? []),
      { name: template.metadata.name, persistentVolumeClaim: { claimName } },
    ];
  }
  try {
    actor.create({
      ...pod,
      spec: {
        ...pod.spec,
        hostname: name,
        ...(set.spec.serviceName === undefined ? {} : { subdomain: set.spec.serviceName }),
      },
    });
    actor.events.normal(set, "SuccessfulCreate", `Create Pod ${name} in StatefulSet ${set.metadata.name} successful`);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    actor.events.warning(
      set,
      "FailedCreate",
      `Create Pod ${name} in StatefulSet ${set.metadata.name} failed error: ${error.message}`,
    );
  }
}

function report(actor: Actor, stale: PodOwner, revision: string): void {
  const set = actor.get("StatefulSet", stale.metadata.namespace ?? "", stale.metadata.name) as PodOwner | undefined;
  if (set === undefined) return;
  const pods = [...podsOf(actor, set).values()].filter((pod) => pod.metadata.deletionTimestamp === undefined);
  const ready = pods.filter(isReady).length;
  const updated = pods.filter((pod) => pod.metadata.labels?.[HASH] === revision).length;
  const done = updated === (set.spec.replicas ?? 1) && ready === updated;
  const before = (set.status as Tree | undefined)?.currentRevision;
  const currentRevision = done || before === undefined ? revision : String(before);
  const current = pods.filter((pod) => pod.metadata.labels?.[HASH] === currentRevision).length;
  actor.status(set, {
    observedGeneration: set.metadata.generation ?? 1,
    replicas: pods.length,
    ...(ready > 0 ? { readyReplicas: ready } : {}),
    ...(current > 0 ? { currentReplicas: current } : {}),
    ...(updated > 0 ? { updatedReplicas: updated } : {}),
    currentRevision,
    updateRevision: revision,
    collisionCount: 0,
    availableReplicas: ready,
  });
}
