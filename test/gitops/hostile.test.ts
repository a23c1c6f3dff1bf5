import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { createRenderer } from "../../src/adapters/renderers.ts";
import { indexManifests } from "../../src/gitops/manifest-index.ts";
import { protectionOf } from "../../src/gitops/protected-files.ts";
import { openTree } from "../../src/gitops/tree.ts";
import { openTrial } from "../../src/gitops/trial.ts";
import { CART, change, deployment, find, MEMORY, repositoryOf } from "./finding.ts";
import { canKustomize, type Files, PATH, type Repository, renderer, sourceOf } from "./repository.ts";

const kustomize = await canKustomize();
const plain = sourceOf("apps", "plain", "shop");
const prod = sourceOf("prod", "kustomize", "shop");
const raise = change(MEMORY, "64Mi", "128Mi");
const OVERLAY: Files = { "prod/kustomization.yaml": "resources: [cart.yaml]\n", "prod/cart.yaml": deployment() };

/** Adds links (path → target) and commits them. */
function linked(repository: Repository, links: Readonly<Record<string, string>>): Repository {
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(dirname(join(repository.directory, path)), { recursive: true });
    symlinkSync(target, join(repository.directory, path));
  }
  repository.commit("links", {});
  return repository;
}

async function timed<T>(within: number, run: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await run();
  expect(performance.now() - started).toBeLessThan(within);
  return result;
}

describe("links", () => {
  it("to a file outside are not read, and the rest is", async () => {
    const repository = linked(repositoryOf({ "apps/cart.yaml": deployment() }), {
      "apps/passwd.yaml": "/etc/passwd",
      "apps/up.yaml": "../../../../../../etc/passwd",
      "apps/loop.yaml": "loop.yaml",
      "apps/etc": "/etc",
      "apps/again": ".",
    });
    expect(await find(repository, plain, [raise])).toMatchObject({ where: ["apps/cart.yaml:18 manifest"] });
    const index = await indexManifests(repository.directory, "apps");
    expect(index.problems.map((problem) => problem.file)).toEqual(["apps/etc", "apps/passwd.yaml", "apps/up.yaml"]);
  });

  it("inside are read and not edited", async () => {
    const repository = linked(repositoryOf({ "shared/cart.yaml": deployment() }), {
      "apps/cart.yaml": "../shared/cart.yaml",
    });
    expect(await find(repository, plain, [raise])).toMatch(/apps\/cart.yaml is a symbolic link/);
  });

  it("in the place of the source's folder show nothing of the machine", async () => {
    const out = linked(repositoryOf({ "x.yaml": deployment() }), { apps: "/etc" });
    await expect(indexManifests(out.directory, "apps")).rejects.toThrow(/^apps leads out of the repository$/);
    expect(await find(out, plain, [raise])).toMatch(/cannot be rendered: apps leads out of the repository/);
  });

  it.skipIf(!kustomize)("to a folder inside are followed, and what lies behind is not edited", async () => {
    const repository = linked(
      repositoryOf({
        "base/cart.yaml": deployment(),
        "base/kustomization.yaml": "resources: [cart.yaml]\n",
        "prod/kustomization.yaml": "resources: [../link]\n",
      }),
      { link: "base" },
    );
    // The folder has two names, so that for Kustomize it is another root: this one says it for itself.
    expect(await find(repository, prod, [raise])).toMatchObject({
      where: ["prod/kustomization.yaml:2 kustomize patch (new, for cart)"],
    });
    const closed = await protectionOf(repository, await openTree(repository.directory));
    expect(closed("link/cart.yaml")).toBe("link/cart.yaml lies behind link, which is a symbolic link.");
    expect(closed("base/cart.yaml")).toBeUndefined();
  });

  it.each([
    ["the kustomization", { "prod/kustomization.yaml": "/etc/passwd" }, {}],
    ["a resource", { "prod/leak.yaml": "/etc/passwd" }, { "prod/kustomization.yaml": "resources: [leak.yaml]\n" }],
    ["a folder", { leak: "/etc" }, { "prod/kustomization.yaml": "resources: [../leak]\n" }],
    [
      "a file of a generator",
      { "prod/leak.txt": "/etc/passwd" },
      { "prod/kustomization.yaml": "configMapGenerator: [{name: x, files: [leak.txt]}]\n" },
    ],
    [
      "an env file of a generator",
      { "prod/leak.env": "../../../../../../../etc/passwd" },
      { "prod/kustomization.yaml": "configMapGenerator: [{name: x, envs: [leak.env]}]\n" },
    ],
    ["a patch", { "prod/p.yaml": "/etc/passwd" }, { "prod/kustomization.yaml": "patches: [{path: p.yaml}]\n" }],
  ] as [string, Record<string, string>, Files][])(
    "Kustomize is not run for %s that leads out",
    async (_name, links, files) => {
      const repository = linked(repositoryOf({ "readme.md": "", ...files }), links);
      const never = createRenderer({ path: "", program: "/nonexistent" });
      await expect(never.render(repository.directory, prod)).rejects.toThrow(/leads out of the repository/);
    },
  );
});

