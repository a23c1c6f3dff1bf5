import { describe, expect, it } from "vitest";
import { Config } from "../../src/config/schema.ts";
import type { HoldChoice } from "../../src/gitops/holds.ts";
import type { GuardContext } from "../../src/guards/guard.ts";
import { guards } from "../../src/guards/index.ts";
import { keyOf } from "../../src/kube/ref.ts";
import type { Change, FieldPath, KubeObject, ObjectRef, Plan } from "../../src/model.ts";
import { guard } from "../../src/steps/guard.ts";
import { ago } from "../detectors/snapshot-builder.ts";
import { CART, change, context, live, ownerOfMemory, plan } from "./plan-builder.ts";

const ROLE: ObjectRef = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "Role",
  namespace: "shop",
  name: "reader",
};
const reader: KubeObject = {
  apiVersion: ROLE.apiVersion,
  kind: "Role",
  metadata: { name: "reader", namespace: "shop" },
  rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }],
};

interface Case {
  readonly rule: string;
  /** What is tried, as a sentence's rest. */
  readonly when: string;
  readonly plan?: Plan;
  readonly context?: GuardContext;
}
interface Stops extends Case {
  readonly decision: "refuse" | "git-only";
  readonly says: RegExp;
}

const remediate = (over: object) => Config.parse({ mode: "remediate", ...over });
const on = (object: KubeObject | null, over: Partial<GuardContext> = {}): GuardContext => context(over, object);
const annotated = (annotations: Record<string, string>) => on(live({ annotations }));
const labelled = (labels: Record<string, string>) => on(live({ labels }));
const managed = (manager: string, operation = "Update") =>
  on(live({ managedFields: [ownerOfMemory(manager, operation)] }));
const heldBy = (choice: HoldChoice, object: KubeObject = live()) =>
  context({ holds: new Map([[keyOf(CART), choice]]) }, object);
const hold = (kind: string): HoldChoice => ({
  possible: true,
  hold: {
    kind: "argocd-fields",
    object: CART,
    owner: { apiVersion: "x/v1", kind, namespace: "gitops", name: "shop" },
    reason: "",
    takenAt: "",
    expiresAt: "",
    changes: [],
  },
});
const owner = (controller: boolean) => ({ apiVersion: "x/v1", kind: "Shop", name: "eu", uid: "1", controller });
const within = (namespace: string): Plan => {
  const object = { ...CART, namespace };
  return plan({ finding: { ...plan().finding, workload: object }, changes: [change({ object })] });
};
const APPLICATION: ObjectRef = {
  apiVersion: "argoproj.io/v1alpha1",
  kind: "Application",
  namespace: "shop",
  name: "guestbook",
};
const application: KubeObject = {
  apiVersion: APPLICATION.apiVersion,
  kind: "Application",
  metadata: { name: "guestbook", namespace: "shop" },
  spec: { source: { path: "none" } },
};
const TRACKING = "argocd.argoproj.io/tracking-id";

const byModel = (remedy: string) => plan({ choice: { remedy, params: {}, reason: "", evidence: [], by: "model" } });

