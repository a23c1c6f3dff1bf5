import type { KubeObject } from "../../../model.ts";
import type { Container, Pod, Quantities, Tree } from "../shapes.ts";
import { isTree } from "../shapes.ts";
import { forbidden } from "./api-error.ts";
import type { Kinds } from "./kinds.ts";
import { formatBytes, parseQuantity } from "./quantity.ts";
import type { Store } from "./store.ts";

interface Cluster {
  readonly kinds: Kinds;
  readonly store: Store;
}

const TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";

/** What admission does to a new pod: the service account's token volume, the defaults of LimitRanges. */
export function admitPod(pod: Pod, cluster: Cluster, suffix: string): void {
  const { spec } = pod;
  applyLimitRanges(pod, cluster);
  const all = [...spec.containers, ...(spec.initContainers ?? [])];
  if ((spec as { automountServiceAccountToken?: boolean }).automountServiceAccountToken === false) return;
  if (all.some((container) => container.volumeMounts?.some((mount) => mount.mountPath === TOKEN_PATH))) return;
  const name = `kube-api-access-${suffix}`;
  const sources = [
    { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
    { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
    {
      downwardAPI: { items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }] },
    },
  ];
  const volume: Tree & { name: string } = { name, projected: { sources, defaultMode: 420 } };
  spec.volumes = [...(spec.volumes ?? []), volume];
  for (const container of all) {
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: TOKEN_PATH }];
  }
}

function applyLimitRanges(pod: Pod, { kinds, store }: Cluster): void {
  for (const range of store.list(kinds.of({ apiVersion: "v1", kind: "LimitRange" }), pod.metadata.namespace)) {
    const limits = isTree(range.spec) && Array.isArray(range.spec.limits) ? range.spec.limits : [];
    for (const limit of limits) {
      if (!isTree(limit) || limit.type !== "Container") continue;
      for (const container of pod.spec.containers) limitContainer(pod, container, limit, kinds);
    }
  }
}

function limitContainer(pod: Pod, container: Container, limit: Tree, kinds: Kinds): void {
  const resources: Quantities = { ...container.resources };
  const limits = { ...(limit.default as Record<string, string> | undefined), ...resources.limits };
  const requests = {
    ...limits,
    ...(limit.defaultRequest as Record<string, string> | undefined),
    ...resources.requests,
  };
  if (Object.keys(limits).length > 0) resources.limits = limits;
  if (Object.keys(requests).length > 0) resources.requests = requests;
  container.resources = resources;
  for (const [name, most] of Object.entries((limit.max ?? {}) as Record<string, string>)) {
    const value = limits[name];
    if (value !== undefined && (parseQuantity(value) ?? 0) <= (parseQuantity(most) ?? 0)) continue;
    const said =
      value === undefined
        ? `maximum ${name} usage per Container is ${most}.  No limit is specified`
        : `maximum ${name} usage per Container is ${most}, but limit is ${value}`;
    throw forbidden(kinds.of({ apiVersion: "v1", kind: "Pod" }), pod.metadata.name, said);
  }
}

/** What one pod counts for in a ResourceQuota. */
function usage(pod: Pod): Record<string, number> {
  const used: Record<string, number> = { pods: 1, "count/pods": 1 };
  for (const { resources } of pod.spec.containers) {
    for (const kind of ["requests", "limits"] as const) {
      for (const [name, value] of Object.entries(resources?.[kind] ?? {})) {
        const amount = parseQuantity(value) ?? 0;
        for (const key of kind === "requests" ? [`requests.${name}`, name] : [`limits.${name}`])
          used[key] = (used[key] ?? 0) + amount;
      }
    }
  }
  return used;
}

function show(name: string, amount: number): string {
  if (name.endsWith("memory") || name.endsWith("storage")) return formatBytes(amount);
  return Number.isInteger(amount) ? String(amount) : `${Math.round(amount * 1000)}m`;
}

/** Hard limits and present use of a ResourceQuota (its status). */
export function quotaStatus(
  quota: KubeObject,
  { kinds, store }: Cluster,
): { hard: Record<string, string>; used: Record<string, string> } {
  const hard = (isTree(quota.spec) ? (quota.spec.hard ?? {}) : {}) as Record<string, string>;
  const total = quotaUse(quota, { kinds, store });
  return { hard, used: Object.fromEntries(Object.keys(hard).map((name) => [name, show(name, total[name] ?? 0)])) };
}

function quotaUse(quota: KubeObject, { kinds, store }: Cluster): Record<string, number> {
  const total: Record<string, number> = {};
  for (const pod of store.list(kinds.of({ apiVersion: "v1", kind: "Pod" }), quota.metadata.namespace) as Pod[]) {
    if (pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed") continue;
    for (const [name, amount] of Object.entries(usage(pod))) total[name] = (total[name] ?? 0) + amount;
  }
  return total;
}

/** Refuses (ApiError 403) a new pod that a ResourceQuota has no room for, in the words of the quota admission plugin. */
export function chargeQuota(pod: Pod, cluster: Cluster): void {
  const kind = cluster.kinds.of({ apiVersion: "v1", kind: "Pod" });
  const wants = usage(pod);
  for (const quota of cluster.store.list(
    cluster.kinds.of({ apiVersion: "v1", kind: "ResourceQuota" }),
    pod.metadata.namespace,
  )) {
    const hard = (isTree(quota.spec) ? (quota.spec.hard ?? {}) : {}) as Record<string, string>;
    const used = quotaUse(quota, cluster);
    const missing = Object.keys(hard).filter(
      (name) => /^(requests|limits)\.|^(cpu|memory)$/.test(name) && wants[name] === undefined,
    );
    if (missing.length > 0) {
      const names = pod.spec.containers.map((container) => container.name).join(",");
      throw forbidden(
        kind,
        pod.metadata.name,
        `failed quota: ${quota.metadata.name}: must specify ${missing
          .sort()
          .map((name) => `${name} for: ${names}`)
          .join("; ")}`,
      );
    }
    const over = Object.keys(hard)
      .sort()
      .filter(
        (name) =>
          wants[name] !== undefined && (used[name] ?? 0) + (wants[name] ?? 0) > (parseQuantity(hard[name]) ?? 0),
      );
    if (over.length === 0) continue;
    const say = (value: (name: string) => string): string => over.map((name) => `${name}=${value(name)}`).join(",");
    const why = `requested: ${say((name) => show(name, wants[name] ?? 0))}, used: ${say((name) => show(name, used[name] ?? 0))}, limited: ${say((name) => hard[name] ?? "")}`;
    throw forbidden(kind, pod.metadata.name, `exceeded quota: ${quota.metadata.name}, ${why}`);
  }
}
