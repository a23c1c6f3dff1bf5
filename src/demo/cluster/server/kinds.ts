import type { Resource } from "../../../ports.ts";

/** A resource as the API server serves it. */
export interface Kind extends Resource {
  readonly singular: string;
  readonly short: readonly string[];
  /** Subresources that are read and written as a part of the object. */
  readonly status: boolean;
  /** Does a change of anything but metadata and status raise metadata.generation? */
  readonly generation: boolean;
  /** Made by a CustomResourceDefinition: its patches know no strategic merge, its schema prunes and validates. */
  readonly schema?: Schema;
}

/** A structural schema (apiextensions.k8s.io/v1 openAPIV3Schema), as far as it is enforced. */
export interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  required?: string[];
  enum?: unknown[];
  default?: unknown;
  nullable?: boolean;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
  pattern?: string;
  "x-kubernetes-preserve-unknown-fields"?: boolean;
  "x-kubernetes-int-or-string"?: boolean;
  "x-kubernetes-list-type"?: string;
  "x-kubernetes-list-map-keys"?: string[];
}

// group/version, kind, plural, short names, then: n = namespaced, s = status subresource, g = generation.
const TABLE = `
v1 Namespace namespaces ns s
v1 Node nodes no s
v1 Pod pods po nsg
v1 Service services svc ns
v1 ConfigMap configmaps cm n
v1 Secret secrets - n
v1 Event events ev n
v1 ServiceAccount serviceaccounts sa n
v1 PersistentVolumeClaim persistentvolumeclaims pvc ns
v1 PersistentVolume persistentvolumes pv s
v1 LimitRange limitranges limits n
v1 ResourceQuota resourcequotas quota ns
v1 Endpoints endpoints ep n
v1 ReplicationController replicationcontrollers rc nsg
discovery.k8s.io/v1 EndpointSlice endpointslices - ng
apps/v1 Deployment deployments deploy nsg
apps/v1 ReplicaSet replicasets rs nsg
apps/v1 StatefulSet statefulsets sts nsg
apps/v1 DaemonSet daemonsets ds nsg
apps/v1 ControllerRevision controllerrevisions - n
batch/v1 Job jobs - nsg
batch/v1 CronJob cronjobs cj nsg
autoscaling/v2 HorizontalPodAutoscaler horizontalpodautoscalers hpa ns
policy/v1 PodDisruptionBudget poddisruptionbudgets pdb nsg
networking.k8s.io/v1 Ingress ingresses ing nsg
networking.k8s.io/v1 NetworkPolicy networkpolicies netpol ng
coordination.k8s.io/v1 Lease leases - n
rbac.authorization.k8s.io/v1 Role roles - n
rbac.authorization.k8s.io/v1 RoleBinding rolebindings - n
rbac.authorization.k8s.io/v1 ClusterRole clusterroles - -
rbac.authorization.k8s.io/v1 ClusterRoleBinding clusterrolebindings - -
storage.k8s.io/v1 StorageClass storageclasses sc -
scheduling.k8s.io/v1 PriorityClass priorityclasses pc -
apiextensions.k8s.io/v1 CustomResourceDefinition customresourcedefinitions crd,crds sg
`;

/** The kinds every cluster has. */
export function builtInKinds(): Kind[] {
  return TABLE.trim()
    .split("\n")
    .map((line) => {
      const [apiVersion = "", kind = "", plural = "", short = "-", flags = ""] = line.split(" ");
      const slash = apiVersion.indexOf("/");
      return {
        group: slash < 0 ? "" : apiVersion.slice(0, slash),
        version: apiVersion.slice(slash + 1),
        kind,
        plural,
        singular: kind.toLowerCase(),
        short: short === "-" ? [] : short.split(","),
        namespaced: flags.includes("n"),
        status: flags.includes("s"),
        generation: flags.includes("g"),
      };
    });
}

/** `apps/v1`, or `v1` for the core group. */
export function apiVersionOf(kind: Resource): string {
  return kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
}

/** `deployments.apps`, or `pods` for the core group: how errors name a resource. */
export function qualified(kind: Resource): string {
  return kind.group === "" ? kind.plural : `${kind.plural}.${kind.group}`;
}

/** The kinds that are served now; definitions of custom resources add to it. */
export interface Kinds {
  all(): readonly Kind[];
  /** By what stands in an API path. */
  find(group: string, version: string, plural: string): Kind | undefined;
  /** By what stands in an object; throws when no such kind is served. */
  of(object: { apiVersion: string; kind: string }): Kind;
  add(kind: Kind): void;
  remove(group: string, plural: string): void;
}

export function createKinds(): Kinds {
  let kinds = builtInKinds();
  return {
    all: () => kinds,
    find: (group, version, plural) =>
      kinds.find((kind) => kind.plural === plural && kind.group === group && kind.version === version),
    of(object) {
      const found = kinds.find((kind) => kind.kind === object.kind && apiVersionOf(kind) === object.apiVersion);
      if (found === undefined)
        throw new Error(`no matches for kind "${object.kind}" in version "${object.apiVersion}"`);
      return found;
    },
    add(kind) {
      const others = kinds.filter((other) => other.kind !== kind.kind || apiVersionOf(other) !== apiVersionOf(kind));
      kinds = [...others, kind];
    },
    remove(group, plural) {
      kinds = kinds.filter((kind) => kind.group !== group || kind.plural !== plural || kind.schema === undefined);
    },
  };
}
