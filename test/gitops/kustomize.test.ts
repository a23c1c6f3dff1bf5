import { describe, expect, it } from "vitest";
import type { Change } from "../../src/model.ts";
import { at, CART, change, deployment, find, IMAGE, MEMORY, repositoryOf } from "./finding.ts";
import { canKustomize, type Files, type Repository, sourceOf } from "./repository.ts";

const kustomize = await canKustomize();
const prod = sourceOf("overlays/prod", "kustomize", "shop");
const BASE: Files = { "base/cart.yaml": deployment(), "base/kustomization.yaml": "resources: [cart.yaml]\n" };
/** Somebody else deploys the base too, so that it is to be left alone. */
const DEV: Files = { "overlays/dev/kustomization.yaml": "resources: [../../base]\nnamePrefix: dev-\n" };
const COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n";

function overlay(text: string, more: Files = {}): Repository {
  return repositoryOf({ ...BASE, "overlays/prod/kustomization.yaml": `resources: [../../base]\n${text}`, ...more });
}

const raise = (object = CART): Change => change(MEMORY, "64Mi", "128Mi", object);
const config = (name: string, to: string | undefined, key = "LEVEL", from: string | null = "info"): Change =>
  change(["data", key], from ?? undefined, to, { apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name });

describe.skipIf(!kustomize)("images", () => {
  const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;

  it("a digest beside a tag is what is replaced, and goes when a tag is wanted", async () => {
    const both = `shop/cart:1.0.0@${digest("a")}`;
    const repository = overlay(`images:\n- name: shop/cart\n  newTag: 1.0.0\n  digest: ${digest("a")}\n`);
    expect(await find(repository, prod, [change(IMAGE, both, `shop/cart:1.0.0@${digest("b")}`)])).toMatchObject({
      diff: [`-  digest: ${digest("a")}`, `+  digest: ${digest("b")}`],
    });
    expect(await find(repository, prod, [change(IMAGE, both, "shop/cart:1.0.1")])).toMatchObject({
      diff: ["-  newTag: 1.0.0", `-  digest: ${digest("a")}`, "+  newTag: 1.0.1"],
    });
  });

  it("an entry with another name is found by the name that it gives, also with a port", async () => {
    const repository = overlay("images:\n- name: shop/cart\n  newName: registry.local:5000/team/cart\n  newTag: v2\n");
    expect(
      await find(repository, prod, [
        change(IMAGE, "registry.local:5000/team/cart:v2", "registry.local:5000/team/cart:v1"),
      ]),
    ).toMatchObject({ where: ["overlays/prod/kustomization.yaml:5 kustomize images"] });
    expect(
      await find(repository, prod, [change(IMAGE, "registry.local:5000/team/cart:v2", "shop/cart:v2")]),
    ).toMatchObject({ diff: ["-  newName: registry.local:5000/team/cart"] });
  });

  it("an entry of the base that others share is overruled in the overlay", async () => {
    const repository = overlay("", {
      ...DEV,
      "base/kustomization.yaml":
        "resources: [cart.yaml]\nimages: [{name: shop/cart, newName: ghcr.io/shop/cart, newTag: '1.5'}]\n",
    });
    expect(
      await find(repository, prod, [change(IMAGE, "ghcr.io/shop/cart:1.5", "ghcr.io/shop/cart:1.4")]),
    ).toMatchObject({
      diff: ["+images:", "+  - name: ghcr.io/shop/cart", '+    newTag: "1.4"'],
    });
  });

  it("of an init container", async () => {
    const repository = overlay("images: [{name: shop/init, newTag: '2'}]\n", {
      "base/cart.yaml": deployment("cart", "      initContainers: [{name: init, image: shop/init:1}]\n"),
    });
    const path = ["spec", "template", "spec", "initContainers", { by: "name", value: "init" }, "image"];
    expect(await find(repository, prod, [change(path, "shop/init:2", "shop/init:3")])).toMatchObject({
      diff: ["-images: [{name: shop/init, newTag: '2'}]", "+images: [{name: shop/init, newTag: '3'}]"],
    });
  });
});

