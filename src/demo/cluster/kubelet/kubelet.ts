import type { Actor } from "../controllers/actor.ts";
import type { Pod } from "../shapes.ts";
import type { Box } from "./box.ts";
import { newBox } from "./box.ts";
import { mountVolumes } from "./container-config.ts";
import type { Runtime } from "./containers.ts";
import { stepContainer } from "./containers.ts";
import { isInitialised, phaseOf, podStatus } from "./pod-status.ts";
import { answerOf, nextProbe } from "./probing.ts";

/** What the kubelet remembers of a pod. */
interface Tenant {
  readonly boxes: Box[];
  readonly startTime: string;
  ip: string | undefined;
  /** When the sandbox is tried next, and how often its volumes failed. */
  sandboxAt: number;
  mountFailures: number;
  /** Set once the pod is being deleted: when its containers are gone. */
  goneAt: number | undefined;
}

export interface Kubelet {
  /** Something about this pod changed: look at it now. */
  touch(pod: Pod): void;
  /** The status with which a pod of this node answers an HTTP GET; null: nothing listens there. */
  answer(pod: Pod, port: number, path: string): 200 | 404 | null;
  /** Runs a command in a container of this node; null: it does not run. */
  exec(pod: Pod, container: string, argv: readonly string[]): { readonly code: number; readonly output: string } | null;
}

const NO_SUCH_PROGRAM = { code: 127, output: "" };
const HOST_IP = "10.89.0.1";

