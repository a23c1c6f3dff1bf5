import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createCharts } from "../../src/adapters/charts.ts";
import type { KubeObject } from "../../src/model.ts";
import { startChartServer } from "../adapters/chart-server.ts";
import { deployed } from "./deployed.ts";
import {
  application,
  argo,
  byArgo,
  byRelease,
  CART,
  CHART,
  deployedBy,
  FIELDS,
  FLEET,
  kustomization,
  LAYERS,
  object,
  PLAIN,
  RELEASE,
  URL,
} from "./layers.ts";
import { canKustomize, type Files, PATH, renderer } from "./repository.ts";

const helm = (await renderer.versions()).find((row) => row.tool === "helm")?.missing === undefined;
if (!helm) process.stderr.write("\nSKIPPED: Helm tests of what deploys a source, because helm is not on the PATH.\n");
const can = { helm, kustomize: await canKustomize(), nothing: true };

describe("every layer that may set a field", () => {
  for (const row of LAYERS)
    it.skipIf(!can[row.needs])(`${row.tool}: ${row.layer} (${row.field})`, async () => {
      await using world = deployed(row.files, row.objects);
      const healed = await world.heal(CART, FIELDS[row.field], row.to);
      expect(healed.reason).toBeUndefined();
      expect(healed.diff).toEqual(row.diff);
      expect(healed.repository).toBe(row.repository ?? "acme/fleet");
      expect(healed.proof?.checks.filter((check) => check.result === "failed")).toEqual([]);
      expect(healed.proof?.blast).toEqual([]);
    });
});

const VALUES = "  values:\n    resources:\n      limits:\n        memory: 96Mi\n";

describe.skipIf(!can.helm)("a HelmRelease", () => {
  it("that Git does not declare, or declares otherwise than the cluster has it, is said and left alone", async () => {
    const objects = [
      FLEET,
      object(kustomization("apps", "apps/prod")),
      deployedBy("apps", RELEASE + VALUES),
      byRelease,
    ];
    await using world = deployed({ "acme/fleet": { ...CHART, "apps/prod/other.yaml": PLAIN } }, objects);
    const lost = await world.heal(CART, FIELDS.memory, "192Mi");
    expect(lost.reason).toContain("HelmRelease shop/cart spec.values sets it");
    const other = RELEASE + VALUES.replace("96Mi", "70Mi");
    await using edited = deployed({ "acme/fleet": { ...CHART, "apps/prod/cart.yaml": other } }, objects);
    expect((await edited.heal(CART, FIELDS.memory, "192Mi")).reason).toContain("disagreed");
  });

  it("declared in a base that two environments share is said anew in its own overlay", async () => {
    const overlay = (name: string): Files => ({
      [`apps/${name}/kustomization.yaml`]: `namespace: ${name}\nresources:\n  - ../base\n`,
    });
    const files = {
      ...CHART,
      "apps/base/cart.yaml": (RELEASE + VALUES).replace("  namespace: shop\n", ""),
      "apps/base/kustomization.yaml": "resources:\n  - cart.yaml\n",
      ...overlay("shop"),
      ...overlay("staging"),
    };
    await using world = deployed({ "acme/fleet": files }, [
      FLEET,
      object(kustomization("apps", "apps/shop")),
      object(kustomization("staging", "apps/staging")),
      deployedBy("apps", RELEASE + VALUES),
      byRelease,
    ]);
    const healed = await world.heal(CART, FIELDS.memory, "192Mi");
    expect(healed.reason).toBeUndefined();
    expect(Object.keys(healed.diff)).toEqual(["apps/shop/kustomization.yaml"]);
    expect(healed.proof?.blast).toEqual([]);
  });
});