describe.skipIf(!kustomize)("patches", () => {
  const body =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: cart\nspec:\n  template:\n    spec:\n      containers:\n        - name: cart\n          resources:\n            limits:\n              memory: 96Mi # measured\n";
  const inline = (text: string, indent: string): string => text.trimEnd().replaceAll("\n", `\n${indent}`);

  it("inline, in a literal block: one line inside of it", async () => {
    const repository = overlay(`patches:\n  - patch: |-\n      ${inline(body, "      ")}\n`);
    expect(await find(repository, prod, [change(MEMORY, "96Mi", "192Mi")])).toMatchObject({
      where: ["overlays/prod/kustomization.yaml:15 kustomize inline patch"],
      diff: ["-                    memory: 96Mi # measured", "+                    memory: 192Mi # measured"],
    });
  });

  it("the later of two wins, and the target may be a pattern", async () => {
    const repository = overlay(
      "patches:\n  - path: a.yaml\n  - path: b.yaml\n    target: {kind: Deployment, name: c.*}\n",
      {
        "overlays/prod/a.yaml": body,
        "overlays/prod/b.yaml": body.replace("96Mi", "100Mi").replace("name: cart\nspec", "name: any\nspec"),
      },
    );
    expect(await find(repository, prod, [change(MEMORY, "100Mi", "200Mi")])).toMatchObject({
      where: ["overlays/prod/b.yaml:12 kustomize patch"],
    });
  });

  it("a pattern that hits two objects is no answer for one", async () => {
    const repository = overlay("patches:\n  - path: a.yaml\n    target: {kind: Deployment}\n", {
      "overlays/prod/a.yaml": "- {op: replace, path: /spec/replicas, value: 3}\n",
      "base/web.yaml": deployment("web"),
      "base/kustomization.yaml": "resources: [cart.yaml, web.yaml]\n",
    });
    expect(await find(repository, prod, [change(["spec", "replicas"], 3, 5)])).toMatchObject({
      diff: ["+replicas:", "+  - name: cart", "+    count: 5"],
    });
  });

  it("json6902 of the old field, in JSON, with an escaped key", async () => {
    const repository = overlay(
      "patchesJson6902:\n  - target: {group: apps, version: v1, kind: Deployment, name: cart}\n    path: op.json\n",
      {
        "base/cart.yaml": deployment().replace(
          "metadata:\n  name: cart\nspec",
          "metadata:\n  name: cart\n  annotations: {}\nspec",
        ),
        "overlays/prod/op.json":
          '[\n  {"op": "add", "path": "/metadata/annotations/shop.io~1tier", "value": "gold"}\n]\n',
      },
    );
    expect(
      await find(repository, prod, [change(["metadata", "annotations", "shop.io/tier"], "gold", "tin")]),
    ).toMatchObject({ where: ["overlays/prod/op.json:2 kustomize patch"] });
  });

  it("json6902 that appends an item", async () => {
    const repository = overlay(
      "patches:\n  - target: {kind: Deployment}\n    patch: |\n      - op: add\n        path: /spec/template/spec/containers/0/env/-\n        value: {name: MODE, value: slow}\n",
      { "base/cart.yaml": deployment("cart", "          env: [{name: A, value: x}]\n") },
    );
    expect(
      await find(repository, prod, [change(at("env", { by: "name", value: "MODE" }, "value"), "slow", "fast")]),
    ).toMatchObject({
      diff: ["-        value: {name: MODE, value: slow}", "+        value: {name: MODE, value: fast}"],
    });
  });

  it("a patch that deletes what is wanted back is itself what is changed, or the overlay says it anew", async () => {
    const repository = overlay("patches:\n  - path: drop.yaml\n", {
      "base/cart.yaml": deployment("cart", "          readinessProbe: {tcpSocket: {port: 80}}\n"),
      "overlays/prod/drop.yaml": body.replace(/ {10}resources[\s\S]*/, "          readinessProbe: null\n"),
    });
    expect(
      await find(repository, prod, [change(at("readinessProbe"), undefined, { tcpSocket: { port: 80 } })]),
    ).toMatchObject({ diff: expect.arrayContaining(["-          readinessProbe: null"]) });
  });

  it("the patch of a component, and of a component of a base", async () => {
    const repository = overlay("components: [../../comp]\n", {
      "comp/kustomization.yaml": `${COMPONENT}patches: [{path: mem.yaml}]\n`,
      "comp/mem.yaml": body,
    });
    expect(await find(repository, prod, [change(MEMORY, "96Mi", "192Mi")])).toMatchObject({
      where: ["comp/mem.yaml:12 kustomize patch"],
    });
    const nested = overlay("", {
      "base/kustomization.yaml": "resources: [cart.yaml]\ncomponents: [../comp]\n",
      "comp/kustomization.yaml": `${COMPONENT}patches: [{path: mem.yaml}]\n`,
      "comp/mem.yaml": body,
    });
    expect(await find(nested, prod, [change(MEMORY, "96Mi", "192Mi")])).toMatchObject({
      where: ["comp/mem.yaml:12 kustomize patch"],
    });
  });

  it("the configuration of a built-in transformer, and the patch that it names", async () => {
    const repository = overlay("transformers: [patcher.yaml]\n", {
      "overlays/prod/patcher.yaml":
        "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: p}\npath: mem.yaml\ntarget: {kind: Deployment}\n",
      "overlays/prod/mem.yaml": body,
    });
    expect(await find(repository, prod, [change(MEMORY, "96Mi", "192Mi")])).toMatchObject({
      where: ["overlays/prod/mem.yaml:12 kustomize input"],
    });
  });
});

