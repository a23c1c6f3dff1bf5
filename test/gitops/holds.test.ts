import { describe, expect, it } from "vitest";
import { Config } from "../../src/config/schema.ts";
import { claimsOf } from "../../src/gitops/claim.ts";
import { deployedRevisions, hasDeployed } from "../../src/gitops/deployed.ts";
import { type HoldChoice, holdFor } from "../../src/gitops/holds.ts";
import type { Deployer } from "../../src/gitops/origin.ts";
import { refOf } from "../../src/kube/ref.ts";
import type { Json, KubeObject, ManagedFields } from "../../src/model.ts";

const NOW = new Date("2026-01-10T12:00:00Z");
const RECONCILE = "kustomize.toolkit.fluxcd.io/reconcile";
const DRIFT = "helm.toolkit.fluxcd.io/driftDetection";
const SKIP = "argocd.argoproj.io/skip-reconcile";
const API = {
  Application: "argoproj.io/v1alpha1",
  Kustomization: "kustomize.toolkit.fluxcd.io/v1",
  HelmRelease: "helm.toolkit.fluxcd.io/v2",
  Tenant: "acme.example/v1",
} as const;
type Kind = keyof typeof API;

function live(metadata: Partial<KubeObject["metadata"]> = {}): KubeObject {
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "cart", namespace: "shop", ...metadata } };
}

function deployer(kind: Kind, spec: Json | undefined, metadata: Partial<KubeObject["metadata"]> = {}): Deployer {
  const object: KubeObject = {
    apiVersion: API[kind],
    kind,
    metadata: { name: "shop", namespace: "gitops", ...metadata },
    ...(spec === undefined ? {} : { spec }),
  };
  return { ref: refOf(object), object, origins: { found: true, origins: [] } };
}

/** An entry by which a manager owns one field. */
function owns(manager: string, path: readonly string[], operation = "Update"): ManagedFields {
  const fieldsV1 = path.reduceRight<Json>((inner, step) => ({ [`f:${step}`]: inner }), {});
  return { manager, operation, fieldsV1 };
}

const annotation = (key: string, by: string): ManagedFields => owns(by, ["metadata", "annotations", key]);
const APP = { syncPolicy: { automated: { selfHeal: true } } };
const RULE = { group: "apps", kind: "Deployment", managedFieldsManagers: ["stanch"] };
const optIn = (rule: object, syncOptions: Json = ["RespectIgnoreDifferences=true"]): Json => ({
  syncPolicy: { automated: { selfHeal: true }, syncOptions },
  ignoreDifferences: [rule as Json],
});
const KUSTOMIZATION = { path: "./apps" };
const RELEASE = { driftDetection: { mode: "enabled" } };

const said = (choice: HoldChoice): string => (choice.possible ? choice.hold.kind : `no: ${choice.reason}`);

interface Row {
  readonly when: string;
  readonly object?: KubeObject;
  readonly by: Deployer | null;
  readonly holds?: { readonly object?: boolean; readonly application?: boolean; readonly helm?: boolean };
  readonly may?: boolean;
  readonly is: RegExp;
}

const BOTH = { application: true };
const NEITHER = { object: false };
const OWNER_ONLY = { object: false, application: true };

