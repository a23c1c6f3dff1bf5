import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { closureOf, composeRoot, isBuilt } from "../../src/gitops/composition.ts";
import { indexSource } from "../../src/gitops/manifest-index.ts";
import { findRoots } from "../../src/gitops/render-roots.ts";
import { inputsOf } from "../../src/gitops/revert-candidates.ts";
import { openTree } from "../../src/gitops/tree.ts";
import { openTrial } from "../../src/gitops/trial.ts";
import type { Json, KubeObject, Source } from "../../src/model.ts";
import { canKustomize, type Files, makeRepository, type Repository, renderer, sourceOf } from "../gitops/repository.ts";

const kustomize = await canKustomize();
const open: Repository[] = [];
afterEach(async () => {
  for (const repository of open.splice(0)) await repository.close();
});

function directoryOf(files: Files): string {
  const repository = makeRepository(files);
  open.push(repository);
  return repository.directory;
}

const KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";
const deployment = (name: string, image = "nginx:1.0"): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: 1
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      containers:
        - name: ${name}
          image: ${image}
`;
const configMap = (name: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  a: b\n`;

const HOME = { repository: "shop/deploy", branch: "main", file: "app.yaml" };

function argo(path: string, overlay: Json, tool: Source["tool"] = "kustomize"): Source {
  return {
    ...sourceOf(path, tool, "shop"),
    owner: {
      kind: "argocd",
      name: "Application argocd/shop",
      ref: { apiVersion: "argoproj.io/v1alpha1", kind: "Application", namespace: "argocd", name: "shop" },
    },
    overlay: { input: "\u0000kustomize", dialect: "argocd" },
    inputs: {
      "\u0000kustomize": {
        text: JSON.stringify(overlay),
        label: "Application argocd/shop spec.source.kustomize",
        home: HOME,
      },
    },
  };
}

function flux(path: string, spec: Json | null, tool: Source["tool"] = "kustomize"): Source {
  return {
    ...sourceOf(path, tool),
    owner: { kind: "flux", name: "Kustomization flux-system/apps" },
    folder: { recurse: true, nested: true },
    ...(spec === null
      ? {}
      : {
          overlay: { input: "\u0000spec", dialect: "flux" as const },
          inputs: {
            "\u0000spec": { text: JSON.stringify(spec), label: "Kustomization flux-system/apps spec", home: HOME },
          },
        }),
  };
}

async function render(directory: string, source: Source): Promise<readonly KubeObject[]> {
  return (await renderer.render(directory, source)).objects;
}

const names = (objects: readonly KubeObject[]): string[] =>
  objects
    .map(
      ({ kind, metadata }) =>
        `${kind} ${metadata.name}${metadata.namespace === undefined ? "" : ` in ${metadata.namespace}`}`,
    )
    .sort();

/** Every file below a folder with its text, to see that nothing was written. */
function snapshot(directory: string): Record<string, string> {
  const rows = readdirSync(directory, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    rows
      .filter((row) => row.isFile() && !row.parentPath.includes(".git"))
      .map((row) => [join(row.parentPath, row.name), readFileSync(join(row.parentPath, row.name), "utf8")]),
  );
}

