import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { KubeObject, ObjectRef } from "../../src/model.ts";
import { deployed, HOST } from "./deployed.ts";
import { canKustomize, type Files, renderer } from "./repository.ts";

const helm = (await renderer.versions()).find((row) => row.tool === "helm")?.missing === undefined;
if (!helm) process.stderr.write("\nSKIPPED: Helm tests of what deploys a source, because helm is not on the PATH.\n");
const kustomize = await canKustomize();

const object = (text: string): KubeObject => parse(text) as KubeObject;
const URL = `https://${HOST}/acme/fleet.git`;
const CART: ObjectRef = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "cart" };
const LIMIT = ["spec", "template", "spec", "containers", { by: "name", value: "app" }, "resources", "limits", "memory"];
const IMAGE = ["spec", "template", "spec", "containers", { by: "name", value: "app" }, "image"];

const live = (marks: string): KubeObject =>
  object(`apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cart, namespace: shop, ${marks}}\nspec: {}\n`);
const byFlux = (name: string, namespace = "flux-system"): KubeObject =>
  live(`labels: {kustomize.toolkit.fluxcd.io/name: ${name}, kustomize.toolkit.fluxcd.io/namespace: ${namespace}}`);
const byRelease = live("labels: {helm.toolkit.fluxcd.io/name: cart, helm.toolkit.fluxcd.io/namespace: shop}");
const byArgo = live(`annotations: {argocd.argoproj.io/tracking-id: "cart:apps/Deployment:shop/cart"}`);

const REPOSITORY = object(
  `apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: fleet, namespace: flux-system}\nspec: {url: ${URL}, ref: {branch: main}}\n`,
);
const kustomization = (name: string, path: string, more = ""): KubeObject =>
  object(`apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: ${name}, namespace: flux-system}
spec:
  sourceRef: {kind: GitRepository, name: fleet}
  path: ./${path}
  prune: true
${more}`);

const CHART: Files = {
  "charts/cart/Chart.yaml": "apiVersion: v2\nname: cart\nversion: 0.1.0\n",
  "charts/cart/values.yaml": `image:
  repository: nginx
  tag: "1.27"
resources:
  limits:
    memory: 64Mi
`,
  "charts/cart/templates/deployment.yaml": `apiVersion: apps/v1
kind: Deployment
metadata:
  name: cart
spec:
  selector:
    matchLabels: {app: cart}
  template:
    metadata:
      labels: {app: cart}
    spec:
      containers:
        - name: app
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
          resources: {{- toYaml .Values.resources | nindent 12 }}
`,
};
const RELEASE = `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: cart
  namespace: shop
spec:
  interval: 1m
  chart:
    spec:
      chart: ./charts/cart
      sourceRef: {kind: GitRepository, name: fleet, namespace: flux-system}
`;
const released = (spec: string): KubeObject => {
  const release = object(`${RELEASE}${spec}`);
  release.metadata.labels = {
    "kustomize.toolkit.fluxcd.io/name": "apps",
    "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
  };
  return release;
};

const PLAIN = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: cart
  namespace: shop
spec:
  selector:
    matchLabels: {app: cart}
  template:
    metadata:
      labels: {app: cart}
    spec:
      containers:
        - name: app
          image: nginx:1.27
          resources:
            limits: {memory: 64Mi}
`;

describe.skipIf(!helm)("a HelmRelease", () => {
  const values = `  values:
    # measured in May
    resources:
      limits:
        memory: 96Mi   # the limit