const ROWS: readonly Row[] = [
  // Nobody, and Helm alone.
  { when: "nobody deploys it", by: null, is: /^none$/ },
  {
    when: "a plain Helm release",
    object: live({
      labels: { "app.kubernetes.io/managed-by": "Helm" },
      annotations: { "meta.helm.sh/release-name": "shop" },
    }),
    by: null,
    is: /^no: deployed by Helm release shop\/shop, whose next upgrade/,
  },
  {
    when: "a plain Helm release, where that is wanted",
    object: live({
      labels: { "app.kubernetes.io/managed-by": "Helm" },
      annotations: { "meta.helm.sh/release-name": "shop" },
    }),
    by: null,
    holds: { helm: true },
    is: /^none$/,
  },
  // An owner that cannot be read.
  ...[
    { labels: { "kustomize.toolkit.fluxcd.io/name": "apps" } },
    { labels: { "helm.toolkit.fluxcd.io/name": "apps" } },
    { annotations: { "argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/cart" } },
    { managedFields: [{ manager: "argocd-controller" }] },
  ].map(
    (metadata): Row => ({
      when: `its owner cannot be read: ${JSON.stringify(metadata)}`,
      object: live(metadata),
      by: null,
      is: /^no: deployed by .*cannot be read and may revert/,
    }),
  ),
  { when: "an owner without a spec", by: deployer("Application", undefined), is: /^no: .*settings cannot be read/ },
  { when: "an owner of an unknown kind", by: deployer("Tenant", {}), is: /^no: .*for which no hold is known/ },
  {
    when: "two engines claim it",
    object: live({
      labels: { "kustomize.toolkit.fluxcd.io/name": "apps" },
      annotations: { "argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/cart" },
    }),
    by: deployer("Kustomization", KUSTOMIZATION),
    is: /^no: claimed by Argo CD Application shop and by Flux Kustomization/,
  },
  // Argo CD: does it heal itself?
  ...[
    {},
    { syncPolicy: {} },
    { syncPolicy: null },
    { syncPolicy: { automated: null } },
    { syncPolicy: { automated: {} } },
  ]
    .concat([
      { syncPolicy: { automated: { selfHeal: false } as object } },
      { syncPolicy: { automated: { selfHeal: true, enabled: false } as object } },
    ])
    .map(
      (spec): Row => ({
        when: `Argo CD with ${JSON.stringify(spec)}`,
        by: deployer("Application", spec as Json),
        is: /^none$/,
      }),
    ),
  ...[
    APP,
    { syncPolicy: { automated: true } },
    { syncPolicy: "auto" },
    { syncPolicy: { automated: { selfHeal: "no" } } },
  ].map(
    (spec): Row => ({
      when: `Argo CD with ${JSON.stringify(spec)}: it is taken to heal itself`,
      by: deployer("Application", spec as Json),
      is: /^no: deployed by Application gitops\/shop, which would revert a live change: .*not allowed/,
    }),
  ),
  // Argo CD: opt-in by fields.
  { when: "the opt-in names group and kind", by: deployer("Application", optIn(RULE)), is: /^argocd-fields$/ },
  {
    when: "the opt-in is narrow, and means it",
    by: deployer("Application", optIn({ ...RULE, name: "cart", namespace: "shop" })),
    is: /^argocd-fields$/,
  },
  {
    when: "the opt-in is wide",
    by: deployer("Application", optIn({ ...RULE, group: "*", kind: "*" })),
    is: /^argocd-fields$/,
  },
  {
    when: "the opt-in stands and it does not heal itself: by ownership it is held all the same",
    by: deployer("Application", {
      ignoreDifferences: [RULE],
      syncPolicy: { syncOptions: ["RespectIgnoreDifferences=true"] },
    }),
    is: /^argocd-fields$/,
  },
  ...[
    { ...RULE, group: "" },
    { ...RULE, kind: "StatefulSet" },
    { ...RULE, name: "search" },
    { ...RULE, namespace: "bank" },
    { ...RULE, managedFieldsManagers: ["kube-controller-manager"] },
    { group: "apps", kind: "Deployment", jsonPointers: ["/spec/replicas"] },
  ].map(
    (rule): Row => ({
      when: `the opt-in is for something else: ${JSON.stringify(rule)}`,
      by: deployer("Application", optIn(rule)),
      is: /^no: /,
    }),
  ),
  {
    when: "differences are ignored, but not when it syncs",
    by: deployer("Application", optIn(RULE, ["ServerSideApply=true"])),
    is: /^no: /,
  },
  // Argo CD: the whole application.
  { when: "the application may rest", by: deployer("Application", APP), holds: BOTH, is: /^argocd-skip$/ },
  {
    when: "the application may rest, without the right",
    by: deployer("Application", APP),
    holds: BOTH,
    may: false,
    is: /^no: .*may not patch it/,
  },
  {
    when: "an ApplicationSet makes it",
    by: deployer("Application", APP, {
      ownerReferences: [{ apiVersion: API.Application, kind: "ApplicationSet", name: "all", uid: "1" }],
    }),
    holds: BOTH,
    is: /^no: .*ApplicationSet all, which makes it, would take a hold back/,
  },
  {
    when: "an app of apps that says nothing of skipping: an annotation more is none of its business",
    by: deployer("Application", APP, {
      annotations: { "argocd.argoproj.io/tracking-id": "root:argoproj.io/Application:gitops/shop" },
    }),
    holds: BOTH,
    is: /^argocd-skip$/,
  },
  {
    when: "an app of apps that says not to skip",
    by: deployer("Application", APP, {
      annotations: { "argocd.argoproj.io/tracking-id": "root:argoproj.io/Application:gitops/shop", [SKIP]: "false" },
    }),
    holds: BOTH,
    is: /^no: .*itself deployed from Git, which says .*skip-reconcile: "false"/,
  },
  {
    when: "somebody skips it already",
    by: deployer("Application", APP, { annotations: { [SKIP]: "true" } }),
    is: /^none$/,
  },
  {
    when: "we skip it already, for another incident or one that was lost",
    by: deployer("Application", APP, { annotations: { [SKIP]: "true" }, managedFields: [annotation(SKIP, "stanch")] }),
    is: /^argocd-skip$/,
  },
  // Flux Kustomization.
  { when: "a Kustomization", by: deployer("Kustomization", KUSTOMIZATION), is: /^flux-object$/ },
  {
    when: "a Kustomization where both are allowed: the smaller",
    by: deployer("Kustomization", KUSTOMIZATION),
    holds: BOTH,
    is: /^flux-object$/,
  },
  {
    when: "a Kustomization, objects not to be annotated",
    by: deployer("Kustomization", KUSTOMIZATION),
    holds: NEITHER,
    is: /^no: .*neither the object nor its owner/,
  },
  {
    when: "a Kustomization that may rest",
    by: deployer("Kustomization", KUSTOMIZATION),
    holds: OWNER_ONLY,
    is: /^flux-suspend$/,
  },
  {
    when: "a Kustomization that may rest, without the right",
    by: deployer("Kustomization", KUSTOMIZATION),
    holds: OWNER_ONLY,
    may: false,
    is: /^no: .*may not patch/,
  },
  {
    when: "a Kustomization whose own Git says that it runs",
    by: deployer(
      "Kustomization",
      { ...KUSTOMIZATION, suspend: false },
      { managedFields: [owns("kustomize-controller", ["spec", "suspend"], "Apply")] },
    ),
    holds: OWNER_ONLY,
    is: /^no: .*which says suspend: false/,
  },
  { when: "a Kustomization that somebody suspended", by: deployer("Kustomization", { suspend: true }), is: /^none$/ },
  {
    when: "a Kustomization that we suspended",
    by: deployer("Kustomization", { suspend: true }, { managedFields: [owns("stanch", ["spec", "suspend"])] }),
    is: /^flux-suspend$/,
  },
  {
    when: "somebody annotated the object",
    object: live({ annotations: { [RECONCILE]: "disabled" } }),
    by: deployer("Kustomization", KUSTOMIZATION),
    is: /^none$/,
  },
  {
    when: "we annotated the object",
    object: live({ annotations: { [RECONCILE]: "disabled" }, managedFields: [annotation(RECONCILE, "stanch")] }),
    by: deployer("Kustomization", KUSTOMIZATION),
    holds: NEITHER,
    is: /^flux-object$/,
  },
  ...["Ignore", "IfNotPresent"].map(
    (ssa): Row => ({
      when: `the object says ssa: ${ssa}`,
      object: live({ annotations: { "kustomize.toolkit.fluxcd.io/ssa": ssa } }),
      by: deployer("Kustomization", KUSTOMIZATION),
      is: /^none$/,
    }),
  ),
  {
    when: "the object says ssa: Merge, which reverts what Git says",
    object: live({ annotations: { "kustomize.toolkit.fluxcd.io/ssa": "Merge" } }),
    by: deployer("Kustomization", KUSTOMIZATION),
    is: /^flux-object$/,
  },
  // Flux HelmRelease.
  ...[{}, { driftDetection: null }, { driftDetection: { mode: "disabled" } }, { driftDetection: { mode: "warn" } }].map(
    (spec): Row => ({
      when: `a HelmRelease with ${JSON.stringify(spec)}`,
      by: deployer("HelmRelease", spec as Json),
      is: /^none$/,
    }),
  ),
  ...[RELEASE, { driftDetection: {} }, { driftDetection: { mode: "always" } }].map(
    (spec): Row => ({
      when: `a HelmRelease with ${JSON.stringify(spec)}`,
      by: deployer("HelmRelease", spec as Json),
      is: /^flux-drift$/,
    }),
  ),
  {
    when: "a HelmRelease that corrects drift, objects not to be annotated",
    by: deployer("HelmRelease", RELEASE),
    holds: NEITHER,
    is: /^no: /,
  },
  {
    when: "a HelmRelease that may rest",
    by: deployer("HelmRelease", RELEASE),
    holds: OWNER_ONLY,
    is: /^flux-suspend$/,
  },
  {
    when: "somebody turned drift detection off for the object",
    object: live({ annotations: { [DRIFT]: "disabled" } }),
    by: deployer("HelmRelease", RELEASE),
    is: /^none$/,
  },
  { when: "a suspended HelmRelease", by: deployer("HelmRelease", { ...RELEASE, suspend: true }), is: /^none$/ },
];