describe.skipIf(!can.helm)("a chart of a Helm repository", () => {
  const parts = Object.fromEntries(
    Object.entries(CHART).map(([file, text]) => [file.replace("charts/", ""), String(text)]),
  );
  const fetching = (cache: string) =>
    createCharts({ path: PATH, cacheDirectory: cache, timeoutMs: 20_000, allowHttp: false, env: {} });
  const remote = (values: string): string => `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: cart
  namespace: shop
spec:
  interval: 1m
  chart:
    spec:
      chart: cart
      version: 0.1.0
      sourceRef: {kind: HelmRepository, name: charts}
${values}`;

  it("has its values set where they stand in Git, and what only a template of it says is left to a person", async () => {
    await using server = await startChartServer(parts, "cart");
    const cache = mkdtempSync(join(tmpdir(), "stanch-chart-cache-"));
    const text = remote(VALUES);
    const charts = object(
      `apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: charts, namespace: shop}\nspec: {url: ${server.url}}\n`,
    );
    await using world = deployed(
      { "acme/fleet": { "apps/prod/cart.yaml": text } },
      [FLEET, charts, object(kustomization("apps", "apps/prod")), deployedBy("apps", text), byRelease],
      fetching(cache),
    );
    const limit = await world.heal(CART, FIELDS.memory, "192Mi");
    expect(limit.reason).toBeUndefined();
    expect(limit.diff).toEqual({ "apps/prod/cart.yaml": ["- memory: 96Mi", "+ memory: 192Mi"] });
    expect(limit.proof?.checks.filter((check) => check.result === "failed")).toEqual([]);
    const image = await world.heal(CART, FIELDS.image, "nginx:1.27");
    expect(image.diff).toEqual({ "apps/prod/cart.yaml": ["+ image:", '+ tag: "1.27"'] });
    const literal = await world.heal(CART, FIELDS.port, 8080);
    expect(literal.reason).toMatch(/said in .* of the chart cart 0\.1\.0, which is not in Git/);
    rmSync(cache, { recursive: true, force: true });
  });

  it("that is not to be had is said with what can be done", async () => {
    const text = remote(VALUES);
    const charts = object(
      "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: charts, namespace: shop}\nspec: {url: http://127.0.0.1:9}\n",
    );
    await using world = deployed({ "acme/fleet": { "apps/prod/cart.yaml": text } }, [
      FLEET,
      charts,
      deployedBy("apps", text),
      byRelease,
    ]);
    await expect(world.heal(CART, FIELDS.memory, "192Mi")).rejects.toThrow(/charts are not fetched/);
  });
});

describe.skipIf(!can.helm)("a ConfigMap with values", () => {
  const CHARTS = object(
    `apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: charts, namespace: flux-system}\nspec: {url: ${URL.replace("fleet", "charts")}, ref: {branch: main}}\n`,
  );
  const VALUES_FROM = "  valuesFrom:\n    - {kind: ConfigMap, name: cart-values}\n";
  const MAP = `apiVersion: v1
kind: ConfigMap
metadata: {name: cart-values, namespace: shop}
data:
  values.yaml: |
    resources:
      limits:
        memory: 96Mi
`;
  const release = (name: string, source: string, more = ""): string =>
    `${RELEASE.replace("  name: cart\n", `  name: ${name}\n`).replace("name: fleet", `name: ${source}`)}${VALUES_FROM}${more}`;

  it("of one release whose chart lies in another repository has no siblings", async () => {
    const own = release("cart", "charts");
    await using world = deployed(
      { "acme/charts": CHART, "acme/fleet": { "apps/prod/cart.yaml": own, "apps/prod/values.yaml": MAP } },
      [
        FLEET,
        CHARTS,
        object(kustomization("apps", "apps/prod")),
        deployedBy("apps", own),
        deployedBy("apps", MAP),
        byRelease,
      ],
    );
    const healed = await world.heal(CART, FIELDS.memory, "192Mi");
    expect(healed.reason).toBeUndefined();
    expect(healed.proof?.blast).toEqual([]);
  });

  it("of which one text is taken in two ways is not edited for one of them", async () => {
    const target = (path: string): string =>
      `    - {kind: ConfigMap, name: cart-values, valuesKey: tag, targetPath: ${path}}\n`;
    const map = MAP.replace(/ {2}values\.yaml[\s\S]*/, '  tag: "1.99"\n');
    const world = (...paths: string[]) => {
      const own = `${RELEASE}  valuesFrom:\n${paths.map(target).join("")}`;
      return deployed({ "acme/fleet": { ...CHART, "apps/prod/cart.yaml": own, "apps/prod/values.yaml": map } }, [
        FLEET,
        object(kustomization("apps", "apps/prod")),
        deployedBy("apps", own),
        deployedBy("apps", map),
        byRelease,
      ]);
    };
    await using one = world("image.tag");
    expect((await one.heal(CART, FIELDS.image, "nginx:1.27")).diff).toEqual({
      "apps/prod/values.yaml": ['- tag: "1.99"', '+ tag: "1.27"'],
    });
    await using two = world("image.tag", "greeting");
    const healed = await two.heal(CART, FIELDS.image, "nginx:1.27");
    expect(healed.diff).toEqual({});
    expect(healed.reason).toMatch(/would also change/);
  });

  it("that another release takes as well, with a chart of the fleet's repository, names that one", async () => {
    const own = release("cart", "charts");
    const other = release("till", "fleet");
    await using world = deployed(
      {
        "acme/charts": CHART,
        "acme/fleet": {
          ...CHART,
          "apps/prod/cart.yaml": own,
          "apps/prod/till.yaml": other,
          "apps/prod/values.yaml": MAP,
        },
      },
      [
        FLEET,
        CHARTS,
        object(kustomization("apps", "apps/prod")),
        deployedBy("apps", own),
        deployedBy("apps", other),
        deployedBy("apps", MAP),
        byRelease,
      ],
    );
    const healed = await world.heal(CART, FIELDS.memory, "192Mi");
    expect(healed.reason).toBeUndefined();
    expect(healed.proof?.blast.map(({ root }) => root)).toEqual(["HelmRelease shop/till"]);
  });
});

