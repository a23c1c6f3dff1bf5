import type { Access } from "../ports.ts";

const patch = (group: string, resource: string): Access => ({ group, resource, verb: "patch" });

/** Of the workloads whose pod template can be changed in place. Bare pods let only their image be changed. */
export const PATCH_WORKLOADS: readonly Access[] = [
  patch("apps", "deployments"),
  patch("apps", "statefulsets"),
  patch("apps", "daemonsets"),
  patch("batch", "cronjobs"),
];

export const PATCH_DEPLOYMENTS: Access = patch("apps", "deployments");
export const PATCH_CRON_JOBS: Access = patch("batch", "cronjobs");
export const PATCH_PODS: Access = patch("", "pods");
export const PATCH_CONFIG_MAPS: Access = patch("", "configmaps");
export const PATCH_SCALERS: Access = patch("autoscaling", "horizontalpodautoscalers");
export const PATCH_SERVICES: Access = patch("", "services");
export const PATCH_INGRESSES: Access = patch("networking.k8s.io", "ingresses");
export const EVICT_PODS: Access = { group: "", resource: "pods", subresource: "eviction", verb: "create" };
/** Over a WebSocket a command is run by GET, which API servers before 1.35 authorize as `get`, and later ones as both. */
export const EXEC_PODS: readonly Access[] = ["create", "get"].map((verb) => ({
  group: "",
  resource: "pods",
  subresource: "exec",
  verb,
}));