`;
  it("whose values say it is edited where it stands in Git, by its own line", async () => {
    await using world = deployed({ "acme/fleet": { ...CHART, "apps/prod/cart.yaml": RELEASE + values } }, [
      REPOSITORY,
      kustomization("apps", "apps/prod"),
      released(values),
      byRelease,
    ]);
    const healed = await world.heal(CART, LIMIT, "192Mi");
    expect(healed.reason).toBeUndefined();
    expect(healed.diff).toEqual({
      "apps/prod/cart.yaml": ["- memory: 96Mi   # the limit", "+ memory: 192Mi   # the limit"],
    });
    expect(healed.proof?.checks.filter((check) => check.result === "failed")).toEqual([]);
    expect(healed.proof?.checks.find((check) => check.id === "P2")?.text).toContain("through HelmRelease shop/cart");
  });

  it("says what only the chart's defaults say; the chart, which others use, stays as it is", async () => {
    for (const spec of [values, ""]) {
      await using world = deployed({ "acme/fleet": { ...CHART, "apps/prod/cart.yaml": RELEASE + spec } }, [
        REPOSITORY,
        kustomization("apps", "apps/prod"),
        released(spec),
        byRelease,
      ]);
      const healed = await world.heal(CART, IMAGE, "nginx:1.28");
      expect(healed.reason).toBeUndefined();
      expect(Object.keys(healed.diff)).toEqual(["apps/prod/cart.yaml"]);
      expect(healed.diff["apps/prod/cart.yaml"]?.every((line) => line.startsWith("+"))).toBe(true);
      expect(healed.diff["apps/prod/cart.yaml"]?.join("\n")).toContain('tag: "1.28"');
    }
  });

  it("with values from a ConfigMap of Git is edited in that ConfigMap", async () => {
    const spec = "  valuesFrom:\n    - kind: ConfigMap\n      name: cart-values\n";
    const configMap = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: cart-values\n  namespace: shop\ndata:\n  values.yaml: |\n    resources:\n      limits:\n        memory: 80Mi\n`;
    const mapped = object(configMap);
    mapped.metadata.labels = {
      "kustomize.toolkit.fluxcd.io/name": "apps",
      "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    };
    await using world = deployed(
      { "acme/fleet": { ...CHART, "apps/prod/cart.yaml": `${RELEASE}${spec}---\n${configMap}` } },
      [REPOSITORY, kustomization("apps", "apps/prod"), released(spec), mapped, byRelease],
    );
    const healed = await world.heal(CART, LIMIT, "160Mi");
    expect(healed.reason).toBeUndefined();
    expect(healed.diff).toEqual({ "apps/prod/cart.yaml": ["- memory: 80Mi", "+ memory: 160Mi"] });
  });

  it("whose post-renderer has the last word is edited there", async () => {
    const spec = `${values}  postRenderers:
    - kustomize:
        images:
          - name: nginx
            newTag: "1.72"
`;
    await using world = deployed({ "acme/fleet": { ...CHART, "apps/prod/cart.yaml": RELEASE + spec } }, [
      REPOSITORY,
      kustomization("apps", "apps/prod"),
      released(spec),
      byRelease,
    ]);
    const healed = await world.heal(CART, IMAGE, "nginx:1.27");
    expect(healed.reason).toBeUndefined();
    expect(healed.diff).toEqual({ "apps/prod/cart.yaml": ['- newTag: "1.72"', '+ newTag: "1.27"'] });
  });

  it("that Git does not declare, or says otherwise than the cluster, is said and left alone", async () => {
    await using world = deployed({ "acme/fleet": { ...CHART, "apps/prod/other.yaml": PLAIN } }, [
      REPOSITORY,
      kustomization("apps", "apps/prod"),
      released(values),
      byRelease,
    ]);
    const lost = await world.heal(CART, LIMIT, "192Mi");
    expect(lost.reason).toContain("HelmRelease shop/cart spec.values sets it");
    await using edited = deployed(
      { "acme/fleet": { ...CHART, "apps/prod/cart.yaml": RELEASE + values.replace("96Mi", "70Mi") } },
      [REPOSITORY, kustomization("apps", "apps/prod"), released(values), byRelease],
    );
    const differs = await edited.heal(CART, LIMIT, "192Mi");
    expect(differs.reason).toContain("disagreed");
  });

  it("declared in a base that two environments share is a draft that names the other one", async () => {
    const base = {
      "apps/base/cart.yaml": RELEASE.replace("  namespace: shop\n", "") + values,
      "apps/base/kustomization.yaml": "resources: [cart.yaml]\n",
    };
    const overlay = (name: string): Files => ({
      [`apps/${name}/kustomization.yaml`]: `namespace: ${name}\nresources: [../base]\n`,
    });
    await using world = deployed({ "acme/fleet": { ...CHART, ...base, ...overlay("shop"), ...overlay("staging") } }, [
      REPOSITORY,
      kustomization("apps", "apps/shop"),
      kustomization("staging", "apps/staging"),
      released(values),
      byRelease,
    ]);
    const healed = await world.heal(CART, LIMIT, "192Mi");
    expect(healed.reason).toBeUndefined();
    // The environment's own overlay can say it: nothing shared is touched.
    expect(Object.keys(healed.diff)).toEqual(["apps/shop/kustomization.yaml"]);
    expect(healed.proof?.blast).toEqual([]);
  });
});

