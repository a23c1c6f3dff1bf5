import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { withOverlay } from "../../src/gitops/overlay.ts";
import type { Json } from "../../src/model.ts";
import { PATH } from "./repository.ts";

type JsonMap = { [key: string]: Json };

describe("Argo CD's overlay", () => {
  it.each<[string, JsonMap, JsonMap, JsonMap]>([
    [
      "an entry of the same name is replaced and not appended, its new name and digest too",
      { images: [{ name: "web", newName: "a/web", newTag: "1", digest: "sha256:aa" }] },
      { images: ["web:2"] },
      { images: [{ name: "web", newTag: "2" }] },
    ],
    [
      "name, tag and digest",
      {},
      { images: ["web=b/web:2@sha256:bb", "db@sha256:cc", "r.io:5000/x/y=r.io:5000/x/z"] },
      {
        images: [
          { name: "db", digest: "sha256:cc" },
          { name: "r.io:5000/x/y", newName: "r.io:5000/x/z" },
          { name: "web", newName: "b/web", newTag: "2", digest: "sha256:bb" },
        ],
      },
    ],
    [
      "an asterisk keeps what the kustomization says",
      { images: [{ name: "web", newName: "a/web", newTag: "1" }] },
      { images: ["web=*:2", "other=*:3"] },
      {
        images: [
          { name: "other", newTag: "3" },
          { name: "web", newName: "a/web", newTag: "2" },
        ],
      },
    ],
    [
      "replicas by name, also counted in text",
      {
        replicas: [
          { name: "web", count: 1 },
          { name: "old", count: 9 },
        ],
      },
      { replicas: [{ name: "web", count: "3" }] },
      {
        replicas: [
          { name: "old", count: 9 },
          { name: "web", count: 3 },
        ],
      },
    ],
    [
      "patches are appended, and only what Argo CD knows of them",
      { patches: [{ path: "a.yaml" }] },
      {
        patches: [
          { path: "b.yaml", target: { kind: "Deployment", nonsense: 1 }, options: { allowNameChange: true }, x: 1 },
        ],
      },
      {
        patches: [
          { path: "a.yaml" },
          { path: "b.yaml", target: { kind: "Deployment" }, options: { allowNameChange: true } },
        ],
      },
    ],
    [
      "components that are not there yet",
      { components: ["../a"] },
      { components: ["../a", "../b"] },
      { components: ["../a", "../b"] },
    ],
    [
      "names and the namespace replace",
      { namePrefix: "a-", namespace: "old" },
      { namePrefix: "b-", nameSuffix: "-c", namespace: "new", version: "v5" },
      { namePrefix: "b-", nameSuffix: "-c", namespace: "new" },
    ],
    [
      "common labels, into what there is",
      { commonLabels: { a: "1" } },
      { commonLabels: { b: "2" } },
      { commonLabels: { a: "1", b: "2" } },
    ],
    [
      "labels without selectors, into the entry with the same settings",
      { labels: [{ pairs: { a: "1" }, includeSelectors: true }, { pairs: { b: "2" } }] },
      { commonLabels: { c: "3" }, labelWithoutSelector: true },
      { labels: [{ pairs: { a: "1" }, includeSelectors: true }, { pairs: { b: "2", c: "3" } }] },
    ],
    [
      "labels in templates",
      {},
      { commonLabels: { c: "3" }, labelWithoutSelector: true, labelIncludeTemplates: true },
      { labels: [{ pairs: { c: "3" }, includeTemplates: true }] },
    ],
    [
      "annotations that are forced",
      { commonAnnotations: { a: "1" } },
      { commonAnnotations: { a: "2" }, forceCommonAnnotations: true },
      { commonAnnotations: { a: "2" } },
    ],
    ["nothing", { resources: ["a"] }, { images: [], commonLabels: {}, namePrefix: "" }, { resources: ["a"] }],
  ])("%s", (_name, base, overlay, wanted) => {
    expect(withOverlay(base, overlay, "argocd")).toEqual(wanted);
  });

  it.each<[Json, string]>([
    [["web:1"], "Application argocd/shop spec must be a map"],
    [{ images: "web:1" }, "spec.images must be a list"],
    [{ images: [{ name: "web" }] }, "spec.images[0] must be a text such as"],
    [{ images: ["web"] }, "spec.images[0] is no image that Kustomize takes: web"],
    [{ replicas: [{ name: "web", count: "many" }] }, "spec.replicas[0] must have a name and a whole number"],
    [{ patches: ["a"] }, "spec.patches[0] must be a map"],
    [{ patches: [{ patch: {} }] }, "spec.patches[0].patch must be a text"],
    [{ patches: [{ target: "x" }] }, "spec.patches[0].target must be a map"],
    [{ components: [{}] }, "spec.components[0] must be a text"],
    [{ namePrefix: 5 }, "spec.namePrefix must be a text"],
    [{ commonLabels: { a: 1 } }, "spec.commonLabels.a must be a text"],
    [{ commonLabels: { kept: "2" } }, "spec.commonLabels.kept is in the kustomization already"],
    [
      { commonLabels: { x: "2" }, labelIncludeTemplates: true },
      "spec.labelIncludeTemplates needs labelWithoutSelector",
    ],
    [{ commonLabels: { x: "2" }, forceCommonLabels: "yes" }, "spec.forceCommonLabels must be true or false"],
  ])("%j is refused: %s", (overlay, message) => {
    const base = { commonLabels: { kept: "1" } };
    expect(() => withOverlay(base, overlay, "argocd", "Application argocd/shop spec")).toThrow(message);
  });

  it("says which part of the kustomization is no list", () => {
    expect(() => withOverlay({ images: {} }, { images: ["a:1"] }, "argocd")).toThrow("`images` of the kustomization");
  });
});

