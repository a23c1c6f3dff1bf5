import { describe, expect, it } from "vitest";
import { StanchError } from "../../src/errors.ts";
import type { KubeObject, ObjectRef } from "../../src/model.ts";
import { type DeployersRequest, readDeployers } from "../../src/observe/deployers.ts";
import type { ListOptions, Resource } from "../../src/ports.ts";

const TRACKING = "argocd.argoproj.io/tracking-id";

interface Bench {
  readonly cluster: DeployersRequest["cluster"];
  readonly gets: string[];
  readonly lists: ListOptions[];
}

/** A cluster of some objects that serves only kinds of which it has some; `forbidden` names plurals and objects that may not be read. */
function bench(objects: readonly KubeObject[], forbidden: readonly string[] = []): Bench {
  const gets: string[] = [];
  const lists: ListOptions[] = [];
  const of = ({ kind }: Resource): KubeObject[] => objects.filter((object) => object.kind === kind);
  return {
    gets,
    lists,
    cluster: {
      serves: async (resource) => of(resource).length > 0 || forbidden.includes(resource.plural),
      async *list(resource, options = {}) {
        lists.push(options);
        if (forbidden.includes(resource.plural)) throw new StanchError("forbidden", `may not list ${resource.plural}`);
        const all = of(resource);
        const size = options.limit ?? all.length;
        for (let start = 0; start < all.length; start += size) yield all.slice(start, start + size);
      },
      get: async (ref: ObjectRef) => {
        gets.push(`${ref.kind}/${ref.name}`);
        if (forbidden.includes(ref.name)) throw new StanchError("forbidden", `may not get ${ref.name}`);
        return (
          objects.find(
            ({ kind, metadata }) =>
              kind === ref.kind && metadata.name === ref.name && metadata.namespace === ref.namespace,
          ) ?? null
        );
      },
    },
  };
}
const read = ({ cluster }: Bench, namespaces: readonly string[] | null = null): ReturnType<typeof readDeployers> =>
  readDeployers({ cluster, hosts: ["github.com"], pageSize: 2, namespaces });

const application = (name: string, namespace = "argocd", status: object = {}): KubeObject => ({
  apiVersion: "argoproj.io/v1alpha1",
  kind: "Application",
  metadata: { name, namespace },
  spec: { source: { repoURL: "https://github.com/shop/apps", path: name } },
  status,
});
const listing = { resources: [{ group: "apps", kind: "Deployment", namespace: "shop", name: "cart" }] };
const git = (name = "apps"): KubeObject => ({
  apiVersion: "source.toolkit.fluxcd.io/v1",
  kind: "GitRepository",
  metadata: { name, namespace: "flux-system" },
  spec: { url: "https://github.com/shop/apps", ref: { branch: "main" } },
});
const kustomization = (name: string, status: object = {}, source = "apps"): KubeObject => ({
  apiVersion: "kustomize.toolkit.fluxcd.io/v1",
  kind: "Kustomization",
  metadata: { name, namespace: "flux-system" },
  spec: { path: name, sourceRef: { kind: "GitRepository", name: source } },
  status,
});
const release = (name: string): KubeObject => ({
  apiVersion: "helm.toolkit.fluxcd.io/v2",
  kind: "HelmRelease",
  metadata: { name, namespace: "shop" },
  spec: {
    chart: {
      spec: { chart: "c", sourceRef: { kind: "GitRepository", name: "apps", namespace: "flux-system" } },
    },
  },
});
const cart = (marks: { labels?: Record<string, string>; annotations?: Record<string, string> }): KubeObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "cart", namespace: "shop", ...marks },
});
const tracked = (app: string, more: Record<string, string> = {}): KubeObject =>
  cart({ annotations: { [TRACKING]: `${app}:apps/Deployment:shop/cart`, ...more } });
const labelled = (app: string): KubeObject => cart({ labels: { "app.kubernetes.io/instance": app } });
const kustomized = cart({
  labels: {
    "kustomize.toolkit.fluxcd.io/name": "cart",
    "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
  },
});
const released = cart({
  labels: {
    "helm.toolkit.fluxcd.io/name": "cart",
    "helm.toolkit.fluxcd.io/namespace": "shop",
    "app.kubernetes.io/instance": "cart",
    "app.kubernetes.io/managed-by": "Helm",
  },
  annotations: { "meta.helm.sh/release-name": "cart" },
});

