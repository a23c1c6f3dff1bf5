import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { originsOfApplication } from "../../src/gitops/argocd-origins.ts";
import { changesOf, inputName } from "../../src/gitops/input.ts";
import type { Origin } from "../../src/gitops/origin.ts";
import type { KubeObject } from "../../src/model.ts";

const SHA = "0123456789abcdef0123456789abcdef01234567";
const OLD = "89abcdef0123456789abcdef0123456789abcdef";
const CONTEXT = { hosts: ["github.com"] };
const REPO = "https://github.com/shop/apps.git";

function application(spec: object, rest: { metadata?: object; status?: object } = {}): KubeObject {
  return {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Application",
    metadata: { name: "cart", namespace: "argocd", ...rest.metadata },
    spec: { destination: { namespace: "shop" }, syncPolicy: { automated: {} }, ...spec },
    status: rest.status ?? {},
  };
}
const one = (source: object, rest: { metadata?: object; status?: object } = {}): KubeObject =>
  application({ source: { repoURL: REPO, path: "cart", targetRevision: "main", ...source } }, rest);

function origins(object: KubeObject): readonly Origin[] {
  const answer = originsOfApplication(object, CONTEXT);
  if (!answer.found) throw new Error(`${answer.reason} (${answer.hint})`);
  return answer.origins;
}
const origin = (object: KubeObject): Origin => origins(object)[0] as Origin;
function reason(object: KubeObject): string {
  const answer = originsOfApplication(object, CONTEXT);
  return answer.found ? "found" : answer.reason;
}