const STOPS: readonly Stops[] = [
  {
    rule: "protected-namespace",
    when: "the namespace is Kubernetes' own",
    plan: within("kube-system"),
    decision: "refuse",
    says: /kube-system is protected/,
  },
  {
    rule: "protected-namespace",
    when: "the namespace is Stanch's own",
    plan: within("stanch-system"),
    decision: "refuse",
    says: /stanch-system is protected/,
  },
  {
    rule: "protected-namespace",
    when: "one of several changes leaves the scope",
    plan: plan({ changes: [change(), change({ object: { ...CART, namespace: "bank" } })] }),
    context: context({ settings: remediate({ scope: { namespaces: ["shop"] } }) }),
    decision: "refuse",
    says: /bank is protected or out of scope/,
  },
  {
    rule: "protected-namespace",
    when: "the object has no namespace",
    plan: within(""),
    decision: "refuse",
    says: /cluster-scoped objects are never changed/,
  },
  {
    rule: "opted-out",
    when: "the object is annotated",
    context: annotated({ "stanch.dev/ignore": "true" }),
    decision: "refuse",
    says: /Deployment shop\/cart is annotated stanch\.dev\/ignore/,
  },
  {
    rule: "opted-out",
    when: "the namespace is annotated",
    context: context({ namespaces: new Map([["shop", { "stanch.dev/ignore": "true" }]]) }),
    decision: "refuse",
    says: /namespace shop is annotated/,
  },
  {
    rule: "being-deleted",
    when: "the object has a deletionTimestamp",
    context: on(live({ deletionTimestamp: ago("1m") })),
    decision: "refuse",
    says: /shop\/cart is being deleted/,
  },
  {
    rule: "owned-object",
    when: "an operator controls it",
    context: on(live({ ownerReferences: [owner(true)] })),
    decision: "refuse",
    says: /controlled by Shop eu.*correct it there/,
  },
  {
    rule: "suspended",
    when: "a person paused it",
    context: on(live({}, { paused: true })),
    decision: "refuse",
    says: /a person has paused it/,
  },
  {
    rule: "suspended",
    when: "Stanch paused it",
    context: on(
      live(
        { managedFields: [{ manager: "stanch", operation: "Update", fieldsV1: { "f:spec": { "f:paused": {} } } }] },
        { paused: true },
      ),
    ),
    decision: "refuse",
    says: /Stanch has paused it to contain a fault/,
  },
  {
    rule: "suspended",
    when: "it is scaled to zero",
    context: on(live({}, { replicas: 0 })),
    decision: "refuse",
    says: /scaled to zero/,
  },
  {
    rule: "scaled-by-another",
    when: "an autoscaler owns the field",
    context: managed("vpa-updater"),
    decision: "refuse",
    says: /owned by vpa-updater/,
  },
  {
    rule: "storm",
    when: "more findings than the ceiling come at once",
    context: context({ ripe: 11 }),
    decision: "refuse",
    says: /11 findings at once \(guard\.storm is 10\).*shared cause/,
  },
  {
    rule: "stale",
    when: "the field is not what the plan starts from",
    plan: plan({ changes: [change({ from: "32Mi" })] }),
    decision: "refuse",
    says: /has changed: .*is "64Mi" and not "32Mi"/,
  },
  {
    rule: "attempts",
    when: "so many hotfixes failed before",
    context: context({ failedAttempts: 3 }),
    decision: "refuse",
    says: /3 hotfixes of this incident did not heal it/,
  },
  {
    rule: "cooldown",
    when: "the object was changed a moment ago",
    context: context({ lastChange: new Map([[keyOf(CART), new Date(ago("9m"))]]) }),
    decision: "refuse",
    says: /was changed 9m ago \(guard\.cooldown is 10m\)/,
  },
  {
    rule: "open-pull-requests",
    when: "people have enough to review",
    context: context({ open: 5 }),
    decision: "refuse",
    says: /5 pull requests of Stanch are open already/,
  },
  {
    rule: "open-pull-requests",
    when: "this run has opened enough",
    context: context({ opened: 5 }),
    decision: "refuse",
    says: /5 pull requests were opened in this run/,
  },
  {
    rule: "missing-target",
    when: "the object is not in the cluster",
    context: on(null),
    decision: "git-only",
    says: /shop\/cart is not in the cluster/,
  },
  {
    rule: "mode",
    when: "the mode is observe",
    context: context({ settings: remediate({ mode: "observe" }) }),
    decision: "refuse",
    says: /the mode is observe/,
  },
  {
    rule: "mode",
    when: "the mode is propose",
    context: context({ settings: remediate({ mode: "propose" }) }),
    decision: "git-only",
    says: /the mode is propose/,
  },
  {
    rule: "policy",
    when: "a Role would give back a right",
    plan: plan({
      choice: { remedy: "restore-policy", params: {}, reason: "", evidence: [] },
      changes: [change({ object: ROLE, path: ["rules", 0, "verbs"], from: ["get"], to: ["get", "list"] })],
    }),
    context: context({
      live: new Map([
        [keyOf(CART), live()],
        [keyOf(ROLE), reader],
      ]),
    }),
    decision: "git-only",
    says: /Role shop\/reader says what workloads may do, and is changed in Git only/,
  },
  {
    rule: "identity",
    when: "the workload would run as another ServiceAccount",
    plan: plan({
      changes: [change({ path: ["spec", "template", "spec", "serviceAccountName"], from: "chekout", to: "checkout" })],
    }),
    context: context(
      {},
      live({}, { template: { spec: { serviceAccountName: "chekout", containers: [{ name: "app" }] } } }),
    ),
    decision: "git-only",
    says: /as whom Deployment shop\/cart runs/,
  },
  {
    rule: "gitops-object",
    when: "the object says itself what is deployed",
    plan: plan({
      finding: { ...plan().finding, workload: APPLICATION },
      changes: [{ object: APPLICATION, path: ["spec", "source", "path"], from: "none", to: "guestbook" }],
    }),
    context: context({ live: new Map([[keyOf(APPLICATION), application]]) }),
    decision: "git-only",
    says: /Application shop\/guestbook says what is deployed, and is changed in Git only/,
  },
  {
    rule: "gitops-owned",
    when: "Argo CD tracks the object itself",
    context: annotated({ [TRACKING]: "eu-shop:apps/Deployment:shop/cart" }),
    decision: "git-only",
    says: /deployed by Argo CD Application eu-shop, which would revert/,
  },
  {
    rule: "gitops-owned",
    when: "a Flux Kustomization applies it",
    context: labelled({ "kustomize.toolkit.fluxcd.io/name": "apps" }),
    decision: "git-only",
    says: /Flux Kustomization flux-system\/apps/,
  },
  {
    rule: "gitops-owned",
    when: "a Flux HelmRelease applies it",
    context: labelled({ "helm.toolkit.fluxcd.io/name": "cart", "helm.toolkit.fluxcd.io/namespace": "shop" }),
    decision: "git-only",
    says: /Flux HelmRelease shop\/cart/,
  },
  {
    rule: "gitops-owned",
    when: "a Helm release deployed it, and nobody looked into what that means",
    context: on(
      live({
        labels: { "app.kubernetes.io/managed-by": "Helm" },
        annotations: { "meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "eu" },
      }),
    ),
    decision: "git-only",
    says: /deployed by Helm release eu\/shop, which would revert a live change/,
  },
  {
    rule: "gitops-owned",
    when: "there is no hold that would keep the change",
    context: heldBy({ possible: false, reason: "deployed by Application argocd/shop, which would revert it: no hold" }),
    decision: "git-only",
    says: /^Deployment shop\/cart is deployed by Application argocd\/shop, which would revert it: no hold$/,
  },
  {
    rule: "fought-field",
    when: "the engine that applies it is not the one that is held",
    context: heldBy(hold("Application"), live({ managedFields: [ownerOfMemory("kustomize-controller", "Apply")] })),
    decision: "git-only",
    says: /applied by kustomize-controller, which would change it back/,
  },
  {
    rule: "fought-field",
    when: "another controller applies the field",
    context: managed("shop-operator", "Apply"),
    decision: "git-only",
    says: /applied by shop-operator, which would change it back/,
  },
  {
    rule: "model-choice",
    when: "a model chose what contains, though it be named like what it may choose",
    plan: { ...byModel("rollback"), risk: "low", contains: { template: "", pods: [] } },
    decision: "refuse",
    says: /a model may not choose rollback/,
  },
  {
    rule: "model-choice",
    when: "a model chose a remedy that it may not choose",
    plan: byModel("raise-memory-limit"),
    decision: "refuse",
    says: /a model may not choose raise-memory-limit/,
  },
  {
    rule: "model-choice",
    when: "a model chose a remedy that the configuration does not leave to it",
    plan: byModel("rollback"),
    context: context({ settings: remediate({ model: { remedies: ["correct-image"] } }) }),
    decision: "refuse",
    says: /may not choose rollback \(model\.remedies/,
  },
  {
    rule: "model-choice",
    when: "a model chose a remedy of a higher risk than it may",
    plan: byModel("rollback"),
    context: context({ settings: remediate({ model: { risk: "low" } }) }),
    decision: "refuse",
    says: /model\.risk/,
  },
  {
    rule: "model-live",
    when: "a model chose it, and model.live is not set",
    plan: byModel("rollback"),
    decision: "git-only",
    says: /only where that is wanted \(model\.live\)/,
  },
  {
    rule: "risk",
    when: "the remedy is riskier than allowed",
    context: context({ settings: remediate({ guard: { risk: "low" } }) }),
    decision: "git-only",
    says: /risk is medium, and only low is applied live/,
  },
  {
    rule: "hotfixes-per-run",
    when: "this run has changed enough",
    context: context({ hotfixes: 5 }),
    decision: "git-only",
    says: /5 live changes were made in this run/,
  },
  {
    rule: "missing-rights",
    when: "the account may not patch",
    context: context({ missingRights: ["patch deployments"] }),
    decision: "git-only",
    says: /this account may not patch deployments/,
  },
];

const PASSES: readonly Case[] = [
  { rule: "protected-namespace", when: "the namespace is in scope" },
  { rule: "opted-out", when: "the annotation says false", context: annotated({ "stanch.dev/ignore": "false" }) },
  { rule: "being-deleted", when: "the object stays" },
  {
    rule: "owned-object",
    when: "the owner is no controller",
    context: on(live({ ownerReferences: [owner(false)] })),
  },
  { rule: "suspended", when: "it runs", context: on(live({}, { paused: false, replicas: 3 })) },
  { rule: "scaled-by-another", when: "kubectl owns the field", context: managed("kubectl-client-side-apply") },
  { rule: "storm", when: "exactly as many as the ceiling are found", context: context({ ripe: 10 }) },
  { rule: "stale", when: "the field is what the plan starts from" },
  { rule: "attempts", when: "one attempt is left", context: context({ failedAttempts: 2 }) },
  {
    rule: "cooldown",
    when: "the last change is long ago, and another object's is not",
    context: context({
      lastChange: new Map([
        [keyOf(CART), new Date(ago("10m"))],
        [keyOf({ ...CART, name: "search" }), new Date(ago("1s"))],
      ]),
    }),
  },
  { rule: "open-pull-requests", when: "one more may be opened", context: context({ open: 4, opened: 4 }) },
  { rule: "missing-target", when: "the object is there" },
  { rule: "mode", when: "the mode is remediate" },
  {
    rule: "gitops-owned",
    when: "the tracking annotation was copied from another object",
    context: annotated({ [TRACKING]: "eu-shop:apps/Deployment:shop/other" }),
  },
  { rule: "gitops-object", when: "the object is a workload" },
  { rule: "identity", when: "only memory changes" },
  { rule: "policy", when: "only memory changes" },
  {
    rule: "gitops-owned",
    when: "a hold keeps the change",
    context: heldBy(hold("Kustomization"), live({ labels: { "kustomize.toolkit.fluxcd.io/name": "apps" } })),
  },
  ...(
    [
      ["Kustomization", "kustomize-controller"],
      ["HelmRelease", "helm-controller"],
      ["Application", "argocd-controller"],
    ] as const
  ).map(
    ([kind, manager]): Case => ({
      rule: "fought-field",
      when: `${manager} applies it and is held`,
      context: heldBy(hold(kind), live({ managedFields: [ownerOfMemory(manager, "Apply")] })),
    }),
  ),
  {
    rule: "gitops-owned",
    when: "a chart's label stands alone",
    context: labelled({ "app.kubernetes.io/managed-by": "Helm" }),
  },
  { rule: "fought-field", when: "kubectl applied it", context: managed("kubectl", "Apply") },
  { rule: "fought-field", when: "Stanch wrote it", context: managed("stanch", "Apply") },
  { rule: "model-choice", when: "a rule proved it" },
  {
    rule: "model-live",
    when: "what a model chose may be applied live",
    plan: byModel("rollback"),
    context: context({ settings: remediate({ model: { live: true } }) }),
  },
  { rule: "risk", when: "the risk is allowed" },
  { rule: "hotfixes-per-run", when: "one more may be made", context: context({ hotfixes: 4 }) },
  { rule: "missing-rights", when: "the account may" },
  { rule: "field-allow-list", when: "a memory limit is raised" },
];

it("each case changes a plan that is carried out live", () => {
  expect(guard(plan(), context())).toEqual({ decision: "live", notes: [] });
});

describe("a guard stops when", () => {
  it.each(STOPS.map((row) => [`${row.rule}: ${row.when}`, row] as const))("%s", (_, row) => {
    const verdict = guard(row.plan ?? plan(), row.context ?? context());
    expect(verdict).toMatchObject({ decision: row.decision, rule: row.rule });
    expect("reason" in verdict ? verdict.reason : "").toMatch(row.says);
  });
});

describe("a guard lets pass when", () => {
  it.each(PASSES.map((row) => [`${row.rule}: ${row.when}`, row] as const))("%s", (_, row) => {
    const rule = guards.find((candidate) => candidate.id === row.rule);
    expect(rule?.check(row.plan ?? plan(), row.context ?? context())).toBeNull();
    expect(guard(row.plan ?? plan(), row.context ?? context()).decision).toBe("live");
  });
});

it("every guard has a case that stops and one that passes", () => {
  const own = ["field-allow-list"]; // field-allow-list.test.ts
  const ids = guards.map((rule) => rule.id);
  expect(ids.filter((id) => !STOPS.some((row) => row.rule === id) && !own.includes(id))).toEqual([]);
  expect(ids.filter((id) => !PASSES.some((row) => row.rule === id))).toEqual([]);
});

describe("the pods that a commit scaled to zero under a Service", () => {
  const rest = on(live({}, { replicas: 0 }));
  const { finding } = plan();
  const cutOff = { ...finding, workload: CART, symptom: { kind: "CutOff", message: "" } } as const;
  const back = { object: CART, path: ["spec", "replicas"], from: 0, to: 2 } as const;
  const scaled = { finding: cutOff, changes: [back], gitOnly: "nothing would show it" };
  it("may come back in Git", () => {
    expect(guard(plan(scaled), rest)).toMatchObject({ decision: "live" });
  });
  it.each([
    ["live", "field-allow-list", { finding: cutOff, changes: [back] }, context()],
    ["at rest, live", "suspended", { finding: cutOff, changes: [back] }, rest],
    ["for another symptom", "suspended", { ...scaled, finding: { ...finding, workload: CART } }, rest],
    ["of another workload", "suspended", { ...scaled, changes: [{ ...back, object: { ...CART, name: "a" } }] }, rest],
    ["to zero", "suspended", { ...scaled, changes: [{ ...back, to: 0 }] }, rest],
    [
      "from some to more",
      "field-allow-list",
      { ...scaled, changes: [{ ...back, from: 1 }] },
      on(live({}, { replicas: 1 })),
    ],
  ] as const)("are not scaled %s", (_, rule, row, knows) => {
    expect(guard(plan(row), knows)).toMatchObject({ decision: "refuse", rule });
  });
});

describe("evicting pods, which changes no field,", () => {
  const evict = plan({ changes: [], action: { kind: "evict", pods: ["cart-1"] } });
  it("is carried out live", () => {
    expect(guard(evict, context()).decision).toBe("live");
  });
  it.each([
    ["opted-out", annotated({ "stanch.dev/ignore": "true" })],
    ["being-deleted", on(live({ deletionTimestamp: ago("1m") }))],
    ["suspended", on(live({}, { paused: true }))],
    ["storm", context({ ripe: 99 })],
    ["hotfixes-per-run", context({ hotfixes: 5 })],
    ["missing-rights", context({ missingRights: ["create pods/eviction"] })],
  ])("is stopped by %s all the same", (rule, knows) => {
    expect(guard(evict, knows)).toMatchObject({ rule });
  });
});

describe("what a change of another object brings with it", () => {
  const config: ObjectRef = { apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: "settings" };
  const path: FieldPath = ["data", "mode"];
  const both = plan({ changes: [change(), { object: config, path, from: "b", to: "a" } satisfies Change] });
  const knows = (metadata: Partial<KubeObject["metadata"]>) =>
    context({
      live: new Map<string, KubeObject | null>([
        [keyOf(CART), live()],
        [
          keyOf(config),
          {
            apiVersion: "v1",
            kind: "ConfigMap",
            metadata: { name: "settings", namespace: "shop", ...metadata },
            data: { mode: "b" },
          },
        ],
      ]),
    });
  it("passes when nothing is special about it", () => expect(guard(both, knows({})).decision).toBe("live"));
  it.each<[string, Partial<KubeObject["metadata"]>]>([
    ["opted-out", { annotations: { "stanch.dev/ignore": "true" } }],
    ["being-deleted", { deletionTimestamp: ago("1m") }],
    ["owned-object", { ownerReferences: [owner(true)] }],
    ["gitops-owned", { labels: { "kustomize.toolkit.fluxcd.io/name": "apps" } }],
  ])("is seen by %s", (rule, metadata) => expect(guard(both, knows(metadata))).toMatchObject({ rule }));
});
