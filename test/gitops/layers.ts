import { parse } from "yaml";
import type { FieldPath, Json, KubeObject, ObjectRef } from "../../src/model.ts";
import { HOST } from "./deployed.ts";
import type { Files } from "./repository.ts";

/** One way in which a field may come to be: what deploys it, the layer that sets it, and the edit that must be found. */
export interface Layer {
  readonly tool: string;
  readonly layer: string;
  readonly field: "image" | "memory" | "replicas" | "env" | "port";
  readonly needs: "helm" | "kustomize" | "nothing";
  /** By repository. */
  readonly files: Readonly<Record<string, Files>>;
  readonly objects: readonly KubeObject[];
  readonly to: Json;
  /** The edited repository when it is not `acme/fleet`. */
  readonly repository?: string;
  readonly diff: Readonly<Record<string, readonly string[]>>;
}

export const CART: ObjectRef = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "cart" };
const APP = ["spec", "template", "spec", "containers", { by: "name", value: "app" }] as const;
export const FIELDS: Readonly<Record<Layer["field"], FieldPath>> = {
  image: [...APP, "image"],
  memory: [...APP, "resources", "limits", "memory"],
  replicas: ["spec", "replicas"],
  env: [...APP, "env", { by: "name", value: "GREETING" }, "value"],
  port: [...APP, "readinessProbe", "httpGet", "port"],
};

export const object = (text: string): KubeObject => parse(text) as KubeObject;
export const URL = `https://${HOST}/acme/fleet.git`;

const live = (marks: string): KubeObject =>
  object(`apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cart, namespace: shop, ${marks}}\nspec: {}\n`);
const fluxLabels = (name: string): Record<string, string> => ({
  "kustomize.toolkit.fluxcd.io/name": name,
  "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
});
export const byFlux = (name: string): KubeObject => live(`labels: ${JSON.stringify(fluxLabels(name))}`);
export const byRelease = live("labels: {helm.toolkit.fluxcd.io/name: cart, helm.toolkit.fluxcd.io/namespace: shop}");
export const byArgo = live(`annotations: {argocd.argoproj.io/tracking-id: "cart:apps/Deployment:shop/cart"}`);
/** An object that the Kustomization `name` deploys. */
export const deployedBy = (name: string, text: string): KubeObject => {
  const made = object(text);
  return { ...made, metadata: { ...made.metadata, labels: fluxLabels(name) } };
};

export const FLEET = object(
  `apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: fleet, namespace: flux-system}\nspec: {url: ${URL}, ref: {branch: main}}\n`,
);
export const kustomization = (
  name: string,
  path: string,
  more = "",
): string => `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: ${name}
  namespace: flux-system
spec:
  sourceRef: {kind: GitRepository, name: fleet}
  path: ./${path}
  prune: true
${more}`;

export const PLAIN = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: cart
  namespace: shop
spec:
  replicas: 2
  selector:
    matchLabels: {app: cart}
  template:
    metadata:
      labels: {app: cart}
    spec:
      containers:
        - name: app
          image: nginx:1.72 # a slip
          env:
            - name: GREETING
              value: "1"
          readinessProbe:
            httpGet: {path: /, port: 8081}
          resources:
            limits:
              memory: 64Mi
`;

export const CHART: Files = {
  "charts/cart/Chart.yaml": "apiVersion: v2\nname: cart\nversion: 0.1.0\n",
  "charts/cart/values.yaml": `replicas: 2
image:
  repository: nginx
  tag: "1.72"
greeting: "1"
resources:
  limits:
    memory: 64Mi
`,
  "charts/cart/templates/deployment.yaml": `apiVersion: apps/v1
kind: Deployment
metadata:
  name: cart
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {app: cart}
  template:
    metadata:
      labels: {app: cart}
    spec:
      containers:
        - name: app
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
          env:
            - name: GREETING
              value: {{ .Values.greeting | quote }}
          readinessProbe:
            httpGet:
              path: /
              port: 8081
          resources: {{- toYaml .Values.resources | nindent 12 }}
