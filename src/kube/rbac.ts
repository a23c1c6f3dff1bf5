import type { KubeObject } from "../model.ts";
import type { Access } from "../ports.ts";

/** Resources that belong to no namespace: rights to them are always the cluster's. */
const CLUSTER_SCOPED = new Set([
  "namespaces",
  "nodes",
  "storageclasses",
  "clusterroles",
  "clusterrolebindings",
  "customresourcedefinitions",
  "priorityclasses",
  "ingressclasses",
]);

export interface RoleRequest {
  /** The service account, in `namespace`. */
  readonly account: string;
  readonly namespace: string;
  /** Last part of the roles' names: `reader`, `writer`. */
  readonly role: string;
  readonly accesses: readonly Access[];
  /** Namespaces to which rights are confined; null: the whole cluster. */
  readonly namespaces: readonly string[] | null;
}

/**
 * Roles that give exactly these rights, and their bindings: verb by verb, no wildcard. Rights with a namespace of their own stay there,
 * rights to what has no namespace are the cluster's, the others are confined to the watched namespaces where those are named.
 */
export function rolesFor(request: RoleRequest): KubeObject[] {
  const { accesses, namespaces, account, role } = request;
  const name = `${account}-${role}`;
  const own = accesses.filter((access) => access.namespace !== undefined);
  const cluster = accesses.filter((access) => access.namespace === undefined && isClusters(access));
  const rest = accesses.filter((access) => access.namespace === undefined && !isClusters(access));
  const out: KubeObject[] = [];
  for (const [namespace, group] of Map.groupBy(own, (access) => access.namespace ?? ""))
    out.push(...bound(request, { name: `${name}-own`, namespace, accesses: group }));
  if (namespaces === null) return [...out, ...bound(request, { name, accesses: [...cluster, ...rest] })];
  out.push(...bound(request, { name: `${name}-cluster`, accesses: cluster }));
  for (const namespace of namespaces) out.push(...bound(request, { name, namespace, accesses: rest }));
  return out;
}

function isClusters({ resource }: Access): boolean {
  return CLUSTER_SCOPED.has(resource);
}

function bound(
  { account, namespace: home }: RoleRequest,
  part: { readonly name: string; readonly namespace?: string; readonly accesses: readonly Access[] },
): KubeObject[] {
  if (part.accesses.length === 0) return [];
  const apiVersion = "rbac.authorization.k8s.io/v1";
  const kind = part.namespace === undefined ? "ClusterRole" : "Role";
  const metadata = {
    name: part.name,
    ...(part.namespace === undefined ? {} : { namespace: part.namespace }),
    labels: { "app.kubernetes.io/name": "stanch" },
  };
  return [
    { apiVersion, kind, metadata, rules: rulesOf(part.accesses) },
    {
      apiVersion,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind, name: part.name },
      subjects: [{ kind: "ServiceAccount", name: account, namespace: home }],
    },
  ];
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** One rule for what has the same group and verbs, in a stable order. */
function rulesOf(accesses: readonly Access[]): Rule[] {
  const nameOf = ({ resource, subresource }: Access): string =>
    subresource === undefined ? resource : `${resource}/${subresource}`;
  const verbs = Map.groupBy(accesses, (access) => JSON.stringify([access.group, nameOf(access)]));
  const rows = [...verbs.values()].map((group) => ({
    group: group[0]?.group ?? "",
    resource: group[0] === undefined ? "" : nameOf(group[0]),
    verbs: [...new Set(group.map((access) => access.verb))].toSorted(),
  }));
  return [...Map.groupBy(rows, (row) => JSON.stringify([row.group, row.verbs])).values()]
    .map((group) => ({
      apiGroups: [group[0]?.group ?? ""],
      resources: group.map((row) => row.resource).toSorted(),
      verbs: group[0]?.verbs ?? [],
    }))
    .toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
}