describe("Flux's overlay", () => {
  it.each<[string, JsonMap, JsonMap, JsonMap]>([
    [
      "a tag takes the digest out and leaves the name",
      { images: [{ name: "web", newName: "a/web", newTag: "1", digest: "sha256:aa" }] },
      { images: [{ name: "web", newTag: "2" }] },
      { images: [{ name: "web", newName: "a/web", newTag: "2" }] },
    ],
    [
      "a name leaves the version",
      { images: [{ name: "web", newTag: "1" }] },
      {
        images: [
          { name: "web", newName: "b/web" },
          { name: "db", digest: "sha256:cc" },
        ],
      },
      {
        images: [
          { name: "web", newName: "b/web", newTag: "1" },
          { name: "db", digest: "sha256:cc" },
        ],
      },
    ],
    [
      "images are matched by their name in the resource, not by the new one",
      { images: [{ name: "web", newName: "b/web" }] },
      { images: [{ name: "b/web", newTag: "2" }] },
      {
        images: [
          { name: "web", newName: "b/web" },
          { name: "b/web", newTag: "2" },
        ],
      },
    ],
    [
      "patches of all three kinds, after those of the kustomization",
      { patches: [{ path: "a.yaml" }], patchesStrategicMerge: ["b.yaml"] },
      {
        patches: [{ patch: "x", path: "../../secret", target: { kind: "Job", labelSelector: "a=b" } }],
        patchesStrategicMerge: [{ kind: "Job" }],
        patchesJson6902: [{ target: { kind: "Job" }, patch: [{ op: "remove", path: "/spec" }] }],
      },
      {
        patches: [{ path: "a.yaml" }, { patch: "x", target: { kind: "Job", labelSelector: "a=b" } }],
        patchesStrategicMerge: ["b.yaml", '{"kind":"Job"}'],
        patchesJson6902: [{ target: { kind: "Job" }, patch: '[{"op":"remove","path":"/spec"}]' }],
      },
    ],
    [
      "names, namespace, components and metadata; nothing else of its spec",
      { namespace: "a", components: ["../a"], resources: ["b"] },
      {
        targetNamespace: "t",
        namePrefix: "p-",
        nameSuffix: "-s",
        components: ["../b"],
        buildMetadata: ["originAnnotations"],
        path: "./apps",
        interval: "5m",
      },
      {
        namespace: "t",
        namePrefix: "p-",
        nameSuffix: "-s",
        components: ["../a", "../b"],
        resources: ["b"],
        buildMetadata: ["originAnnotations"],
      },
    ],
  ])("%s", (_name, base, overlay, wanted) => {
    expect(withOverlay(base, overlay, "flux")).toEqual(wanted);
  });

  it.each<[Json, string]>([
    [{ images: ["web:1"] }, "spec.images[0] must have a name"],
    [{ images: [{ name: "web", newTag: 1 }] }, "spec.images[0].newTag must be a text"],
    [{ patchesStrategicMerge: ["a.yaml"] }, "spec.patchesStrategicMerge[0] must be a map"],
    [{ patchesJson6902: [{ patch: "x" }] }, "spec.patchesJson6902[0] must have a list of operations"],
    [{ components: ["https://example.com/x"] }, "spec.components[0] must be a path inside of the repository"],
    [{ components: ["/etc"] }, "spec.components[0] must be a path inside of the repository"],
    [{ targetNamespace: ["a"] }, "spec.targetNamespace must be a text"],
  ])("%j is refused: %s", (overlay, message) => {
    expect(() => withOverlay({}, overlay, "flux", "Kustomization flux-system/apps spec")).toThrow(message);
  });
});