describe("paths that lead out", () => {
  const paths = ["../../etc/passwd", "/etc/passwd", "sub/../../../etc", "../.git/config", "./../../x"];
  const places: [string, (path: string) => string][] = [
    ["resources", (path) => `resources: ['${path}']\n`],
    ["components", (path) => `components: ['${path}']\n`],
    ["patches", (path) => `patches: [{path: '${path}'}]\n`],
    ["generator files", (path) => `configMapGenerator: [{name: x, files: ['k=${path}']}]\n`],
    ["generator envs", (path) => `secretGenerator: [{name: x, envs: ['${path}']}]\n`],
    ["replacements", (path) => `replacements: [{path: '${path}'}]\n`],
    ["openapi", (path) => `openapi: {path: '${path}'}\n`],
    ["transformers", (path) => `transformers: ['${path}']\n`],
    [
      "inline transformers",
      (path) =>
        `transformers:\n- |\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: p}\n  path: '${path}'\n`,
    ],
  ];
  it.each(places)("in %s are refused before anything is run", async (_name, text) => {
    const never = createRenderer({ path: "", program: "/nonexistent" });
    for (const path of paths) {
      const repository = repositoryOf({ "prod/kustomization.yaml": text(path) });
      await expect(never.render(repository.directory, prod), path).rejects.toThrow(/outside of the repository/);
    }
  });

  it("are not read by a tree, nor copied by a trial", async () => {
    const { directory } = repositoryOf({ "a.yaml": "a: 1\n", "sub/b.yaml": "b: 1\n" });
    symlinkSync("/etc", join(directory, "sub/out"));
    const tree = await openTree(directory);
    for (const path of ["../x", "/etc/passwd", ".git/HEAD", "sub/out/passwd"])
      await expect(tree.read(path), path).rejects.toThrow(/leads out of the repository/);
    const trial = await openTrial(directory);
    await trial.add(["../../etc/passwd", "a.yaml"]);
    expect(await (await openTree(trial.directory)).kind("a.yaml")).toBe("file");
    await trial.close();
  });
});

describe("files that are too much", () => {
  it("ten thousand documents are searched", async () => {
    const filler = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c%}\ndata: {a: b}\n---\n";
    const text =
      Array.from({ length: 10_000 }, (_, index) => filler.replace("%", String(index))).join("") + deployment();
    const repository = repositoryOf({ "apps/all.yaml": text });
    const answer = await timed(60_000, () => find(repository, plain, [raise]));
    expect(answer).toMatchObject({ where: [`apps/all.yaml:${50_018} manifest`] });
  }, 90_000);

  it("a file above the limit is passed over with a word, and so is one that is no UTF-8", async () => {
    const repository = repositoryOf({
      "apps/cart.yaml": deployment(),
      "apps/big.yaml": `kind: x\n${"# x\n".repeat(2_200_000)}`,
    });
    writeFileSync(join(repository.directory, "apps/latin.yaml"), Buffer.from("kind: caf\xe9\n", "latin1"));
    writeFileSync(join(repository.directory, "apps/nul.yaml"), "kind: x\u0000\n");
    repository.commit("more", {});
    const index = await indexManifests(repository.directory, "apps");
    expect(index.entries.map((entry) => entry.file)).toEqual(["apps/cart.yaml"]);
    expect(index.problems).toEqual([
      { file: "apps/big.yaml", message: "apps/big.yaml is larger than 8 MB" },
      { file: "apps/latin.yaml", message: "apps/latin.yaml is not UTF-8 text" },
    ]);
    expect(await find(repository, plain, [raise])).toMatchObject({ where: ["apps/cart.yaml:18 manifest"] });
  });

  it("a folder of more than can be held is refused as a whole", async () => {
    const directory = mkdtempSync(join(tmpdir(), "stanch-test-"));
    const text = "# x\n".repeat(2_000_000);
    for (let index = 0; index < 9; index++) writeFileSync(join(directory, `${index}.yaml`), text);
    await expect(indexManifests(directory, ".")).rejects.toThrow(". holds more than 64 MB of manifests");
    rmSync(directory, { recursive: true });
  });

  it("folders too deep are passed over with a word", async () => {
    const deep = `apps/${"d/".repeat(20)}cart.yaml`;
    const { directory } = repositoryOf({ [deep]: deployment() });
    const index = await indexManifests(directory, "apps");
    expect(index.entries).toEqual([]);
    expect(index.problems[0]?.message).toBe("folders more than 16 deep are not read");
  });

  const bomb = `${Array.from(
    { length: 15 },
    (_, n) =>
      `a${n}: &a${n} [${
        n === 0
          ? "x"
          : Array(9)
              .fill(`*a${n - 1}`)
              .join(", ")
      }]\n`,
  ).join("")}`;
  it("an alias bomb is passed over, as a manifest and as a kustomization", async () => {
    const repository = repositoryOf({ "apps/cart.yaml": deployment(), "apps/bomb.yaml": `kind: x\n${bomb}` });
    expect(await timed(10_000, () => find(repository, plain, [raise]))).toMatchObject({
      where: ["apps/cart.yaml:18 manifest"],
    });
    const root = repositoryOf({
      "prod/kustomization.yaml": `resources: [cart.yaml]\n${bomb}`,
      "prod/cart.yaml": deployment(),
    });
    await expect(timed(10_000, () => renderer.render(root.directory, prod))).rejects.toThrow(
      /prod\/kustomization.yaml is not valid YAML/,
    );
  });

  it("brackets without end are passed over", async () => {
    const repository = repositoryOf({
      "apps/cart.yaml": deployment(),
      "apps/deep.yaml": `kind: ${"[".repeat(200_000)}\n`,
    });
    expect(await timed(20_000, () => find(repository, plain, [raise]))).toMatchObject({
      where: ["apps/cart.yaml:18 manifest"],
    });
  });
});