`,
};
export const RELEASE = `apiVersion: helm.toolkit.fluxcd.io/v2
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
export const application = (spec: string): string => `apiVersion: argoproj.io/v1alpha1
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
/** An Application that an app of apps declares, and what it deploys. */
export const argo = (text: string): KubeObject[] => {
  const app = object(text);
  app.metadata.annotations = { "argocd.argoproj.io/tracking-id": "root:argoproj.io/Application:argocd/cart" };
  return [ROOT, app, byArgo];
};
const argoSource = (path: string, more = ""): string =>
  application(`  source:\n    repoURL: ${URL}\n    targetRevision: main\n    path: ${path}\n${more}`);

const fleet = (files: Files): Layer["files"] => ({ "acme/fleet": files });

type Row = Omit<Layer, "tool" | "files" | "objects"> & { readonly files: Files };

/** Layers inside of a repository, under a Flux Kustomization that lays nothing over them. */
function underFlux(tool: string, path: string, rows: readonly Row[]): Layer[] {
  return rows.map((row) => ({
    ...row,
    tool,
    files: fleet({ ...row.files, "clusters/prod/cart.yaml": kustomization("cart", path) }),
    objects: [
      FLEET,
      object(kustomization("flux-system", "clusters/prod")),
      deployedBy("flux-system", kustomization("cart", path)),
      byFlux("cart"),
    ],
  }));
}

const OVERLAY = "apps/overlays/prod";
const over = (kustomize: string, more: Files = {}): Files => ({
  "apps/base/cart.yaml": PLAIN.replace("  namespace: shop\n", ""),
  "apps/base/kustomization.yaml": "resources:\n  - cart.yaml\n",
  "apps/overlays/prod/kustomization.yaml": `namespace: shop\nresources:\n  - ../../base\n${kustomize}`,
  ...more,
});
const strategic = (body: string): string =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: cart\nspec:\n${body}`;

const plain = underFlux("plain YAML", "cart", [
  {
    layer: "manifest",
    field: "memory",
    needs: "nothing",
    files: { "cart/cart.yaml": PLAIN },
    to: "128Mi",
    diff: { "cart/cart.yaml": ["- memory: 64Mi", "+ memory: 128Mi"] },
  },
  {
    layer: "manifest",
    field: "image",
    needs: "nothing",
    files: { "cart/cart.yaml": PLAIN },
    to: "nginx:1.27",
    diff: { "cart/cart.yaml": ["- image: nginx:1.72 # a slip", "+ image: nginx:1.27 # a slip"] },
  },
  {
    layer: "manifest",
    field: "env",
    needs: "nothing",
    files: { "cart/cart.yaml": PLAIN },
    to: "2",
    diff: { "cart/cart.yaml": ['- value: "1"', '+ value: "2"'] },
  },
  {
    layer: "manifest, flow style",
    field: "port",
    needs: "nothing",
    files: { "cart/cart.yaml": PLAIN },
    to: 8080,
    diff: { "cart/cart.yaml": ["- httpGet: {path: /, port: 8081}", "+ httpGet: {path: /, port: 8080}"] },
  },
]);