describe("an Application with one source", () => {
  it("is its repository, branch, path and namespace; the files tell the tool", () => {
    expect(originsOfApplication(one({}, { status: { sync: { status: "Synced", revision: SHA } } }), CONTEXT)).toEqual({
      found: true,
      origins: [
        {
          repository: "shop/apps",
          branch: "main",
          path: "cart",
          tool: "auto",
          namespace: "shop",
          folder: { recurse: false, nested: false },
          helm: { release: "cart", values: [] },
          overrides: [
            "cart/.argocd-source.yaml",
            "cart/.argocd-source-cart.yaml",
            "cart/.argocd-source-argocd_cart.yaml",
          ],
          owner: {
            kind: "argocd",
            name: "Application argocd/cart",
            ref: { apiVersion: "argoproj.io/v1alpha1", kind: "Application", namespace: "argocd", name: "cart" },
            deployed: SHA,
          },
        },
      ],
    });
  });

  it.each<[string, object]>([
    ["HEAD", {}],
    ["", {}],
    ["refs/heads/release", { branch: "release" }],
    ["v1.2.3", { owner: { pinned: "tag v1.2.3" } }],
    [SHA, { owner: { pinned: `commit ${SHA}` } }],
    ["1.x", { owner: { pinned: "version 1.x" } }],
  ])("follows %j", (targetRevision, expected) => {
    const found = origin(one({ targetRevision }));
    expect(found).toMatchObject(expected);
    if (!("branch" in expected)) expect(found).not.toHaveProperty("branch");
  });

  it("tells of what the history says while it is out of step", () => {
    const status = {
      sync: { status: "OutOfSync", revision: SHA },
      history: [{ revision: SHA }, { revision: OLD }],
    };
    expect(origin(one({}, { status })).owner.deployed).toBe(OLD);
    expect(origin(one({}, { status: { sync: { status: "Synced", revision: "6.5.3" } } })).owner).not.toHaveProperty(
      "deployed",
    );
  });

  it("tells of the ApplicationSet that makes it, and that it does not act by itself", () => {
    const metadata = {
      ownerReferences: [{ apiVersion: "argoproj.io/v1alpha1", kind: "ApplicationSet", name: "shops", uid: "1" }],
      annotations: { "argocd.argoproj.io/skip-reconcile": "true" },
    };
    expect(origin(one({}, { metadata })).owner).toMatchObject({
      suspended: true,
      generatedBy: { apiVersion: "argoproj.io/v1alpha1", kind: "ApplicationSet", namespace: "argocd", name: "shops" },
    });
    for (const syncPolicy of [undefined, {}, { automated: { enabled: false } }])
      expect(origin(application({ source: { repoURL: REPO }, syncPolicy })).owner.suspended).toBe(true);
    expect(
      origin(application({ source: { repoURL: REPO }, syncPolicy: { automated: { enabled: true } } })).owner,
    ).not.toHaveProperty("suspended");
  });

  it("is merged over by files with its namespace in their name only outside of Argo CD's own", () => {
    const named = (controllerNamespace: string): unknown =>
      origin(one({ path: "." }, { status: { controllerNamespace } })).overrides;
    expect(named("argocd")).toEqual([".argocd-source.yaml", ".argocd-source-cart.yaml"]);
    expect(named("argo")).toEqual([".argocd-source.yaml", ".argocd-source-argocd_cart.yaml"]);
  });

  it("may be a chart of a Helm repository, at the version that it asks for or that was synced", () => {
    const asked = { chart: "podinfo", targetRevision: "6.5.3", repoURL: "https://charts.example.com" };
    expect(origin(one(asked))).toMatchObject({
      remote: { url: "https://charts.example.com", chart: "podinfo", version: "6.5.3" },
      path: "podinfo",
      tool: "helm",
      helm: { release: "cart" },
    });
    const range = { ...asked, repoURL: "ghcr.io/shop", targetRevision: "6.x" };
    expect(origin(one(range, { status: { sync: { status: "Synced", revision: "6.7.1" } } })).remote).toEqual({
      url: "oci://ghcr.io/shop",
      chart: "podinfo",
      version: "6.7.1",
    });
  });

  it.each<[string, object, RegExp]>([
    [
      "a range of a Helm repository",
      { chart: "podinfo", targetRevision: "6.5.*" },
      /^its chart podinfo 6\.5\.\* lies in a Helm repository, and which version/,
    ],
    ["an OCI registry", { repoURL: "oci://ghcr.io/shop/cart" }, /OCI registry \(ghcr\.io\)/],
    ["another host", { repoURL: "https://gitlab.com/shop/apps" }, /lies on gitlab\.com/],
    ["a plugin", { plugin: { name: "cue" } }, /^a plugin makes its objects/],
    ["an empty plugin", { plugin: {} }, /^a plugin makes its objects/],
    ["Jsonnet", { directory: { jsonnet: { tlas: [{ name: "a", value: "b" }] } } }, /Jsonnet/],
    ["two tools", { helm: {}, kustomize: {} }, /sets helm and kustomize at once/],
    ["a path that leads out", { path: "../x" }, /leads out/],
    ["an absolute path", { path: "/x" }, /leads out/],
    ["a path with a NUL", { path: "\u0000spec" }, /leads out/],
    ["no branch name", { targetRevision: "--upload-pack=x" }, /no branch, tag or commit/],
    ["no address", { repoURL: 7 }, /names no address/],
  ])("cannot be known: %s", (_, source, expected) => {
    const answer = originsOfApplication(one(source), CONTEXT);
    expect(answer).toMatchObject({
      found: false,
      reason: expect.stringMatching(expected),
      hint: expect.stringMatching(/\w/),
      owner: { name: "Application argocd/cart" },
    });
  });

  it("cannot be known without a source", () => {
    expect(reason(application({}))).toMatch(/names no source/);
  });
});

describe("a folder", () => {
  it("is taken as `directory` says; empty Jsonnet settings, as the UI writes them, are none", () => {
    const source = { directory: { recurse: true, include: "*.yaml", exclude: "{a,b}.yaml", jsonnet: {} } };
    expect(origin(one(source))).toMatchObject({
      tool: "plain",
      folder: { recurse: true, include: "*.yaml", exclude: "{a,b}.yaml", nested: false },
    });
    expect(origin(one(source))).not.toHaveProperty("helm");
  });
});