describe.skipIf(!kustomize)("names", () => {
  const named = { ...CART, name: "eu-cart-blue" };

  it("prefix and suffix of several layers", async () => {
    const repository = overlay("nameSuffix: -blue\n", {
      "mid/kustomization.yaml": "resources: [../base]\nnamePrefix: eu-\n",
      "overlays/prod/kustomization.yaml": "resources: [../../mid]\nnameSuffix: -blue\n",
    });
    expect(await find(repository, prod, [raise(named)])).toMatchObject({ where: ["base/cart.yaml:18 manifest"] });
    expect(await find(repository, prod, [change(["spec", "replicas"], 1, 3, named)])).toMatchObject({
      where: ["base/cart.yaml:6 manifest"],
    });
  });

  it("replicas of a renamed object, in a base that others share", async () => {
    const repository = overlay("namePrefix: eu-\nnameSuffix: -blue\n", DEV);
    expect(await find(repository, prod, [change(["spec", "replicas"], 1, 3, named)])).toMatchObject({
      diff: ["+replicas:", "+  - name: cart", "+    count: 3"],
    });
  });

  it("two objects whose names hold each other", async () => {
    const repository = overlay("", {
      "base/cart.yaml": `${deployment("cart-db")}---\n${deployment()}`,
    });
    expect(await find(repository, prod, [raise()])).toMatchObject({ where: ["base/cart.yaml:37 manifest"] });
    const db = at().map((step) => (typeof step === "object" ? { by: "name", value: "cart-db" } : step));
    expect(
      await find(repository, prod, [
        change([...db, "resources", "limits", "memory"], "64Mi", "128Mi", { ...CART, name: "cart-db" }),
      ]),
    ).toMatchObject({ where: ["base/cart.yaml:18 manifest"] });
  });

  it("one base in two namespaces of one root: each has its own", async () => {
    const repository = repositoryOf({
      ...BASE,
      "overlays/a/kustomization.yaml": "resources: [../../base]\nnamespace: shop\n",
      "overlays/b/kustomization.yaml": "resources: [../../base]\nnamespace: other\n",
      "all/kustomization.yaml": "resources: [../overlays/a, ../overlays/b]\n",
    });
    expect(await find(repository, sourceOf("all", "kustomize"), [raise()])).toMatchObject({
      where: ["all/kustomization.yaml:2 kustomize patch (new, for cart)"],
      diff: expect.arrayContaining(["+      namespace: shop", "+                    memory: 128Mi"]),
    });
  });
});

