import { StanchError } from "../errors.ts";
import { listAt } from "../kube/fields.ts";
import type { Access, HeldRule } from "../ports.ts";
import type { ApiClient } from "./kubernetes-http.ts";

const GROUP = "authorization.k8s.io/v1";

/** SelfSubjectAccessReview: may this account do that? */
export async function reviewOne(api: ApiClient, access: Access): Promise<boolean> {
  const resourceAttributes = {
    group: access.group,
    resource: access.resource,
    verb: access.verb,
    ...(access.subresource === undefined ? {} : { subresource: access.subresource }),
    ...(access.namespace === undefined ? {} : { namespace: access.namespace }),
    ...(access.name === undefined ? {} : { name: access.name }),
  };
  const status = await review(api, "SelfSubjectAccessReview", { resourceAttributes });
  return (status as { allowed?: boolean } | undefined)?.allowed === true;
}

/** SelfSubjectRulesReview: what this account may do in a namespace. */
export async function heldRules(api: ApiClient, namespace: string): Promise<HeldRule[]> {
  const status = await review(api, "SelfSubjectRulesReview", { namespace });
  return listAt(status, "resourceRules").map((rule) => ({
    apiGroups: texts(rule, "apiGroups"),
    resources: texts(rule, "resources"),
    resourceNames: texts(rule, "resourceNames"),
    verbs: texts(rule, "verbs"),
  }));
}

function texts(rule: unknown, field: string): string[] {
  return listAt(rule, field).filter((text) => typeof text === "string");
}

async function review(api: ApiClient, kind: string, spec: object): Promise<unknown> {
  const answer = await api.call({
    method: "POST",
    path: `/apis/${GROUP}/${kind.toLowerCase()}s`,
    body: { apiVersion: GROUP, kind, spec },
  });
  if (answer.status >= 200 && answer.status < 300) return (answer.body as { status?: unknown }).status;
  const message = String((answer.body as { message?: unknown }).message ?? `status ${answer.status}`);
  throw new StanchError(
    answer.status === 401 || answer.status === 403 ? "forbidden" : "cluster",
    `cannot review own rights: ${message}`,
    answer.status === 401
      ? { hint: "the credentials are not valid any more: log in again, or mount a service account token" }
      : answer.status === 403
        ? { hint: "let every account ask for its own rights: bind the ClusterRole system:basic-user to it" }
        : {},
  );
}