describe.skipIf(!can.helm)("a chart that many Applications share", () => {
  it("is not rendered for all of them at every try, and all of them are named in the proof", async () => {
    const app = (name: string): KubeObject =>
      object(`apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: ${name}, namespace: argocd}
spec:
  destination: {namespace: ${name === "cart" ? "shop" : name}, name: in-cluster}
  source: {repoURL: ${URL}, path: charts/cart, targetRevision: main, helm: {releaseName: cart}}
`);
    const many = Array.from({ length: 12 }, (_, index) => app(`team-${index}`));
    await using world = deployed({ "acme/fleet": CHART }, [app("cart"), ...many, byArgo]);
    const healed = await world.heal(CART, FIELDS.memory, "192Mi");
    expect(Object.keys(healed.diff)).toEqual(["charts/cart/values.yaml"]);
    expect(healed.renders).toBeLessThan(10);
    expect(healed.proof?.blast).toHaveLength(12);
  });
});

it.skipIf(!can.helm)("a repository that Applications spell in two ways is one", async () => {
  const app = (name: string, namespace: string, url: string): KubeObject =>
    object(`apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: ${name}, namespace: argocd}
spec:
  destination: {namespace: ${namespace}, name: in-cluster}
  source: {repoURL: ${url}, path: charts/cart, targetRevision: main, helm: {releaseName: cart}}
`);
  const other = app("team", "team", URL.replace("acme/fleet", "Acme/Fleet"));
  await using world = deployed({ "acme/fleet": CHART, "Acme/Fleet": CHART }, [app("cart", "shop", URL), other, byArgo]);
  const healed = await world.heal(CART, FIELDS.memory, "192Mi");
  expect(healed.proof?.blast.map(({ root }) => root)).toEqual(["charts/cart in namespace team"]);
});

describe.skipIf(!can.helm)("a chart that Applications of two clusters share", () => {
  const app = (name: string, destination: string): KubeObject =>
    object(`apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: ${name}, namespace: argocd}
spec:
  destination: {namespace: shop, ${destination}}
  source: {repoURL: ${URL}, path: charts/cart, targetRevision: main, helm: {releaseName: cart}}
`);

  it.each([
    ["server: https://staging.example.com:6443", ["charts/cart by Application argocd/staging"]],
    ["name: staging", ["charts/cart by Application argocd/staging"]],
    ["name: in-cluster", []],
  ])("is no edit of this cluster alone: %s", async (destination, blast) => {
    const objects = [app("cart", "server: https://kubernetes.default.svc"), app("staging", destination), byArgo];
    await using world = deployed({ "acme/fleet": CHART }, objects);
    const healed = await world.heal(CART, FIELDS.memory, "192Mi");
    expect(healed.diff).toEqual({ "charts/cart/values.yaml": ["- memory: 64Mi", "+ memory: 192Mi"] });
    expect(healed.proof?.blast.map(({ root }) => root)).toEqual(blast);
    expect(healed.proof?.complete).toBe(blast.length === 0);
  });
});

describe("an Argo CD Application", () => {
  it("leads to no repository that Stanch may not work with", async () => {
    const text = application(`  source:\n    repoURL: ${URL}\n    targetRevision: main\n    path: cart\n`);
    const files = { "acme/fleet": { "cart/cart.yaml": PLAIN, "apps/cart.yaml": text } };
    await using world = deployed(files, argo(text), undefined, { github: { repositories: ["acme/apps", "shop/*"] } });
    await expect(world.heal(CART, FIELDS.memory, "128Mi")).rejects.toThrow(/none of the repositories/);
    await using allowed = deployed(files, argo(text), undefined, { github: { repositories: ["Acme/*"] } });
    expect((await allowed.heal(CART, FIELDS.memory, "128Mi")).reason).toBeUndefined();
  });

  it("of a plain folder is read as Argo CD reads it: not recursively unless it says so", async () => {
    const text = application(`  source:\n    repoURL: ${URL}\n    targetRevision: main\n    path: cart\n`);
    const beside = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\n";
    await using flat = deployed(
      { "acme/fleet": { "cart/deep/cart.yaml": PLAIN, "cart/x.yaml": beside, "apps/cart.yaml": text } },
      argo(text),
    );
    expect((await flat.heal(CART, FIELDS.memory, "128Mi")).reason).toContain("in none of the sources");
    const recursive = `${text}    directory: {recurse: true}\n`;
    await using deep = deployed(
      { "acme/fleet": { "cart/deep/cart.yaml": PLAIN, "apps/cart.yaml": recursive } },
      argo(recursive),
    );
    expect((await deep.heal(CART, FIELDS.memory, "128Mi")).diff).toEqual({
      "cart/deep/cart.yaml": ["- memory: 64Mi", "+ memory: 128Mi"],
    });
  });
});