describe.skipIf(!kustomize)("what Argo CD lays over a Kustomize root", () => {
  const files: Files = {
    "prod/kustomization.yml": `${KUSTOMIZATION}resources: [../base]\nimages: [{ name: nginx, newName: a/nginx, newTag: "1.1" }]\n`,
    "base/kustomization.yaml": `${KUSTOMIZATION}resources: [web.yaml]\n`,
    "base/web.yaml": deployment("web"),
    "prod/patch.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec: { minReadySeconds: 7 }\n",
    "component/kustomization.yaml":
      "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: { by: component }\n",
  };

  it("is laid over a copy, and nothing in the repository changes", async () => {
    const directory = directoryOf(files);
    const before = snapshot(directory);
    const source = argo("prod", {
      images: ["nginx:2.0"],
      replicas: [{ name: "web", count: 4 }],
      patches: [
        { path: "patch.yaml" },
        { target: { kind: "Deployment" }, patch: "- { op: add, path: /spec/paused, value: true }\n" },
      ],
      components: ["../component"],
      namePrefix: "p-",
      commonLabels: { app: "$ARGOCD_APP_NAME" },
    });
    expect(await render(directory, source)).toMatchObject([
      {
        metadata: { name: "p-web", namespace: "shop", annotations: { by: "component" }, labels: { app: "shop" } },
        spec: {
          replicas: 4,
          minReadySeconds: 7,
          paused: true,
          template: { spec: { containers: [{ image: "nginx:2.0" }] } },
        },
      },
    ]);
    expect(snapshot(directory)).toEqual(before);
  });

  it("says nothing where it says nothing", async () => {
    const directory = directoryOf(files);
    const tree = await openTree(directory);
    expect(await composeRoot(tree, argo("prod", { version: "v5.1", images: [] }))).toBeNull();
    expect((await closureOf(tree, argo("prod", {}))).layers.map((layer) => layer.depth)).toEqual([0, 1]);
  });

  it("is the first layer, and what it names is read", async () => {
    const tree = await openTree(directoryOf(files));
    const source = argo("prod", { components: ["../component"], patches: [{ path: "patch.yaml" }], interval: "5m" });
    const closure = await closureOf(tree, source);
    expect(closure.layers.map(({ folder, file, depth }) => [folder, file, depth])).toEqual([
      ["prod", "\u0000kustomize", -1],
      ["prod", "prod/kustomization.yml", 0],
      ["component", "component/kustomization.yaml", 1],
      ["base", "base/kustomization.yaml", 1],
    ]);
    expect(closure.layers[0]?.value).toEqual({ components: ["../component"], patches: [{ path: "patch.yaml" }] });
    expect([...closure.files].sort()).toEqual([
      "base/kustomization.yaml",
      "base/web.yaml",
      "component/kustomization.yaml",
      "prod/kustomization.yml",
      "prod/patch.yaml",
    ]);
    expect(await composeRoot(tree, source)).toMatchObject({
      file: "prod/kustomization.yml",
      value: { components: ["../component"], patches: [{ path: "patch.yaml" }], resources: ["../base"] },
    });
  });

  it("is rendered from the files that it is said to be made of", async () => {
    const directory = directoryOf(files);
    const source = argo("prod", { components: ["../component"], patches: [{ path: "patch.yaml" }] });
    const trial = await openTrial(directory);
    try {
      await trial.add(await inputsOf(await openTree(directory), source));
      expect(await render(trial.directory, source)).toEqual(await render(directory, source));
    } finally {
      await trial.close();
    }
  });

  it.each<[Json, RegExp]>([
    [{ patches: [{ path: "../../../etc/passwd" }] }, /spec.source.kustomize refers to .*outside of the repository/],
    [{ patches: [{ path: "/etc/passwd" }] }, /spec.source.kustomize refers to \/etc\/passwd, which is outside/],
    [{ patches: [{ path: "../base/web.yaml" }] }, /security|restrict/i],
    [{ components: ["../../.."] }, /outside of the repository/],
    [{ components: ["https://example.com/x"] }, /spec.source.kustomize pulls in https:/],
    [{ components: ["../gone"] }, /gone/],
    [{ images: [{}] }, /^Application argocd\/shop spec.source.kustomize.images\[0\] must be a text/],
    [{ images: ["nginx:$ARGOCD_APP_REVISION"] }, /images\[0\] uses \$ARGOCD_APP_REVISION, which .* not known here/],
  ])("refuses %j", async (overlay, message) => {
    await expect(render(directoryOf(files), argo("prod", overlay))).rejects.toThrow(message);
  });

  it("leaves a missing component out when it is told to", async () => {
    const source = argo("prod", { components: ["../gone"], ignoreMissingComponents: true, nameSuffix: "-x" });
    expect(names(await render(directoryOf(files), source))).toEqual(["Deployment web-x in shop"]);
  });

  it("needs a kustomization", async () => {
    const directory = directoryOf({ "prod/web.yaml": deployment("web") });
    await expect(render(directory, argo("prod", { images: ["a:1"] }, "plain"))).rejects.toThrow(
      "prod has no kustomization, and Application argocd/shop lays one over it",
    );
  });
});

