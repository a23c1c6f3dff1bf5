import { describe, expect, it } from "vitest";
import { withValue } from "../../src/kube/field-path.ts";
import type { FieldPath, Json, KubeObject } from "../../src/model.ts";
import { at, CART, change, deployment, find, IMAGE, MEMORY, repositoryOf } from "../gitops/finding.ts";
import { canKustomize, type Files, type Repository, sourceOf } from "../gitops/repository.ts";

const kustomize = await canKustomize();

describe("in plain manifests", () => {
  const source = sourceOf("apps", "plain", "shop");

  it("changes the one line that says it", async () => {
    const repository = repositoryOf({
      "apps/cart.yaml": deployment(),
      "apps/web.yaml": deployment("web"),
      "apps/broken.yaml": "kind: [\n",
    });
    expect(await find(repository, source, [change(MEMORY, "64Mi", "128Mi")])).toMatchObject({
      where: ["apps/cart.yaml:18 manifest"],
      diff: ["-              memory: 64Mi", "+              memory: 128Mi"],
      renders: 2,
    });
  });

  it("makes several changes of one object together, each in its place", async () => {
    const repository = repositoryOf({
      "apps/all.yml": `# all\r\n---\r\n${deployment("web").replaceAll("\n", "\r\n")}---\r\n${deployment().replaceAll("\n", "\r\n")}`,
    });
    const answer = await find(repository, source, [
      change(IMAGE, "shop/cart:1.4.2", "shop/cart:1.4.1"),
      change(at("readinessProbe"), undefined, { tcpSocket: { port: 80 } }),
      change(["spec", "replicas"], 1, 2),
      change(MEMORY, "64Mi", "96Mi"),
    ]);
    expect(answer).toMatchObject({
      where: [
        "apps/all.yml:36 manifest",
        "apps/all.yml:40 manifest",
        "apps/all.yml:27 manifest",
        "apps/all.yml:39 manifest",
      ],
      diff: [
        "-  replicas: 1\r",
        "+  replicas: 2\r",
        "-          image: shop/cart:1.4.2 # kept in step with the chart\r",
        "+          image: shop/cart:1.4.1 # kept in step with the chart\r",
        "-              memory: 64Mi\r",
        "+              memory: 96Mi\r",
        "+          readinessProbe:\r",
        "+            tcpSocket:\r",
        "+              port: 80\r",
      ],
    });
  });

  it("adds and removes fields and items", async () => {
    const repository = repositoryOf({
      "apps/cart.yaml": deployment("cart", "          env:\n            - name: A\n              value: one\n"),
    });
    const env = (name: string): FieldPath => at("env", { by: "name", value: name });
    expect(await find(repository, source, [change(env("B"), undefined, { name: "B", value: "1" })])).toMatchObject({
      diff: ["+            - name: B", '+              value: "1"'],
    });
    expect(
      await find(repository, source, [change(at("resources", "requests", "memory"), undefined, "32Mi")]),
    ).toMatchObject({ diff: ["+            requests:", "+              memory: 32Mi"] });
    expect(await find(repository, source, [change(env("A"), { name: "A", value: "one" }, undefined)])).toMatchObject({
      diff: ["-          env:", "-            - name: A", "-              value: one"],
    });
  });

  it("finds items of lists and amounts however they are written", async () => {
    const list = `apiVersion: v1\nkind: List\nitems:\n- ${deployment().replaceAll("\n", "\n  ").trimEnd().replace("memory: 64Mi", "cpu: 1\n                memory: 67108864")}\n`;
    const repository = repositoryOf({ "apps/list.yaml": list });
    expect(await find(repository, source, [change(MEMORY, "64Mi", "128Mi")])).toMatchObject({
      diff: ["-                memory: 67108864", "+                memory: 128Mi"],
    });
    expect(await find(repository, source, [change(at("resources", "limits", "cpu"), "1", "2")])).toMatchObject({
      diff: ["-                cpu: 1", "+                cpu: 2"],
    });
  });

  it("edits a key of a ConfigMap inside of its block of text", async () => {
    const repository = repositoryOf({
      "apps/c.yaml":
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cart, namespace: shop}\ndata:\n  app.conf: |\n    url = a\n    port = 1\n",
    });
    const object = { apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: "cart" };
    expect(
      await find(repository, source, [
        change(["data", "app.conf"], "url = a\nport = 1\n", "url = a\nport = 2\n", object),
      ]),
    ).toMatchObject({ diff: ["-    port = 1", "+    port = 2"] });
  });

  it("knows when Git says it already", async () => {
    const repository = repositoryOf({ "apps/cart.yaml": deployment() });
    expect(await find(repository, source, [change(MEMORY, "32Mi", "64Mi")])).toMatch(
      /^already: .* says so already at [0-9a-f]{7}\./,
    );
    expect(
      await find(repository, source, [change(MEMORY, "32Mi", "64Mi"), change(["spec", "replicas"], 1, 3)]),
    ).toMatchObject({ diff: ["-  replicas: 1", "+  replicas: 3"] });
  });

  it("does not build on a commit that is not what was deployed", async () => {
    const repository = repositoryOf({ "apps/cart.yaml": deployment() });
    expect(await find(repository, source, [change(MEMORY, "256Mi", "512Mi")])).toMatch(
      /says "64Mi" for Deployment shop\/cart .*the cluster had "256Mi"; live does not come from this commit/,
    );
  });

  it("takes a default that Git does not spell out for what the cluster has", async () => {
    const repository = repositoryOf({ "apps/cart.yaml": deployment().replace("  replicas: 1\n", "") });
    expect(await find(repository, source, [change(["spec", "replicas"], 1, 2)])).toMatchObject({
      diff: ["+  replicas: 2"],
    });
  });

  it.each([
    ["two declarations", { "apps/a.yaml": deployment(), "apps/b.yaml": deployment() }, /twice/],
    ["none", { "apps/a.yaml": deployment("web") }, /is not rendered from/],
    [
      "a generated file",
      { "apps/a.yaml": `# generated by x, DO NOT EDIT\n${deployment()}` },
      /says that it is generated/,
    ],
    [
      "what .gitattributes calls generated",
      { "apps/a.yaml": deployment(), ".gitattributes": "apps/** linguist-generated=true\n" },
      /is generated \(.gitattributes\)/,
    ],
    [
      "a value from a template",
      {
        "apps/a.yaml": deployment()
          .replace("memory: 64Mi", 'memory: 64Mi\n              cpu: "{{ .cpu }}"')
          .replace("memory: 64Mi", "memory: &m 64Mi")
          .concat("          args: [*m]\n"),
      },
      /anchored/,
    ],
  ] as [string, Files, RegExp][])("refuses %s", async (_name, files, reason) => {
    expect(await find(repositoryOf(files), source, [change(MEMORY, "64Mi", "128Mi")])).toMatch(reason);
  });

  it("never writes secrets", async () => {
    const repository = repositoryOf({
      "apps/s.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: cart}\nstringData: {a: b}\n",
    });
    expect(
      await find(repository, source, [
        change(["stringData", "a"], "b", "c", { apiVersion: "v1", kind: "Secret", namespace: "shop", name: "cart" }),
      ]),
    ).toMatch(/secret data is never written/);
  });

  it("trusts a position in a list only where live has the same list", async () => {
    const repository = repositoryOf({ "apps/cart.yaml": deployment("cart", "          args: [--a, --b=1]\n") });
    const live = (args: Json): KubeObject =>
      withValue<KubeObject>(
        {
          apiVersion: "apps/v1",
          kind: "Deployment",
          metadata: { name: "cart" },
          spec: { template: { spec: { containers: [{ name: "cart" }] } } },
        },
        at("args"),
        args,
      );
    const changes = [change(at("args", 1), "--b=1", "--b=2")];
    expect(await find(repository, source, changes, { before: live(["--a", "--b=1"]) })).toMatchObject({
      diff: ["-          args: [--a, --b=1]", "+          args: [--a, --b=2]"],
    });
    expect(await find(repository, source, changes, { before: live(["--injected", "--a", "--b=1"]) })).toMatch(
      /position in a list/,
    );
  });
});

