import type { KubeObject } from "../../../model.ts";
import { isTree } from "../shapes.ts";
import { ApiError, badRequest, invalid } from "./api-error.ts";
import type { Kind } from "./kinds.ts";

/** What somebody may not do. `*` matches everything; an absent namespace, all of them. */
export interface Denial {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  readonly namespace?: string;
}

export interface Ask {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  readonly namespace: string;
  readonly name: string;
}

/** A rule as a Role has it, in one namespace or (without one) in all of them. */
export interface PermittedRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
  readonly namespace?: string;
}

/** What the one account of the cluster may do: everything, or what `permitted` lists; and none of what `denied` lists. */
export interface Account {
  readonly denied: Denial[];
  permitted: readonly PermittedRule[] | null;
}

/** What every account has. */
const OF_EVERYBODY: readonly PermittedRule[] = [
  {
    apiGroups: ["authorization.k8s.io"],
    resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
    verbs: ["create"],
  },
  { apiGroups: ["authentication.k8s.io"], resources: ["selfsubjectreviews"], verbs: ["create"] },
];
const EVERYTHING: PermittedRule = { apiGroups: ["*"], resources: ["*"], verbs: ["*"] };

export function mayNot({ denied, permitted }: Account, ask: Ask): boolean {
  const fits = (rule: string, value: string): boolean => rule === "*" || rule === value;
  const isDenied = denied.some(
    (denial) =>
      fits(denial.group, ask.group) &&
      fits(denial.resource, ask.resource) &&
      fits(denial.verb, ask.verb) &&
      (denial.namespace === undefined || denial.namespace === ask.namespace),
  );
  if (isDenied || permitted === null) return isDenied;
  return ![...OF_EVERYBODY, ...permitted].some(
    (rule) =>
      rule.apiGroups.some((group) => fits(group, ask.group)) &&
      rule.resources.some((resource) => fits(resource, ask.resource)) &&
      rule.verbs.some((verb) => fits(verb, ask.verb)) &&
      (rule.resourceNames === undefined || rule.resourceNames.includes(ask.name)) &&
      (rule.namespace === undefined || rule.namespace === ask.namespace),
  );
}

/** 403 in the words of the RBAC authorizer. */
export function refuseAccess(ask: Ask): ApiError {
  const [plural = "", subresource] = ask.resource.split("/");
  const subject = ask.group === "" ? plural : `${plural}.${ask.group}`;
  const where = ask.namespace === "" ? "at the cluster scope" : `in the namespace "${ask.namespace}"`;
  const what = subresource === undefined ? plural : ask.resource;
  const named = ask.name === "" ? "" : ` "${ask.name}"`;
  const message = `${subject}${named} is forbidden: User "embedded" cannot ${ask.verb} resource "${what}" in API group "${ask.group}" ${where}`;
  return new ApiError(403, "Forbidden", message, {
    ...(ask.name === "" ? {} : { name: ask.name }),
    ...(ask.group === "" ? {} : { group: ask.group }),
    kind: plural,
  });
}

/** POST selfsubjectaccessreviews. */
export function reviewAccess(body: unknown, account: Account): KubeObject {
  const spec = isTree(body) && isTree(body.spec) ? body.spec : {};
  const asked = isTree(spec.resourceAttributes) ? spec.resourceAttributes : undefined;
  if (asked === undefined && !isTree(spec.nonResourceAttributes)) {
    const kind = { group: "authorization.k8s.io", kind: "SelfSubjectAccessReview" } satisfies Pick<
      Kind,
      "group" | "kind"
    >;
    throw invalid(kind, "", [
      {
        reason: "FieldValueInvalid",
        message: "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified",
        field: "spec.resourceAttributes",
      },
    ]);
  }
  const text = (name: string): string => String(asked?.[name] ?? "");
  const resource = text("subresource") === "" ? text("resource") : `${text("resource")}/${text("subresource")}`;
  const denied = mayNot(account, {
    group: text("group"),
    resource,
    verb: text("verb"),
    namespace: text("namespace"),
    name: text("name"),
  });
  return {
    kind: "SelfSubjectAccessReview",
    apiVersion: "authorization.k8s.io/v1",
    metadata: {} as KubeObject["metadata"],
    spec,
    status: { allowed: !denied },
  };
}

/** POST selfsubjectrulesreviews: the rules that hold in one namespace, the cluster's own among them. Denials are no rules. */
export function reviewRules(body: unknown, { permitted }: Account): KubeObject {
  const namespace = isTree(body) && isTree(body.spec) ? String(body.spec.namespace ?? "") : "";
  if (namespace === "") throw badRequest("no namespace on request");
  const held =
    permitted === null ? [EVERYTHING] : permitted.filter((rule) => (rule.namespace ?? namespace) === namespace);
  return {
    kind: "SelfSubjectRulesReview",
    apiVersion: "authorization.k8s.io/v1",
    metadata: {} as KubeObject["metadata"],
    spec: {},
    status: {
      resourceRules: [...OF_EVERYBODY, ...held].map(({ namespace: _, ...rule }) => rule),
      nonResourceRules: [],
      incomplete: false,
    },
  };
}