describe("the least hold", () => {
  it.each(ROWS)("$when", ({ object = live(), by, holds = {}, may = true, is }) => {
    const settings = Config.parse({ holds });
    expect(said(holdFor(object, by, settings, NOW, () => may))).toMatch(is);
  });

  it("is written to the object itself, from what was there, and ends after the configured time", () => {
    const settings = Config.parse({ holds: { expiry: "2h" } });
    const object = live({ annotations: { [RECONCILE]: "enabled" } });
    const choice = holdFor(object, deployer("Kustomization", KUSTOMIZATION), settings, NOW);
    expect(choice.possible && choice.hold).toMatchObject({
      kind: "flux-object",
      object: refOf(object),
      owner: { kind: "Kustomization", namespace: "gitops", name: "shop" },
      takenAt: "2026-01-10T12:00:00.000Z",
      expiresAt: "2026-01-10T14:00:00.000Z",
      changes: [
        { object: refOf(object), path: ["metadata", "annotations", RECONCILE], from: "enabled", to: "disabled" },
      ],
    });
  });

  it("that is taken over is taken away as a whole: what was there before is not known", () => {
    const object = live({ annotations: { [RECONCILE]: "disabled" }, managedFields: [annotation(RECONCILE, "stanch")] });
    const choice = holdFor(object, deployer("Kustomization", KUSTOMIZATION), Config.parse({}), NOW);
    expect(choice.possible && choice.hold.changes).toEqual([
      { object: refOf(object), path: ["metadata", "annotations", RECONCILE], to: "disabled" },
    ]);
  });

  it("writes nothing where nothing reverts, and where ownership is the hold", () => {
    for (const by of [deployer("Application", {}), deployer("Application", optIn(RULE))]) {
      const choice = holdFor(live(), by, Config.parse({}), NOW);
      expect(choice.possible && choice.hold.changes).toEqual([]);
    }
  });
});

