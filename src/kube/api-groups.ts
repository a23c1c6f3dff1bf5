/** Verbs of requests to the API server, and those that authorizers of Kubernetes' own ask about. */
const VERBS = new Set(
  "get list watch create update patch delete deletecollection * use bind escalate impersonate approve sign attest proxy mark-risky post put head options".split(
    " ",
  ),
);

/**
 * Namespaced resources of Kubernetes' own API groups (https://kubernetes.io/docs/reference/generated/kubernetes-api/): a rule of a Role that
 * names another one of such a group gives nothing. Groups that are not here may have any.
 */
export const API_GROUPS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    "": "bindings configmaps endpoints events limitranges persistentvolumeclaims pods podtemplates replicationcontrollers resourcequotas secrets serviceaccounts services namespaces nodes persistentvolumes componentstatuses * users groups",
    apps: "controllerrevisions daemonsets deployments replicasets statefulsets *",
    batch: "cronjobs jobs *",
    autoscaling: "horizontalpodautoscalers *",
    policy: "poddisruptionbudgets podsecuritypolicies *",
    "networking.k8s.io": "ingresses ingressclasses networkpolicies ipaddresses servicecidrs *",
    "rbac.authorization.k8s.io": "roles rolebindings clusterroles clusterrolebindings *",
    "coordination.k8s.io": "leases leasecandidates *",
    "discovery.k8s.io": "endpointslices *",
    "events.k8s.io": "events *",
  }).map(([group, resources]) => [group, new Set(resources.split(" "))]),
);

/** A verb that no request has: surely a slip. Those with a dot or a slash are somebody's own. */
export function isNoVerb(verb: string): boolean {
  return !VERBS.has(verb) && /^[a-z]+$/i.test(verb);
}