describe.skipIf(!kustomize)("what Flux makes of a folder", () => {
  const files: Files = {
    "apps/web.yaml": deployment("web"),
    "apps/sub/b.yml": configMap("b"),
    "apps/.hidden/c.yaml": configMap("c"),
    "apps/nested/kustomization.yaml": `${KUSTOMIZATION}resources: [x.yaml]\nnamePrefix: n-\n`,
    "apps/nested/x.yaml": configMap("x"),
    "apps/nested/unused.yaml": configMap("unused"),
    "apps/ignored.json": "{}",
    "apps/.sops.yaml": "not: a manifest\n",
    "apps/skipped/y.yaml": configMap("y"),
    "apps/tmp.yaml": configMap("tmp"),
    "apps/keep.yaml": configMap("keep"),
    ".sourceignore": "# ours\napps/skipped/\n/apps/[tk]*.yaml\n!keep.yaml\n",
  };

  it("takes what Flux takes: every manifest, roots as such, without what the artifact leaves out", async () => {
    const directory = directoryOf(files);
    const source = flux("apps", { targetNamespace: "shop", images: [{ name: "nginx", newTag: "9" }] }, "plain");
    const objects = await render(directory, source);
    expect(names(objects)).toEqual([
      "ConfigMap b in shop",
      "ConfigMap c in shop",
      "ConfigMap keep in shop",
      "ConfigMap n-x in shop",
      "Deployment web in shop",
    ]);
    expect(objects.find(({ kind }) => kind === "Deployment")).toMatchObject({
      spec: { template: { spec: { containers: [{ image: "nginx:9" }] } } },
    });
  });

  it("works on a kustomization that is not there", async () => {
    const directory = directoryOf(files);
    const tree = await openTree(directory);
    const source = flux("apps", { namePrefix: "p-" }, "plain");
    const closure = await closureOf(tree, source);
    expect(closure.layers.map(({ file, depth }) => [file, depth])).toEqual([
      ["\u0000spec", -1],
      ["apps/kustomization.yaml", 0],
      ["apps/nested/kustomization.yaml", 1],
    ]);
    expect(closure.layers[1]?.value["resources"]).toEqual([
      "./.hidden/c.yaml",
      "./keep.yaml",
      "./nested",
      "./sub/b.yml",
      "./web.yaml",
    ]);
    expect([...closure.files].sort()).toEqual([
      ".sourceignore",
      "apps/.hidden/c.yaml",
      "apps/keep.yaml",
      "apps/nested/kustomization.yaml",
      "apps/nested/x.yaml",
      "apps/sub/b.yml",
      "apps/web.yaml",
    ]);
    const trial = await openTrial(directory);
    try {
      await trial.add(await inputsOf(tree, source));
      expect(await render(trial.directory, source)).toEqual(await render(directory, source));
    } finally {
      await trial.close();
    }
  });

  it("is built without an overlay, too, where a root lies below it, and read otherwise", async () => {
    const directory = directoryOf(files);
    const tree = await openTree(directory);
    const source = flux("apps", null, "plain");
    expect(await isBuilt(tree, source)).toBe(true);
    expect(names(await render(directory, source))).toContain("ConfigMap n-x");
    const below = flux("apps/sub", { interval: "5m" }, "plain");
    expect(await isBuilt(tree, below)).toBe(false);
    expect(await renderer.render(directory, below)).toMatchObject({ tool: "plain", objects: [{ kind: "ConfigMap" }] });
    expect(await inputsOf(tree, below)).toEqual([".sourceignore", "apps/sub/b.yml"]);
  });

  it("has no other roots below it", async () => {
    const tree = await openTree(directoryOf(files));
    const source = flux("apps", null, "plain");
    const roots = await findRoots(tree, Object.keys(files), [source]);
    expect(roots.map((root) => [root.source.path, root.problem])).toEqual([["apps", undefined]]);
  });

  it("at the top of the repository", async () => {
    const directory = directoryOf({ "web.yaml": deployment("web") });
    expect(names(await render(directory, flux(".", { nameSuffix: "-z" }, "plain")))).toEqual(["Deployment web-z"]);
  });

  it("is nothing where there is nothing", async () => {
    const directory = directoryOf({ "apps/readme.md": "x" });
    expect(await render(directory, flux("apps", { namePrefix: "p-" }, "plain"))).toEqual([]);
  });

  it("marks what is generated in a kustomization without resources", async () => {
    const directory = directoryOf({
      "apps/kustomization.yaml": `${KUSTOMIZATION}configMapGenerator: [{ name: g, literals: [a=b] }]\n`,
    });
    expect((await render(directory, flux("apps", null)))[0]?.metadata.annotations).toHaveProperty([
      "config.kubernetes.io/origin",
    ]);
  });

  it("with line ends of Windows", async () => {
    const windows = Object.fromEntries(
      Object.entries(files).map(([file, text]) => [file, text?.replaceAll("\n", "\r\n") ?? null]),
    );
    const source = flux("apps", { targetNamespace: "shop" }, "plain");
    expect(await render(directoryOf(windows), source)).toEqual(await render(directoryOf(files), source));
  });
});

