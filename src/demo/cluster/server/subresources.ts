import type { KubeObject } from "../../../model.ts";
import type { Logs } from "../kubelet/logs.ts";
import type { LabelSelector, Pod, PodOwner } from "../shapes.ts";
import { isTree } from "../shapes.ts";
import type { Api } from "./api.ts";
import { disruptionRefused } from "./api.ts";
import { badRequest } from "./api-error.ts";
import { matchesSelector } from "./selectors.ts";

/** GET pods/NAME/log: text, or an ApiError in the kubelet's words. `empty` (204) for a pod that has no node. */
export function readLog(pod: Pod, logs: Logs, params: URLSearchParams): { empty: boolean; text: string } {
  const { name } = pod.metadata;
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  const asked = params.get("container") ?? "";
  if (asked === "" && pod.spec.containers.length > 1) {
    const choices = containers.map((container) => container.name).join(" ");
    throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${choices}]`);
  }
  const container = asked === "" ? (pod.spec.containers[0]?.name ?? "") : asked;
  if (!containers.some((each) => each.name === container))
    throw badRequest(`container ${container} is not valid for pod ${name}`);
  if (pod.spec.nodeName === undefined) return { empty: true, text: "" };
  const previous = params.get("previous") === "true";
  const lines = logs.read(pod.metadata.uid ?? "", container, previous);
  if (lines === undefined) {
    if (previous) throw badRequest(`previous terminated container "${container}" in pod "${name}" not found`);
    throw badRequest(`container "${container}" in pod "${name}" is waiting to start: ${waitingText(pod, container)}`);
  }
  const tail = params.get("tailLines");
  const kept = tail === null ? lines : Number(tail) === 0 ? [] : lines.slice(-Number(tail));
  let text = kept.map((line) => `${line}\n`).join("");
  const bytes = Number(params.get("limitBytes") ?? 0);
  if (bytes > 0) text = Buffer.from(text).subarray(0, bytes).toString();
  return { empty: false, text };
}

function waitingText(pod: Pod, container: string): string {
  const statuses = [
    ...(pod.status?.containerStatuses ?? []),
    ...((pod.status?.initContainerStatuses as unknown[] | undefined) ?? []),
  ];
  const status = statuses.find((each) => isTree(each) && each.name === container);
  const state = isTree(status) && isTree(status.state) ? status.state : {};
  const reason = isTree(state.waiting) ? String(state.waiting.reason) : "ContainerCreating";
  if (reason === "ErrImagePull") return "image can't be pulled";
  return reason === "ImagePullBackOff" ? "trying and failing to pull image" : reason;
}

/** POST pods/NAME/eviction: deletes the pod when every PodDisruptionBudget that covers it allows it. Throws ApiError 429. */
export function evict(api: Api, pod: Pod, body: unknown, dryRun: boolean): Record<string, unknown> {
  const options = isTree(body) && isTree(body.deleteOptions) ? body.deleteOptions : {};
  const dry = dryRun || (Array.isArray(options.dryRun) && options.dryRun.includes("All"));
  const ready = isReady(pod);
  for (const budget of api.store.list(
    api.kinds.of({ apiVersion: "policy/v1", kind: "PodDisruptionBudget" }),
    pod.metadata.namespace,
  )) {
    const spec = budget.spec as { selector?: LabelSelector; unhealthyPodEvictionPolicy?: string };
    if (!matchesSelector(spec.selector, pod.metadata.labels) || pod.metadata.deletionTimestamp !== undefined) continue;
    // One that does not run disrupts nothing.
    if (pod.status?.phase !== "Running") continue;
    const status = budgetStatus(api, budget);
    const enough = status.currentHealthy >= status.desiredHealthy && status.desiredHealthy > 0;
    if (!ready && (spec.unhealthyPodEvictionPolicy === "AlwaysAllow" || enough)) continue;
    if (status.disruptionsAllowed <= 0)
      throw disruptionRefused(budget.metadata.name, status.desiredHealthy, status.currentHealthy);
  }
  const grace = options.gracePeriodSeconds;
  api.remove(api.kinds.of(pod), pod, {
    dryRun: dry,
    ...(typeof grace === "number" ? { gracePeriodSeconds: grace } : {}),
  });
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };
}

export function isReady(pod: Pod): boolean {
  return (
    pod.status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") === true
  );
}

/** What a PodDisruptionBudget allows now (its status). */
export function budgetStatus(
  api: Api,
  budget: KubeObject,
): { disruptionsAllowed: number; currentHealthy: number; desiredHealthy: number; expectedPods: number } {
  const spec = budget.spec as {
    selector?: LabelSelector;
    minAvailable?: number | string;
    maxUnavailable?: number | string;
  };
  const pods = (
    api.store.list(api.kinds.of({ apiVersion: "v1", kind: "Pod" }), budget.metadata.namespace) as Pod[]
  ).filter(
    (pod) => matchesSelector(spec.selector, pod.metadata.labels) && pod.metadata.deletionTimestamp === undefined,
  );
  const currentHealthy = pods.filter(isReady).length;
  const expectedPods = pods.length;
  const amount = (value: number | string): number =>
    typeof value === "number" ? value : Math.ceil((Number.parseInt(value, 10) / 100) * expectedPods);
  const desiredHealthy =
    spec.minAvailable !== undefined
      ? amount(spec.minAvailable)
      : Math.max(0, expectedPods - amount(spec.maxUnavailable ?? 0));
  return {
    disruptionsAllowed: Math.max(0, currentHealthy - desiredHealthy),
    currentHealthy,
    desiredHealthy,
    expectedPods,
  };
}

/** The `scale` subresource of a workload. */
export function scaleOf(object: PodOwner): KubeObject {
  const { name, namespace = "", uid = "", resourceVersion = "", creationTimestamp = "" } = object.metadata;
  const labels = Object.entries(object.spec.selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: object.spec.replicas ?? 0 },
    status: { replicas: Number(object.status?.replicas ?? 0), selector: labels.join(",") },
  };
}
