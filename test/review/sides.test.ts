import { afterAll, describe, expect, it } from "vitest";
import { openWorkspace } from "../../src/adapters/git-workspace.ts";
import { createRenderer } from "../../src/adapters/renderers.ts";
import type { SourceEntry } from "../../src/config/schema.ts";
import { startCodeHost } from "../../src/demo/code-host/code-host.ts";
import type { Registry } from "../../src/ports.ts";
import { annotationsOf } from "../../src/review/annotations.ts";
import { type Review, resultOf } from "../../src/review/model.ts";
import { reviewSections } from "../../src/review/page.ts";
import { review } from "../../src/review/review.ts";
import { deployment, service } from "../action/trees.ts";

const REPOSITORY = "acme/shop";
const TOKEN = "token-0123456789abcdef";
const host = await startCodeHost();
host.addToken(TOKEN, { login: "ada", permission: "write" });
afterAll(() => host.close());

const path = process.env["PATH"] ?? "";
const renderer = createRenderer({ path });
const hasHelm = (await renderer.versions()).some(({ tool, version }) => tool === "helm" && version !== undefined);
let counter = 0;

/** Reviews the change from one set of files to another; null removes a file. */
async function changed(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string | null>>,
  more: { sources?: readonly SourceEntry[]; registry?: Pick<Registry, "exists"> } = {},
): Promise<Review> {
  const name = `acme/shop${++counter}`;
  await host.addRepository(name, { commits: [{ message: "Before", files: before }] });
  const remote = `${host.url}/${name}.git`;
  const renamed = Object.fromEntries(
    Object.entries(after).map(([file, text]) => [file, text?.replaceAll(REPOSITORY, name) ?? null]),
  );
  const base = await host.commit(
    name,
    "main",
    Object.fromEntries(Object.entries(before).map(([file, text]) => [file, text.replaceAll(REPOSITORY, name)])),
    { message: "Base" },
  );
  const head = await host.commit(name, "main", renamed, { message: "Head" });
  const workspace = await openWorkspace({ directory: "/nonexistent", remote, token: TOKEN, path });
  try {
    return await review({
      base: await workspace.at(base, "main"),
      head: await workspace.at(head, "main"),
      changed: await workspace.changed(base, head),
      repository: name,
      number: 1,
      branch: "main",
      isDefault: true,
      config: { sources: (more.sources ?? []).map((source) => ({ ...source, repository: name })) },
      hosts: [new URL(host.url).host],
      renderer,
      ...(more.registry === undefined ? {} : { registry: more.registry }),
      reports: [],
      pulls: [],
      only: [],
      gaps: [],
    });
  } finally {
    await workspace.close();
  }
}

const said = ({ environments }: Review): string[] =>
  environments.flatMap(({ name, effects }) =>
    effects.map(({ kind, object }) => `${name}: ${kind} ${object.kind} ${object.namespace}/${object.name}`),
  );

const CHART = {
  "chart/Chart.yaml": "apiVersion: v2\nname: cart\nversion: 1.0.0\n",
  "chart/values.yaml": "memory: 128Mi\n",
  "chart/values-prod.yaml": "memory: 256Mi\n",
  "chart/templates/cart.yaml": deployment("cart", { memory: "{{ .Values.memory }}" }),
};
const flux = (kind: string, rest: string, version = "kustomize.toolkit.fluxcd.io/v1"): string =>
  `apiVersion: ${version}\nkind: ${kind}\nmetadata: { name: shop, namespace: flux-system }\nspec: ${rest}\n`;
const GIT = flux(
  "GitRepository",
  `{ url: "${host.url}/${REPOSITORY}.git", ref: { branch: main } }`,
  "source.toolkit.fluxcd.io/v1",
);