describe.skipIf(!kustomize)("a render that does not end", () => {
  /** Each layer pulls in the one below it twice, under two names: 2^n objects. */
  const doubling = (layers: number): Files => {
    const files: Record<string, string> = {
      "l0/kustomization.yaml": "resources: [cart.yaml]\n",
      "l0/cart.yaml": deployment(),
    };
    for (let n = 1; n <= layers; n++) {
      files[`l${n}/kustomization.yaml`] = `resources: [../l${n}a, ../l${n}b]\n`;
      for (const side of ["a", "b"])
        files[`l${n}${side}/kustomization.yaml`] = `resources: [../l${n - 1}]\nnamePrefix: ${side}-\n`;
    }
    files["prod/kustomization.yaml"] = `resources: [../l${layers}]\n`;
    return files;
  };

  it("is stopped, and is an answer and no fault", async () => {
    const repository = repositoryOf(doubling(25));
    const quick = createRenderer({ path: PATH, timeoutMs: 1_000 });
    const answer = await timed(15_000, () => find(repository, prod, [raise], { renderer: quick }));
    expect(answer).toMatch(/cannot be rendered: rendering took longer than 1 s/);
  });

  it("of another root is a gap of the proof and not of the answer", async () => {
    const files = doubling(25);
    const repository = repositoryOf({
      ...files,
      "forever/kustomization.yaml": "resources: [../l25]\n",
      "prod/kustomization.yaml": "resources: [../l0]\n",
    });
    const quick = createRenderer({ path: PATH, timeoutMs: 1_500 });
    const answer = await timed(40_000, () => find(repository, prod, [raise], { renderer: quick }));
    // The base is shared with what cannot be known: the overlay says it.
    expect(answer).toMatchObject({ where: ["prod/kustomization.yaml:2 kustomize patch (new, for cart)"] });
  }, 60_000);

  it("circles end", async () => {
    const repository = repositoryOf({
      "prod/kustomization.yaml": "resources: [../a]\n",
      "a/kustomization.yaml": "resources: [../b]\n",
      "b/kustomization.yaml": "resources: [../a]\n",
    });
    expect(await timed(10_000, () => find(repository, prod, [raise]))).toMatch(/cannot be rendered: .*cycle/);
  });
});

describe("names that are made to be run", () => {
  it("are names", async () => {
    const file = "apps/-rf $(touch x) ;'\".yaml";
    const repository = repositoryOf({ [file]: deployment() });
    expect(await find(repository, plain, [raise])).toMatchObject({ where: [`${file}:18 manifest`] });
  });

  it.skipIf(!kustomize)("of a root, too", async () => {
    const repository = repositoryOf({
      "--help/kustomization.yaml": "resources: [cart.yaml]\n",
      "--help/cart.yaml": deployment(),
    });
    expect(await find(repository, sourceOf("--help", "kustomize", "shop"), [raise])).toMatchObject({
      where: ["--help/cart.yaml:18 manifest"],
    });
  });

  it.skipIf(!kustomize)("of keys that every object has are keys", async () => {
    const repository = repositoryOf({
      ...OVERLAY,
      "prod/cart.yaml": deployment().replace(
        "labels: {app: cart}",
        "labels: {app: cart, __proto__: x, constructor: y}",
      ),
    });
    const labels = ["spec", "template", "metadata", "labels"];
    expect(await find(repository, prod, [change([...labels, "constructor"], "y", "z", CART)])).toMatchObject({
      diff: expect.arrayContaining(["+      labels: {app: cart, __proto__: x, constructor: z}"]),
    });
    const proto = change([...labels, "__proto__"], "x", "w", CART);
    expect(await find(repository, prod, [proto])).toMatchObject({
      diff: expect.arrayContaining(["+      labels: {app: cart, __proto__: w, constructor: y}"]),
    });
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });
});
