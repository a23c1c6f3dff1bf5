import { fieldAt } from "../kube/fields.ts";
import type { Access } from "../ports.ts";
import type { Condition } from "./condition.ts";
import { remedies } from "./index.ts";

/** Rights, and when they are needed: all conditions must hold. */
export interface Grant {
  /** reader: to observe and to propose, with the books. writer: to change anything live. */
  readonly part: "reader" | "writer";
  readonly when: readonly Condition[];
  readonly accesses: readonly Access[];
  /** Further resources, as a list of the configuration names them (`certificates.cert-manager.io`), each with these verbs. */
  readonly listed?: { readonly setting: string; readonly verbs: readonly string[] };
  /** Needed in Stanch's own namespace only. */
  readonly own?: true;
  /** Needed where GitOps engines' objects live, too (`scope.deployers`). */
  readonly deployers?: true;
}

const right = (group: string, resource: string, ...verbs: readonly string[]): Access[] =>
  verbs.map((verb) => {
    const [name = resource, subresource] = resource.split("/");
    return { group, resource: name, ...(subresource === undefined ? {} : { subresource }), verb };
  });
const named = (name: string, accesses: readonly Access[]): Access[] => accesses.map((access) => ({ ...access, name }));

const REMEDIATES: Condition = { setting: "mode", is: "remediate" };
const WRITES_BOOKS: Condition = { setting: "mode", isNot: "observe" };

const OBSERVE: readonly Access[] = [
  ...right("", "namespaces", "get", "list"),
  ...right("", "nodes", "list"),
  ...right("", "pods", "get", "list"),
  ...right("", "services", "get", "list"),
  ...right("", "events", "list"),
  ...right("", "configmaps", "get", "list"),
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
  ...right("networking.k8s.io", "ingresses", "get", "list"),
  ...right("discovery.k8s.io", "endpointslices", "list"),
  ...right("stanch.dev", "incidents", "get", "list"),
];

/** What deploys workloads, and what that is made from: values may stand in ConfigMaps. */
const DEPLOYERS: readonly Access[] = [
  ...right("argoproj.io", "applications", "get", "list"),
  ...right("argoproj.io", "applicationsets", "get"),
  ...right("helm.toolkit.fluxcd.io", "helmreleases", "get", "list"),
  ...right("kustomize.toolkit.fluxcd.io", "kustomizations", "get", "list"),
  ...right("source.toolkit.fluxcd.io", "gitrepositories", "get", "list"),
  ...right("source.toolkit.fluxcd.io", "ocirepositories", "get", "list"),
  ...right("source.toolkit.fluxcd.io", "helmrepositories", "get", "list"),
  ...right("source.toolkit.fluxcd.io", "helmcharts", "get"),
  ...right("", "configmaps", "get"),
];

/** The object in which run summaries and what was told without an incident are kept. */
const KEEP_RUN: readonly Access[] = [
  ...right("stanch.dev", "runs", "create"),
  ...named("stanch", right("stanch.dev", "runs", "get", "update")),
];

const read = (group: string, ...resources: readonly string[]): Access[] =>
  resources.flatMap((resource) => right(group, resource, "get", "list"));

/** Kinds that Git declares nearly everywhere, beside those that every run reads. */
const DECLARED: readonly Access[] = [
  ...read("", "serviceaccounts", "limitranges", "resourcequotas"),
  ...read("networking.k8s.io", "ingresses", "networkpolicies"),
  ...read("policy", "poddisruptionbudgets"),
  ...read("rbac.authorization.k8s.io", "roles", "rolebindings"),
  ...read("source.toolkit.fluxcd.io", "gitrepositories", "ocirepositories", "helmcharts", "helmrepositories"),
];
/** Of no namespace: compared only where the whole cluster is watched. */
const DECLARED_FOR_ALL: readonly Access[] = [
  ...read("rbac.authorization.k8s.io", "clusterroles", "clusterrolebindings"),
  ...read("apiextensions.k8s.io", "customresourcedefinitions"),
  ...read("storage.k8s.io", "storageclasses"),
  ...read("scheduling.k8s.io", "priorityclasses"),
  ...read("networking.k8s.io", "ingressclasses"),
];

/**
 * Rights to read what `stanch drift` compares. Secrets only where they may be compared. To ask the API server by dry run takes the right to
 * patch, which is never given for this: with the roles of a run, kinds are asked about that it may patch anyway.
 */