describe("claims", () => {
  it("a HelmRelease's object carries Helm's marks, too, and is claimed once", () => {
    const marks = {
      labels: { "helm.toolkit.fluxcd.io/name": "cart", "app.kubernetes.io/managed-by": "Helm" },
      annotations: { "meta.helm.sh/release-name": "cart" },
    };
    expect(claimsOf(live(marks)).map((claim) => claim.engine)).toEqual(["helmrelease"]);
  });
});

describe("what is deployed", () => {
  const [old, merge, later] = ["a", "b", "c"].map((letter) => letter.repeat(40)) as [string, string, string];
  const awaited = {
    commit: merge,
    since: "2026-01-10T12:00:00Z",
    contains: (commit: string) => commit === merge || commit === later,
  };
  const at = (kind: Kind, status: Json, metadata: Partial<KubeObject["metadata"]> = {}): KubeObject => ({
    apiVersion: API[kind],
    kind,
    metadata: { name: "shop", namespace: "gitops", ...metadata },
    status,
  });

  it.each<[string, KubeObject, string[]]>([
    ["Argo CD", at("Application", { sync: { revision: merge } }), [merge]],
    ["Argo CD of several sources", at("Application", { sync: { revisions: ["1.2.3", merge] } }), [merge]],
    ["Flux", at("Kustomization", { lastAppliedRevision: `main@sha1:${merge}` }), [merge]],
    ["Flux before 2.0", at("Kustomization", { lastAppliedRevision: `main/${merge}` }), [merge]],
    ["an image", at("Kustomization", { lastAppliedRevision: `latest@sha256:${"d".repeat(64)}` }), []],
    ["a chart", at("HelmRelease", { lastAttemptedRevision: "1.2.3+abc" }), []],
    ["nothing yet", at("Application", {}), []],
  ])("is read from %s", (_, object, revisions) => expect(deployedRevisions(object)).toEqual(revisions));

  const state = (object: KubeObject, parent: KubeObject | null = null) => hasDeployed(object, parent, awaited).state;
  it("is the awaited commit, or one after it", () => {
    expect(state(at("Application", { sync: { revision: merge } }))).toBe("yes");
    expect(state(at("Application", { sync: { revision: later } }))).toBe("yes");
    expect(state(at("Application", { sync: { revision: old } }))).toBe("behind");
    expect(state(at("Application", {}))).toBe("unknown");
    expect(hasDeployed(at("Kustomization", { lastAppliedRevision: `main@sha1:${old}` }), null, awaited)).toMatchObject({
      seen: "Kustomization gitops/shop is at aaaaaaa, not at bbbbbbb yet",
    });
  });

  it("of a HelmRelease: its parent is there, and it made a release since", () => {
    const release = (lastDeployed: string, generation = 2): KubeObject =>
      at(
        "HelmRelease",
        { observedGeneration: 2, conditions: [{ type: "Ready", status: "True" }], history: [{ lastDeployed }] },
        { generation },
      );
    const parent = (commit: string): KubeObject => at("Kustomization", { lastAppliedRevision: `main@sha1:${commit}` });
    const [before, after] = ["2026-01-10T11:59:00Z", "2026-01-10T12:01:00Z"];
    expect(state(release(after), parent(merge))).toBe("yes");
    expect(state(release(after))).toBe("yes");
    expect(state(release(after), parent(old))).toBe("behind");
    expect(state(release(before), parent(merge))).toBe("behind");
    expect(state(release(after, 3), parent(merge))).toBe("behind");
  });
});