describe.skipIf(!kustomize)("a Flux build may read files outside of a kustomization's folder", () => {
  const files: Files = {
    "prod/kustomization.yaml": `${KUSTOMIZATION}resources: [../shared/web.yaml]
commonAnnotations: { Path: x, ENV: z }
patches: [{ path: ../shared/patch.yaml }]
configMapGenerator: [{ name: g, files: [../shared/text.txt] }]
transformers:
- ../shared/labels.yaml
- |
  apiVersion: builtin
  kind: PrefixTransformer
  metadata: { name: x }
  prefix: in-
  fieldSpecs: [{ path: metadata/name }]
`,
    "shared/web.yaml": deployment("web"),
    "shared/patch.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\nspec: { replicas: 8 }\n",
    "shared/text.txt": "hello\n",
    "shared/labels.yaml":
      "apiVersion: builtin\nkind: LabelTransformer\nmetadata: { name: l }\nlabels: { a: b }\nfieldSpecs: [{ path: metadata/labels, create: true }]\n",
  };

  it("as long as they are in the repository", async () => {
    const directory = directoryOf(files);
    const objects = await render(directory, flux("prod", null));
    expect(objects).toMatchObject([
      { kind: "ConfigMap", data: { "text.txt": "hello\n" } },
      { kind: "Deployment", metadata: { name: "in-web", labels: { a: "b" } }, spec: { replicas: 8 } },
    ]);
    await expect(render(directory, sourceOf("prod", "kustomize"))).rejects.toThrow(/security|restrict/i);
  });

  const SECRET = "not for you";
  function outside(): string {
    const folder = mkdtempSync(join(tmpdir(), "stanch-outside-"));
    writeFileSync(join(folder, "secret.txt"), SECRET);
    writeFileSync(join(folder, "secret.yaml"), configMap("secret"));
    return folder;
  }

  it.each<[string, (path: string) => Files]>([
    [
      "a generator",
      (path) => ({
        "prod/kustomization.yaml": `resources: [../shared/web.yaml]\nconfigMapGenerator: [{ name: g, files: [${path}/secret.txt] }]\n`,
      }),
    ],
    [
      "a generator in another spelling",
      (path) => ({
        "prod/kustomization.yaml": `resources: [../shared/web.yaml]\nConfigMapGenerator: [{ name: g, files: [${path}/secret.txt] }]\n`,
      }),
    ],
    [
      "files in another spelling",
      (path) => ({
        "prod/kustomization.yaml": `resources: [../shared/web.yaml]\nconfigMapGenerator: [{ name: g, Files: [${path}/secret.txt] }]\n`,
      }),
    ],
    [
      "files with a long s",
      (path) => ({
        "prod/kustomization.yaml": `resources: [../shared/web.yaml]\nconfigMapGenerator: [{ name: g, fileſ: [${path}/secret.txt] }]\n`,
      }),
    ],
    [
      "a second document",
      (path) => ({
        "prod/kustomization.yaml": `---\nresources: [../shared/web.yaml]\n---\nconfigMapGenerator: [{ name: g, files: [${path}/secret.txt] }]\n`,
      }),
    ],
    ["resources", (path) => ({ "prod/kustomization.yaml": `resources: [../shared/web.yaml, ${path}/secret.yaml]\n` })],
    [
      "a plugin's configuration",
      (path) => ({
        "prod/kustomization.yaml": "generators: [../shared/g.yaml]\nresources: [../shared/web.yaml]\n",
        "shared/g.yaml": `apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: { name: g }\nfiles: [${path}/secret.txt]\n`,
      }),
    ],
    [
      "a plugin's configuration in another spelling",
      (path) => ({
        "prod/kustomization.yaml": "generators: [../shared/g.yaml]\nresources: [../shared/web.yaml]\n",
        "shared/g.yaml": `apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: { name: g }\nFiles: [${path}/secret.txt]\n`,
      }),
    ],
    [
      "an inline configuration",
      (path) => ({
        "prod/kustomization.yaml": `resources: [../shared/web.yaml]\ngenerators:\n- |\n  apiVersion: builtin\n  kind: ConfigMapGenerator\n  metadata: { name: g }\n  files: [${path}/secret.txt]\n`,
      }),
    ],
    [
      "a list of configurations",
      (path) => ({
        "prod/kustomization.yaml": "generators: [../shared/g.yaml]\nresources: [../shared/web.yaml]\n",
        "shared/g.yaml": `apiVersion: v1\nkind: List\nitems:\n- apiVersion: builtin\n  kind: ConfigMapGenerator\n  metadata: { name: g }\n  files: [${path}/secret.txt]\n`,
      }),
    ],
    [
      "a folder of configurations, patched",
      (path) => ({
        "prod/kustomization.yaml": "generators: [../gen]\nresources: [../shared/web.yaml]\n",
        "gen/kustomization.yaml": `resources: [g.yaml]\npatches:\n- target: { kind: ConfigMapGenerator }\n  patch: |\n    - { op: add, path: /files, value: ["${path}/secret.txt"] }\n`,
        "gen/g.yaml": "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: { name: g }\n",
      }),
    ],
    [
      "a configuration that is patched on its way",
      (path) => ({
        "prod/kustomization.yaml": `resources: [../shared/web.yaml]\npatches: [{ path: ${path}/secret.yaml }]\n`,
      }),
    ],
  ])("never those of the machine: %s", async (_name, hostile) => {
    const path = outside();
    for (const way of [path, join("..", "..", "..", "..", "..", "..", path)]) {
      const directory = directoryOf({ ...files, ...hostile(way) });
      const seen = await render(directory, flux("prod", null)).then(JSON.stringify, (error: Error) => error);
      if (seen instanceof Error) expect(seen.message).not.toContain(SECRET);
      else {
        expect(seen).not.toContain(SECRET);
        expect(seen).not.toContain('"secret"');
      }
    }
  });

  it("nor through a link", async () => {
    const path = outside();
    const directory = directoryOf(files);
    rmSync(join(directory, "shared/text.txt"));
    symlinkSync(join(path, "secret.txt"), join(directory, "shared/text.txt"));
    await expect(render(directory, flux("prod", null))).rejects.toThrow("shared/text.txt leads out of the repository");
  });
});

