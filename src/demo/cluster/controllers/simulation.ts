import type { KubeObject } from "../../../model.ts";
import { createKubelet, type Kubelet, registerNode } from "../kubelet/kubelet.ts";
import type { Logs } from "../kubelet/logs.ts";
import type { ImageRegistry } from "../programs.ts";
import type { Api } from "../server/api.ts";
import type { Change } from "../server/store.ts";
import type { Pod } from "../shapes.ts";
import { createActor } from "./actor.ts";
import { createBatchControllers } from "./batch.ts";
import { createDaemonSetController } from "./daemon-set.ts";
import { createDeploymentController } from "./deployment.ts";
import { createReplicaSetController } from "./replica-set.ts";
import { createScheduler } from "./scheduler.ts";
import { createStatefulSetController } from "./stateful-set.ts";
import { createUpkeep } from "./upkeep.ts";

const LATENCY_SECONDS = 0.05;
const NODE = "embedded";

export interface Simulation {
  stop(): void;
  mute(work: () => void): void;
  settle(object: KubeObject): void;
  /** The status with which a pod answers an HTTP GET; null: nothing listens there. */
  answer(pod: Pod, port: number, path: string): 200 | 404 | null;
  /** Runs a command in a container; null: it does not run. */
  exec: Kubelet["exec"];
}

/**
 * The controllers, the scheduler and the kubelet of the embedded cluster. They are level-based: a change of an object
 * wakes the reconciler of its kind and of its controller a moment later, which compares what is with what should be.
 */
export function startSimulation(api: Api, parts: { registry: ImageRegistry; logs: Logs }): Simulation {
  const manager = "kube-controller-manager";
  const kubeletActor = createActor(api, "kubelet", "kubelet");
  const kubelet = createKubelet({ ...parts, actor: kubeletActor, pulled: new Set() }, NODE);
  const jobs = createBatchControllers(
    createActor(api, manager, "job-controller"),
    createActor(api, manager, "cronjob-controller"),
  );
  const schedule = createScheduler(createActor(api, "kube-scheduler", "default-scheduler"));
  const upkeep = createUpkeep(api);
  const reconcilers: Record<string, (object: KubeObject) => void> = {
    Deployment: createDeploymentController(createActor(api, manager, "deployment-controller")),
    ReplicaSet: createReplicaSetController(createActor(api, manager, "replicaset-controller")),
    StatefulSet: createStatefulSetController(createActor(api, manager, "statefulset-controller")),
    DaemonSet: createDaemonSetController(createActor(api, manager, "daemonset-controller")),
    Job: jobs.job,
    CronJob: jobs.cronJob,
    Pod: schedule,
    ...upkeep.reconcilers,
  };

  function wake(apiVersion: string, kind: string, namespace: string, name: string): void {
    const reconcile = reconcilers[kind];
    if (reconcile === undefined) return;
    api.timeline.after(LATENCY_SECONDS, `${kind}/${namespace}/${name}`, () => {
      const object = api.store.get(api.kinds.of({ apiVersion, kind }), namespace, name);
      if (object !== undefined) reconcile(object);
    });
  }

  function onChange({ object, type }: Change): void {
    const { apiVersion, kind, metadata } = object;
    if (kind === "Event") return;
    if (type !== "DELETED") wake(apiVersion, kind, metadata.namespace ?? "", metadata.name);
    for (const owner of metadata.ownerReferences ?? []) {
      if (owner.controller === true) wake(owner.apiVersion, owner.kind, metadata.namespace ?? "", owner.name);
    }
    if (kind === "Pod") kubelet.touch(object as Pod);
    upkeep.changed(object, type, wake);
  }

  let muted = false;
  const unsubscribe = api.store.subscribe((change) => {
    if (!muted) onChange(change);
  });
  registerNode(kubeletActor, NODE);
  return {
    stop: unsubscribe,
    answer: kubelet.answer,
    exec: kubelet.exec,
    /** Reconciles an object now. */
    settle(object) {
      const current = api.store.get(api.kinds.of(object), object.metadata.namespace ?? "", object.metadata.name);
      if (current !== undefined) reconcilers[object.kind]?.(current);
    },
    mute(work) {
      muted = true;
      try {
        work();
      } finally {
        muted = false;
      }
    },
  };
}