const edits = (() => {
  try {
    execFileSync("kustomize", ["version"], { env: { ...process.env, PATH }, stdio: "ignore" });
    return true;
  } catch {
    process.stderr.write("\nSKIPPED: comparison with `kustomize edit`, because kustomize is not on the PATH.\n");
    return false;
  }
})();

describe.skipIf(!edits)("Argo CD's overlay is what `kustomize edit` makes of a kustomization", () => {
  const BASE = `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
images:
- name: web
  newName: a/web
  newTag: "1"
- name: db
  digest: sha256:aa
replicas:
- name: web
  count: 1
commonAnnotations:
  a: "1"
labels:
- pairs:
    a: "1"
`;

  /** What the real program makes of the same kustomization; null where it refuses. */
  function edited(...commands: readonly (readonly string[])[]): JsonMap | null {
    const folder = mkdtempSync(join(tmpdir(), "stanch-edit-"));
    try {
      writeFileSync(join(folder, "kustomization.yaml"), BASE);
      for (const command of commands)
        execFileSync("kustomize", ["edit", ...command], {
          cwd: folder,
          env: { ...process.env, PATH },
          stdio: "ignore",
        });
      return parse(readFileSync(join(folder, "kustomization.yaml"), "utf8")) as JsonMap;
    } catch {
      return null;
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  function made(overlay: JsonMap): JsonMap | null {
    try {
      return withOverlay(parse(BASE) as JsonMap, overlay, "argocd");
    } catch {
      return null;
    }
  }

  it.each([
    [["web:2"]],
    [["web=b/web"]],
    [["web=b/web:2@sha256:bb", "x/y:1"]],
    [["web@sha256:cc"]],
    [["web=*:2"]],
    [["web=*:*@sha256:dd"]],
    [["r.io:5000/a/b:1"]],
    [["r.io:5000/a/b"]],
    [["db=db:*@*"]],
    [["web"]],
    [["a:1", "a:2"]],
    [["localhost:5000=x"]],
  ])("images %j", (images) => {
    const wanted = edited(["set", "image", ...images]);
    expect(wanted === null).toBe(images[0] === "web" || images[0] === "r.io:5000/a/b");
    expect(made({ images })).toEqual(wanted);
  });

  it("everything else", () => {
    expect(
      made({
        replicas: [
          { name: "web", count: 4 },
          { name: "api", count: 0 },
        ],
      }),
    ).toEqual(edited(["set", "replicas", "web=4", "api=0"]));
    expect(made({ namePrefix: "p-", nameSuffix: "-s", namespace: "n" })).toEqual(
      edited(["set", "nameprefix", "--", "p-"], ["set", "namesuffix", "--", "-s"], ["set", "namespace", "--", "n"]),
    );
    expect(made({ commonLabels: { b: "2" } })).toEqual(edited(["add", "label", "b:2"]));
    expect(made({ commonLabels: { b: "2" }, labelWithoutSelector: true })).toEqual(
      edited(["add", "label", "--without-selector", "b:2"]),
    );
    expect(made({ commonLabels: { a: "2" }, labelWithoutSelector: true })).toEqual(
      edited(["add", "label", "--without-selector", "a:2"]),
    );
    expect(made({ commonLabels: { b: "2" }, labelWithoutSelector: true, labelIncludeTemplates: true })).toEqual(
      edited(["add", "label", "--without-selector", "--include-templates", "b:2"]),
    );
    expect(made({ commonAnnotations: { a: "2" } })).toEqual(edited(["add", "annotation", "a:2"]));
    expect(made({ commonAnnotations: { a: "2" }, forceCommonAnnotations: true })).toEqual(
      edited(["add", "annotation", "--force", "a:2"]),
    );
  });
});