const kustomize = underFlux("Kustomize", OVERLAY, [
  {
    layer: "base",
    field: "memory",
    needs: "kustomize",
    files: over(""),
    to: "128Mi",
    diff: { "apps/base/cart.yaml": ["- memory: 64Mi", "+ memory: 128Mi"] },
  },
  {
    layer: "base that another overlay shares",
    field: "memory",
    needs: "kustomize",
    to: "128Mi",
    files: over("patches:\n  - path: mem.yaml\n", {
      "apps/overlays/prod/mem.yaml": strategic("  replicas: 3\n"),
      "apps/overlays/dev/kustomization.yaml": "namespace: dev\nresources:\n  - ../../base\n",
    }),
    diff: {
      "apps/overlays/prod/mem.yaml": [
        "+ template:",
        "+ spec:",
        "+ containers:",
        "+ - name: app",
        "+ resources:",
        "+ limits:",
        "+ memory: 128Mi",
      ],
    },
  },
  {
    layer: "strategic merge patch, file",
    field: "memory",
    needs: "kustomize",
    to: "160Mi",
    files: over("patches:\n  - path: mem.yaml\n", {
      "apps/overlays/prod/mem.yaml": strategic(
        "  template:\n    spec:\n      containers:\n        - name: app\n          resources: {limits: {memory: 80Mi}}\n",
      ),
    }),
    diff: {
      "apps/overlays/prod/mem.yaml": [
        "- resources: {limits: {memory: 80Mi}}",
        "+ resources: {limits: {memory: 160Mi}}",
      ],
    },
  },
  {
    layer: "patch, inline",
    field: "memory",
    needs: "kustomize",
    to: "160Mi",
    files: over(
      "patches:\n  - target: {kind: Deployment}\n    patch: |-\n      - op: replace\n        path: /spec/template/spec/containers/0/resources/limits/memory\n        value: 80Mi\n",
    ),
    diff: { "apps/overlays/prod/kustomization.yaml": ["- value: 80Mi", "+ value: 160Mi"] },
  },
  {
    layer: "JSON patch, file",
    field: "port",
    needs: "kustomize",
    to: 8080,
    files: over(
      "patchesJson6902:\n  - path: port.yaml\n    target: {group: apps, version: v1, kind: Deployment, name: cart}\n",
      {
        "apps/overlays/prod/port.yaml":
          "- op: replace\n  path: /spec/template/spec/containers/0/readinessProbe/httpGet/port\n  value: 8082\n",
      },
    ),
    diff: { "apps/overlays/prod/port.yaml": ["- value: 8082", "+ value: 8080"] },
  },
  {
    layer: "images",
    field: "image",
    needs: "kustomize",
    files: over('images:\n  - name: nginx\n    newTag: "1.99"\n'),
    to: "nginx:1.27",
    diff: { "apps/overlays/prod/kustomization.yaml": ['- newTag: "1.99"', '+ newTag: "1.27"'] },
  },
  {
    layer: "replicas",
    field: "replicas",
    needs: "kustomize",
    files: over("replicas:\n  - name: cart\n    count: 0\n"),
    to: 3,
    diff: { "apps/overlays/prod/kustomization.yaml": ["- count: 0", "+ count: 3"] },
  },
  {
    layer: "component",
    field: "env",
    needs: "kustomize",
    to: "2",
    files: over("components:\n  - ../../components/greeting\n", {
      "apps/components/greeting/kustomization.yaml":
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n  - path: env.yaml\n",
      "apps/components/greeting/env.yaml": strategic(
        '  template:\n    spec:\n      containers:\n        - name: app\n          env:\n            - name: GREETING\n              value: "5"\n',
      ),
    }),
    diff: { "apps/components/greeting/env.yaml": ['- value: "5"', '+ value: "2"'] },
  },
]);

const flux: Layer[] = [
  [
    "images",
    "image",
    '  images:\n    - name: nginx\n      newTag: "1.99"\n',
    "nginx:1.27",
    ['- newTag: "1.99"', '+ newTag: "1.27"'],
    PLAIN,
  ],
  [
    "patch, JSON",
    "memory",
    "  patches:\n    - target: {kind: Deployment, name: cart}\n      patch: |\n        # more than the base\n        - op: replace\n          path: /spec/template/spec/containers/0/resources/limits/memory\n          value: 70Mi\n",
    "140Mi",
    ["- value: 70Mi", "+ value: 140Mi"],
    PLAIN,
  ],
  [
    "patch, strategic merge",
    "replicas",
    "  patches:\n    - patch: |\n        apiVersion: apps/v1\n        kind: Deployment\n        metadata:\n          name: cart\n        spec:\n          replicas: 0 # for the night\n      target: {kind: Deployment}\n",
    2,
    ["- replicas: 0 # for the night", "+ replicas: 2 # for the night"],
    PLAIN,
  ],
  [
    "postBuild.substitute",
    "image",
    '  postBuild:\n    substitute:\n      tag: "1.99"\n',
    "nginx:1.27",
    ['- tag: "1.99"', '+ tag: "1.27"'],
    PLAIN.replace("1.72", "$" + "{tag}"),
  ],
].map(([layer, field, spec, to, lines, manifest]) => {
  const text = kustomization("cart", "cart", String(spec));
  return {
    tool: "Flux Kustomization",
    layer: String(layer),
    field: field as Layer["field"],
    needs: "kustomize" as const,
    files: fleet({ "cart/cart.yaml": String(manifest), "clusters/prod/cart.yaml": text }),
    objects: [
      FLEET,
      object(kustomization("flux-system", "clusters/prod")),
      deployedBy("flux-system", text),
      byFlux("cart"),
    ],
    to: to as Json,
    diff: { "clusters/prod/cart.yaml": lines as string[] },
  };
});