describe.skipIf(!kustomize)("a Flux Kustomization", () => {
  it("whose images have the last word is edited where it stands in Git", async () => {
    const spec = '  images:\n    - name: nginx\n      newTag: "1.72"\n';
    const cluster = kustomization("cart", "cart", spec);
    cluster.metadata.labels = {
      "kustomize.toolkit.fluxcd.io/name": "flux-system",
      "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    };
    const text = `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: cart\n  namespace: flux-system\nspec:\n  sourceRef: {kind: GitRepository, name: fleet}\n  path: ./cart\n  prune: true\n${spec}`;
    await using world = deployed(
      {
        "acme/fleet": {
          "cart/cart.yaml": PLAIN,
          "cart/kustomization.yaml": "resources: [cart.yaml]\n",
          "clusters/prod/cart.yaml": text,
        },
      },
      [REPOSITORY, cluster, kustomization("flux-system", "clusters/prod"), byFlux("cart")],
    );
    const healed = await world.heal(CART, IMAGE, "nginx:1.28");
    expect(healed.reason).toBeUndefined();
    expect(healed.diff).toEqual({ "clusters/prod/cart.yaml": ['- newTag: "1.72"', '+ newTag: "1.28"'] });
    const limit = await world.heal(CART, LIMIT, "128Mi");
    expect(limit.diff).toEqual({ "cart/cart.yaml": ["- limits: {memory: 64Mi}", "+ limits: {memory: 128Mi}"] });
  });

  it("whose patch has the last word is edited inside the patch, which stays a block of text", async () => {
    const spec = `  patches:
    - target: {kind: Deployment, name: cart}
      patch: |
        # more than the base
        - op: replace
          path: /spec/template/spec/containers/0/resources/limits/memory
          value: 70Mi
`;
    const cluster = kustomization("cart", "cart", spec);
    cluster.metadata.labels = {
      "kustomize.toolkit.fluxcd.io/name": "flux-system",
      "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    };
    const text = `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: cart\n  namespace: flux-system\nspec:\n  sourceRef: {kind: GitRepository, name: fleet}\n  path: ./cart\n  prune: true\n${spec}`;
    await using world = deployed({ "acme/fleet": { "cart/cart.yaml": PLAIN, "clusters/prod/cart.yaml": text } }, [
      REPOSITORY,
      cluster,
      kustomization("flux-system", "clusters/prod"),
      byFlux("cart"),
    ]);
    const healed = await world.heal(CART, LIMIT, "140Mi");
    expect(healed.reason).toBeUndefined();
    expect(healed.diff).toEqual({ "clusters/prod/cart.yaml": ["- value: 70Mi", "+ value: 140Mi"] });
  });

  it("that fills in a variable has the variable corrected, inline and from a ConfigMap", async () => {
    const settings = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  namespace: flux-system\ndata:\n  memory: 64Mi\n`;
    const mapped = object(settings);
    mapped.metadata.labels = {
      "kustomize.toolkit.fluxcd.io/name": "flux-system",
      "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    };
    const spec =
      '  postBuild:\n    substitute:\n      tag: "1.72"\n    substituteFrom:\n      - kind: ConfigMap\n        name: settings\n';
    const cluster = kustomization("cart", "cart", spec);
    cluster.metadata.labels = {
      "kustomize.toolkit.fluxcd.io/name": "flux-system",
      "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    };
    const text = `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: cart\n  namespace: flux-system\nspec:\n  sourceRef: {kind: GitRepository, name: fleet}\n  path: ./cart\n  prune: true\n${spec}`;
    const manifest = PLAIN.replace("nginx:1.27", "nginx:${tag}").replace("64Mi", "${memory}");
    await using world = deployed(
      {
        "acme/fleet": {
          "cart/cart.yaml": manifest,
          "clusters/prod/cart.yaml": text,
          "clusters/prod/settings.yaml": settings,
        },
      },
      [REPOSITORY, cluster, mapped, kustomization("flux-system", "clusters/prod"), byFlux("cart")],
    );
    expect((await world.heal(CART, IMAGE, "nginx:1.27")).diff).toEqual({
      "clusters/prod/cart.yaml": ['- tag: "1.72"', '+ tag: "1.27"'],
    });
    expect((await world.heal(CART, LIMIT, "128Mi")).diff).toEqual({
      "clusters/prod/settings.yaml": ["- memory: 64Mi", "+ memory: 128Mi"],
    });
  });
});

const application = (spec: string): string => `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: cart
  namespace: argocd
spec:
  project: default
  destination: {namespace: shop, server: https://kubernetes.default.svc}
${spec}`;
const ROOT = object(`apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: root, namespace: argocd}
spec:
  destination: {namespace: argocd, server: https://kubernetes.default.svc}
  source: {repoURL: ${URL}, path: apps, targetRevision: main}
`);
const argo = (text: string): KubeObject[] => {
  const app = object(text);
  app.metadata.annotations = { "argocd.argoproj.io/tracking-id": "root:argoproj.io/Application:argocd/cart" };
  return [ROOT, app, byArgo];
};

describe("an Argo CD Application", () => {
  it.skipIf(!kustomize)("whose images have the last word is edited where the app of apps declares it", async () => {
    const text = application(`  source:
    repoURL: ${URL}
    targetRevision: main
    path: cart
    kustomize:
      images:
        - nginx=nginx:1.72
`);
    await using world = deployed(
      {
        "acme/fleet": {
          "cart/cart.yaml": PLAIN,
          "cart/kustomization.yaml": "resources: [cart.yaml]\n",
          "apps/cart.yaml": text,
        },
      },
      argo(text),
    );
    const healed = await world.heal(CART, IMAGE, "nginx:1.27");
    expect(healed.reason).toBeUndefined();
    expect(healed.diff).toEqual({ "apps/cart.yaml": ["- - nginx=nginx:1.72", "+ - nginx=nginx:1.27"] });
  });

  for (const [what, block, minus, plus] of [
    [
      "valuesObject",
      "      valuesObject:\n        resources:\n          limits: {memory: 70Mi}\n",
      "limits: {memory: 70Mi}",
      "limits: {memory: 140Mi}",
    ],
    [
      "values",
      "      values: |\n        # ours\n        resources:\n          limits:\n            memory: 70Mi # measured\n",
      "memory: 70Mi # measured",
      "memory: 140Mi # measured",
    ],
    [
      "parameters",
      "      parameters:\n        - name: resources.limits.memory\n          value: 70Mi\n",
      "value: 70Mi",
      "value: 140Mi",
    ],
  ] as const)
    it.skipIf(!helm)(`with Helm ${what} is edited there`, async () => {
      const text = application(
        `  source:\n    repoURL: ${URL}\n    targetRevision: main\n    path: charts/cart\n    helm:\n${block}`,
      );
      await using world = deployed({ "acme/fleet": { ...CHART, "apps/cart.yaml": text } }, argo(text));
      const healed = await world.heal(CART, LIMIT, "140Mi");
      expect(healed.reason).toBeUndefined();
      expect(healed.diff).toEqual({ "apps/cart.yaml": [`- ${minus}`, `+ ${plus}`] });
      expect(healed.proof?.complete).toBe(true);
    });

  it.skipIf(!helm)("with values files of another repository is edited there, in that one's pull request", async () => {
    const text = application(`  sources:
    - repoURL: https://${HOST}/acme/charts.git
      targetRevision: main
      path: charts/cart
      helm:
        valueFiles:
          - $values/prod/cart.yaml
    - repoURL: ${URL}
      targetRevision: main
      ref: values
`);
    await using world = deployed(
      {
        "acme/charts": CHART,
        "acme/fleet": { "prod/cart.yaml": "resources:\n  limits:\n    memory: 70Mi\n", "apps/cart.yaml": text },
      },
      argo(text),
    );
    const healed = await world.heal(CART, LIMIT, "140Mi");
    expect(healed.reason).toBeUndefined();
    expect(healed.repository).toBe("acme/fleet");
    expect(healed.diff).toEqual({ "prod/cart.yaml": ["- memory: 70Mi", "+ memory: 140Mi"] });
    expect(healed.proof?.complete).toBe(true);
  });

  it("of a plain folder is read as Argo CD reads it: not recursively unless it says so", async () => {
    const text = application(`  source:\n    repoURL: ${URL}\n    targetRevision: main\n    path: cart\n`);
    await using flat = deployed(
      {
        "acme/fleet": {
          "cart/deep/cart.yaml": PLAIN,
          "cart/x.yaml": "kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\n",
          "apps/cart.yaml": text,
        },
      },
      argo(text),
    );
    expect((await flat.heal(CART, LIMIT, "128Mi")).reason).toContain("in none of the sources");
    const recursive = `${text}    directory: {recurse: true}\n`;
    await using deep = deployed(
      { "acme/fleet": { "cart/deep/cart.yaml": PLAIN, "apps/cart.yaml": recursive } },
      argo(recursive),
    );
    expect((await deep.heal(CART, LIMIT, "128Mi")).diff).toEqual({
      "cart/deep/cart.yaml": ["- limits: {memory: 64Mi}", "+ limits: {memory: 128Mi}"],
    });
  });

  it("whose chart lies in a Helm repository is said, with what a person can do", async () => {
    const text = application(
      "  source:\n    repoURL: https://charts.example.com\n    chart: cart\n    targetRevision: 1.2.3\n",
    );
    await using world = deployed({ "acme/fleet": { "apps/cart.yaml": text } }, argo(text));
    const healed = await world.heal(CART, LIMIT, "128Mi");
    expect(healed.reason).toMatch(/Application argocd\/cart.*chart/);
  });
});
