import { chmodSync, existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createRenderer } from "../../src/adapters/renderers.ts";
import { helmInputs } from "../../src/gitops/helm-inputs.ts";
import { fieldInput } from "../../src/gitops/input.ts";
import { inputsOf } from "../../src/gitops/revert-candidates.ts";
import { openTree } from "../../src/gitops/tree.ts";
import { openTrial } from "../../src/gitops/trial.ts";
import type { HelmSettings, Input, Json, KubeObject, Source } from "../../src/model.ts";
import { type Files, makeRepository, PATH, type Repository, renderer, sourceOf } from "../gitops/repository.ts";

const versions = await renderer.versions();
const helm = versions.find((row) => row.tool === "helm")?.missing === undefined;
const kustomize = versions.find((row) => row.tool.includes("kustomize"))?.missing === undefined;
if (!helm) process.stderr.write("\nSKIPPED: every test of charts with owners, because helm is not on the PATH.\n");
const open: Repository[] = [];
afterEach(async () => {
  for (const repository of open.splice(0)) await repository.close();
});

/** Its ConfigMap shows all values as Helm sees them, with their types. */
const CHART: Files = {
  "chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
  "chart/values.yaml": "from: chart\nown: chart\nlist: [a, b]\n",
  "chart/crds/crd.yaml":
    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: { name: xs.example.com }\n",
  "chart/templates/all.yaml": `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  values: {{ .Values | toJson | quote }}
  kube: {{ .Capabilities.KubeVersion.Version }}
  served: {{ .Capabilities.APIVersions.Has "example.com/v1/Thing" | quote }}
`,
  "chart/templates/job.yaml":
    'apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: hook\n  annotations: { "helm.sh/hook": pre-install }\n',
  "env/prod.yaml": "from: prod\nprod: true\n",
};

function directoryOf(files: Files = CHART): string {
  const repository = makeRepository(files);
  open.push(repository);
  return repository.directory;
}

const input = (text: string, label = "Application argocd/shop spec.source.helm"): Input => ({
  text,
  label,
  home: { repository: "a/b", branch: "main", file: "x" },
});

function chart(settings: Partial<HelmSettings>, inputs: Record<string, Input> = {}): Source {
  return {
    ...sourceOf("chart", "helm", "shop"),
    owner: { kind: "argocd", name: "Application argocd/shop" },
    helm: { release: "cart", values: [], ...settings },
    inputs,
  };
}

const data = (objects: readonly KubeObject[]): Record<string, string> =>
  (objects.find(({ kind }) => kind === "ConfigMap") as unknown as { data: Record<string, string> }).data;

async function valuesOf(source: Source, directory = directoryOf()): Promise<{ [key: string]: Json }> {
  return JSON.parse(data((await renderer.render(directory, source)).objects)["values"] ?? "") as {
    [key: string]: Json;
  };
}

