import { stableKey } from "../gitops/rendered.ts";
import { accountOf, bindsTo, roleOf, rulesGrant } from "../kube/access.ts";
import { API_GROUPS, isNoVerb } from "../kube/api-groups.ts";
import { listAt, textAt } from "../kube/fields.ts";
import { describeRef, refOf } from "../kube/ref.ts";
import { sameValue } from "../kube/same-value.ts";
import type { Denial, Json, KubeObject } from "../model.ts";
import { ownChanges, type RecentCommit } from "../recent.ts";
import { slipOf } from "../remedies/typo.ts";
import { here, type Lost, WORKLOADS } from "./askers.ts";

type Account = Denial["account"];
type Right = Omit<Denial, "account">;

/** More than a Role that somebody wrote has: the product of three lists is no place for surprises. */
const MOST_WORDS = 30;
const MOST_RIGHTS = 2000;

/** What a commit says that takes rights on purpose. */
const ON_PURPOSE =
  /\b(restrict\w*|least|tighten\w*|harden\w*|revok\w*|narrow\w*|limit\w*|reduc\w*|drop\w*|remov\w*|delet\w*|permissions?|privileges?|rights?|access|rbac|roles?|secur\w*|audit|grants?|deny|denied|lock\w*)\b/i;

/**
 * Rights that a commit took from accounts without a program saying so: a new rule that can never give anything (`deployments` of the core
 * group, `pod`, the verb `lst`), a Role that is named for what it gives no more, a RoleBinding whose subject is nobody now. Only of what
 * Git itself says: who it is meant for is bound and declared there.
 */
export function lostRights(recent: RecentCommit): Lost[] {
  return recent.now.flatMap((object): Lost[] => {
    const lostOf = object.kind === "Role" ? lostOfRole : object.kind === "RoleBinding" ? lostOfBinding : undefined;
    const before = lostOf === undefined ? undefined : recent.before.get(stableKey(object));
    if (lostOf === undefined || before === undefined || ownChanges(object, recent).length === 0) return [];
    return lostOf(object, before, recent);
  });
}

function lostOfRole(role: KubeObject, before: KubeObject, recent: RecentCommit): Lost[] {
  const { namespace = "", name } = role.metadata;
  const bindings = here(recent, "RoleBinding", namespace).filter((binding) => roleOf(binding) === name);
  const [account] = bindings.flatMap(accountsOf).filter((each) => isDeclared(each, recent));
  const lost = rightsOf(before).filter((right) => !rulesGrant(role, right));
  const [first] = lost;
  if (account === undefined || first === undefined) return [];
  const idle = addedTo(role, before).flatMap((rule) => voidOf(rule) ?? []);
  const [gone, why] =
    idle[0] !== undefined
      ? [
          lost.filter((right) => idle.some(({ resources }) => resources.some((one) => isNear(one, right.resource)))),
          idle[0].why,
        ]
      : ON_PURPOSE.test(recent.commit.subject)
        ? [[], ""]
        : [lost.filter((right) => isNamedFor(name, right.resource) && !givesAny(role, right)), "the Role is named for"];
  const [right] = gone;
  if (right === undefined) return [];
  const verbs = [...new Set(gone.filter((one) => one.resource === right.resource).map(({ verb }) => verb))].join(", ");
  const what = `${verbs} ${right.resource}`;
  return [
    {
      ref: refOf(role),
      before,
      now: role,
      clients: runningAs(account, recent),
      what,
      says:
        idle[0] === undefined
          ? `${describeRef(refOf(role))} gives nothing on ${right.resource} since commit {commit}, for which it is named: ServiceAccount ${account.namespace}/${account.name} lost the right to ${what}.`
          : `${describeRef(refOf(role))} has a rule since commit {commit} that gives nothing (${why}): ServiceAccount ${account.namespace}/${account.name} lost the right to ${what}.`,
      rights: gone.map((one) => ({ ...one, account })),
    },
  ];
}

/** A subject that resembles the one that it replaces, and that is nobody, while that one is still declared and bound by nothing else. */
function lostOfBinding(binding: KubeObject, before: KubeObject, recent: RecentCommit): Lost[] {
  const { namespace = "" } = binding.metadata;
  const [now, then] = [accountsOf(binding), accountsOf(before)];
  const came = now.filter((one) => !then.some((other) => isSame(one, other)) && !isDeclared(one, recent));
  const gone = then.filter(
    (one) =>
      isDeclared(one, recent) &&
      !here(recent, "RoleBinding", namespace).some((other) => roleOf(other) === roleOf(binding) && bindsTo(other, one)),
  );
  const [account] = gone.filter((one) => came.some((other) => resembles(other, one)));
  const stranger = came.find((other) => account !== undefined && resembles(other, account));
  const role = here(recent, "Role", namespace).find((each) => each.metadata.name === roleOf(binding));
  const rights = role === undefined ? [] : rightsOf(role);
  if (account === undefined || stranger === undefined || rights.length === 0) return [];
  return [
    {
      ref: refOf(binding),
      before,
      now: binding,
      clients: runningAs(account, recent),
      what: `what ${describeRef(refOf(binding))} gives`,
      says: `${describeRef(refOf(binding))} names ServiceAccount ${stranger.namespace}/${stranger.name} since commit {commit}, which is not declared: ServiceAccount ${account.namespace}/${account.name} lost what it gives.`,
      rights: rights.map((right) => ({ ...right, account })),
    },
  ];
}

