import type { Config, RemedyId } from "../config/schema.ts";
import { patchOf } from "../gitops/holds.ts";
import type { Plan } from "../model.ts";
import type { Access } from "../ports.ts";
import { remedies } from "./index.ts";

const right = (group: string, resource: string, ...verbs: readonly string[]): Access[] =>
  verbs.map((verb) => {
    const [name = resource, subresource] = resource.split("/");
    return { group, resource: name, ...(subresource === undefined ? {} : { subresource }), verb };
  });

/**
 * Rights that every run needs: to observe, to find proof for the enabled remedies and, unless the mode is `observe`, to keep its books (Incidents, Events, the
 * Lease in its own namespace). Secrets appear only as far as `observe.secrets` and `registry.usePullSecrets` ask for them.
 */
export function readRights(
  config: Pick<Config, "mode" | "namespace" | "observe" | "registry" | "remedies" | "charts" | "notify">,
): Access[] {
  return unique([
    ...right("", "namespaces", "get", "list"),
    ...right("", "nodes", "list"),
    ...right("", "pods", "get", "list"),
    ...(config.observe.logLines === 0 ? [] : right("", "pods/log", "get")),
    ...right("", "services", "get", "list"),
    ...right("", "events", "list"),
    ...right("", "configmaps", "get", "list"),
    ...(config.observe.secrets === "none" ? [] : right("", "secrets", "list")),
    ...(config.registry.usePullSecrets ? right("", "secrets", "get") : []),
    ...right("", "limitranges", "list"),
    ...right("", "resourcequotas", "list"),
    ...right("", "persistentvolumeclaims", "get", "list"),
    ...right("apps", "deployments", "get", "list"),
    ...right("apps", "statefulsets", "get", "list"),
    ...right("apps", "daemonsets", "get", "list"),
    ...right("apps", "replicasets", "get", "list"),
    ...right("apps", "controllerrevisions", "list"),
    ...right("batch", "jobs", "get", "list"),
    ...right("batch", "cronjobs", "get", "list"),
    ...right("autoscaling", "horizontalpodautoscalers", "get", "list"),
    ...right("argoproj.io", "applications", "get", "list"),
    ...right("argoproj.io", "applicationsets", "get"),
    ...right("helm.toolkit.fluxcd.io", "helmreleases", "get", "list"),
    ...right("kustomize.toolkit.fluxcd.io", "kustomizations", "get", "list"),
    ...right("source.toolkit.fluxcd.io", "gitrepositories", "get"),
    ...right("source.toolkit.fluxcd.io", "ocirepositories", "get"),
    ...right("source.toolkit.fluxcd.io", "helmcharts", "get"),
    ...(config.charts.fetch ? right("source.toolkit.fluxcd.io", "helmrepositories", "get") : []),
    ...right("discovery.k8s.io", "endpointslices", "list"),
    ...right("stanch.dev", "incidents", "get", "list"),
    ...remedies.filter((remedy) => config.remedies.enabled.includes(remedy.id)).flatMap((remedy) => remedy.reads ?? []),
    ...(config.mode === "observe" ? [] : bookkeeping(config.namespace)),
    // What was told has to be written down somewhere.
    ...(config.mode === "observe" && config.notify.observe ? runRights(config.namespace) : []),
  ]);
}

function runRights(namespace: string): Access[] {
  return right("stanch.dev", "runs", "get", "create", "update").map((access) => ({ ...access, namespace }));
}

function bookkeeping(namespace: string): Access[] {
  return [
    ...right("stanch.dev", "incidents", "create", "delete"),
    ...right("stanch.dev", "incidents/status", "update"),
    ...right("", "events", "create"),
    ...right("coordination.k8s.io", "leases", "get", "create", "update").map((access) => ({ ...access, namespace })),
    ...runRights(namespace),
  ];
}

/** Rights that the live halves of these remedies need: each once, none for a remedy that is not enabled. */
export function rightsFor(enabled: readonly RemedyId[]): Access[] {
  const all = remedies.filter((remedy) => enabled.includes(remedy.id)).flatMap((remedy) => remedy.needs);
  return unique(all);
}

/** Rights to what deploys workloads: to let it rest, and to ask it to look at Git after a merge. Only where holds of a whole application are allowed. */
export function holdRights(config: Pick<Config, "holds">): Access[] {
  if (!config.holds.application) return [];
  return [
    ...right("argoproj.io", "applications", "patch"),
    ...right("kustomize.toolkit.fluxcd.io", "kustomizations", "patch"),
    ...right("helm.toolkit.fluxcd.io", "helmreleases", "patch"),
    ...right("source.toolkit.fluxcd.io", "gitrepositories", "get", "patch"),
  ];
}

/** Rights that the live half of one plan needs, in the namespaces of its objects. None for a plan that is Git only. */
export function workloadRights(plan: Plan): Access[] {
  if (plan.gitOnly !== undefined) return [];
  const patches = plan.changes.map((change) => patchOf(change.object));
  const evicts =
    plan.action === undefined
      ? []
      : right("", "pods/eviction", "create").map((access) => ({
          ...access,
          namespace: plan.finding.workload.namespace,
        }));
  return unique([...patches, ...evicts]);
}

function unique(accesses: readonly Access[]): Access[] {
  return [...new Map(accesses.map((access) => [keyOf(access), access])).values()];
}

function keyOf(access: Access): string {
  return [access.group, access.resource, access.subresource, access.verb, access.namespace].join("/");
}