describe("Kustomize", () => {
  it("is laid over by what stands in the Application", () => {
    const found = origin(one({ kustomize: { images: ["cart=cart:1.2"], namespace: "till" } }));
    const name = inputName("spec.source.kustomize");
    expect(found).toMatchObject({
      tool: "kustomize",
      namespace: "till",
      overlay: { input: name, dialect: "argocd" },
    });
    expect(found.inputs?.[name]).toEqual({
      text: "images:\n  - cart=cart:1.2\nnamespace: till\n",
      label: "Application argocd/cart spec.source.kustomize",
      home: { object: found.owner.ref, path: ["spec", "source", "kustomize"], as: "value" },
    });
  });
  it("is not, when nothing stands there", () => {
    expect(origin(one({ kustomize: {} }))).not.toHaveProperty("overlay");
  });
  it.each([
    { images: ["cart:$ARGOCD_APP_REVISION"] },
    { commonAnnotationsEnvsubst: true, commonAnnotations: { a: "\u0024{ARGOCD_APP_NAME}" } },
  ])("cannot be known with variables: %j", (kustomize) => {
    expect(reason(one({ kustomize }))).toMatch(/variables/);
  });
  it("leaves a dollar sign alone that nobody fills in", () => {
    expect(reason(one({ kustomize: { commonAnnotations: { a: "$x" } } }))).toBe("found");
  });
});

describe("Helm", () => {
  const helm = (settings: object): Origin => origin(one({ helm: settings }));

  it("takes values in Argo CD's order, and parameters by themselves", () => {
    const found = helm({
      valueFiles: ["values-prod.yaml", "../common.yaml", "/top.yaml", "./x/y.yaml"],
      values: "a: 1\n",
      parameters: [{ name: "image.tag", value: "1.2", forceString: true }],
      releaseName: "till",
      namespace: "helm-ns",
      skipCrds: true,
    });
    expect(found).toMatchObject({
      tool: "helm",
      namespace: "helm-ns",
      helm: {
        release: "till",
        values: [
          "cart/values-prod.yaml",
          "common.yaml",
          "top.yaml",
          "cart/x/y.yaml",
          inputName("spec.source.helm.values"),
        ],
        parameters: [inputName("spec.source.helm.parameters")],
        skipCrds: true,
      },
    });
    expect(found.inputs?.[inputName("spec.source.helm.values")]).toMatchObject({
      text: "a: 1\n",
      home: { path: ["spec", "source", "helm", "values"], as: "text" },
    });
    expect(found).not.toHaveProperty("folder");
  });

  it("leaves `values` out where there is a `valuesObject`", () => {
    const found = helm({ values: "a: 1\n", valuesObject: { a: 2 } });
    expect(found.helm?.values).toEqual([inputName("spec.source.helm.valuesObject")]);
    expect(found.inputs?.[inputName("spec.source.helm.valuesObject")]?.text).toBe("a: 2\n");
  });

  it("has the Application's name and nothing else by itself", () => {
    expect(helm({ values: "", parameters: [], fileParameters: [] })).toMatchObject({
      helm: { release: "cart", values: [] },
      inputs: {},
    });
  });

  it("fills in what is known of Argo CD's build environment", () => {
    expect(
      helm({ valueFiles: ["$ARGOCD_APP_NAME.yaml", "\u0024{ARGOCD_APP_NAMESPACE}/a.yaml", "$$x.yaml"] }).helm?.values,
    ).toEqual(["cart/cart.yaml", "cart/shop/a.yaml", "cart/$x.yaml"]);
  });

  it("notes what may be missing and what is a pattern", () => {
    const found = helm({ valueFiles: ["a.yaml", "envs/*.yaml"], ignoreMissingValueFiles: true });
    expect(found.helm?.values).toEqual(["cart/a.yaml", "cart/envs/*.yaml"]);
    expect(found.optional).toEqual(["cart/a.yaml", "cart/envs/*.yaml"]);
    expect(found.patterns).toEqual(["cart/envs/*.yaml"]);
  });

  it.each<[string, object, RegExp]>([
    ["an address", { valueFiles: ["https://bot:hunter2@example.com/values.yaml"] }, /come from an address/],
    ["an address of a plugin", { valueFiles: ["secrets://hunter2"] }, /come from an address/],
    ["out of the repository", { valueFiles: ["../../x.yaml"] }, /leads out of the repository/],
    ["the name of an input", { valueFiles: ["\u0000spec.source.helm.values"] }, /leads out of the repository/],
    ["an unknown variable", { valueFiles: ["$ARGOCD_APP_REVISION.yaml"] }, /is not known here/],
    ["a reference without a source", { valueFiles: ["$values/a.yaml"] }, /is not known here/],
    ["no text", { valueFiles: [{ a: 1 }] }, /is no text/],
    ["values from whole files", { fileParameters: [{ name: "a", path: "b" }] }, /helm\.fileParameters/],
    ["a parameter with a variable", { parameters: [{ name: "tag", value: "$ARGOCD_APP_REVISION" }] }, /parameter tag/],
    ["parameters that are no list", { parameters: { a: 1 } }, /is no list/],
  ])("cannot be known: %s", (_, settings, expected) => {
    const answer = originsOfApplication(one({ helm: settings }), CONTEXT);
    expect(answer).toMatchObject({ found: false, reason: expect.stringMatching(expected) });
    expect(JSON.stringify(answer)).not.toContain("hunter2");
  });
});

