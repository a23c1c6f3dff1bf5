import type { KubeObject } from "../../../model.ts";
import type { Condition, PodOwner, PodTemplate } from "../shapes.ts";
import { controllerOf, same } from "../shapes.ts";
import type { Actor } from "./actor.ts";
import { conditionOf, templateHash, withCondition } from "./actor.ts";

const REVISION = "deployment.kubernetes.io/revision";
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

interface Limits {
  readonly desired: number;
  readonly surge: number;
  readonly unavailable: number;
}

/** Reconciles Deployments: revisions as ReplicaSets, rolling updates, status and conditions. */
export function createDeploymentController(actor: Actor): (object: KubeObject) => void {
  // When each Deployment last made progress: conditions know whole seconds only.
  const progressAt = new Map<string, number>();
  const { timeline, events } = actor;

  function reconcile(object: KubeObject): void {
    const deployment = object as PodOwner;
    if (deployment.metadata.deletionTimestamp !== undefined) return;
    const sets = (actor.owned("ReplicaSet", deployment) as PodOwner[]).sort((a, b) => revisionOf(a) - revisionOf(b));
    const hash = templateHash(deployment.spec.template);
    let current = sets.find((set) => same(templateOf(set), deployment.spec.template));
    let created = false;
    // Paused, it goes on counting, and keeps the number of pods where there is only one revision to have them.
    if (deployment.spec.paused === true) {
      const active = sets.filter((set) => (set.spec.replicas ?? 0) > 0);
      const [only] = active.length === 1 ? active : [];
      if (only !== undefined) scale(deployment, only, limitsOf(deployment).desired);
    } else {
      const recreate = (deployment.spec.strategy as { type?: string }).type === "Recreate";
      const old = sets.filter((set) => set !== current);
      if (recreate && old.some((set) => (set.spec.replicas ?? 0) > 0 || count(set, "replicas") > 0)) {
        for (const set of old) scale(deployment, set, 0);
        report(deployment, current, sets, false);
        return;
      }
      const revision = Math.max(0, ...old.map(revisionOf)) + 1;
      if (current === undefined) {
        current = createSet(deployment, hash, revision, limitsOf(deployment), sets);
        created = true;
      } else if (revisionOf(current) < revision) current = setRevision(current, revision);
      annotate(deployment, revisionOf(current));
      roll(deployment, current, old, limitsOf(deployment));
      prune(deployment, current);
    }
    const fresh = actor.owned("ReplicaSet", deployment) as PodOwner[];
    const name = current?.metadata.name;
    report(
      deployment,
      fresh.find((set) => set.metadata.name === name),
      fresh,
      created,
    );
  }

  function createSet(
    deployment: PodOwner,
    hash: string,
    revision: number,
    limits: Limits,
    sets: readonly PodOwner[],
  ): PodOwner {
    const { metadata, spec } = deployment;
    const total = sets.reduce((sum, set) => sum + (set.spec.replicas ?? 0), 0);
    const replicas = Math.max(0, Math.min(limits.desired, limits.desired + limits.surge - total));
    const labels = { ...spec.template.metadata?.labels, "pod-template-hash": hash };
    const name = `${metadata.name}-${hash}`;
    const set = actor.create({
      apiVersion: "apps/v1",
      kind: "ReplicaSet",
      metadata: {
        name,
        ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
        labels,
        annotations: annotationsOf(deployment, limits, revision),
        ownerReferences: [controllerOf(deployment)],
      },
      spec: {
        replicas,
        selector: { ...spec.selector, matchLabels: { ...spec.selector.matchLabels, "pod-template-hash": hash } },
        template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
        ...(spec.minReadySeconds === undefined ? {} : { minReadySeconds: spec.minReadySeconds }),
      },
    });
    if (replicas > 0)
      events.normal(deployment, "ScalingReplicaSet", `Scaled up replica set ${name} from 0 to ${replicas}`);
    return set as PodOwner;
  }

  function annotationsOf(deployment: PodOwner, limits: Limits, revision: number): Record<string, string> {
    const { [LAST_APPLIED]: _, [REVISION]: __, ...own } = deployment.metadata.annotations ?? {};
    return {
      ...own,
      "deployment.kubernetes.io/desired-replicas": String(limits.desired),
      "deployment.kubernetes.io/max-replicas": String(limits.desired + limits.surge),
      [REVISION]: String(revision),
    };
  }

  function setRevision(set: PodOwner, revision: number): PodOwner {
    return actor.update(set, {
      metadata: { ...set.metadata, annotations: { ...set.metadata.annotations, [REVISION]: String(revision) } },
    }) as PodOwner;
  }

  function annotate(deployment: PodOwner, revision: number): void {
    if (deployment.metadata.annotations?.[REVISION] === String(revision)) return;
    actor.update(deployment, {
      metadata: {
        ...deployment.metadata,
        annotations: { ...deployment.metadata.annotations, [REVISION]: String(revision) },
      },
    });
  }

  function scale(deployment: PodOwner, set: PodOwner, replicas: number): void {
    const from = set.spec.replicas ?? 0;
    if (from === replicas) return;
    actor.update(set, { spec: { ...set.spec, replicas } });
    events.normal(
      deployment,
      "ScalingReplicaSet",
      `Scaled ${replicas > from ? "up" : "down"} replica set ${set.metadata.name} from ${from} to ${replicas}`,
    );
  }

  /** One step of a rolling update: new pods as maxSurge allows, old ones go as maxUnavailable allows, sick ones first. */
  function roll(deployment: PodOwner, current: PodOwner, old: readonly PodOwner[], limits: Limits): void {
    const live = actor.owned("ReplicaSet", deployment) as PodOwner[];
    const total = live.reduce((sum, set) => sum + (set.spec.replicas ?? 0), 0);
    const present = live.find((set) => set.metadata.name === current.metadata.name) ?? current;
    const wanted = present.spec.replicas ?? 0;
    const oldTotal = old.reduce((sum, set) => sum + (set.spec.replicas ?? 0), 0);
    if (wanted > limits.desired || oldTotal === 0) {
      scale(deployment, present, limits.desired);
      return;
    }
    const room = limits.desired + limits.surge - total;
    if (wanted < limits.desired && room > 0) {
      scale(deployment, present, wanted + Math.min(room, limits.desired - wanted));
      return;
    }
    const leastAvailable = limits.desired - limits.unavailable;
    let spare = total - leastAvailable - (wanted - count(present, "availableReplicas"));
    for (const set of old) {
      const has = set.spec.replicas ?? 0;
      const sick = Math.min(spare, Math.max(0, has - count(set, "availableReplicas")));
      if (sick <= 0) continue;
      scale(deployment, set, has - sick);
      spare -= sick;
    }
    let available = live.reduce((sum, set) => sum + count(set, "availableReplicas"), 0) - leastAvailable;
    for (const stale of old) {
      const set = actor.get("ReplicaSet", stale.metadata.namespace ?? "", stale.metadata.name) as PodOwner | undefined;
      const has = set?.spec.replicas ?? 0;
      const down = Math.min(has, available);
      if (set === undefined || down <= 0) continue;
      scale(deployment, set, has - down);
      available -= down;
    }
  }

  function prune(deployment: PodOwner, current: PodOwner): void {
    const keep = Number(deployment.spec.revisionHistoryLimit ?? 10);
    const idle = (actor.owned("ReplicaSet", deployment) as PodOwner[])
      .filter(
        (set) => set.metadata.name !== current.metadata.name && set.spec.replicas === 0 && count(set, "replicas") === 0,
      )
      .sort((a, b) => revisionOf(a) - revisionOf(b));
    for (const set of idle.slice(0, Math.max(0, idle.length - keep))) actor.remove(set);
  }

  function report(stale: PodOwner, current: PodOwner | undefined, sets: readonly PodOwner[], created: boolean): void {
    const deployment = actor.get("Deployment", stale.metadata.namespace ?? "", stale.metadata.name) as
      | PodOwner
      | undefined;
    if (deployment === undefined) return;
    const limits = limitsOf(deployment);
    const sum = (field: string): number => sets.reduce((total, set) => total + count(set, field), 0);
    const updated = current === undefined ? 0 : count(current, "replicas");
    const counts = {
      replicas: sum("replicas"),
      updatedReplicas: updated,
      readyReplicas: sum("readyReplicas"),
      availableReplicas: sum("availableReplicas"),
      unavailableReplicas: Math.max(
        0,
        sets.reduce((total, set) => total + (set.spec.replicas ?? 0), 0) - sum("availableReplicas"),
      ),
    };
    const stamp = timeline.stamp();
    let conditions = [...(deployment.status?.conditions ?? [])];
    const enough = counts.availableReplicas >= limits.desired - limits.unavailable;
    conditions = withCondition(
      conditions,
      enough
        ? {
            type: "Available",
            status: "True",
            reason: "MinimumReplicasAvailable",
            message: "Deployment has minimum availability.",
          }
        : {
            type: "Available",
            status: "False",
            reason: "MinimumReplicasUnavailable",
            message: "Deployment does not have minimum availability.",
          },
      stamp,
    );
    const progress = progressing(deployment, current, counts, created);
    if (progress !== undefined) conditions = withCondition(conditions, progress, stamp);
    const failure = sets.map((set) => conditionOf(set, "ReplicaFailure")).find((condition) => condition !== undefined);
    conditions =
      failure === undefined
        ? conditions.filter((each) => each.type !== "ReplicaFailure")
        : withCondition(conditions, failure, stamp);
    const nonZero = Object.fromEntries(Object.entries(counts).filter(([, value]) => value > 0));
    actor.status(deployment, {
      observedGeneration: deployment.metadata.generation ?? 1,
      ...nonZero,
      terminatingReplicas: 0,
      conditions,
    });
  }

  function progressing(
    deployment: PodOwner,
    current: PodOwner | undefined,
    counts: Record<string, number>,
    created: boolean,
  ): Condition | undefined {
    const uid = deployment.metadata.uid ?? "";
    const limits = limitsOf(deployment);
    const before = conditionOf(deployment, "Progressing");
    const name = current?.metadata.name ?? "";
    const said = (status: string, reason: string, message: string): Condition => ({
      type: "Progressing",
      status,
      reason,
      message,
    });
    if (created) {
      progressAt.set(uid, timeline.now());
      recheck(deployment);
      return said("True", "NewReplicaSetCreated", `Created new replica set "${name}"`);
    }
    if (deployment.spec.paused === true) {
      // What it was timed out for stays said.
      if (before?.reason === "ProgressDeadlineExceeded") return undefined;
      return said("Unknown", "DeploymentPaused", "Deployment is paused");
    }
    if (before?.reason === "DeploymentPaused") {
      progressAt.set(uid, timeline.now());
      recheck(deployment);
      return said("Unknown", "DeploymentResumed", "Deployment is resumed");
    }
    const old = deployment.status ?? {};
    const complete =
      current !== undefined &&
      counts.updatedReplicas === limits.desired &&
      counts.replicas === limits.desired &&
      counts.availableReplicas === limits.desired;
    if (complete) return said("True", "NewReplicaSetAvailable", `ReplicaSet "${name}" has successfully progressed.`);
    // A complete rollout stays complete for this template, whatever becomes of its pods.
    if (before?.reason === "NewReplicaSetAvailable" && before.message?.includes(`"${name}"`)) return undefined;
    const oldReplicas = Number(old.replicas ?? 0) - Number(old.updatedReplicas ?? 0);
    const moved =
      (counts.updatedReplicas ?? 0) > Number(old.updatedReplicas ?? 0) ||
      (counts.replicas ?? 0) - (counts.updatedReplicas ?? 0) < oldReplicas ||
      (counts.readyReplicas ?? 0) > Number(old.readyReplicas ?? 0) ||
      (counts.availableReplicas ?? 0) > Number(old.availableReplicas ?? 0);
    if (moved || (before?.reason === "NewReplicaSetAvailable" && current !== undefined)) {
      progressAt.set(uid, timeline.now());
      recheck(deployment);
      return said("True", "ReplicaSetUpdated", `ReplicaSet "${name}" is progressing.`);
    }
    const since = progressAt.get(uid);
    if (since === undefined) progressAt.set(uid, timeline.now());
    if (since === undefined || timeline.secondsSince(since) <= Number(deployment.spec.progressDeadlineSeconds)) {
      recheck(deployment);
      return undefined;
    }
    return said("False", "ProgressDeadlineExceeded", `ReplicaSet "${name}" has timed out progressing.`);
  }

  function recheck({ metadata, spec }: PodOwner): void {
    const again = (): void => {
      const deployment = actor.get("Deployment", metadata.namespace ?? "", metadata.name);
      if (deployment?.metadata.uid === metadata.uid && deployment !== undefined) reconcile(deployment);
    };
    timeline.after(Number(spec.progressDeadlineSeconds) + 0.2, `deadline/${metadata.uid}`, again);
  }

  return reconcile;
}