describe("what a review finds to look at", () => {
  it("is every folder of manifests that nobody names, each for itself", async () => {
    const files = { "a/cart.yaml": deployment("cart"), "b/cart.yaml": deployment("cart"), "notes.txt": "x" };
    const made = await changed(files, { "a/cart.yaml": deployment("cart", { memory: "1Gi" }) });
    expect(said(made)).toEqual(["a: changed Deployment /cart"]);
    expect(made.untouched).toBe(1);
    expect(made.environments[0]?.problems).toEqual([]);
  });

  it("is what Flux Kustomizations of the repository deploy, with what they lay over it", async () => {
    const before = {
      "clusters/prod.yaml": `${GIT}---\n${flux("Kustomization", "{ path: ./apps, targetNamespace: shop, sourceRef: { kind: GitRepository, name: shop } }")}`,
      "apps/cart.yaml": deployment("cart"),
    };
    const made = await changed(before, { "apps/cart.yaml": deployment("cart", { memory: "1Gi" }) });
    expect(said(made)).toEqual(["apps (Kustomization flux-system/shop): changed Deployment shop/cart"]);
    const suspended = await changed(before, {
      "clusters/prod.yaml": before["clusters/prod.yaml"]
        .replace("{ path", "{ suspend: true, path")
        .replace("path: ./apps", "path: ./other"),
      "other/cart.yaml": deployment("kart"),
    });
    expect(said(suspended)).toEqual(
      expect.arrayContaining([
        "apps (Kustomization flux-system/shop): deleted Deployment shop/cart",
        "other (Kustomization flux-system/shop): created Deployment shop/kart",
      ]),
    );
  });

  it("is a folder that goes while its deployer stays: a problem of the pull request", async () => {
    const made = await changed(
      {
        "clusters/prod.yaml": `${GIT}---\n${flux("Kustomization", "{ path: ./apps, sourceRef: { kind: GitRepository, name: shop } }")}`,
        "apps/cart.yaml": deployment("cart"),
      },
      { "apps/cart.yaml": null },
    );
    expect(made.environments.find(({ fault }) => fault !== undefined)?.fault).toMatchObject({
      when: "head",
      text: expect.stringContaining('no folder "apps"'),
    });
  });

  it("is what the configuration names, once, beside an Application of the same folder", async () => {
    const source = {
      repository: REPOSITORY,
      path: "apps",
      tool: "auto",
      namespaces: ["*"],
      namespace: "shop",
    } as const;
    const made = await changed(
      { "apps/cart.yaml": deployment("cart") },
      { "apps/cart.yaml": deployment("cart", { memory: "1Gi" }) },
      { sources: [{ ...source, namespaces: ["*"] }] },
    );
    expect(said(made)).toEqual(["apps: changed Deployment shop/cart"]);
    expect(made.environments[0]?.remark).toBeUndefined();
  });

  it.skipIf(!hasHelm)("is a chart, with each values file beside its own", async () => {
    const made = await changed(CHART, { "chart/values.yaml": "memory: 64Mi\n" });
    expect(said(made)).toEqual(["chart: changed Deployment /cart"]);
    const both = await changed(CHART, {
      "chart/templates/cart.yaml": `${CHART["chart/templates/cart.yaml"]}---\n${service("cart")}`,
    });
    expect(said(both)).toEqual(["chart: created Service /cart", "chart (values-prod.yaml): created Service /cart"]);
  });

  it.skipIf(!hasHelm)("is a HelmRelease of a chart in Git, whose values stand in the release", async () => {
    const release = (memory: string): string =>
      `${GIT}---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: { name: cart, namespace: shop }\nspec:\n  chart: { spec: { chart: ./chart, reconcileStrategy: Revision, sourceRef: { kind: GitRepository, name: shop, namespace: flux-system } } }\n  values: { memory: ${memory} }\n`;
    const made = await changed(
      { ...CHART, "clusters/cart.yaml": release("128Mi") },
      { "clusters/cart.yaml": release("512Mi") },
    );
    expect(said(made)).toEqual(
      expect.arrayContaining([
        "chart (HelmRelease shop/cart): changed Deployment shop/cart",
        "clusters: changed HelmRelease shop/cart",
      ]),
    );
  });

  it("is said of a chart of a Helm repository that it is not looked into, and nothing is fetched", async () => {
    const release = (memory: string): string =>
      `apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: { name: far, namespace: shop }\nspec: { url: "${host.url}/charts" }\n---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: { name: cart, namespace: shop }\nspec:\n  chart: { spec: { chart: cart, version: 1.0.0, sourceRef: { kind: HelmRepository, name: far } } }\n  values: { memory: ${memory} }\n`;
    const before = host.requests.length;
    const made = await changed({ "c.yaml": release("1") }, { "c.yaml": release("2") });
    expect(made.unseen).toEqual([
      expect.stringMatching(/HelmRelease shop\/cart deploys is not rendered: its chart lies in a Helm repository/),
    ]);
    expect(host.requests.slice(before).filter(({ path: asked }) => asked.includes("charts"))).toEqual([]);
  });

  it("asks only registries that the base uses for new images, and believes a clear no alone", async () => {
    const asked: string[] = [];
    const registry: Pick<Registry, "exists"> = {
      async exists(image) {
        asked.push(image);
        return image.endsWith(":9.9.9") ? { state: "absent" } : { state: "unknown" };
      },
    };
    const to = async (image: string) =>
      (
        await changed(
          { "a/cart.yaml": deployment("cart") },
          { "a/cart.yaml": deployment("cart", { image }) },
          { registry },
        )
      ).environments[0]?.problems ?? [];
    expect(await to("ghcr.io/acme/cart:9.9.9")).toMatchObject([{ check: "absent-image", level: "warning" }]);
    expect(await to("ghcr.io/acme/cart:1.5.0")).toEqual([]);
    expect(await to("evil.example.com/acme/cart:9.9.9")).toEqual([]);
    expect(asked).toEqual(["ghcr.io/acme/cart:9.9.9", "ghcr.io/acme/cart:1.5.0"]);
  });

  it("is a file that cannot be read any more, and never an object that goes", async () => {
    const before = { "a/cart.yaml": deployment("cart"), "a/kart.yaml": deployment("kart") };
    const cut = `${deployment("kart")}bad: [\n`;
    const named: SourceEntry = { repository: REPOSITORY, path: "a", tool: "plain", namespaces: ["*"] };
    for (const sources of [[], [named]])
      for (const text of [cut, deployment("kart").replace("metadata:", "kind: Deployment\nmetadata:")]) {
        const made = await changed(before, { "a/kart.yaml": text }, { sources });
        expect(said(made)).toEqual([]);
        expect(made.environments).toMatchObject([
          {
            name: "a",
            fault: {
              when: "head",
              text: expect.stringMatching(/a\/kart\.yaml: .* at line \d+, column \d+$/),
              location: { file: "a/kart.yaml", line: expect.any(Number) },
            },
          },
        ]);
        expect(resultOf(made)).toBe("problems");
        expect(annotationsOf(made)).toMatchObject([{ level: "failure", file: "a/kart.yaml" }]);
      }
    const alone = await changed({ "a/kart.yaml": deployment("kart") }, { "a/kart.yaml": cut });
    expect([said(alone), resultOf(alone)]).toEqual([[], "problems"]);
    const added = await changed({ "a/cart.yaml": deployment("cart") }, { "b/kart.yaml": cut });
    expect(added.environments).toMatchObject([{ name: "b", fault: { when: "head" } }]);
  });

  it("blames nobody for a file that the base cannot read either, unless it changes and hides what", async () => {
    const cut = `${deployment("kart")}bad: [\n`;
    const before = { "a/cart.yaml": deployment("cart"), "a/kart.yaml": cut };
    const beside = await changed(before, { "a/cart.yaml": deployment("cart", { memory: "1Gi" }) });
    expect(said(beside)).toEqual(["a: changed Deployment /cart"]);
    expect(resultOf(beside)).toBe("clean");
    expect(beside.unseen).toEqual([expect.stringMatching(/^a\/kart\.yaml: .* it is the same in the base/)]);
    const hidden = await changed(before, { "a/kart.yaml": `${cut}# other\n` });
    expect(hidden.environments).toMatchObject([{ fault: { when: "both" } }]);
    expect(resultOf(hidden)).toBe("error");
  });

  it("is every problem of a head whose base cannot be told", async () => {
    const wrong = `${deployment("cart")}          volumeMounts: [{ name: nope, mountPath: /x }]\n`;
    const before = { "a/cart.yaml": deployment("cart"), "a/kart.yaml": `${deployment("kart")}bad: [\n` };
    const after = { "a/cart.yaml": wrong, "a/kart.yaml": deployment("kart") };
    const made = await changed(before, after);
    expect(made.environments).toMatchObject([
      { effects: [], fault: { when: "base" }, problems: [{ check: "pod-shape", location: { file: "a/cart.yaml" } }] },
    ]);
    expect(resultOf(made)).toBe("problems");
    expect(reviewSections(made).join("\n")).toContain("every problem that is found counts as new");
    const good = await changed(before, { "a/kart.yaml": deployment("kart") });
    expect(good.environments).toMatchObject([{ fault: { when: "base" }, problems: [] }]);
    expect(resultOf(good)).toBe("clean");
  });

  it.skipIf(!hasHelm)("is a chart that renders an object without its name, and no deletion", async () => {
    const made = await changed(CHART, {
      "chart/templates/cart.yaml": CHART["chart/templates/cart.yaml"].replace("name: cart", "name: {{ .Values.nmae }}"),
    });
    expect(said(made)).toEqual([]);
    expect(made.environments[0]?.fault).toMatchObject({
      when: "head",
      text: expect.stringContaining("cart/templates/cart.yaml renders a Deployment without a name"),
    });
  });

  it("survives files that are no manifests, no text, or links that lead out", async () => {
    const made = await changed(
      {
        "a/cart.yaml": deployment("cart"),
        "a/bad.yaml": "a: [\nkind: x\n",
        "big.json": "[]",
        "t.yaml": "{{ if }}\nkind: {{ x }}\n",
        "jinja/t.yaml": `{% if x %}\n${deployment("{{ x }}")}`,
      },
      {
        "a/cart.yaml": deployment("cart", { memory: "1Gi" }),
        "a/worse.yaml": "\tkind: y\n",
        "a/template.yaml": `{% if x %}\n${deployment("x")}`,
        "jinja/t.yaml": `{% if y %}\n${deployment("{{ x }}")}`,
      },
    );
    expect(said(made)).toEqual(["a: changed Deployment /cart"]);
    expect(resultOf(made)).toBe("clean");
  });
});