describe.skipIf(!kustomize)("generators", () => {
  const using: Files = {
    "base/cart.yaml": deployment("cart", "          envFrom: [{configMapRef: {name: cart-config}}]\n"),
    "base/kustomization.yaml":
      "resources: [cart.yaml]\nconfigMapGenerator:\n- name: cart-config\n  literals:\n  - LEVEL=info\n",
  };
  const hashed = "cart-config-g5h2k9mt4f";

  it("a merge in the overlay beats the base", async () => {
    const repository = overlay(
      "configMapGenerator:\n- name: cart-config\n  behavior: merge\n  literals: [LEVEL=debug]\n",
      { ...using, ...DEV },
    );
    expect(await find(repository, prod, [config(hashed, "warn", "LEVEL", "debug")])).toMatchObject({
      diff: ["-  literals: [LEVEL=debug]", "+  literals: [LEVEL=warn]"],
    });
  });

  it("of a base that others share: the overlay merges", async () => {
    const repository = overlay("", { ...using, ...DEV });
    const merge = ["+configMapGenerator:", "+  - name: cart-config", "+    behavior: merge", "+    literals:"];
    expect(await find(repository, prod, [config(hashed, "debug")])).toMatchObject({
      diff: [...merge, "+      - LEVEL=debug"],
    });
    expect(await find(repository, prod, [config(hashed, "x", "NEW", null)])).toMatchObject({
      diff: [...merge, "+      - NEW=x"],
    });
  });

  it("a key goes from a base that others share by a patch", async () => {
    const repository = overlay("", {
      ...using,
      ...DEV,
      "base/kustomization.yaml": `${using["base/kustomization.yaml"]}  - MODE=fast\n`,
    });
    expect(await find(repository, prod, [config(hashed, undefined)])).toMatchObject({
      diff: expect.arrayContaining(["+      data:", "+        LEVEL: null"]),
    });
  });

  it("a first literal beside files and env files", async () => {
    const repository = overlay("", {
      ...using,
      "base/kustomization.yaml":
        "resources: [cart.yaml]\nconfigMapGenerator:\n- name: cart-config\n  envs: [cart.env]\n",
      "base/cart.env": "LEVEL=info\n",
    });
    expect(await find(repository, prod, [config(hashed, "x", "NEW", null)])).toMatchObject({
      where: ["base/kustomization.yaml:5 kustomize generator"],
      diff: ["+  literals:", "+  - NEW=x"],
    });
  });

  it("with a prefix, without a hash, and with values that hold an equals sign", async () => {
    const repository = overlay("namePrefix: eu-\n", {
      ...using,
      "base/kustomization.yaml":
        "resources: [cart.yaml]\ngeneratorOptions: {disableNameSuffixHash: true}\nconfigMapGenerator:\n- name: cart-config\n  literals:\n  - OPTS=a=1,b=2\n  - 'LEVEL=info'\n",
    });
    expect(await find(repository, prod, [config("eu-cart-config", "a=1,b=3", "OPTS", "a=1,b=2")])).toMatchObject({
      diff: ["-  - OPTS=a=1,b=2", "+  - OPTS=a=1,b=3"],
    });
    expect(await find(repository, prod, [config("eu-cart-config", "debug")])).toMatchObject({
      diff: ["-  - 'LEVEL=info'", "+  - 'LEVEL=debug'"],
    });
  });

  it("an env file that SOPS covers is left alone", async () => {
    const repository = overlay("", {
      ...using,
      "base/kustomization.yaml":
        "resources: [cart.yaml]\nconfigMapGenerator:\n- name: cart-config\n  envs: [cart.env]\n",
      "base/cart.env": "LEVEL=info\nsops_mac=x\n",
    });
    expect(await find(repository, prod, [config(hashed, "debug")])).toMatchObject({
      where: ["overlays/prod/kustomization.yaml:2 kustomize generator"],
      diff: expect.arrayContaining(["+    behavior: merge", "+      - LEVEL=debug"]),
    });
  });
});

describe.skipIf(!kustomize)("what is pulled in", () => {
  it.each([
    "https://example.com/x.yaml",
    "github.com/acme/base?ref=v1",
    "git@github.com:acme/base.git",
    "ssh://git@example.com/acme/base",
    "git::https://example.com/acme/base",
    "file:///etc",
    "oci://example.com/base",
  ])("from the network, as a resource and as a component: %s", async (reference) => {
    for (const key of ["resources", "components"]) {
      const repository = overlay("", {
        "base/kustomization.yaml": `${key === "resources" ? "" : "resources: [cart.yaml]\n"}${key}: ['${reference}']\n`,
      });
      expect(await find(repository, prod, [raise()])).toMatch(/cannot be rendered: base\/kustomization.yaml pulls in/);
    }
  });

  it("credentials in an address are not repeated", async () => {
    const repository = overlay("", { "base/kustomization.yaml": "resources: ['https://me:secret@example.com/x']\n" });
    const answer = await find(repository, prod, [raise()]);
    expect(answer).toMatch(/pulls in https:\/\/example.com\/x/);
    expect(answer).not.toMatch(/secret/);
  });

  it("functions and charts stay off, and it is said", async () => {
    const helm = overlay("helmCharts: [{name: x, repo: 'https://example.com', version: '1'}]\n");
    expect(await find(helm, prod, [raise()])).toMatch(
      /cannot be rendered: kubectl says: .*enable-helm|kustomize says: .*enable-helm/,
    );
    const exec = overlay("transformers: [run.yaml]\n", {
      "overlays/prod/run.yaml":
        "apiVersion: v1\nkind: Run\nmetadata:\n  name: run\n  annotations:\n    config.kubernetes.io/function: |\n      exec: {path: /bin/true}\n",
    });
    expect(await find(exec, prod, [raise()])).toMatch(/cannot be rendered: .* says: /);
  });
});
