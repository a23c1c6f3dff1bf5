import type { KubeObject } from "../model.ts";
import type { Access } from "../ports.ts";

/** Resources that belong to no namespace: rights to them are always the cluster's. */
export const CLUSTER_SCOPED: readonly string[] = [
  "namespaces",
  "nodes",
  "storageclasses",
  "persistentvolumes",
  "clusterroles",
  "clusterrolebindings",
  "customresourcedefinitions",
  "priorityclasses",
  "ingressclasses",
];

export interface RoleRequest {
  /** Name of the role, and first part of the names of those beside it. */
  readonly role: string;
  /** The service account, in `namespace`. */
  readonly account: string;
  readonly namespace: string;
  readonly accesses: readonly Access[];
  /** Namespaces to which rights are confined; null: the whole cluster. */
  readonly namespaces: readonly string[] | null;
}

/** A role that is wanted, in a namespace or (without one) of the cluster. */
interface Part {
  readonly name: string;
  readonly namespace?: string;
  readonly accesses: readonly Access[];
}

/**
 * Roles that give exactly these rights, each with its binding of the same name: verb by verb, no wildcard. Rights with a namespace of
 * their own stay there, rights to what has no namespace are the cluster's, the others are confined to the watched namespaces where those
 * are named.
 */
export function rolesFor(request: RoleRequest): KubeObject[] {
  return partsOf(request).flatMap((part) => [
    { ...headOf(part, ""), rules: rulesOf(part.accesses) },
    bindingOf(part, part.name, request),
  ]);
}

/** Bindings that give another account the roles of `request`, under names that begin with `prefix`. */
export function bindingsFor(request: RoleRequest, prefix: string): KubeObject[] {
  return partsOf(request).map((part) => bindingOf(part, `${prefix}${part.name.slice(request.role.length)}`, request));
}

function partsOf({ accesses, namespaces, role, namespace: home }: RoleRequest): Part[] {
  const own = accesses.filter((access) => access.namespace !== undefined);
  const rest = accesses.filter((access) => access.namespace === undefined);
  const clusters = rest.filter((access) => CLUSTER_SCOPED.includes(access.resource));
  const namespaced = rest.filter((access) => !CLUSTER_SCOPED.includes(access.resource));
  const parts: Part[] = [...Map.groupBy(own, (access) => access.namespace ?? "")].map(([namespace, group]) => ({
    name: `${role}-${namespace === home ? "own" : "deployers"}`,
    namespace,
    accesses: group,
  }));
  if (namespaces === null) parts.push({ name: role, accesses: rest });
  else {
    parts.push({ name: `${role}-cluster`, accesses: clusters });
    for (const namespace of new Set(namespaces)) parts.push({ name: role, namespace, accesses: namespaced });
  }
  return parts.filter((part) => part.accesses.length > 0);
}

function headOf({ name, namespace }: Part, suffix: "" | "Binding"): KubeObject {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: `${namespace === undefined ? "ClusterRole" : "Role"}${suffix}`,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { "app.kubernetes.io/name": "stanch" },
    },
  };
}

function bindingOf(part: Part, name: string, { account, namespace }: RoleRequest): KubeObject {
  return {
    ...headOf({ ...part, name }, "Binding"),
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: headOf(part, "").kind, name: part.name },
    subjects: [{ kind: "ServiceAccount", name: account, namespace }],
  };
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** One rule for what has the same group, verbs and name, in the order of those. The chart makes the same rules in the same order. */
function rulesOf(accesses: readonly Access[]): Rule[] {
  const resources = Map.groupBy(accesses, (access) =>
    [access.group, access.name ?? "", resourceName(access)].join("|"),
  );
  const rows = [...resources.values()].map((group) => ({
    group: group[0]?.group ?? "",
    name: group[0]?.name ?? "",
    resource: group[0] === undefined ? "" : resourceName(group[0]),
    verbs: [...new Set(group.map((access) => access.verb))].toSorted(),
  }));
  const rules = Map.groupBy(rows, (row) => [row.group, row.name, row.verbs.join(",")].join("|"));
  return [...rules.entries()]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]) => ({
      apiGroups: [group[0]?.group ?? ""],
      resources: group.map((row) => row.resource).toSorted(),
      ...(group[0]?.name ? { resourceNames: [group[0].name] } : {}),
      verbs: group[0]?.verbs ?? [],
    }));
}

/** A resource as rules name it: `pods/log`. */
export function resourceName({ resource, subresource }: Access): string {
  return subresource === undefined ? resource : `${resource}/${subresource}`;
}