describe("several sources", () => {
  const chart = (valueFiles: readonly string[], more: object = {}): object => ({
    repoURL: REPO,
    path: "charts/cart",
    targetRevision: "main",
    helm: { valueFiles, ...more },
  });
  const values = (more: object = {}): object => ({ repoURL: REPO, targetRevision: "main", ref: "values", ...more });

  it("win over one, in their order, each with its own commit and inputs", () => {
    const found = origins(
      application(
        {
          source: { repoURL: "https://github.com/old/old" },
          sources: [
            { repoURL: REPO, path: "a", helm: { valuesObject: { replicas: 1 } } },
            { repoURL: REPO, path: "b" },
          ],
        },
        { status: { sync: { status: "Synced", revisions: [SHA, OLD] } } },
      ),
    );
    expect(found.map(({ path, owner }) => [path, owner.deployed])).toEqual([
      ["a", SHA],
      ["b", OLD],
    ]);
    const name = inputName("spec.sources.0.helm.valuesObject");
    const input = found[0]?.inputs?.[name];
    expect(found[0]?.helm?.values).toEqual([name]);
    expect(input && changesOf(input, "replicas: 2\n")).toMatchObject([
      { path: ["spec", "sources", 0, "helm", "valuesObject", "replicas"], from: 1, to: 2 },
    ]);
  });

  it("of the same repository and branch refer to plain files, from its top even where the source has a path", () => {
    const ref = values({ repoURL: "git@github.com:Shop/Apps", path: "extra" });
    const found = origins(application({ sources: [chart(["$values/envs/prod.yaml"]), ref] }));
    expect(found[0]?.helm?.values).toEqual(["envs/prod.yaml"]);
    expect(found.map(({ path }) => path)).toEqual(["charts/cart", "extra"]);
  });

  it.each<[string, object, string, object]>([
    [
      "repository",
      { repoURL: "https://github.com/shop/values" },
      "shop/values@main:prod.yaml",
      { repository: "shop/values", branch: "main", file: "prod.yaml" },
    ],
    ["branch", { targetRevision: "HEAD" }, "shop/apps@HEAD:prod.yaml", { repository: "shop/apps", file: "prod.yaml" }],
  ])("of another %s refer to inputs", (_, more, rest, file) => {
    const [found] = origins(
      application({
        sources: [chart(["a.yaml", "$values/prod.yaml"], { ignoreMissingValueFiles: true }), values(more)],
      }),
    );
    expect(found?.helm?.values).toEqual(["charts/cart/a.yaml", inputName(rest)]);
    expect(found?.files).toEqual({ [inputName(rest)]: { ...file, optional: true } });
    expect(found?.optional).toEqual(["charts/cart/a.yaml"]);
  });

  it("refer to the same tag as plain files, too", () => {
    const [found] = origins(
      application({
        sources: [{ ...chart(["$values/prod.yaml"]), targetRevision: "v1.2.0" }, values({ targetRevision: "v1.2.0" })],
      }),
    );
    expect(found).toMatchObject({ helm: { values: ["prod.yaml"] }, owner: { pinned: "tag v1.2.0" } });
  });

  it.each<[string, object, string, RegExp]>([
    [
      "a tag of another repository",
      { repoURL: "https://github.com/shop/values", targetRevision: "v1" },
      "$values/a.yaml",
      /tag v1 of shop\/values/,
    ],
    [
      "another host",
      { repoURL: "https://bot:hunter2@gitlab.com/shop/values" },
      "$values/a.yaml",
      /^the source of its values: .*gitlab\.com/,
    ],
    ["out of it", { repoURL: "https://github.com/shop/values" }, "$values/../../a.yaml", /leads out/],
    ["a pattern", { repoURL: "https://github.com/shop/values" }, "$values/*.yaml", /pattern/],
    ["another name", {}, "$other/a.yaml", /not known here/],
  ])("cannot be known: %s", (_, more, file, expected) => {
    const answer = originsOfApplication(application({ sources: [chart([file]), values(more)] }), CONTEXT);
    expect(answer).toMatchObject({ found: false, reason: expect.stringMatching(expected) });
    expect(JSON.stringify(answer)).not.toContain("hunter2");
  });

  it("that are known stay so beside one that is not", () => {
    const answer = originsOfApplication(
      application({
        sources: [
          { repoURL: "https://charts.example.com", chart: "redis" },
          { repoURL: REPO, path: "b" },
        ],
      }),
      CONTEXT,
    );
    expect(answer).toMatchObject({
      found: true,
      origins: [{ path: "b" }],
      unknown: [{ reason: expect.stringContaining("redis") }],
    });
  });

  it("bring nothing when they are only values", () => {
    expect(reason(application({ sources: [values()] }))).toMatch(/names no source/);
  });
});