function accountsOf(binding: KubeObject): Account[] {
  return listAt(binding, "subjects").flatMap((subject) => {
    const name = textAt(subject, "name");
    const namespace = textAt(subject, "namespace") ?? binding.metadata.namespace ?? "";
    return textAt(subject, "kind") === "ServiceAccount" && name !== undefined ? [{ namespace, name }] : [];
  });
}

function isSame(one: Account, other: Account): boolean {
  return one.name === other.name && one.namespace === other.namespace;
}

function resembles(one: Account, other: Account): boolean {
  return one.name === other.name ? one.namespace !== other.namespace : slipOf(one.name, other.name) !== null;
}

/** By Git: as an object, or as whom a workload runs. */
function isDeclared(account: Account, recent: RecentCommit): boolean {
  return (
    here(recent, "ServiceAccount", account.namespace).some(({ metadata }) => metadata.name === account.name) ||
    runningAs(account, recent).length > 0
  );
}

function runningAs(account: Account, recent: RecentCommit): KubeObject[] {
  return recent.now.filter((object) => WORKLOADS.has(object.kind) && isSame(accountOf(object), account));
}

/** Single rights that the rules of a Role give on all objects of a kind; what is given by wildcard or by name is nobody's to count. */
function rightsOf(role: KubeObject): Right[] {
  const namespace = role.metadata.namespace ?? "";
  const all = listAt(role, "rules")
    .slice(0, MOST_WORDS)
    .flatMap((rule) => {
      if (listAt(rule, "resourceNames").length > 0) return [];
      const [verbs, groups, resources] = [
        textsIn(rule, "verbs"),
        textsIn(rule, "apiGroups"),
        textsIn(rule, "resources"),
      ];
      return groups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb): Right => ({ verb, group, resource, namespace }))),
      );
    });
  return all.slice(0, MOST_RIGHTS);
}

function textsIn(rule: unknown, field: string): string[] {
  return listAt(rule, field)
    .filter((item): item is string => typeof item === "string" && item !== "*")
    .slice(0, MOST_WORDS);
}

function addedTo(role: KubeObject, before: KubeObject): unknown[] {
  const known = listAt(before, "rules");
  return listAt(role, "rules").filter((rule) => !known.some((other) => sameValue(other as Json, rule as Json)));
}

/** Why a rule gives nothing on resources that it names, of Kubernetes' own kinds; null where it may give something. */
function voidOf(rule: unknown): { readonly resources: readonly string[]; readonly why: string } | null {
  const [groups, resources] = [listAt(rule, "apiGroups"), textsIn(rule, "resources")];
  const verbs = listAt(rule, "verbs").map(String);
  const wrong = verbs.find(isNoVerb);
  if (wrong !== undefined && verbs.every(isNoVerb)) return { resources, why: `there is no verb "${wrong}"` };
  const known = groups.map((group) => API_GROUPS.get(String(group)));
  if (groups.length === 0 || known.some((group) => group === undefined)) return null;
  const dead = resources.filter((resource) => !known.some((group) => group?.has(resource.split("/")[0] ?? "")));
  const [first] = dead;
  return first === undefined || dead.length < resources.length
    ? null
    : { resources: dead, why: `"${first}" is no resource of the API group "${groups.join('", "')}"` };
}

/** The same resource but for a slip, or for singular and plural. */
function isNear(one: string, other: string): boolean {
  return stem(one) === stem(other) || slipOf(one, other) !== null;
}

function stem(resource: string): string {
  return resource
    .toLowerCase()
    .replace(/(?:ies|y)$/, "y")
    .replace(/(?<=ss)es$|s$/, "");
}

function isNamedFor(name: string, resource: string): boolean {
  return name.split(/[-.:_]/).some((word) => word.length > 2 && stem(word) === stem(resource));
}

function givesAny(role: KubeObject, { group, resource }: Right): boolean {
  return listAt(role, "rules").some((rule) => {
    const groups = listAt(rule, "apiGroups");
    const resources = listAt(rule, "resources").map((one) => String(one).split("/")[0]);
    const about = resources.includes(resource.split("/")[0]) || resources.includes("*");
    return about && (groups.includes(group) || groups.includes("*"));
  });
}