describe("which files of a folder are taken", () => {
  const files: Files = {
    "apps/web.yaml": deployment("web"),
    "apps/web-test.yaml": deployment("web-test"),
    "apps/sub/api.yaml": deployment("api"),
    "apps/sub/skip.yaml": `# +argocd:skip-file-rendering\n${deployment("skip")}`,
    "apps/config.json": JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" } }),
  };
  const plain = (folder: NonNullable<Source["folder"]>): Source => ({
    ...sourceOf("apps", "plain"),
    folder,
    owner: { kind: "argocd", name: "Application argocd/shop" },
  });

  it.each<[NonNullable<Source["folder"]>, string[]]>([
    [{ recurse: true }, ["api", "c", "web", "web-test"]],
    [{ recurse: false }, ["c", "web", "web-test"]],
    [{ recurse: true, include: "*.json" }, ["c"]],
    [{ recurse: true, include: "{web,sub/*}.yaml" }, ["api", "web"]],
    [{ recurse: true, exclude: "*-test.yaml" }, ["api", "c", "web"]],
    [{ recurse: true, include: "*.yaml", exclude: "{sub/*,*-test.yaml}" }, ["web"]],
    [{ recurse: true, include: "{broken" }, []],
    [{ recurse: true, include: "", exclude: "" }, ["api", "c", "web", "web-test"]],
  ])("%j", async (folder, wanted) => {
    const directory = directoryOf(files);
    const source = plain(folder);
    expect((await render(directory, source)).map(({ metadata }) => metadata.name).sort()).toEqual(wanted);
    expect((await indexSource(directory, source)).entries.map(({ object }) => object.metadata.name).sort()).toEqual(
      wanted,
    );
  });

  it("variables and common labels are filled in without a program", async () => {
    const directory = directoryOf({
      "apps/web.yaml": deployment("web").replace("replicas: 1", `replicas: \${count:=3}`),
    });
    const source: Source = {
      ...flux("apps", null, "plain"),
      substitute: { inputs: ["\u0000vars"], open: false },
      common: { labels: { team: "shop" } },
      inputs: { "\u0000vars": { text: "unused: x\n", label: "Kustomization flux-system/apps postBuild", home: HOME } },
    };
    expect(await renderer.render(directory, source)).toMatchObject({
      tool: "plain",
      objects: [{ metadata: { labels: { team: "shop" } }, spec: { replicas: 3 } }],
    });
  });
});