describe("a source hydrator", () => {
  const spec = {
    source: { repoURL: "https://github.com/old/old" },
    sourceHydrator: {
      drySource: { repoURL: REPO, path: "cart", targetRevision: "main" },
      syncSource: { targetBranch: "env/prod", path: "cart" },
    },
  };
  it("is edited in its dry source, and never on the hydrated branch", () => {
    const status = {
      sync: { revision: OLD },
      sourceHydrator: { lastSuccessfulOperation: { drySHA: SHA, hydratedSHA: OLD } },
    };
    expect(origins(application(spec, { status }))).toMatchObject([
      { repository: "shop/apps", branch: "main", path: "cart", owner: { deployed: SHA } },
    ]);
  });
  it("does not say what runs while it is ahead", () => {
    const status = {
      sync: { revision: SHA },
      sourceHydrator: { lastSuccessfulOperation: { drySHA: SHA, hydratedSHA: OLD } },
    };
    expect(origin(application(spec, { status })).owner).not.toHaveProperty("deployed");
  });
});

describe("hostile Applications", () => {
  it("never throw, and lead to no path outside of a repository", () => {
    const json = fc.jsonValue();
    const texts = fc.oneof(
      fc.string(),
      fc.constantFrom("$values/a.yaml", "../../../x", "/etc/passwd", "\u0000a", "https://a:b@c/d"),
    );
    const mixed = fc.oneof(json, texts, fc.array(texts));
    const source = fc.record(
      {
        repoURL: fc.oneof(fc.constant(REPO), mixed),
        path: mixed,
        targetRevision: mixed,
        ref: fc.oneof(fc.constant("values"), mixed),
        chart: mixed,
        helm: fc.oneof(
          mixed,
          fc.record(
            {
              valueFiles: mixed,
              values: mixed,
              valuesObject: mixed,
              parameters: mixed,
              fileParameters: mixed,
              releaseName: mixed,
            },
            { requiredKeys: [] },
          ),
        ),
        kustomize: mixed,
        directory: mixed,
        plugin: mixed,
      },
      { requiredKeys: ["repoURL"] },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          mixed,
          fc.record(
            { sources: fc.array(source), source, sourceHydrator: mixed, destination: mixed, syncPolicy: mixed },
            { requiredKeys: [] },
          ),
        ),
        mixed,
        mixed,
        (spec, status, owners) => {
          const object = {
            ...application({}),
            metadata: { name: "a", namespace: "b", ownerReferences: owners as never },
            spec,
            status,
          };
          const answer = originsOfApplication(object, CONTEXT);
          if (!answer.found) {
            expect(answer.reason).not.toBe("");
            return;
          }
          for (const { path, helm, inputs = {}, files = {} } of answer.origins)
            for (const file of [path, ...(helm?.values ?? [])].filter((name) => !(name in inputs) && !(name in files)))
              expect(file.startsWith("/") || file.includes("\u0000") || file.split("/").includes("..")).toBe(false);
        },
      ),
      { numRuns: 500 },
    );
  });
});
