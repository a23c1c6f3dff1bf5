import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { originsOfKustomization } from "../../src/gitops/flux-origins.ts";
import { originsOfHelmRelease } from "../../src/gitops/flux-release.ts";
import type { FluxContext } from "../../src/gitops/flux-source.ts";
import { changesOf, inputName } from "../../src/gitops/input.ts";
import type { Origin, Origins } from "../../src/gitops/origin.ts";
import type { KubeObject, ObjectRef } from "../../src/model.ts";

const SHA = "0123456789abcdef0123456789abcdef01234567";
const REPO = "ssh://git@github.com/shop/apps";

function object(kind: string, name: string, namespace: string, rest: object): KubeObject {
  const group = {
    ConfigMap: "v1",
    Kustomization: "kustomize.toolkit.fluxcd.io/v1",
    HelmRelease: "helm.toolkit.fluxcd.io/v2",
  };
  const apiVersion = group[kind as keyof typeof group] ?? "source.toolkit.fluxcd.io/v1";
  return { apiVersion, kind, metadata: { name, namespace }, ...rest };
}
const git = (spec: object = {}, name = "apps", namespace = "flux-system"): KubeObject =>
  object("GitRepository", name, namespace, { spec: { url: REPO, ref: { branch: "main" }, ...spec } });
const map = (name: string, data: object, namespace = "flux-system"): KubeObject =>
  object("ConfigMap", name, namespace, { data });

/** A cluster of some objects; those whose name begins with "hidden" cannot be read. Secrets may not even be asked for. */
function context(...objects: readonly KubeObject[]): FluxContext {
  return {
    hosts: ["github.com"],
    read: async ({ kind, namespace, name }: ObjectRef) => {
      if (kind === "Secret") throw new Error("a Secret is never read");
      if (name.startsWith("hidden")) return undefined;
      return (
        objects.find(
          (item) => item.kind === kind && item.metadata.name === name && item.metadata.namespace === namespace,
        ) ?? null
      );
    },
  };
}

function known(answer: Origins): Origin {
  if (!answer.found) throw new Error(`${answer.reason} (${answer.hint})`);
  expect(answer.origins).toHaveLength(1);
  return answer.origins[0] as Origin;
}
const unknown = (reason: RegExp): object => ({
  found: false,
  reason: expect.stringMatching(reason),
  hint: expect.stringMatching(/\w/),
});

const PODINFO = {
  spec: { chart: "podinfo", version: "6.5.*", sourceRef: { kind: "HelmRepository", name: "podinfo" } },
};
const PODINFOS = object("HelmRepository", "podinfo", "shop", { spec: { url: "https://charts.example.com" } });