/** Runs the pods that are bound to `node`. */
export function createKubelet(runtime: Runtime, node: string): Kubelet {
  const { actor, logs } = runtime;
  const { timeline } = actor;
  const tenants = new Map<string, Tenant>();
  let addresses = 1;

  function touch(pod: Pod): void {
    if (pod.spec.nodeName !== node) return;
    const { namespace = "", name, uid = "" } = pod.metadata;
    timeline.after(0.02, `kubelet/${uid}`, () => sync(namespace, name, uid));
  }

  function sync(namespace: string, name: string, uid: string): void {
    const pod = actor.get("Pod", namespace, name) as Pod | undefined;
    if (pod === undefined || pod.metadata.uid !== uid) {
      tenants.delete(uid);
      logs.forget(uid);
      return;
    }
    const tenant = tenants.get(uid) ?? admit(pod, uid);
    if (pod.metadata.deletionTimestamp !== undefined) {
      if (stop(pod, tenant)) return;
    } else step(pod, tenant);
    const current = actor.get("Pod", namespace, name) as Pod | undefined;
    if (current === undefined) return;
    actor.status(current, podStatus(current, { ...tenant, hostIP: HOST_IP }, timeline.stamp()));
    const due = nextDue(pod, tenant);
    if (Number.isFinite(due))
      timeline.at(Math.max(due, timeline.now() + 1), `kubelet/${uid}`, () => sync(namespace, name, uid));
  }

  function admit(pod: Pod, uid: string): Tenant {
    const now = timeline.now();
    const boxes = [
      ...(pod.spec.initContainers ?? []).map((container) => newBox(container, true, now)),
      ...pod.spec.containers.map((container) => newBox(container, false, now)),
    ];
    if (boxes.some((box) => box.init)) for (const box of boxes) box.state = { waiting: { reason: "PodInitializing" } };
    const tenant: Tenant = {
      boxes,
      startTime: timeline.stamp(),
      ip: undefined,
      sandboxAt: timeline.later(0.5),
      mountFailures: 0,
      goneAt: undefined,
    };
    tenants.set(uid, tenant);
    return tenant;
  }

  function step(pod: Pod, tenant: Tenant): void {
    const { boxes } = tenant;
    if (["Succeeded", "Failed"].includes(phaseOf(pod, boxes))) return;
    for (const box of boxes)
      box.container =
        [...(pod.spec.initContainers ?? []), ...pod.spec.containers].find((each) => each.name === box.name) ??
        box.container;
    if (tenant.ip === undefined && !makeSandbox(pod, tenant)) return;
    const ip = tenant.ip ?? "";
    for (const box of boxes.filter((each) => each.init)) {
      stepContainer(runtime, pod, box, boxes, ip);
      if (!isInitialised(box)) return;
    }
    for (const box of boxes.filter((each) => !each.init)) stepContainer(runtime, pod, box, boxes, ip);
  }

  function makeSandbox(pod: Pod, tenant: Tenant): boolean {
    if (tenant.sandboxAt > timeline.now()) return false;
    const first = pod.spec.containers[0];
    const mounted = first === undefined ? { files: {} } : mountVolumes(actor, pod, first);
    if ("problem" in mounted) {
      actor.events.warning(pod, "FailedMount", mounted.problem);
      tenant.sandboxAt = timeline.later(Math.min(122, 0.5 * 2 ** tenant.mountFailures));
      tenant.mountFailures += 1;
      return false;
    }
    addresses += 1;
    tenant.ip = `10.244.${Math.floor(addresses / 254)}.${(addresses % 254) + 1}`;
    return true;
  }

  /** Ends a pod that is being deleted; true when it is gone. */
  function stop(pod: Pod, tenant: Tenant): boolean {
    if (tenant.goneAt === undefined) {
      const running = tenant.boxes.filter((box) => box.state.running !== undefined);
      for (const box of running)
        actor.events.normal(
          pod,
          "Killing",
          `Stopping container ${box.name}`,
          `spec.${box.init ? "initContainers" : "containers"}{${box.name}}`,
        );
      const grace = Number(pod.metadata.deletionGracePeriodSeconds ?? 30);
      tenant.goneAt = timeline.later(running.length === 0 ? 0.1 : Math.min(grace, 0.8));
    }
    if (tenant.goneAt > timeline.now()) return false;
    actor.remove(pod, 0);
    tenants.delete(pod.metadata.uid ?? "");
    logs.forget(pod.metadata.uid ?? "");
    return true;
  }

  function nextDue(pod: Pod, tenant: Tenant): number {
    if (tenant.goneAt !== undefined) return tenant.goneAt;
    if (tenant.ip === undefined) return tenant.sandboxAt;
    if (["Succeeded", "Failed"].includes(phaseOf(pod, tenant.boxes))) return Number.POSITIVE_INFINITY;
    const waiting = tenant.boxes.find((box) => box.init && !isInitialised(box));
    const active = waiting === undefined ? tenant.boxes : [waiting];
    let due = Number.POSITIVE_INFINITY;
    for (const box of active) {
      if (box.state.running === undefined) due = Math.min(due, box.due);
      else due = Math.min(due, box.exit?.at ?? due, nextProbe(box));
    }
    return due;
  }

  return {
    touch,
    answer(pod, port, path) {
      const tenant = tenants.get(pod.metadata.uid ?? "");
      return tenant === undefined ? null : answerOf(tenant.boxes, port, path, timeline);
    },
    exec(pod, container, argv) {
      const box = tenants.get(pod.metadata.uid ?? "")?.boxes.find(({ name }) => name === container);
      if (box?.state.running === undefined) return null;
      return box.program?.exec?.(argv) ?? NO_SUCH_PROGRAM;
    },
  };
}

/** The node itself, as its kubelet registers it. */
export function registerNode(actor: Actor, name: string): void {
  const stamp = actor.timeline.stamp();
  const { create, status } = actor;
  const node = create({
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: { "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux" },
    },
    spec: { podCIDR: "10.244.0.0/16", podCIDRs: ["10.244.0.0/16"] },
  });
  const size = { cpu: "8", "ephemeral-storage": "264212084Ki", memory: "32Gi", pods: "500" };
  const healthy = [
    ["MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"],
    ["DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"],
    ["PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"],
    ["Ready", "True", "KubeletReady", "kubelet is posting ready status"],
  ];
  status(node, {
    capacity: size,
    allocatable: size,
    conditions: healthy.map(([type, state, reason, message]) => ({
      type,
      status: state,
      lastHeartbeatTime: stamp,
      lastTransitionTime: stamp,
      reason,
      message,
    })),
    addresses: [
      { type: "InternalIP", address: HOST_IP },
      { type: "Hostname", address: name },
    ],
    nodeInfo: {
      architecture: "amd64",
      operatingSystem: "linux",
      kubeletVersion: "v1.36.3",
      containerRuntimeVersion: "containerd://1.6.20",
      osImage: "embedded",
      kernelVersion: "",
      machineID: name,
      systemUUID: name,
      bootID: name,
      kubeProxyVersion: "",
    },
  });
}