const driftGrants = (compares: Condition): Grant[] => [
  { part: "reader", when: [compares], accesses: DECLARED, listed: { setting: "drift.kinds", verbs: ["get", "list"] } },
  { part: "reader", when: [compares, { setting: "scope.namespaces", has: "*" }], accesses: DECLARED_FOR_ALL },
  { part: "reader", when: [compares, { setting: "drift.secrets", is: true }], accesses: read("", "secrets") },
];

/** Every right that Stanch may ever need, in the order in which they are told. */
export const GRANTS: readonly Grant[] = [
  { part: "reader", when: [], accesses: OBSERVE },
  { part: "reader", when: [], deployers: true, accesses: DEPLOYERS },
  { part: "reader", when: [{ setting: "observe.logLines", isNot: 0 }], accesses: right("", "pods/log", "get") },
  // Kubernetes has no right to names alone: whoever may list Secrets may read them.
  { part: "reader", when: [{ setting: "observe.secrets", isNot: "none" }], accesses: right("", "secrets", "list") },
  { part: "reader", when: [{ setting: "registry.usePullSecrets", is: true }], accesses: right("", "secrets", "get") },
  ...remedies.map(
    ({ id, reads = [] }): Grant => ({
      part: "reader",
      when: [{ setting: "remedies.enabled", has: id }],
      accesses: reads,
    }),
  ),
  ...driftGrants({ setting: "drift.enabled", is: true }),
  ...driftGrants({ setting: "drift.publish", is: true }),
  {
    part: "reader",
    when: [WRITES_BOOKS],
    accesses: [
      ...right("stanch.dev", "incidents", "create", "delete"),
      ...right("stanch.dev", "incidents/status", "update"),
      ...right("", "events", "create", "patch"),
    ],
  },
  {
    part: "reader",
    when: [WRITES_BOOKS],
    own: true,
    accesses: [
      // What is created has no name yet for a rule to name.
      ...right("coordination.k8s.io", "leases", "create"),
      ...named("stanch", right("coordination.k8s.io", "leases", "get", "update")),
    ],
  },
  {
    part: "reader",
    when: [WRITES_BOOKS],
    own: true,
    accesses: KEEP_RUN,
  },
  // What was told, and when the cluster was compared, has to be written down somewhere.
  ...["notify.observe", "drift.publish"].map(
    (setting): Grant => ({
      part: "reader",
      when: [
        { setting: "mode", is: "observe" },
        { setting, is: true },
      ],
      own: true,
      accesses: KEEP_RUN,
    }),
  ),
  ...remedies.map(
    ({ id, needs }): Grant => ({
      part: "writer",
      when: [REMEDIATES, { setting: "remedies.enabled", has: id }],
      accesses: needs,
    }),
  ),
  ...remedies.flatMap(({ id, needsWhen = [] }) =>
    needsWhen.map(
      ({ when, accesses }): Grant => ({
        part: "writer",
        when: [REMEDIATES, { setting: "remedies.enabled", has: id }, when],
        accesses,
      }),
    ),
  ),
  // To let what deploys a workload rest, and to ask it to look at Git after a merge.
  {
    part: "writer",
    when: [REMEDIATES, { setting: "holds.application", is: true }],
    deployers: true,
    accesses: [
      ...right("argoproj.io", "applications", "patch"),
      ...right("kustomize.toolkit.fluxcd.io", "kustomizations", "patch"),
      ...right("helm.toolkit.fluxcd.io", "helmreleases", "patch"),
      ...right("source.toolkit.fluxcd.io", "gitrepositories", "get", "patch"),
    ],
  },
];

/** The rights of a grant under a configuration. Names that are none of a resource give nothing. */
export function accessesOf({ accesses, listed }: Grant, config: object): readonly Access[] {
  if (listed === undefined) return accesses;
  const names = fieldAt(config, ...listed.setting.split("."));
  const more = (Array.isArray(names) ? names : []).filter((name) => typeof name === "string");
  return [...accesses, ...more.flatMap((name) => right(...groupAndResource(name), ...listed.verbs))];
}

/** `certificates.cert-manager.io` → group, resource. */
function groupAndResource(name: string): [group: string, resource: string] {
  const [resource = "", ...group] = name.split(".");
  return [group.join("."), resource];
}

/** Does a configuration say all that a grant asks for? */
export function isNeeded(grant: Grant, config: object): boolean {
  return grant.when.every((condition) => {
    const said = fieldAt(config, ...condition.setting.split("."));
    if (condition.has !== undefined) return Array.isArray(said) && said.includes(condition.has);
    if (condition.some === true) return Array.isArray(said) && said.length > 0;
    return condition.is === undefined ? said !== condition.isNot : said === condition.is;
  });
}