describe("a Kustomization", () => {
  const kustomization = (spec: object = {}, status: object = {}): KubeObject =>
    object("Kustomization", "cart", "flux-system", {
      spec: { path: "./apps/cart", sourceRef: { kind: "GitRepository", name: "apps" }, ...spec },
      status,
    });
  const of = (spec: object, ...objects: readonly KubeObject[]): Promise<Origins> =>
    originsOfKustomization(kustomization(spec), context(...(objects.length === 0 ? [git()] : objects)));

  it("is the folder of its GitRepository, with everything below it", async () => {
    const status = { lastAppliedRevision: `main@sha1:${SHA}` };
    expect(await originsOfKustomization(kustomization({}, status), context(git()))).toEqual({
      found: true,
      origins: [
        {
          repository: "shop/apps",
          branch: "main",
          path: "apps/cart",
          tool: "auto",
          folder: { recurse: true, nested: true },
          owner: {
            kind: "flux",
            name: "Kustomization flux-system/cart",
            ref: {
              apiVersion: "kustomize.toolkit.fluxcd.io/v1",
              kind: "Kustomization",
              namespace: "flux-system",
              name: "cart",
            },
            deployed: SHA,
          },
        },
      ],
    });
  });

  it.each<[object | undefined, object]>([
    [undefined, { branch: "master" }],
    [{}, { branch: "master" }],
    [{ branch: "release" }, { branch: "release" }],
    [{ branch: "main", tag: "v1" }, { owner: { pinned: "tag v1" } }],
    [{ tag: "v1", semver: ">=1" }, { owner: { pinned: "version >=1" } }],
    [{ semver: ">=1", name: "refs/heads/x" }, { branch: "x" }],
    [{ name: "refs/tags/v2" }, { owner: { pinned: "tag v2" } }],
    [{ name: "refs/pull/4/head" }, { owner: { pinned: "reference refs/pull/4/head" } }],
    [{ name: "refs/heads/x", branch: "main", commit: SHA }, { owner: { pinned: `commit ${SHA}` } }],
  ])("follows %j", async (ref, expected) => {
    const found = known(await of({}, git({ ref })));
    expect(found).toMatchObject(expected);
    if (!("branch" in expected)) expect(found).not.toHaveProperty("branch");
  });

  it.each([
    ["", "."],
    ["./", "."],
    ["/apps", "apps"],
    ["../../apps", "apps"],
  ])("keeps its path %j inside, as Flux does", async (path, expected) => {
    expect(known(await of({ path })).path).toBe(expected);
  });

  it("finds its source in another namespace", async () => {
    const sourceRef = { kind: "GitRepository", name: "apps", namespace: "shared" };
    expect(known(await of({ sourceRef }, git({}, "apps", "shared"))).repository).toBe("shop/apps");
  });

  it("rests when it is suspended, and when its source is", async () => {
    expect(known(await of({ suspend: true })).owner.suspended).toBe(true);
    expect(known(await of({}, git({ suspend: true }))).owner.suspended).toBe(true);
  });

  it.each([
    { patches: [{ patch: "x" }] },
    { images: [{ name: "cart", newTag: "2" }] },
    { components: ["../tls"] },
    { namePrefix: "a-" },
    { nameSuffix: "-a" },
    { targetNamespace: "shop" },
    { patchesStrategicMerge: [{}] },
    { patchesJson6902: [{}] },
  ])("is laid over by its own spec: %j", async (spec) => {
    const found = known(await of(spec));
    const name = inputName("spec");
    expect(found.overlay).toEqual({ input: name, dialect: "flux" });
    expect(found.inputs?.[name]).toMatchObject({
      label: "Kustomization flux-system/cart spec",
      home: { object: { kind: "Kustomization" }, path: ["spec"], as: "value" },
    });
    expect(found.namespace).toBe("targetNamespace" in spec ? "shop" : undefined);
  });

  it("is not laid over by empty fields", async () => {
    expect(known(await of({ patches: [], namePrefix: "", images: null }))).not.toHaveProperty("overlay");
  });

  it("puts metadata on everything; what is encrypted and what it waits for change nothing", async () => {
    const found = known(
      await of({
        commonMetadata: { labels: { team: "shop", bad: 1 }, annotations: {} },
        decryption: { provider: "sops", secretRef: { name: "keys" } },
        dependsOn: [{ name: "x" }],
      }),
    );
    expect(found.common).toEqual({ labels: { team: "shop" } });
  });

  it("fills in variables: ConfigMaps in order, then its own, which win", async () => {
    const postBuild = {
      substituteFrom: [
        { kind: "ConfigMap", name: "two" },
        { kind: "ConfigMap", name: "one" },
        { kind: "ConfigMap", name: "gone", optional: true },
      ],
      substitute: { replicas: "2" },
    };
    const found = known(await of({ postBuild }, git(), map("one", { a: "1" }), map("two", { b: "2" })));
    expect(found.substitute).toEqual({
      inputs: [
        inputName("ConfigMap flux-system/two data"),
        inputName("ConfigMap flux-system/one data"),
        inputName("spec.postBuild.substitute"),
      ],
      open: false,
    });
    expect(found.inputs?.[inputName("ConfigMap flux-system/one data")]).toMatchObject({
      text: 'a: "1"\n',
      home: { object: { kind: "ConfigMap", name: "one" }, path: ["data"], as: "value" },
    });
  });

  it.each([
    { kind: "Secret", name: "keys" },
    { kind: "Secret", name: "keys", optional: true },
    { kind: "ConfigMap", name: "gone" },
    { kind: "ConfigMap", name: "hidden", optional: true },
    { kind: "ConfigMap" },
  ])("has variables that are not known: %j", async (item) => {
    expect(known(await of({ postBuild: { substituteFrom: [item] } })).substitute).toEqual({ inputs: [], open: true });
  });

  it("leaves texts alone where there are no variables at all", async () => {
    expect(known(await of({ postBuild: { substitute: {}, substituteFrom: [] } }))).not.toHaveProperty("substitute");
  });

  it.each<[string, object, readonly KubeObject[], RegExp]>([
    ["a bucket", { sourceRef: { kind: "Bucket", name: "apps" } }, [], /deployed from Bucket flux-system\/apps/],
    ["an external artifact", { sourceRef: { kind: "ExternalArtifact", name: "apps" } }, [], /ExternalArtifact/],
    ["no source", { sourceRef: undefined }, [], /names no source/],
    ["a source that is not there", {}, [git({}, "other")], /GitRepository flux-system\/apps is not there/],
    ["a source that cannot be read", { sourceRef: { kind: "GitRepository", name: "hidden" } }, [], /cannot be read/],
    ["another host", {}, [git({ url: "https://bot:hunter2@gitlab.com/a/b" })], /lies on gitlab\.com/],
    ["repositories in it", {}, [git({ include: [{ repository: { name: "x" } }] })], /puts other repositories/],
    ["no branch name", {}, [git({ ref: { branch: "--x" } })], /no branch, tag or commit/],
    ["another cluster", { kubeConfig: { secretRef: { name: "remote" } } }, [], /another cluster/],
    ["no path", { path: "a\u0000b" }, [], /no path of a repository/],
  ])("cannot be known: %s", async (_, spec, objects, reason) => {
    const answer = await of(spec, ...objects);
    expect(answer).toMatchObject({ ...unknown(reason), owner: { name: "Kustomization flux-system/cart" } });
    expect(JSON.stringify(answer)).not.toContain("hunter2");
  });

  it("of an OCI artifact is known when that says what it was made from, and is pinned", async () => {
    const artifact = (metadata: object): KubeObject =>
      object("OCIRepository", "apps", "flux-system", { status: { artifact: { metadata } } });
    const sourceRef = { kind: "OCIRepository", name: "apps" };
    expect(
      known(
        await of(
          { sourceRef },
          artifact({
            "org.opencontainers.image.source": "https://github.com/shop/apps",
            "org.opencontainers.image.revision": `release@sha1:${SHA}`,
          }),
        ),
      ),
    ).toMatchObject({
      repository: "shop/apps",
      branch: "release",
      owner: { pinned: "artifact of OCIRepository flux-system/apps" },
    });
    expect(await of({ sourceRef }, artifact({}))).toMatchObject(unknown(/names no repository/));
  });
});

