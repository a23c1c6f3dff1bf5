import type { Access, HeldRule } from "../ports.ts";
import { resourceName } from "./rbac.ts";

/** Rights that are held in a namespace, and that nothing asks for. */
export interface Excess {
  /** As `doctor` names it: `delete pods`, `* *.*`, `get secrets`. */
  readonly name: string;
  readonly verb: string;
  readonly group: string;
  /** With its subresource. */
  readonly resource: string;
}

const READS = ["get", "list", "watch"];
/** To read these is to act, or to read secrets. */
const NOT_ONLY_READ = [
  "secrets",
  "pods/exec",
  "pods/attach",
  "pods/portforward",
  "pods/proxy",
  "services/proxy",
  "nodes/proxy",
];
/** What every account has: to ask for its own rights, and OpenShift's restricted constraints. */
const OF_EVERYBODY =
  /^create selfsubject\w*reviews\.|^use securitycontextconstraints\.security\.openshift\.io restricted/;

/**
 * Of what an account holds in a namespace, the dangerous rights that nothing asks for: every wildcard, every verb that writes or acts,
 * and to read Secrets or to talk into containers. Plain reads are no danger and not told. Rights that are held for one name only are told
 * with it.
 */
export function excessOf(rules: readonly HeldRule[], needs: readonly Access[], namespace: string): Excess[] {
  const needed = needs.filter((need) => need.namespace === undefined || need.namespace === namespace);
  const out = new Map<string, Excess>();
  for (const rule of rules)
    for (const group of rule.apiGroups)
      for (const resource of rule.resources)
        for (const verb of rule.verbs) {
          if (!isDangerous(verb, resource, group) || needed.some((need) => asksFor(need, verb, group, resource, rule)))
            continue;
          const names = rule.resourceNames.length === 0 ? "" : ` ${rule.resourceNames.join(",")}`;
          const name = `${verb} ${resource}${group === "" ? "" : `.${group}`}${names}`;
          if (!OF_EVERYBODY.test(name)) out.set(name, { name, verb, group, resource });
        }
  return [...out.values()];
}

function isDangerous(verb: string, resource: string, group: string): boolean {
  if ([verb, resource, group].some((word) => word.includes("*"))) return true;
  return !READS.includes(verb) || (group === "" && NOT_ONLY_READ.includes(resource));
}

/** A need for one name is no need for any. */
function asksFor(need: Access, verb: string, group: string, resource: string, { resourceNames }: HeldRule): boolean {
  return (
    need.verb === verb &&
    need.group === group &&
    resourceName(need) === resource &&
    (need.name === undefined || (resourceNames.length > 0 && resourceNames.every((name) => name === need.name)))
  );
}

/** Is a right part of an excess that is told already? */
export function isPartOf(access: Access, { verb, group, resource }: Excess): boolean {
  const fits = (rule: string, value: string): boolean => rule === "*" || rule === value;
  return fits(verb, access.verb) && fits(group, access.group) && fits(resource, resourceName(access));
}

const access = (verb: string, name: string): Access => {
  const [path = "", ...group] = name.split(".");
  const [resource = "", subresource] = path.split("/");
  return { verb, group: group.join("."), resource, ...(subresource === undefined ? {} : { subresource }) };
};

/**
 * Asked for one by one, because an authorizer other than RBAC (a cloud's own) does not list what it grants: the ways to more rights, to
 * Secrets, into containers and nodes, and to destroy.
 */
export const PROBED: readonly Access[] = [
  ...["get", "list", "watch"].map((verb) => access(verb, "secrets")),
  ...["create", "update", "patch", "delete"].flatMap((verb) => [
    access(verb, "secrets"),
    access(verb, "clusterroles.rbac.authorization.k8s.io"),
    access(verb, "clusterrolebindings.rbac.authorization.k8s.io"),
    access(verb, "rolebindings.rbac.authorization.k8s.io"),
    access(verb, "mutatingwebhookconfigurations.admissionregistration.k8s.io"),
    access(verb, "validatingwebhookconfigurations.admissionregistration.k8s.io"),
    access(verb, "customresourcedefinitions.apiextensions.k8s.io"),
    access(verb, "deployments.apps"),
    access(verb, "pods"),
    access(verb, "namespaces"),
  ]),
  access("escalate", "clusterroles.rbac.authorization.k8s.io"),
  access("bind", "clusterroles.rbac.authorization.k8s.io"),
  access("impersonate", "users"),
  access("impersonate", "groups"),
  access("impersonate", "serviceaccounts"),
  access("create", "serviceaccounts/token"),
  access("create", "pods/exec"),
  access("create", "pods/attach"),
  access("create", "pods/portforward"),
  access("update", "pods/ephemeralcontainers"),
  access("patch", "nodes"),
  access("delete", "nodes"),
  access("create", "nodes/proxy"),
  access("delete", "persistentvolumeclaims"),
  access("delete", "persistentvolumes"),
  access("update", "certificatesigningrequests/approval.certificates.k8s.io"),
];