function revisionOf(set: PodOwner): number {
  return Number(set.metadata.annotations?.[REVISION] ?? 0);
}

function count(set: PodOwner, field: string): number {
  return Number(set.status?.[field] ?? 0);
}

/** A ReplicaSet's template as its Deployment has it. */
function templateOf(set: PodOwner): PodTemplate {
  const { "pod-template-hash": _, ...labels } = set.spec.template.metadata?.labels ?? {};
  return { ...set.spec.template, metadata: { ...set.spec.template.metadata, labels } };
}

function limitsOf(deployment: PodOwner): Limits {
  const desired = deployment.spec.replicas ?? 1;
  const strategy = deployment.spec.strategy as {
    type?: string;
    rollingUpdate?: { maxSurge?: number | string; maxUnavailable?: number | string };
  };
  if (strategy.type === "Recreate") return { desired, surge: 0, unavailable: 0 };
  const amount = (value: number | string | undefined, round: (of: number) => number): number =>
    typeof value === "string" ? round((Number.parseInt(value, 10) / 100) * desired) : (value ?? 0);
  const surge = amount(strategy.rollingUpdate?.maxSurge, Math.ceil);
  const unavailable = amount(strategy.rollingUpdate?.maxUnavailable, Math.floor);
  return { desired, surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}
