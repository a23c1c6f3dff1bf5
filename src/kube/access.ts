import type { Denial, KubeObject } from "../model.ts";
import { type Fields, listAt, mapAt, textAt } from "./fields.ts";
import { containersOf, podSpecOf } from "./template.ts";

/** https://github.com/kubernetes/apiserver: `forbiddenMessage`; quotes are escaped where a program prints the answer's JSON. */
const FORBIDDEN =
  /(?:\\?"([^"\\\s]{1,253})\\?" is forbidden: )?User \\?"system:serviceaccount:([a-z0-9-]{1,63}):([a-z0-9.-]{1,253})\\?" cannot ([a-z]{1,20}) resource \\?"([a-z0-9./-]{1,253})\\?" in API group \\?"([a-z0-9.-]{0,253})\\?" in the namespace \\?"([a-z0-9-]{1,63})\\?"/g;

/** Rights that a text says were denied, each once. The API server's words; that it did deny them is for the roles to show. */
export function denialsIn(text: string): Denial[] {
  const found = [...text.matchAll(FORBIDDEN)].map(
    ([, name, home = "", account = "", verb = "", resource = "", group = "", namespace = ""]): Denial => ({
      account: { namespace: home, name: account },
      verb,
      group,
      resource,
      namespace,
      ...(name === undefined ? {} : { name }),
    }),
  );
  return [...new Map(found.map((denial) => [JSON.stringify(denial), denial])).values()];
}

/** As whom the pods of a workload ask the API server. */
export function accountOf(workload: KubeObject): Denial["account"] {
  return {
    namespace: workload.metadata.namespace ?? "",
    name: textAt(podSpecOf(workload), "serviceAccountName") ?? "default",
  };
}

const URL_OF_LIST =
  /https:\/\/(?:kubernetes\.default[a-z.]*|\$\{?KUBERNETES_SERVICE_HOST\}?)(?::[\w${}]+)?\/apis?\/(?:([a-z0-9.-]+\.[a-z]+|apps|batch|autoscaling|policy)\/)?v\w+\/namespaces\/([a-z0-9-]+)\/([a-z0-9-]+)(?![\w/-])/g;

/**
 * Lists that a workload's own command asks the API server for, as denials: what a client that only prints "403" was denied, if it was.
 */
export function listsAskedBy(workload: KubeObject, container: string | undefined): Denial[] {
  const texts = containersOf(workload)
    .filter(({ name }) => container === undefined || name === container)
    .flatMap(({ spec }) => [...listAt(spec, "command"), ...listAt(spec, "args")])
    .filter((word) => typeof word === "string");
  return texts.flatMap((text) =>
    [...text.slice(0, 20_000).matchAll(URL_OF_LIST)].map(
      ([, group = "", namespace = "", resource = ""]): Denial => ({
        account: accountOf(workload),
        verb: "list",
        group,
        resource,
        namespace,
      }),
    ),
  );
}

/** Do the rules of a Role give the right? */
export function rulesGrant(role: KubeObject, denial: Omit<Denial, "account">): boolean {
  const { verb, group, resource, name } = denial;
  const subresource = resource.split("/")[1];
  return listAt(role, "rules").some((rule) => {
    const names = listAt(rule, "resourceNames");
    return (
      has(rule, "verbs", verb, "*") &&
      has(rule, "apiGroups", group, "*") &&
      has(rule, "resources", resource, "*", ...(subresource === undefined ? [] : [`*/${subresource}`])) &&
      (names.length === 0 || (name !== undefined && names.includes(name)))
    );
  });
}

function has(rule: unknown, field: string, ...wanted: readonly string[]): boolean {
  return listAt(rule, field).some((item) => typeof item === "string" && wanted.includes(item));
}

/** Does a RoleBinding give its role to the account? */
export function bindsTo(binding: KubeObject, account: Denial["account"]): boolean {
  return listAt(binding, "subjects").some((subject) => isAccount(subject, account, binding));
}

/** Is a subject of a binding this very account, and no group that it belongs to? */
export function isAccount(subject: unknown, { namespace, name }: Denial["account"], binding: KubeObject): boolean {
  return (
    textAt(subject, "kind") === "ServiceAccount" &&
    textAt(subject, "name") === name &&
    (textAt(subject, "namespace") ?? binding.metadata.namespace) === namespace
  );
}

/** The Role that a binding gives; null for a ClusterRole. */
export function roleOf(binding: KubeObject): string | null {
  const ref: Fields | undefined = mapAt(binding, "roleRef");
  return textAt(ref, "kind") === "Role" ? (textAt(ref, "name") ?? null) : null;
}

const GRAVE_VERBS = new Set(["*", "escalate", "bind", "impersonate", "approve", "sign"]);
const GRAVE_RESOURCES =
  /^(?:\*.*|secrets|serviceaccounts\/token|pods\/(?:exec|attach|portforward|proxy|ephemeralcontainers)|nodes.*|(?:cluster)?role(?:binding)?s|certificatesigningrequests.*|.*webhookconfigurations)$/;

/** A right that nobody gets back by rule, though a commit took it: all of something, Secrets, other programs, or rights themselves. */
export function graveRight(role: KubeObject): string | null {
  for (const rule of listAt(role, "rules")) {
    const verb = listAt(rule, "verbs").find((item) => GRAVE_VERBS.has(String(item)));
    const resource = listAt(rule, "resources").find((item) => GRAVE_RESOURCES.test(String(item)));
    if (listAt(rule, "apiGroups").includes("*")) return "all API groups";
    if (verb !== undefined) return `the verb ${String(verb)}`;
    if (resource !== undefined) return String(resource);
  }
  return null;
}