describe("readDeployers", () => {
  it("reads every engine's objects page by page, and each source once", async () => {
    const made = bench([
      ...["a", "b", "c"].map((name) => application(name)),
      kustomization("cart"),
      kustomization("till"),
      release("cart"),
      git(),
    ]);
    const { all, gaps } = await read(made);
    expect(all.map(({ ref, origins }) => `${ref.kind} ${ref.name} ${origins.found}`)).toEqual([
      "Application a true",
      "Application b true",
      "Application c true",
      "Kustomization cart true",
      "Kustomization till true",
      "HelmRelease cart true",
    ]);
    expect(gaps).toEqual([]);
    expect(made.gets).toEqual(["GitRepository/apps"]);
    expect(made.lists).toEqual([{ limit: 2 }, { limit: 2 }, { limit: 2 }]);
  });

  it("looks everywhere where it may: a deployer seldom lives where it deploys", async () => {
    const made = bench([application("a"), kustomization("cart"), release("cart"), git()]);
    const { all } = await read(made, ["shop"]);
    expect(all.map(({ ref }) => `${ref.kind} ${ref.namespace}`)).toContain("Application argocd");
  });

  it("confined to namespaces it looks in these, which is no gap", async () => {
    const made = bench([application("a"), kustomization("cart"), release("cart"), git()]);
    const { list } = made.cluster;
    const cluster: typeof made.cluster = {
      ...made.cluster,
      async *list(resource, options = {}) {
        if (options.namespace === undefined) throw new StanchError("forbidden", `may not list ${resource.plural}`);
        yield* list(resource, options);
      },
    };
    const { gaps } = await read({ ...made, cluster }, ["shop", "argocd"]);
    expect(gaps).toEqual([]);
    expect(made.lists).toEqual(
      [1, 2, 3].flatMap(() => [
        { limit: 2, namespace: "shop" },
        { limit: 2, namespace: "argocd" },
      ]),
    );
  });

  it("asks nothing of a cluster without engines", async () => {
    const made = bench([]);
    expect(await read(made)).toMatchObject({ all: [], gaps: [] });
    expect([...made.lists, ...made.gets]).toEqual([]);
  });

  it("leaves out what is being deleted", async () => {
    const going = application("a");
    going.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
    expect((await read(bench([going]))).all).toEqual([]);
  });

  it("says what it may not read, and goes on", async () => {
    const made = bench(
      [kustomization("cart"), kustomization("till", {}, "other"), git(), git("other")],
      ["applications", "other"],
    );
    const { all, gaps } = await read(made);
    expect(all.map(({ origins }) => (origins.found ? "found" : origins.reason))).toEqual([
      "found",
      "GitRepository flux-system/other cannot be read",
    ]);
    expect(gaps).toEqual([
      "applications cannot be read, so where they deploy from is not known: may not list applications",
      "GitRepository flux-system/other, from which something is deployed, cannot be read: may not get other",
    ]);
  });

  it("goes on where one object cannot be understood", async () => {
    let values: object = {};
    for (let depth = 0; depth < 9000; depth += 1) values = { a: values };
    const deep = release("cart");
    Object.assign(deep["spec"] as object, { values });
    const { all } = await read(bench([application("a"), deep, git()]));
    expect(all.map(({ origins }) => (origins.found ? "found" : origins.reason))).toEqual([
      "found",
      expect.stringMatching(/^it is not understood/),
    ]);
  });

  it("takes discovery that fails for one that serves everything", async () => {
    const made = bench([application("a")]);
    const cluster = { ...made.cluster, serves: () => Promise.reject(new Error("down")) };
    expect((await readDeployers({ cluster, hosts: ["github.com"], pageSize: 2 })).all).toHaveLength(1);
  });

  it("stops at a bound, and says so", async () => {
    const many = Array.from({ length: 2010 }, (_, index) => application(`a${index}`));
    const made = bench(many);
    const { all, gaps } = await readDeployers({ cluster: made.cluster, hosts: [], pageSize: 500 });
    expect(all).toHaveLength(2000);
    expect(gaps).toEqual([expect.stringMatching(/^there are more than 2000 applications/)]);
  });

  it("never asks for a Secret", async () => {
    const secret = { kind: "Secret", name: "keys" };
    const made = bench([
      git(),
      { ...kustomization("cart"), spec: { sourceRef: secret, postBuild: { substituteFrom: [secret] } } },
      { ...release("cart"), spec: { chartRef: secret, valuesFrom: [secret] } },
    ]);
    await read(made);
    expect(made.gets.filter((text) => text.startsWith("Secret"))).toEqual([]);
  });
});

