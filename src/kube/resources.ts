import type { Resource } from "../ports.ts";
import { groupOf } from "./ref.ts";

const entry = (group: string, version: string, kind: string, plural: string, namespaced = true): Resource => ({
  group,
  version,
  kind,
  plural,
  namespaced,
});

/** The kinds that Stanch itself reads or writes. Anything else is looked up in the API server's discovery. */
export const RESOURCES = {
  Namespace: entry("", "v1", "Namespace", "namespaces", false),
  Node: entry("", "v1", "Node", "nodes", false),
  Pod: entry("", "v1", "Pod", "pods"),
  Service: entry("", "v1", "Service", "services"),
  ConfigMap: entry("", "v1", "ConfigMap", "configmaps"),
  Secret: entry("", "v1", "Secret", "secrets"),
  Event: entry("", "v1", "Event", "events"),
  ServiceAccount: entry("", "v1", "ServiceAccount", "serviceaccounts"),
  LimitRange: entry("", "v1", "LimitRange", "limitranges"),
  ResourceQuota: entry("", "v1", "ResourceQuota", "resourcequotas"),
  PersistentVolumeClaim: entry("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
  PersistentVolume: entry("", "v1", "PersistentVolume", "persistentvolumes", false),
  Deployment: entry("apps", "v1", "Deployment", "deployments"),
  ReplicaSet: entry("apps", "v1", "ReplicaSet", "replicasets"),
  StatefulSet: entry("apps", "v1", "StatefulSet", "statefulsets"),
  DaemonSet: entry("apps", "v1", "DaemonSet", "daemonsets"),
  ControllerRevision: entry("apps", "v1", "ControllerRevision", "controllerrevisions"),
  Job: entry("batch", "v1", "Job", "jobs"),
  CronJob: entry("batch", "v1", "CronJob", "cronjobs"),
  EndpointSlice: entry("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"),
  StorageClass: entry("storage.k8s.io", "v1", "StorageClass", "storageclasses", false),
  Ingress: entry("networking.k8s.io", "v1", "Ingress", "ingresses"),
  NetworkPolicy: entry("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"),
  IngressClass: entry("networking.k8s.io", "v1", "IngressClass", "ingressclasses", false),
  Role: entry("rbac.authorization.k8s.io", "v1", "Role", "roles"),
  RoleBinding: entry("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings"),
  PriorityClass: entry("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", false),
  HorizontalPodAutoscaler: entry("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
  Application: entry("argoproj.io", "v1alpha1", "Application", "applications"),
  ApplicationSet: entry("argoproj.io", "v1alpha1", "ApplicationSet", "applicationsets"),
  HelmRelease: entry("helm.toolkit.fluxcd.io", "v2", "HelmRelease", "helmreleases"),
  HelmRepository: entry("source.toolkit.fluxcd.io", "v1", "HelmRepository", "helmrepositories"),
  Kustomization: entry("kustomize.toolkit.fluxcd.io", "v1", "Kustomization", "kustomizations"),
  GitRepository: entry("source.toolkit.fluxcd.io", "v1", "GitRepository", "gitrepositories"),
  OCIRepository: entry("source.toolkit.fluxcd.io", "v1", "OCIRepository", "ocirepositories"),
  HelmChart: entry("source.toolkit.fluxcd.io", "v1", "HelmChart", "helmcharts"),
  Lease: entry("coordination.k8s.io", "v1", "Lease", "leases"),
  CustomResourceDefinition: entry(
    "apiextensions.k8s.io",
    "v1",
    "CustomResourceDefinition",
    "customresourcedefinitions",
    false,
  ),
  Run: entry("stanch.dev", "v1alpha1", "Run", "runs"),
  Incident: entry("stanch.dev", "v1alpha1", "Incident", "incidents"),
} as const satisfies Record<string, Resource>;

const BY_GROUP_KIND = new Map<string, Resource>(
  Object.values(RESOURCES).map((resource) => [`${resource.group}/${resource.kind}`, resource]),
);

/** The resource of a kind; undefined for kinds that only discovery knows. */
export function resourceOf(apiVersion: string, kind: string): Resource | undefined {
  const known = BY_GROUP_KIND.get(`${groupOf(apiVersion)}/${kind}`);
  if (known === undefined) return undefined;
  const version = apiVersion.slice(apiVersion.indexOf("/") + 1);
  return version === known.version ? known : { ...known, version };
}

/** The `apiVersion` that objects of a resource carry. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
}