const SETTINGS =
  "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  namespace: flux-system\ndata:\n  memory: 64Mi # per pod\n";
const FROM = kustomization(
  "cart",
  "cart",
  "  postBuild:\n    substituteFrom:\n      - kind: ConfigMap\n        name: settings\n",
);
flux.push({
  tool: "Flux Kustomization",
  layer: "postBuild.substituteFrom, ConfigMap",
  field: "memory",
  needs: "nothing",
  files: fleet({
    "cart/cart.yaml": PLAIN.replace("64Mi", "$" + "{memory}"),
    "clusters/prod/cart.yaml": FROM,
    "clusters/prod/settings.yaml": SETTINGS,
  }),
  objects: [
    FLEET,
    object(kustomization("flux-system", "clusters/prod")),
    deployedBy("flux-system", FROM),
    deployedBy("flux-system", SETTINGS),
    byFlux("cart"),
  ],
  to: "128Mi",
  diff: { "clusters/prod/settings.yaml": ["- memory: 64Mi # per pod", "+ memory: 128Mi # per pod"] },
});

/** A HelmRelease, what else stands in its file, and the edit. */
function release(
  layer: string,
  field: Layer["field"],
  spec: string,
  to: Json,
  lines: readonly string[],
  more = "",
  files: Files = {},
): Layer {
  return {
    tool: "Flux HelmRelease",
    layer,
    field,
    needs: "helm",
    to,
    files: fleet({
      ...CHART,
      ...files,
      "apps/prod/cart.yaml": `${RELEASE}${spec}${more === "" ? "" : `---\n${more}`}`,
    }),
    objects: [
      FLEET,
      object(kustomization("apps", "apps/prod")),
      deployedBy("apps", RELEASE + spec),
      ...(more === "" ? [] : [deployedBy("apps", more)]),
      byRelease,
    ],
    diff: { "apps/prod/cart.yaml": lines },
  };
}
const VALUES = "  values:\n    # measured in May\n    resources:\n      limits:\n        memory: 96Mi   # the limit\n";
const MAP = (data: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: cart-values\n  namespace: shop\ndata:\n${data}`;
const helmRelease: Layer[] = [
  release("values", "memory", VALUES, "192Mi", ["- memory: 96Mi   # the limit", "+ memory: 192Mi   # the limit"]),
  release("values, set by the chart's defaults only", "image", VALUES, "nginx:1.27", ["+ image:", '+ tag: "1.27"']),
  release("no values at all", "image", "", "nginx:1.27", ["+ values:", "+ image:", '+ tag: "1.27"']),
  release(
    "valuesFrom, ConfigMap",
    "memory",
    "  valuesFrom:\n    - kind: ConfigMap\n      name: cart-values\n",
    "160Mi",
    ["- memory: 80Mi", "+ memory: 160Mi"],
    MAP("  values.yaml: |\n    resources:\n      limits:\n        memory: 80Mi\n"),
  ),
  release(
    "valuesFrom with targetPath",
    "image",
    "  valuesFrom:\n    - kind: ConfigMap\n      name: cart-values\n      valuesKey: tag\n      targetPath: image.tag\n",
    "nginx:1.27",
    ["- tag: 1.99-alpine", '+ tag: "1.27"'],
    MAP("  tag: 1.99-alpine\n"),
  ),
  release(
    "postRenderers",
    "image",
    `${VALUES}  postRenderers:\n    - kustomize:\n        images:\n          - name: nginx\n            newTag: "1.99"\n`,
    "nginx:1.27",
    ['- newTag: "1.99"', '+ newTag: "1.27"'],
  ),
  {
    ...release("literal of a local template", "port", VALUES, 8080, []),
    diff: { "charts/cart/templates/deployment.yaml": ["- port: 8081", "+ port: 8080"] },
  },
];

const argoLayers: Layer[] = (
  [
    [
      "Argo CD Kustomize",
      "kustomize.images",
      "image",
      "cart",
      "    kustomize:\n      images:\n        - nginx=nginx:1.99\n",
      "nginx:1.27",
      ["- - nginx=nginx:1.99", "+ - nginx=nginx:1.27"],
    ],
    [
      "Argo CD Kustomize",
      "kustomize.replicas",
      "replicas",
      "cart",
      "    kustomize:\n      replicas:\n        - name: cart\n          count: 0\n",
      2,
      ["- count: 0", "+ count: 2"],
    ],
    [
      "Argo CD Kustomize",
      "kustomize.patches",
      "memory",
      "cart",
      "    kustomize:\n      patches:\n        - target: {kind: Deployment}\n          patch: |-\n            - op: replace\n              path: /spec/template/spec/containers/0/resources/limits/memory\n              value: 70Mi\n",
      "140Mi",
      ["- value: 70Mi", "+ value: 140Mi"],
    ],
    [
      "Argo CD Helm",
      "valuesObject",
      "memory",
      "charts/cart",
      "    helm:\n      valuesObject:\n        resources:\n          limits: {memory: 70Mi}\n",
      "140Mi",
      ["- limits: {memory: 70Mi}", "+ limits: {memory: 140Mi}"],
    ],
    [
      "Argo CD Helm",
      "values, a block of text",
      "memory",
      "charts/cart",
      "    helm:\n      values: |\n        # ours\n        resources:\n          limits:\n            memory: 70Mi # measured\n",
      "140Mi",
      ["- memory: 70Mi # measured", "+ memory: 140Mi # measured"],
    ],
    [
      "Argo CD Helm",
      "parameters",
      "image",
      "charts/cart",
      '    helm:\n      parameters:\n        - name: image.tag\n          value: "1.99"\n',
      "nginx:1.27",
      ['- value: "1.99"', '+ value: "1.27"'],
    ],
  ] as const
).map(([tool, layer, field, path, more, to, lines]) => {
  const text = argoSource(path, more);
  const files =
    path === "cart" ? { "cart/cart.yaml": PLAIN, "cart/kustomization.yaml": "resources: [cart.yaml]\n" } : CHART;
  return {
    tool,
    layer,
    field,
    needs: path === "cart" ? "kustomize" : "helm",
    files: fleet({ ...files, "apps/cart.yaml": text }),
    objects: argo(text),
    to,
    diff: { "apps/cart.yaml": lines },
  };
});
const FILES = argoSource("charts/cart", "    helm:\n      valueFiles:\n        - ../../env/prod.yaml\n");
argoLayers.push({
  tool: "Argo CD Helm",
  layer: "valueFiles",
  field: "memory",
  needs: "helm",
  files: fleet({ ...CHART, "env/prod.yaml": "resources:\n  limits:\n    memory: 70Mi\n", "apps/cart.yaml": FILES }),
  objects: argo(FILES),
  to: "140Mi",
  diff: { "env/prod.yaml": ["- memory: 70Mi", "+ memory: 140Mi"] },
});
const REF = application(`  sources:
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
argoLayers.push({
  tool: "Argo CD Helm",
  layer: "$ref values of another repository",
  field: "memory",
  needs: "helm",
  files: {
    "acme/charts": CHART,
    "acme/fleet": { "prod/cart.yaml": "resources:\n  limits:\n    memory: 70Mi\n", "apps/cart.yaml": REF },
  },
  objects: argo(REF),
  to: "140Mi",
  diff: { "prod/cart.yaml": ["- memory: 70Mi", "+ memory: 140Mi"] },
});

const UMBRELLA: Files = {
  ...Object.fromEntries(
    Object.entries(CHART).map(([file, text]) => [file.replace("charts/cart/", "charts/shop/charts/cart/"), text]),
  ),
  "charts/shop/Chart.yaml":
    'apiVersion: v2\nname: shop\nversion: 0.1.0\ndependencies:\n  - name: cart\n    alias: basket\n    version: 0.1.0\n    repository: ""\n',
  "charts/shop/values.yaml": 'basket:\n  image:\n    tag: "1.99"\n',
};
const shop = (spec: string): Layer => {
  const text = RELEASE.replace("./charts/cart", "./charts/shop") + spec;
  return {
    tool: "Flux HelmRelease",
    layer: "umbrella chart, value of an aliased subchart",
    field: "memory",
    needs: "helm",
    to: "192Mi",
    files: fleet({ ...UMBRELLA, "apps/prod/cart.yaml": text }),
    objects: [FLEET, object(kustomization("apps", "apps/prod")), deployedBy("apps", text), byRelease],
    diff: { "apps/prod/cart.yaml": ["- memory: 96Mi", "+ memory: 192Mi"] },
  };
};
helmRelease.push(shop("  values:\n    basket:\n      resources:\n        limits:\n          memory: 96Mi\n"));

/** An Application that an ApplicationSet makes; the set is declared by an app of apps. */
function applicationSet(layer: string, tag: string, elements: string, diff: readonly string[]): Layer {
  const source = (value: string): string =>
    `source:\n  repoURL: ${URL}\n  targetRevision: main\n  path: charts/cart\n  helm:\n    valuesObject:\n      image:\n        tag: "${value}"\n`;
  const indented = (text: string, by: number): string => text.replaceAll(/^(?=.)/gm, " ".repeat(by));
  const text = `apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata:
  name: carts
  namespace: argocd
spec:
  generators:
    - list:
        elements:
${indented(elements, 10)}  template:
    metadata:
      name: "{{env}}"
    spec:
      project: default
      destination: {namespace: shop, server: https://kubernetes.default.svc}
${indented(source(tag), 6)}`;
  const set = object(text);
  set.metadata.annotations = { "argocd.argoproj.io/tracking-id": "root:argoproj.io/ApplicationSet:argocd/carts" };
  const app = object(application(indented(source("1.99"), 2)));
  app.metadata.ownerReferences = [
    { apiVersion: set.apiVersion, kind: set.kind, name: "carts", uid: "1", controller: true },
  ];
  return {
    tool: "Argo CD ApplicationSet",
    layer,
    field: "image",
    needs: "helm",
    to: "nginx:1.27",
    files: fleet({ ...CHART, "apps/carts.yaml": text }),
    objects: [ROOT, set, app, byArgo],
    diff: { "apps/carts.yaml": diff },
  };
}
argoLayers.push(
  applicationSet("template", "1.99", "- env: cart\n", ['- tag: "1.99"', '+ tag: "1.27"']),
  applicationSet("element of a list generator", "{{tag}}", '- env: cart\n  tag: "1.99"\n- env: other\n  tag: "1.0"\n', [
    '- tag: "1.99"',
    '+ tag: "1.27"',
  ]),
);

/** A limit that no layer sets yet, below a value that the template writes out as a whole. */
function unset(tool: string, files: Files, objects: readonly KubeObject[], diff: Layer["diff"]): Layer {
  const bare = {
    ...CHART,
    "charts/cart/values.yaml":
      'replicas: 2\nimage:\n  repository: nginx\n  tag: "1.72"\ngreeting: "1"\nresources: {}\n',
  };
  return {
    tool,
    layer: "nothing sets it: inserted",
    field: "memory",
    needs: "helm",
    to: "128Mi",
    files: fleet({ ...bare, ...files }),
    objects,
    diff,
  };
}
const BARE = `${RELEASE}  values:\n    replicas: 3\n`;
helmRelease.push(
  unset(
    "Flux HelmRelease",
    { "apps/prod/cart.yaml": BARE },
    [FLEET, object(kustomization("apps", "apps/prod")), deployedBy("apps", BARE), byRelease],
    { "apps/prod/cart.yaml": ["+ resources:", "+ limits:", "+ memory: 128Mi"] },
  ),
);
argoLayers.push(
  unset("Argo CD Helm", { "env/prod.yaml": "replicas: 3\n", "apps/cart.yaml": FILES }, argo(FILES), {
    "env/prod.yaml": ["+ resources:", "+ limits:", "+ memory: 128Mi"],
  }),
);

/** Every layer that is found, tool by tool. */
export const LAYERS: readonly Layer[] = [...plain, ...kustomize, ...flux, ...helmRelease, ...argoLayers];
