import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  applicationLists,
  claimMeans,
  inventoryLists,
  type OwnerClaim,
  ownerClaim,
  ownerClaims,
} from "../../src/gitops/owner-claim.ts";
import type { KubeObject } from "../../src/model.ts";

const TRACKING = "argocd.argoproj.io/tracking-id";
const INSTALLATION = "argocd.argoproj.io/installation-id";
const HELM = { "helm.toolkit.fluxcd.io/name": "cart", "helm.toolkit.fluxcd.io/namespace": "shop" };
const KUSTOMIZE = {
  "kustomize.toolkit.fluxcd.io/name": "apps",
  "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
};

function deployment(marks: { labels?: object; annotations?: object } = {}, name = "cart"): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: "shop", ...marks },
  } as KubeObject;
}
const role: KubeObject = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRole",
  metadata: {
    name: "system:cart",
    annotations: { [TRACKING]: "shop:rbac.authorization.k8s.io/ClusterRole:shop/system:cart" },
  },
};

describe("ownerClaim", () => {
  it.each<[string, KubeObject, OwnerClaim | null]>([
    ["nothing", deployment(), null],
    [
      "a tracking id",
      deployment({ annotations: { [TRACKING]: "shop:apps/Deployment:shop/cart" } }),
      { engine: "argocd", name: "shop" },
    ],
    [
      "an Application in any namespace",
      deployment({ annotations: { [TRACKING]: "team-a_shop:apps/Deployment:shop/cart" } }),
      { engine: "argocd", name: "shop", namespace: "team-a" },
    ],
    [
      "an installation",
      deployment({ annotations: { [TRACKING]: "shop:apps/Deployment:shop/cart", [INSTALLATION]: "blue" } }),
      { engine: "argocd", name: "shop", installation: "blue" },
    ],
    [
      "the core group",
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "cart", namespace: "shop", annotations: { [TRACKING]: "shop:/Service:shop/cart" } },
      },
      { engine: "argocd", name: "shop" },
    ],
    [
      "what has no namespace: it carries the destination's; and a colon in its name",
      role,
      { engine: "argocd", name: "shop" },
    ],
    ["a copy: another name", deployment({ annotations: { [TRACKING]: "shop:apps/Deployment:shop/till" } }), null],
    ["a copy: another namespace", deployment({ annotations: { [TRACKING]: "shop:apps/Deployment:till/cart" } }), null],
    ["a copy: no namespace", deployment({ annotations: { [TRACKING]: "shop:apps/Deployment:/cart" } }), null],
    ["a copy: another kind", deployment({ annotations: { [TRACKING]: "shop:apps/StatefulSet:shop/cart" } }), null],
    [
      "a copy: another group",
      deployment({ annotations: { [TRACKING]: "shop:extensions/Deployment:shop/cart" } }),
      null,
    ],
    ["no tracking id at all", deployment({ annotations: { [TRACKING]: "shop" } }), null],
    [
      "a Kustomization",
      deployment({ labels: KUSTOMIZE }),
      { engine: "flux-kustomize", name: "apps", namespace: "flux-system" },
    ],
    ["half of Flux's labels", deployment({ labels: { "kustomize.toolkit.fluxcd.io/name": "apps" } }), null],
    ["a HelmRelease", deployment({ labels: HELM }), { engine: "flux-helm", name: "cart", namespace: "shop" }],
    [
      "Argo CD's label",
      deployment({ labels: { "app.kubernetes.io/instance": "team_shop" } }),
      { engine: "argocd", name: "shop", namespace: "team", weak: true },
    ],
    [
      "Helm alone",
      deployment({
        labels: { "app.kubernetes.io/managed-by": "Helm" },
        annotations: { "meta.helm.sh/release-name": "cart", "meta.helm.sh/release-namespace": "shop" },
      }),
      { engine: "helm", name: "cart", namespace: "shop" },
    ],
    [
      "Helm's note on what Helm does not manage",
      deployment({ annotations: { "meta.helm.sh/release-name": "cart" } }),
      null,
    ],
  ])("%s", (_, object, claim) => {
    expect(ownerClaim(object)).toEqual(claim);
  });

  it("orders several claims: who applies it first", () => {
    const all = deployment({
      labels: {
        ...KUSTOMIZE,
        ...HELM,
        "app.kubernetes.io/managed-by": "Helm",
        "app.kubernetes.io/instance": "cart",
        "argocd.argoproj.io/instance": "shop",
      },
      annotations: {
        [TRACKING]: "shop:apps/Deployment:shop/cart",
        "meta.helm.sh/release-name": "cart",
      },
    });
    expect(ownerClaims(all).map(({ engine, name }) => `${engine} ${name}`)).toEqual([
      "argocd shop",
      "flux-helm cart",
      "flux-kustomize apps",
      "argocd shop",
      "argocd cart",
      "helm cart",
    ]);
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), fc.anything(), (labels, annotations, status) => {
        const object = deployment({ labels: labels as object, annotations: annotations as object });
        ownerClaims(object);
        applicationLists({ ...object, status }, object);
        inventoryLists({ ...object, status }, object);
      }),
    );
  });
});

describe("claimMeans", () => {
  const application = (name: string, namespace = "argocd"): KubeObject => ({
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Application",
    metadata: { name, namespace },
  });
  const long = `${"a".repeat(61)}-.b`;
  it.each<[boolean, Partial<OwnerClaim> & { name: string }, KubeObject]>([
    [true, { name: "shop" }, application("shop")],
    [false, { name: "shop" }, application("till")],
    [true, { name: "shop", namespace: "team" }, application("shop", "team")],
    [false, { name: "shop", namespace: "team" }, application("shop")],
    [true, { name: "a".repeat(61), weak: true }, application(long)],
    [false, { name: "a".repeat(61) }, application(long)],
    [true, { name: "b".repeat(58), namespace: "team", weak: true }, application("b".repeat(70), "team")],
    [false, { name: "a".repeat(60), weak: true }, application(long)],
  ])("%s: %j", (means, claim, object) => {
    expect(claimMeans({ engine: "argocd", ...claim }, object)).toBe(means);
  });
});

describe("inventoryLists", () => {
  const kustomization = (...ids: string[]): KubeObject => ({
    apiVersion: "kustomize.toolkit.fluxcd.io/v1",
    kind: "Kustomization",
    metadata: { name: "apps", namespace: "flux-system" },
    status: { inventory: { entries: ids.map((id) => ({ id, v: "v1" })) } },
  });
  it("names namespace, name, group and kind", () => {
    expect(inventoryLists(kustomization("shop_cart_apps_Deployment"), deployment())).toBe(true);
    expect(inventoryLists(kustomization("shop_till_apps_Deployment"), deployment())).toBe(false);
    expect(inventoryLists(kustomization("_system__cart_rbac.authorization.k8s.io_ClusterRole"), role)).toBe(true);
    expect(inventoryLists(kustomization(), deployment())).toBe(true);
  });
});