describe.skipIf(!helm)("a chart with what its owner says", () => {
  it("takes values that are no files, in their order among those that are", async () => {
    const inputs = { "\u0000a": input("from: a\na: 1\n"), "\u0000b": input("from: b\n") };
    expect(await valuesOf(chart({ values: ["\u0000a", "env/prod.yaml"] }, inputs))).toMatchObject({
      from: "prod",
      a: 1,
      prod: true,
    });
    expect(await valuesOf(chart({ values: ["env/prod.yaml", "\u0000b"] }, inputs))).toMatchObject({ from: "b" });
  });

  it("names inputs for candidates, and no files for them", async () => {
    const inputs = { "\u0000a": input("a: 1\n") };
    const source = chart({ values: ["\u0000a", "env/prod.yaml"] }, inputs);
    const found = await helmInputs(await openTree(directoryOf()), source);
    expect(found.values).toEqual(["\u0000a", "env/prod.yaml"]);
    expect([...found.files].some((file) => file.startsWith("\u0000"))).toBe(false);
    await expect(helmInputs(await openTree(directoryOf()), chart({ values: ["\u0000gone"] }))).rejects.toThrow(
      "has no input gone",
    );
  });

  it("keeps texts that another YAML takes for something else", async () => {
    const ref = { apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: "x" };
    const values = { a: "yes", b: "012", c: "1_000", y: "on", d: "1e3", e: "2020-01-01", f: "null", g: "0b1" };
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" }, values } as unknown as KubeObject;
    const made = fieldInput(object, ref, ["values"], "value");
    expect(await valuesOf(chart({ values: ["\u0000v"] }, made === null ? {} : { "\u0000v": made }))).toMatchObject(
      values,
    );
  });

  it("sets Argo CD's parameters as Argo CD does, over all values", async () => {
    const parameters = [
      { name: "from", value: "first" },
      { name: "from", value: "last" },
      { name: "number", value: "12" },
      { name: "text", value: "012", forceString: true },
      { name: "list", value: "{x,y}" },
      { name: "commas", value: "a,b\\,c" },
      { name: "deep.key\\.dot[0].name", value: "z" },
      { name: "empty" },
      { name: "app", value: "$ARGOCD_APP_NAMESPACE-$$" },
    ];
    const source = chart(
      { values: ["\u0000v"], parameters: ["\u0000p"] },
      { "\u0000v": input("from: inline\n"), "\u0000p": input(JSON.stringify(parameters)) },
    );
    expect(await valuesOf(source)).toEqual({
      from: "last",
      own: "chart",
      number: 12,
      text: "012",
      list: ["x", "y"],
      commas: "a,b,c",
      deep: { "key.dot": [{ name: "z" }] },
      empty: "",
      app: "shop-$",
    });
  });

  it("sets Flux's targets as helm-controller does, over all values", async () => {
    const targets = {
      from: "target",
      count: "3",
      quoted: "'3'",
      both: '"true"',
      "deep.list[1]": "x",
      pair: "a,other=b",
    };
    const source = chart(
      { values: ["\u0000v"], targets: ["\u0000t"] },
      { "\u0000v": input("from: inline\ndeep: { list: [p, q] }\n"), "\u0000t": input(JSON.stringify(targets)) },
    );
    expect(await valuesOf(source)).toMatchObject({
      from: "target",
      count: 3,
      quoted: "3",
      both: "true",
      deep: { list: ["p", "x"] },
      pair: "a",
      other: "b",
    });
  });

  it.each<[Partial<HelmSettings>, Json, string]>([
    [{ parameters: ["\u0000x"] }, { a: 1 }, "Application argocd/shop spec.source.helm must be a list"],
    [{ parameters: ["\u0000x"] }, ["a"], "spec.source.helm[0] must be a map"],
    [{ parameters: ["\u0000x"] }, [{ value: "a" }], "spec.source.helm[0] must have a name"],
    [{ parameters: ["\u0000x"] }, [{ name: "a", value: 1 }], "spec.source.helm[0].value must be a text"],
    [{ parameters: ["\u0000x"] }, [{ name: "a", value: "$ARGOCD_APP_REVISION" }], "uses $ARGOCD_APP_REVISION"],
    [{ parameters: ["\u0000x"] }, [{ name: "a", value: "x".repeat(200_000) }], "too large to be given to helm"],
    [{ targets: ["\u0000x"] }, ["a"], "must be a map from paths to texts"],
    [{ targets: ["\u0000x"] }, { a: 1 }, "spec.source.helm: a must be a text"],
    [{ post: ["\u0000x"] }, ["a"], "spec.source.helm must be a map"],
    [{ post: ["\u0000x"] }, { images: ["a:1"] }, "spec.source.helm.images[0] must have a name"],
  ])("%j with %j is refused", async (settings, value, message) => {
    const source = chart(settings, { "\u0000x": input(JSON.stringify(value)) });
    await expect(renderer.render(directoryOf(), source)).rejects.toThrow(
      expect.objectContaining({ code: "render", message: expect.stringContaining(message) }),
    );
  });

  it.each(["--post-renderer=./evil.sh", "-h", "Cart", "a b", ""])(
    "takes no release name that could be an option: %j",
    async (release) => {
      const directory = directoryOf({ ...CHART, "evil.sh": "#!/bin/sh\ntouch ran\ncat\n" });
      chmodSync(join(directory, "evil.sh"), 0o755);
      await expect(renderer.render(directory, chart({ release }))).rejects.toThrow(
        /the release name in Application argocd\/shop is none that Helm takes/,
      );
      expect(existsSync(join(directory, "ran"))).toBe(false);
    },
  );

  it("says whose values are no YAML, and no path of this machine", async () => {
    const source = chart({ values: ["\u0000v"] }, { "\u0000v": input("a: [", "HelmRelease shop/cart spec.values") });
    const message = await renderer.render(directoryOf(), source).catch((error: Error) => error.message);
    expect(message).toContain("HelmRelease shop/cart spec.values");
    expect(message).not.toMatch(/stanch-helm|values-0/);
  });

  it("leaves out CRDs when it is told to, and hooks always", async () => {
    const directory = directoryOf();
    const kinds = async (skipCrds: boolean): Promise<string[]> =>
      (await renderer.render(directory, chart({ skipCrds }))).objects.map(({ kind }) => kind);
    expect(await kinds(false)).toEqual(["CustomResourceDefinition", "ConfigMap"]);
    expect(await kinds(true)).toEqual(["ConfigMap"]);
  });

  it("leaves the chart's own values out where others stand in their place", async () => {
    const directory = directoryOf();
    const source = chart({ values: ["env/prod.yaml"], noDefaults: true });
    expect(await valuesOf(source, directory)).toEqual({ from: "prod", prod: true });
    expect(
      await valuesOf(chart({ values: ["env/prod.yaml", "chart/values.yaml"], noDefaults: true }), directory),
    ).toEqual({
      from: "chart",
      own: "chart",
      list: ["a", "b"],
      prod: true,
    });
    const tree = await openTree(directory);
    expect((await helmInputs(tree, source)).defaults).toBeUndefined();
    const trial = await openTrial(directory);
    try {
      await trial.add(await inputsOf(tree, source));
      expect(await valuesOf(source, trial.directory)).toEqual({ from: "prod", prod: true });
    } finally {
      await trial.close();
    }
  });

  it("is told of the cluster, once", async () => {
    let asked = 0;
    const told = createRenderer({
      path: PATH,
      cluster: async () => {
        asked++;
        return {
          kubeVersion: "v1.31.4+k3s1",
          apiVersions: ["apps/v1", "example.com/v1/Thing", "$(rm -rf /)", "--debug"],
        };
      },
    });
    const directory = directoryOf();
    for (let round = 0; round < 2; round++)
      expect(data((await told.render(directory, chart({}))).objects)).toMatchObject({
        kube: "v1.31.4",
        served: "true",
      });
    expect(asked).toBe(1);
    const many = createRenderer({
      path: PATH,
      cluster: async () => ({
        kubeVersion: "nonsense; x",
        apiVersions: Array.from({ length: 3000 }, (_, i) => `g${i}.example.com/v1/Kind${i}`),
      }),
    });
    expect(data((await many.render(directory, chart({}))).objects)["served"]).toBe("false");
  });

  it("asks the cluster again when it did not answer", async () => {
    let asked = 0;
    const told = createRenderer({
      path: PATH,
      cluster: async () => {
        if (asked++ === 0) throw new Error("no answer");
        return null;
      },
    });
    const directory = directoryOf();
    await expect(told.render(directory, chart({}))).rejects.toThrow("no answer");
    await expect(told.render(directory, chart({}))).resolves.toBeDefined();
  });

  it.skipIf(!kustomize)("runs Flux's post renderers over the output, in order", async () => {
    const post = [
      {
        patches: [{ target: { kind: "ConfigMap" }, patch: "- { op: add, path: /data/one, value: a }\n" }],
        namePrefix: "no-",
      },
      {
        patchesStrategicMerge: [
          { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "cart" }, data: { one: "b", two: "c" } },
        ],
        patchesJson6902: [
          {
            target: { version: "v1", kind: "ConfigMap", name: "cart" },
            patch: [{ op: "add", path: "/data/three", value: "d" }],
          },
        ],
      },
      {},
    ];
    const inputs = Object.fromEntries(post.map((row, index) => [`\u0000${index}`, input(JSON.stringify(row))]));
    const source: Source = {
      ...chart({ post: Object.keys(inputs) }, inputs),
      common: { labels: { team: "shop" } },
    };
    const rendered = await renderer.render(directoryOf(), source);
    expect(rendered.tool).toMatch(/^helm v.*, kustomize v/);
    expect(rendered.objects.find(({ kind }) => kind === "ConfigMap")).toMatchObject({
      metadata: { name: "cart", namespace: "shop", labels: { team: "shop" } },
      data: { one: "b", two: "c", three: "d" },
    });
  });

  it.skipIf(!kustomize)("a post renderer reads no files", async () => {
    const patch = { patches: [{ path: "/etc/passwd", target: { kind: "ConfigMap" } }] };
    const source = chart({ post: ["\u0000p"] }, { "\u0000p": input(JSON.stringify(patch)) });
    await expect(renderer.render(directoryOf(), source)).rejects.toThrow(/patch/);
  });

  it("has nothing to run them over where the chart makes nothing", async () => {
    const files = { "chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n" };
    const source = chart({ post: ["\u0000p"] }, { "\u0000p": input('images: [{ name: a, newTag: "1" }]') });
    expect((await renderer.render(directoryOf(files), source)).objects).toEqual([]);
  });
});