describe("a HelmRelease", () => {
  const chart = (spec: object = {}): object => ({
    spec: {
      chart: "./charts/cart",
      sourceRef: { kind: "GitRepository", name: "apps", namespace: "flux-system" },
      ...spec,
    },
  });
  const of = (spec: object, ...objects: readonly KubeObject[]): Promise<Origins> =>
    originsOfHelmRelease(
      object("HelmRelease", "cart", "shop", { spec: { chart: chart(), ...spec } }),
      context(...(objects.some(({ kind }) => kind === "GitRepository") ? objects : [git(), ...objects])),
    );

  it("is the chart in Git, with an empty place for values where it sets none", async () => {
    expect(known(await of({}))).toEqual({
      repository: "shop/apps",
      branch: "main",
      path: "charts/cart",
      tool: "helm",
      namespace: "shop",
      helm: { release: "cart", values: [inputName("spec.values")] },
      inputs: {
        [inputName("spec.values")]: {
          text: "",
          label: "HelmRelease shop/cart spec.values",
          home: {
            object: { apiVersion: "helm.toolkit.fluxcd.io/v2", kind: "HelmRelease", namespace: "shop", name: "cart" },
            path: ["spec", "values"],
            as: "value",
          },
        },
      },
      owner: {
        kind: "flux",
        name: "HelmRelease shop/cart",
        ref: { apiVersion: "helm.toolkit.fluxcd.io/v2", kind: "HelmRelease", namespace: "shop", name: "cart" },
        versionFile: "charts/cart/Chart.yaml",
      },
    });
  });

  it("takes values in Flux's order: files, references, its own, then references with a path", async () => {
    const found = known(
      await of(
        {
          chart: chart({ valuesFiles: ["./charts/cart/values.yaml", "envs/prod.yaml"], reconcileStrategy: "Revision" }),
          valuesFrom: [
            { kind: "ConfigMap", name: "tags", valuesKey: "cart", targetPath: "image.tag" },
            { kind: "ConfigMap", name: "common" },
            { kind: "ConfigMap", name: "gone", optional: true },
            { kind: "Secret", name: "keys", optional: true },
          ],
          values: { replicas: 2 },
        },
        map("tags", { cart: "1.2" }, "shop"),
        map("common", { "values.yaml": "a: 1\n" }, "shop"),
      ),
    );
    expect(found.helm).toEqual({
      release: "cart",
      values: ["charts/cart/values.yaml", "envs/prod.yaml", inputName("valuesFrom.1"), inputName("spec.values")],
      targets: [inputName("valuesFrom.0")],
    });
    expect(found.inputs?.[inputName("valuesFrom.1")]).toMatchObject({
      text: "a: 1\n",
      home: { object: { kind: "ConfigMap", name: "common" }, path: ["data", "values.yaml"], as: "text" },
    });
    const target = found.inputs?.[inputName("valuesFrom.0")];
    expect(target?.text).toBe('image.tag: "1.2"\n');
    expect(target && changesOf(target, 'image.tag: "1.3"\n')).toEqual([
      {
        object: { apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: "tags" },
        path: ["data", "cart"],
        from: "1.2",
        to: "1.3",
      },
    ]);
    expect(found.owner).not.toHaveProperty("versionFile");
  });

  it("sees that values files stand in the place of the chart's own, and which may be missing", async () => {
    const found = known(
      await of({ chart: chart({ valuesFiles: ["envs/prod.yaml"], ignoreMissingValuesFiles: true }) }),
    );
    expect(found).toMatchObject({
      helm: { values: ["envs/prod.yaml"], noDefaults: true },
      optional: ["envs/prod.yaml"],
    });
    expect(known(await of({ chart: chart({ valuesFile: "envs/prod.yaml" }) })).helm?.values).toEqual([
      "envs/prod.yaml",
    ]);
  });

  it.each<[object, string, string]>([
    [{}, "cart", "shop"],
    [{ releaseName: "till" }, "till", "shop"],
    [{ targetNamespace: "prod" }, "prod-cart", "prod"],
    [{ targetNamespace: "prod", releaseName: "till", storageNamespace: "x" }, "till", "prod"],
    [
      // The example of Flux's own documentation, as far as its release name goes.
      { releaseName: "a-very-lengthy-target-namespace-with-a-nice-object-name" },
      "a-very-lengthy-target-namespace-with-a-n-97af5d7f41f3",
      "shop",
    ],
  ])("is installed as %j says", async (spec, release, namespace) => {
    expect(known(await of(spec))).toMatchObject({ helm: { release }, namespace });
  });

  it("is laid over by its post-renderers, in order, and by metadata", async () => {
    const found = known(
      await of({
        postRenderers: [{ kustomize: { images: [{ name: "a", newTag: "1" }] } }, {}, { kustomize: { patches: [] } }],
        commonMetadata: { annotations: { a: "b" } },
        install: { crds: "Skip" },
      }),
    );
    expect(found.helm).toMatchObject({
      post: [inputName("spec.postRenderers.0.kustomize"), inputName("spec.postRenderers.2.kustomize")],
      skipCrds: true,
    });
    expect(found.inputs?.[inputName("spec.postRenderers.0.kustomize")]?.home).toMatchObject({
      path: ["spec", "postRenderers", 0, "kustomize"],
    });
    expect(found.common).toEqual({ annotations: { a: "b" } });
  });

  it("finds its chart through a HelmChart object, too, whose sources are in that one's namespace", async () => {
    const helmChart = object("HelmChart", "cart", "flux-system", {
      spec: { chart: "charts/cart", sourceRef: { kind: "GitRepository", name: "apps" }, reconcileStrategy: "Revision" },
    });
    const chartRef = { kind: "HelmChart", name: "cart", namespace: "flux-system" };
    expect(known(await of({ chart: undefined, chartRef }, helmChart))).toMatchObject({ path: "charts/cart" });
  });

  it("may come from a Helm repository or registry, at the version that is installed", async () => {
    const version = { ...PODINFO, spec: { ...PODINFO.spec, version: "6.5.3", valuesFiles: ["ci.yaml"] } };
    expect(known(await of({ chart: version }, PODINFOS))).toMatchObject({
      remote: { url: "https://charts.example.com", chart: "podinfo", version: "6.5.3" },
      path: "podinfo",
      helm: { values: ["podinfo/ci.yaml", expect.stringContaining("spec.values")], noDefaults: true },
    });
    const oci = object("OCIRepository", "podinfo", "shop", {
      spec: { url: "oci://ghcr.io/stefan/charts/podinfo", ref: { tag: "6.9.0" } },
    });
    expect(
      known(await of({ chart: undefined, chartRef: { kind: "OCIRepository", name: "podinfo" } }, oci)).remote,
    ).toEqual({
      url: "oci://ghcr.io/stefan/charts",
      chart: "podinfo",
      version: "6.9.0",
    });
  });

  it("is pinned where its source is", async () => {
    expect(known(await of({}, git({ ref: { tag: "v1" } }))).owner.pinned).toBe("tag v1");
  });

  it.each<[string, object, readonly KubeObject[], RegExp]>([
    ["a range of a Helm repository", { chart: PODINFO }, [PODINFOS], /HelmRepository shop\/podinfo, and which version/],
    [
      "a Helm repository with a password",
      { chart: PODINFO },
      [
        object("HelmRepository", "podinfo", "shop", {
          spec: { url: "https://x", secretRef: { name: "a" } },
          status: {},
        }),
      ],
      /credentials|which version/,
    ],
    ["a Helm repository that is not there", { chart: PODINFO }, [], /HelmRepository shop\/podinfo is not there/],
    ["an OCI template", { chart: { kind: "OCIRepository", spec: { url: "oci://a:hunter2@b/c" } } }, [], /OCI registry/],
    ["an OCI reference", { chartRef: { kind: "OCIRepository", name: "cart" } }, [], /OCIRepository shop\/cart/],
    ["a bucket", { chart: chart({ sourceRef: { kind: "Bucket", name: "b" } }) }, [], /Bucket shop\/b/],
    ["a HelmChart that is not there", { chartRef: { kind: "HelmChart", name: "cart" } }, [], /is not there/],
    ["no chart", { chart: undefined }, [], /names no chart/],
    ["a packed chart", { chart: chart({ chart: "charts/cart-1.0.tgz" }) }, [], /no folder/],
    ["a values file that is none", { chart: chart({ valuesFiles: ["/"] }) }, [], /no file of the repository/],
    ["a Secret", { valuesFrom: [{ kind: "Secret", name: "keys" }] }, [], /Secret shop\/keys, which is never read/],
    ["a ConfigMap that is not there", { valuesFrom: [{ kind: "ConfigMap", name: "gone" }] }, [], /is not there/],
    [
      "a ConfigMap that cannot be read",
      { valuesFrom: [{ kind: "ConfigMap", name: "hidden", optional: true }] },
      [],
      /cannot be read/,
    ],
    [
      "a key that is not there",
      { valuesFrom: [{ kind: "ConfigMap", name: "a", optional: true }] },
      [map("a", {}, "shop")],
      /no text under values\.yaml/,
    ],
    [
      "a text taken word for word",
      { valuesFrom: [{ kind: "ConfigMap", name: "a", valuesKey: "b", targetPath: "c", literal: true }] },
      [map("a", { b: "c" }, "shop")],
      /word for word/,
    ],
    ["another cluster", { kubeConfig: {} }, [], /another cluster/],
  ])("cannot be known: %s", async (_, spec, objects, reason) => {
    const answer = await of(spec, ...objects);
    expect(answer).toMatchObject({ ...unknown(reason), owner: { name: "HelmRelease shop/cart" } });
    expect(JSON.stringify(answer)).not.toContain("hunter2");
  });
});