describe("taking a commit back", () => {
  const source = sourceOf("apps", "plain", "shop");
  it("restores the very text that was there", async () => {
    const repository = repositoryOf({
      "apps/cart.yaml": deployment(
        "cart",
        "          readinessProbe:   # slow start\n            httpGet: {path: /ready,   port: 80}\n          env: []\n",
      ),
    });
    const culprit = repository.commit("drop the probe, new image", {
      "apps/cart.yaml": deployment("cart", "          env: []\n").replace("1.4.2", "1.5.0"),
    });
    repository.commit("later", {
      "apps/cart.yaml": `# a comment above\n${deployment("cart", "          env: []\n").replace("1.4.2", "1.5.0")}`,
    });
    const changes = [change(at("readinessProbe"), undefined, { httpGet: { path: "/ready", port: 80 } })];
    expect(await find(repository, source, changes, { hints: { revertOf: culprit } })).toMatchObject({
      where: [`apps/cart.yaml:20 revert of ${culprit.slice(0, 7)}`],
      diff: ["+          readinessProbe:   # slow start", "+            httpGet: {path: /ready,   port: 80}"],
    });
  });

  it("takes back only what is wanted, and falls back to an edit", async () => {
    const repository = repositoryOf({ "apps/cart.yaml": deployment() });
    const culprit = repository.commit("two things in one place", {
      "apps/cart.yaml": deployment().replace(
        "1.4.2 # kept in step with the chart\n          resources:\n            limits:\n              memory: 64Mi",
        "1.5.0\n          resources:\n            limits:\n              memory: 16Mi",
      ),
    });
    expect(
      await find(repository, source, [change(MEMORY, "16Mi", "64Mi")], { hints: { revertOf: culprit } }),
    ).toMatchObject({ diff: ["-              memory: 16Mi", "+              memory: 64Mi"] });
    expect(
      await find(repository, source, [change(IMAGE, "shop/cart:1.5.0", "shop/cart:1.4.2")], {
        hints: { revertOf: culprit },
      }),
    ).toMatchObject({
      diff: ["-          image: shop/cart:1.5.0", "+          image: shop/cart:1.4.2 # kept in step with the chart"],
    });
  });

  it("puts several stretches back when several changes are wanted", async () => {
    const repository = repositoryOf({ "apps/cart.yaml": deployment() });
    const culprit = repository.commit("worse", {
      "apps/cart.yaml": deployment()
        .replace("replicas: 1", "replicas: 4")
        .replace("64Mi", "16Mi")
        .replace("1.4.2", "2"),
    });
    expect(
      await find(repository, source, [change(MEMORY, "16Mi", "64Mi"), change(["spec", "replicas"], 4, 1)], {
        hints: { revertOf: culprit },
      }),
    ).toMatchObject({
      where: expect.arrayContaining([
        expect.stringMatching(/cart.yaml:6 revert of/),
        expect.stringMatching(/cart.yaml:18 revert of/),
      ]),
      diff: ["-  replicas: 4", "+  replicas: 1", "-              memory: 16Mi", "+              memory: 64Mi"],
    });
  });
});

