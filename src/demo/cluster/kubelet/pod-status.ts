import { qosClass } from "../server/defaults.ts";
import type { Condition, Pod, Tree } from "../shapes.ts";
import type { Box } from "./box.ts";

/** What the kubelet says of a pod. */
export interface PodView {
  readonly boxes: readonly Box[];
  /** RFC 3339; when the kubelet first saw the pod. */
  readonly startTime: string;
  readonly ip: string | undefined;
  readonly hostIP: string;
}

/** status.phase, from the states of the containers. */
export function phaseOf(pod: Pod, boxes: readonly Box[]): string {
  const policy = pod.spec.restartPolicy ?? "Always";
  const init = boxes.filter((box) => box.init);
  const main = boxes.filter((box) => !box.init);
  if (policy === "Never" && init.some((box) => (box.state.terminated?.exitCode ?? 0) !== 0)) return "Failed";
  const over = (box: Box): boolean =>
    box.state.terminated !== undefined &&
    (policy === "Never" || (policy === "OnFailure" && box.state.terminated.exitCode === 0));
  if (main.length > 0 && main.every(over))
    return main.every((box) => box.state.terminated?.exitCode === 0) ? "Succeeded" : "Failed";
  return main.some((box) => box.state.waiting === undefined || box.last !== undefined) ? "Running" : "Pending";
}

/** The status the kubelet writes (kubelet's generateAPIPodStatus), with the transition times of the one before. */
export function podStatus(pod: Pod, view: PodView, stamp: string): Tree {
  const { boxes, ip, hostIP } = view;
  const phase = phaseOf(pod, boxes);
  const generation = pod.metadata.generation ?? 1;
  const conditions = conditionsOf(pod, view, phase).map((condition): Condition => {
    const old = pod.status?.conditions?.find((each) => each.type === condition.type);
    const lastTransitionTime = old?.status === condition.status ? (old.lastTransitionTime ?? stamp) : stamp;
    const { type, status, ...why } = condition;
    return { type, observedGeneration: generation, status, lastProbeTime: null, lastTransitionTime, ...why };
  });
  const statuses = (init: boolean): Tree[] =>
    boxes.filter((box) => box.init === init).map((box) => containerStatus(box));
  const init = statuses(true);
  const scheduled = pod.status?.conditions?.find((condition) => condition.type === "PodScheduled");
  return {
    observedGeneration: generation,
    phase,
    conditions: scheduled === undefined ? conditions : [...conditions, scheduled],
    hostIP,
    hostIPs: [{ ip: hostIP }],
    ...(ip === undefined ? {} : { podIP: ip, podIPs: [{ ip }] }),
    startTime: view.startTime,
    ...(init.length === 0 ? {} : { initContainerStatuses: init }),
    containerStatuses: statuses(false).sort((a, b) => (String(a.name) < String(b.name) ? -1 : 1)),
    qosClass: qosClass(pod.spec),
  };
}

function conditionsOf(pod: Pod, { boxes, ip }: PodView, phase: string): Condition[] {
  const over = phase === "Succeeded" || phase === "Failed";
  const pending = boxes.filter((box) => box.init && !isInitialised(box)).map((box) => box.name);
  const unready = boxes.filter((box) => !box.init && !box.ready).map((box) => box.name);
  const no = (type: string, reason: string, message?: string): Condition => ({
    type,
    status: "False",
    reason,
    ...(message === undefined ? {} : { message }),
  });
  const why = phase === "Succeeded" ? "PodCompleted" : "PodFailed";
  const unreadyText = `containers with unready status: [${unready.join(" ")}]`;
  const gates = (pod.spec as { readinessGates?: unknown[] }).readinessGates ?? [];
  const ready = (type: string): Condition => {
    if (over) return no(type, why);
    if (unready.length > 0) return no(type, "ContainersNotReady", unreadyText);
    if (type === "Ready" && gates.length > 0)
      return no(type, "ReadinessGatesNotReady", "corresponding condition of pod readiness gate does not exist.");
    return { type, status: "True" };
  };
  return [
    { type: "PodReadyToStartContainers", status: ip === undefined || over ? "False" : "True" },
    pending.length > 0
      ? no("Initialized", "ContainersNotInitialized", `containers with incomplete status: [${pending.join(" ")}]`)
      : { type: "Initialized", status: "True", ...(phase === "Succeeded" ? { reason: "PodCompleted" } : {}) },
    ready("Ready"),
    ready("ContainersReady"),
  ];
}

/** Has an init container done its part? A sidecar has when it has started. */
export function isInitialised(box: Box): boolean {
  return box.container.restartPolicy === "Always" ? box.started : box.state.terminated?.exitCode === 0;
}

function containerStatus(box: Box): Tree {
  const { container, state } = box;
  const { requests, limits } = container.resources ?? {};
  const made = box.id !== "";
  return {
    name: box.name,
    state: structuredClone(state),
    lastState: box.last === undefined ? {} : { terminated: box.last },
    ready: box.init && state.terminated?.exitCode === 0 ? true : box.ready,
    restartCount: box.restarts,
    image: box.image === "" ? (container.image ?? "") : box.image,
    imageID: box.imageId,
    ...(made ? { containerID: box.id } : {}),
    started: box.started,
    ...(made && requests !== undefined ? { allocatedResources: requests } : {}),
    ...(made
      ? { resources: { ...(limits === undefined ? {} : { limits }), ...(requests === undefined ? {} : { requests }) } }
      : {}),
    volumeMounts: (container.volumeMounts ?? []).map(({ name, mountPath, readOnly }) =>
      readOnly === true ? { name, mountPath, readOnly, recursiveReadOnly: "Disabled" } : { name, mountPath },
    ),
  };
}