describe("hostile objects of Flux", () => {
  it("never throw", async () => {
    const mixed = fc.oneof(fc.jsonValue(), fc.string(), fc.constant("\u0000spec"));
    const ref = fc.oneof(
      mixed,
      fc.record({
        kind: fc.constantFrom("GitRepository", "OCIRepository", "HelmChart", "ConfigMap", "Secret"),
        name: fc.constantFrom("apps", "a"),
      }),
    );
    const spec = fc.record(
      {
        path: mixed,
        sourceRef: ref,
        chartRef: ref,
        chart: fc.oneof(
          mixed,
          fc.record({
            spec: fc.record({
              chart: mixed,
              sourceRef: ref,
              valuesFiles: fc.oneof(mixed, fc.array(mixed)),
              version: mixed,
            }),
          }),
        ),
        postBuild: fc.oneof(mixed, fc.record({ substitute: mixed, substituteFrom: fc.oneof(mixed, fc.array(ref)) })),
        valuesFrom: fc.oneof(mixed, fc.array(ref)),
        values: mixed,
        postRenderers: mixed,
        patches: mixed,
        commonMetadata: mixed,
        releaseName: mixed,
        targetNamespace: mixed,
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(mixed, spec), mixed, mixed, async (made, other, status) => {
        const read = context(
          { ...git({}, "apps", "x"), spec: { url: REPO, ref: other, include: other } },
          object("OCIRepository", "apps", "x", { status: { artifact: { metadata: other } } }),
          object("HelmChart", "a", "x", { spec: other }),
          object("ConfigMap", "a", "x", { data: other }),
        );
        const bare = { metadata: { name: "a", namespace: "x" }, spec: made, status };
        for (const answer of [
          await originsOfKustomization(
            { ...bare, apiVersion: "kustomize.toolkit.fluxcd.io/v1", kind: "Kustomization" },
            read,
          ),
          await originsOfHelmRelease({ ...bare, apiVersion: "helm.toolkit.fluxcd.io/v2", kind: "HelmRelease" }, read),
        ])
          if (answer.found)
            for (const { path } of answer.origins)
              expect(path.startsWith("/") || path.includes("\u0000") || path.split("/").includes("..")).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});