describe("the deployer of an object", () => {
  it.each<[string, KubeObject, readonly KubeObject[], string | null]>([
    ["nobody's", cart({}), [application("cart")], null],
    ["tracked by id", tracked("cart"), [application("cart")], "argocd/cart"],
    [
      "tracked by one that lists others, and not it",
      tracked("cart"),
      [
        application("cart", "argocd", {
          resources: [{ group: "apps", kind: "Deployment", namespace: "shop", name: "till" }],
        }),
      ],
      null,
    ],
    ["tracked by one that is gone", tracked("cart"), [application("till")], null],
    ["a copy", cart({ annotations: { [TRACKING]: "cart:apps/Deployment:shop/till" } }), [application("cart")], null],
    [
      "tracked from any namespace",
      tracked("team_cart"),
      [application("cart"), application("cart", "team")],
      "team/cart",
    ],
    [
      "tracked by Argo CD's own, where another has the name, too",
      tracked("cart"),
      [
        application("cart", "team", { controllerNamespace: "argocd" }),
        application("cart", "argocd", { controllerNamespace: "argocd" }),
      ],
      "argocd/cart",
    ],
    [
      "tracked by one of two, which lists it",
      tracked("cart"),
      [application("cart"), application("cart", "argo-two", listing)],
      "argo-two/cart",
    ],
    ["tracked by one of two, left open", tracked("cart"), [application("cart"), application("cart", "argo-two")], null],
    [
      "of another installation, it may be",
      tracked("cart", { "argocd.argoproj.io/installation-id": "blue" }),
      [application("cart")],
      null,
    ],
    [
      "of an installation whose Application lists it",
      tracked("cart", { "argocd.argoproj.io/installation-id": "blue" }),
      [application("cart", "argocd", listing)],
      "argocd/cart",
    ],
    ["labelled, and listed", labelled("cart"), [application("cart", "argocd", listing)], "argocd/cart"],
    [
      "labelled, and listed in another cluster",
      labelled("cart"),
      [
        {
          ...application("cart", "argocd", listing),
          spec: { destination: { server: "https://staging.example.com" }, source: {} },
        },
      ],
      null,
    ],
    ["labelled by a chart", labelled("cart"), [application("cart")], null],
    [
      "labelled with a name that was cut",
      labelled("a".repeat(63)),
      [application("a".repeat(70), "argocd", listing)],
      `argocd/${"a".repeat(70)}`,
    ],
    ["a Kustomization's", kustomized, [kustomization("cart"), git()], "flux-system/cart"],
    [
      "in its inventory",
      kustomized,
      [kustomization("cart", { inventory: { entries: [{ id: "shop_cart_apps_Deployment", v: "v1" }] } }), git()],
      "flux-system/cart",
    ],
    [
      "not in its inventory",
      kustomized,
      [kustomization("cart", { inventory: { entries: [{ id: "shop_till_apps_Deployment", v: "v1" }] } }), git()],
      null,
    ],
    ["a Kustomization's that is gone", kustomized, [kustomization("till"), git()], null],
    ["a HelmRelease's", released, [release("cart"), git()], "shop/cart"],
    [
      "a HelmRelease's, which Argo CD deploys under the same name",
      released,
      [release("cart"), application("cart"), git()],
      "shop/cart",
    ],
    [
      "Helm's under Argo CD, by the label alone",
      cart({ labels: { "app.kubernetes.io/instance": "cart", "app.kubernetes.io/managed-by": "Helm" } }),
      [application("cart", "argocd", listing)],
      "argocd/cart",
    ],
    [
      "of the second claim, where the first does not hold",
      cart({
        labels: kustomized.metadata.labels ?? {},
        annotations: { [TRACKING]: "gone:apps/Deployment:shop/cart" },
      }),
      [kustomization("cart"), git()],
      "flux-system/cart",
    ],
    [
      "Helm's alone",
      cart({
        labels: { "app.kubernetes.io/managed-by": "Helm" },
        annotations: { "meta.helm.sh/release-name": "cart" },
      }),
      [application("cart")],
      null,
    ],
    [
      "an Application of an app of apps",
      {
        ...application("cart"),
        metadata: {
          name: "cart",
          namespace: "argocd",
          annotations: { [TRACKING]: "root:argoproj.io/Application:argocd/cart" },
        },
      },
      [application("root")],
      "argocd/root",
    ],
  ])("%s", async (_, object, objects, expected) => {
    const { of } = await read(bench(objects));
    const found = of(object);
    expect(found === null ? null : `${found.ref.namespace}/${found.ref.name}`).toBe(expected);
  });
});