describe.skipIf(!kustomize)("in Kustomize trees", () => {
  const prod = sourceOf("overlays/prod", "kustomize", "shop");
  const base = { "base/cart.yaml": deployment(), "base/kustomization.yaml": "resources: [cart.yaml]\n" };
  const overlay = (text: string, more: Files = {}): Repository =>
    repositoryOf({ ...base, "overlays/prod/kustomization.yaml": `resources:\n  - ../../base\n${text}`, ...more });
  const dev = { "overlays/dev/kustomization.yaml": "resources: [../../base]\nnamePrefix: dev-\n" };

  it("image: `images:` of the overlay wins over the base's and over a patch in between", async () => {
    const repository = overlay("images:\n  - name: shop/cart\n    newTag: 1.6.0\n", {
      "base/kustomization.yaml": "resources: [cart.yaml]\nimages: [{name: shop/cart, newTag: 1.5.0}]\n",
    });
    expect(await find(repository, prod, [change(IMAGE, "shop/cart:1.6.0", "shop/cart:1.5.9")])).toMatchObject({
      where: ["overlays/prod/kustomization.yaml:5 kustomize images"],
      diff: ["-    newTag: 1.6.0", "+    newTag: 1.5.9"],
      renders: 2,
    });
  });

  it("image: an entry is updated, never appended, with another name, a digest or a tag that looks like a number", async () => {
    const digest = `sha256:${"a".repeat(64)}`;
    const repository = overlay(`images:\n  - name: shop/cart\n    newName: ghcr.io/shop/cart\n    digest: ${digest}\n`);
    expect(
      await find(repository, prod, [change(IMAGE, `ghcr.io/shop/cart@${digest}`, "ghcr.io/shop/cart:1.10")]),
    ).toMatchObject({ diff: [`-    digest: ${digest}`, '+    newTag: "1.10"'] });
  });

  it("image: set in the base and nobody else deploys it", async () => {
    expect(await find(overlay(""), prod, [change(IMAGE, "shop/cart:1.4.2", "shop/cart:1.4.1")])).toMatchObject({
      where: ["base/cart.yaml:15 manifest"],
    });
  });

  it("replicas: of the overlay over the component's", async () => {
    const repository = overlay("components: [../../comp]\nreplicas:\n  - name: cart\n    count: 3\n", {
      "comp/kustomization.yaml":
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nreplicas: [{name: cart, count: 2}]\n",
    });
    expect(await find(repository, prod, [change(["spec", "replicas"], 3, 5)])).toMatchObject({
      where: ["overlays/prod/kustomization.yaml:6 kustomize replicas"],
      diff: ["-    count: 3", "+    count: 5"],
    });
  });

  it("replicas: of a component when the overlay is silent", async () => {
    const repository = overlay("components: [../../comp]\n", {
      "comp/kustomization.yaml":
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nreplicas: [{name: cart, count: 2}]\n",
    });
    expect(await find(repository, prod, [change(["spec", "replicas"], 2, 5)])).toMatchObject({
      where: ["comp/kustomization.yaml:3 kustomize replicas"],
    });
  });

  const patch = (body: string, name = "cart"): string =>
    `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\nspec:\n  template:\n    spec:\n      containers:\n        - name: ${name}\n${body}`;

  it("memory limit: a strategic merge patch over the base", async () => {
    const repository = overlay("patches:\n  - path: mem.yaml\n", {
      "overlays/prod/mem.yaml": patch("          resources:\n            limits: {memory: 96Mi}\n"),
    });
    expect(await find(repository, prod, [change(MEMORY, "96Mi", "192Mi")])).toMatchObject({
      where: ["overlays/prod/mem.yaml:11 kustomize patch"],
      renders: 2,
    });
  });

  it("env value: of the right patch among many with the same value", async () => {
    const env = (name: string): string => `            - {name: ${name}, value: "1"}\n`;
    const repository = overlay(
      "components: [../../comp]\nconfigMapGenerator:\n  - name: x\n    literals: [A=1, B=1]\n",
      {
        "base/cart.yaml": deployment("cart", `          env:\n${["A", "B", "C"].map(env).join("")}`),
        "comp/kustomization.yaml":
          "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: [{path: sidecar.yaml}]\n",
        "comp/sidecar.yaml": patch(`          env:\n${env("C")}${env("D")}`),
      },
    );
    expect(
      await find(repository, prod, [change(at("env", { by: "name", value: "D" }, "value"), "1", "2")]),
    ).toMatchObject({
      where: ["comp/sidecar.yaml:12 kustomize patch"],
      diff: ['-            - {name: D, value: "1"}', '+            - {name: D, value: "2"}'],
    });
  });

  it("JSON Patch by index behind a sidecar, in a file and inside of the kustomization", async () => {
    const files = {
      "base/cart.yaml": deployment().replace(
        "      containers:\n",
        "      containers:\n        - name: proxy\n          image: proxy:1\n",
      ),
    };
    const op =
      "- op: replace\n  path: /spec/template/spec/containers/1/image\n  value: shop/cart:2.0\n- op: add\n  path: /spec/template/spec/containers/1/resources\n  value: {limits: {memory: 80Mi}}\n";
    const inFile = overlay("patches:\n  - path: op.yaml\n    target: {kind: Deployment, name: cart}\n", {
      ...files,
      "overlays/prod/op.yaml": op,
    });
    expect(await find(inFile, prod, [change(IMAGE, "shop/cart:2.0", "shop/cart:1.9")])).toMatchObject({
      where: ["overlays/prod/op.yaml:3 kustomize patch"],
    });
    const inline = overlay(
      `patches:\n  - target: {kind: Deployment, name: cart}\n    patch: |-\n      # by hand\n      ${op.trimEnd().replaceAll("\n", "\n      ")}\n`,
      files,
    );
    expect(await find(inline, prod, [change(MEMORY, "80Mi", "160Mi")])).toMatchObject({
      diff: ["-        value: {limits: {memory: 80Mi}}", "+        value: {limits: {memory: 160Mi}}"],
    });
  });

  it("JSON Patch as one quoted line, and the old patch fields", async () => {
    const quoted = overlay(
      `patches:\n  - target: {kind: Deployment}\n    patch: '[{"op": "replace", "path": "/spec/replicas", "value": 4}]'\n`,
    );
    expect(await find(quoted, prod, [change(["spec", "replicas"], 4, 2)])).toMatchObject({
      diff: [
        `-    patch: '[{"op": "replace", "path": "/spec/replicas", "value": 4}]'`,
        `+    patch: '[{"op": "replace", "path": "/spec/replicas", "value": 2}]'`,
      ],
    });
    const old = overlay(
      `patchesStrategicMerge:\n  - |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: cart}\n    spec: {replicas: 4}\n`,
    );
    expect(await find(old, prod, [change(["spec", "replicas"], 4, 2)])).toMatchObject({
      diff: ["-    spec: {replicas: 4}", "+    spec: {replicas: 2}"],
    });
  });

  describe("a base that other environments share", () => {
    it("is left alone: an `images:` entry of the overlay says it", async () => {
      expect(await find(overlay("", dev), prod, [change(IMAGE, "shop/cart:1.4.2", "shop/cart:1.4.1")])).toMatchObject({
        where: ["overlays/prod/kustomization.yaml:3 kustomize images"],
        diff: ["+images:", "+  - name: shop/cart", "+    newTag: 1.4.1"],
      });
    });

    it("is left alone: a patch that the overlay has already says it", async () => {
      const repository = overlay("patches:\n- path: mem.yaml\n", {
        ...dev,
        "overlays/prod/mem.yaml": patch("          imagePullPolicy: Always\n"),
      });
      expect(await find(repository, prod, [change(MEMORY, "64Mi", "128Mi")])).toMatchObject({
        diff: ["+          resources:", "+            limits:", "+              memory: 128Mi"],
      });
    });

    it("is left alone: a new patch in the overlay says it, for two changes one patch", async () => {
      const repository = overlay("namePrefix: prod-\n", dev);
      const object = { ...CART, name: "prod-cart" };
      const answer = await find(repository, prod, [
        change(MEMORY, "64Mi", "128Mi", object),
        change(at("readinessProbe"), undefined, { tcpSocket: { port: 80 } }, object),
      ]);
      expect(answer).toMatchObject({
        diff: [
          "+patches:",
          "+  - target:",
          "+      kind: Deployment",
          "+      name: cart",
          "+    patch: |-",
          "+      apiVersion: apps/v1",
          "+      kind: Deployment",
          "+      metadata:",
          "+        name: cart",
          "+      spec:",
          "+        template:",
          "+          spec:",
          "+            containers:",
          "+              - name: cart",
          "+                resources:",
          "+                  limits:",
          "+                    memory: 128Mi",
          "+                readinessProbe:",
          "+                  tcpSocket:",
          "+                    port: 80",
        ],
      });
    });

    it("is left alone when something goes, too", async () => {
      const repository = overlay("", {
        ...dev,
        "base/cart.yaml": deployment(
          "cart",
          "          livenessProbe: {tcpSocket: {port: 80}}\n          env: [{name: A, value: x}, {name: B, value: y}]\n",
        ),
      });
      expect(
        await find(repository, prod, [change(at("livenessProbe"), { tcpSocket: { port: 80 } }, undefined)]),
      ).toMatchObject({ diff: expect.arrayContaining(["+                livenessProbe: null"]) });
      expect(
        await find(repository, prod, [
          change(at("env", { by: "name", value: "A" }), { name: "A", value: "x" }, undefined),
        ]),
      ).toMatchObject({ diff: expect.arrayContaining(["+                    $patch: delete"]) });
    });
  });

  describe("generators", () => {
    const config = { apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: "cart-config-g5h2k9mt4f" };
    const using = deployment("cart", "          envFrom: [{configMapRef: {name: cart-config}}]\n");
    it.each([
      [
        "a literal",
        "    literals:\n      - LEVEL=info\n      - MODE=fast\n",
        {},
        ["-      - LEVEL=info", "+      - LEVEL=debug"],
      ],
      [
        "a line of an env file",
        "    envs: [cart.env]\n",
        { "overlays/prod/cart.env": "# levels\nLEVEL=info\nMODE=fast\n" },
        ["-LEVEL=info", "+LEVEL=debug"],
      ],
      ["a whole file", "    files: [LEVEL=level.txt]\n", { "overlays/prod/level.txt": "info" }, ["-info", "+debug"]],
    ] as [string, string, Files, string[]][])(
      "%s, with the renamed ConfigMap and what refers to it",
      async (_name, text, files, diff) => {
        const repository = overlay(`configMapGenerator:\n  - name: cart-config\n${text}`, {
          "base/cart.yaml": using,
          ...files,
        });
        expect(await find(repository, prod, [change(["data", "LEVEL"], "info", "debug", config)])).toMatchObject({
          diff,
        });
      },
    );

    it("a key that is missing is added to the literals", async () => {
      const repository = overlay("configMapGenerator:\n  - name: cart-config\n    literals: [MODE=fast]\n", {
        "base/cart.yaml": using,
      });
      expect(await find(repository, prod, [change(["data", "LEVEL"], undefined, "debug", config)])).toMatchObject({
        diff: ["-    literals: [MODE=fast]", "+    literals: [MODE=fast, LEVEL=debug]"],
      });
    });
  });

  it("replacements: the source is what is changed", async () => {
    const repository = overlay(
      "resources_: 1\n".slice(0, 0) +
        "replacements:\n  - source: {kind: ConfigMap, name: sizes, fieldPath: data.memory}\n    targets:\n      - select: {kind: Deployment, name: cart}\n        fieldPaths: ['spec.template.spec.containers.[name=cart].resources.limits.memory']\n",
      {
        "base/kustomization.yaml": "resources: [cart.yaml, sizes.yaml]\n",
        "base/sizes.yaml":
          "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: sizes, annotations: {config.kubernetes.io/local-config: 'true'}}\ndata: {memory: 72Mi}\n",
      },
    );
    expect(await find(repository, prod, [change(MEMORY, "72Mi", "144Mi")])).toMatchObject({
      where: ["base/sizes.yaml:4 kustomize input"],
    });
  });

  it("an edit that changes a neighbour as well is no answer", async () => {
    const repository = overlay("images: [{name: shop/cart, newTag: '9'}]\n", {
      "base/web.yaml": deployment("web"),
      "base/kustomization.yaml": "resources: [cart.yaml, web.yaml]\n",
    });
    expect(await find(repository, prod, [change(IMAGE, "shop/cart:9", "shop/cart:8")])).toMatch(
      /No edit changes .* alone: overlays\/prod\/kustomization.yaml:3 would also change Deployment shop\/web spec\.template\.spec\.containers\[name=web\]\.image/,
    );
  });

  it("a field that nothing sets goes into the object's own file", async () => {
    expect(
      await find(overlay(""), prod, [change(at("resources", "requests", "memory"), undefined, "32Mi")]),
    ).toMatchObject({
      where: ["base/cart.yaml:19 manifest"],
      diff: ["+            requests:", "+              memory: 32Mi"],
    });
  });

  it("a commit in a patch file is taken back", async () => {
    const repository = overlay("patches:\n  - path: mem.yaml\n", {
      "overlays/prod/mem.yaml": patch("          resources:\n            limits: {memory: 96Mi} # measured\n"),
    });
    const culprit = repository.commit("smaller", {
      "overlays/prod/mem.yaml": patch("          resources:\n            limits: {memory: 8Mi}\n"),
    });
    expect(
      await find(repository, prod, [change(MEMORY, "8Mi", "96Mi")], { hints: { revertOf: culprit } }),
    ).toMatchObject({ diff: ["-            limits: {memory: 8Mi}", "+            limits: {memory: 96Mi} # measured"] });
  });

  it("a patch that a commit deleted is restored with the line that names it", async () => {
    const files = { "overlays/prod/mem.yaml": patch("          resources:\n            limits: {memory: 96Mi}\n") };
    const repository = overlay("patches:\n  - path: mem.yaml\n", files);
    const culprit = repository.commit("tidy", {
      "overlays/prod/mem.yaml": null,
      "overlays/prod/kustomization.yaml": "resources:\n  - ../../base\n",
    });
    expect(
      await find(repository, prod, [change(MEMORY, "64Mi", "96Mi")], { hints: { revertOf: culprit } }),
    ).toMatchObject({ where: [`overlays/prod/kustomization.yaml:3 revert of ${culprit.slice(0, 7)}`] });
  });

  it("a remote base is refused without asking the network", async () => {
    const repository = overlay("", {
      "base/kustomization.yaml": "resources: [cart.yaml, 'https://example.com/x.yaml']\n",
    });
    expect(await find(repository, prod, [change(MEMORY, "64Mi", "96Mi")])).toMatch(
      /cannot be rendered: base\/kustomization.yaml pulls in https:\/\/example.com\/x.yaml/,
    );
  });
});
