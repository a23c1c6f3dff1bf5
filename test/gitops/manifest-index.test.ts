import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { indexManifests } from "../../src/gitops/manifest-index.ts";
import { detectTool } from "../../src/gitops/tool.ts";
import { describeRef, refOf } from "../../src/kube/ref.ts";
import { type Files, makeRepository, type Repository } from "./repository.ts";

const open: Repository[] = [];
afterEach(async () => {
  for (const repository of open.splice(0)) await repository.close();
});

function repositoryOf(files: Files): Repository {
  const repository = makeRepository(files);
  open.push(repository);
  return repository;
}

const configMap = (name: string, more = ""): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${more}`;

describe("indexManifests", () => {
  it("finds every object and where it stands", async () => {
    const { directory } = repositoryOf({
      "apps/a.yaml": `---\n# empty\n---\n${configMap("one")}---\n${configMap("two")}`,
      "apps/deep/b.yml": `apiVersion: v1\nkind: List\nitems:\n- ${configMap("three").replaceAll("\n", "\n  ").trimEnd()}\n- ${configMap("four").replaceAll("\n", "\n  ").trimEnd()}\n`,
      "apps/c.json": JSON.stringify({
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRole",
        metadata: { name: "reader" },
      }),
      "apps/values.yaml": "replicas: 2\nkind: nothing\n",
      "apps/readme.md": "kind: no",
    });
    const index = await indexManifests(directory, "apps", "shop");
    expect(
      index.entries.map((entry) =>
        `${describeRef(refOf(entry.object))} ${entry.file}#${entry.document} ${entry.prefix.join(".")}`.trim(),
      ),
    ).toEqual([
      "ConfigMap shop/one apps/a.yaml#1",
      "ConfigMap shop/two apps/a.yaml#2",
      "ClusterRole reader apps/c.json#0",
      "ConfigMap shop/three apps/deep/b.yml#0 items.0",
      "ConfigMap shop/four apps/deep/b.yml#0 items.1",
    ]);
    expect(index.problems).toEqual([]);
  });

  it("reports what it cannot read and goes on", async () => {
    const { directory } = repositoryOf({
      "good.yaml": configMap("good"),
      "bad.yaml": "kind: [x\n",
      "twice.yaml": configMap("x", "kind: Secret\n"),
    });
    const index = await indexManifests(directory, ".");
    expect(index.entries.map((entry) => entry.file)).toEqual(["good.yaml"]);
    expect(index.problems.map((problem) => problem.file)).toEqual(["bad.yaml", "twice.yaml"]);
  });

  it("tells apart by which of them objects may be missing: no values, no template of another tool, nothing that is left out by rule", async () => {
    const broken = `${configMap("x")}data: [\n`;
    const { directory } = repositoryOf({
      "bad.yaml": broken,
      "kustomized/kustomization.yaml": "resources: []\n",
      "list.json": '{"kind": "List", "apiVersion": "v1", "items": [',
      "rule.yaml": `${configMap("r")}data:\n  a: "{{ $labels.pod }}"\n  b: [\n`,
      "template.yaml": `${configMap("t")}{{ if .x }}\ndata: [\n{{ end }}\n`,
      "values.yaml": "kind: [\n",
    });
    writeFileSync(join(directory, "wide.yaml"), Buffer.from(`\ufeff${configMap("w")}`, "utf16le"));
    writeFileSync(join(directory, "latin.yaml"), Buffer.from("kind: caf\xe9\n", "latin1"));
    symlinkSync("/etc/hosts", join(directory, "out.yaml"));
    symlinkSync("/etc/hosts", join(directory, "README"));
    const { unread } = await indexManifests(directory, ".");
    expect(unread.map(({ file, looks, line }) => [file, looks, line]).toSorted()).toEqual([
      ["bad.yaml", "manifest", expect.any(Number)],
      ["list.json", "manifest", 1],
      ["out.yaml", "unknown", undefined],
      ["rule.yaml", "manifest", expect.any(Number)],
      ["template.yaml", "template", expect.any(Number)],
      ["wide.yaml", "manifest", undefined],
    ]);
  });

  it("leaves out hidden folders, charts, Kustomize roots and links that lead out", async () => {
    const { directory } = repositoryOf({
      ".github/a.yaml": configMap("hidden"),
      "chart/Chart.yaml": "name: c\n",
      "chart/templates/a.yaml": configMap("chart"),
      "root/kustomization.yaml": "resources: []\n",
      "root/patch.yaml": configMap("patch"),
      "real/a.yaml": configMap("real"),
    });
    symlinkSync("real/a.yaml", join(directory, "link.yaml"));
    symlinkSync("/etc/passwd", join(directory, "out.yaml"));
    const index = await indexManifests(directory, ".");
    expect(index.entries.map((entry) => entry.file)).toEqual(["link.yaml", "real/a.yaml"]);
    expect(index.problems).toEqual([
      { file: "out.yaml", message: "out.yaml leads out of the repository" },
      { file: "root", message: "a Kustomize root below a folder of plain manifests is not part of it" },
    ]);
  });
});

describe("detectTool", () => {
  it("goes by the files of the folder itself", () => {
    const files = ["a/Chart.yaml", "b/kustomization.yml", "c/x/kustomization.yaml", "Kustomization"];
    expect(["a", "b", "c", "."].map((path) => detectTool(files, path))).toEqual([
      "helm",
      "kustomize",
      "plain",
      "kustomize",
    ]);
  });
});
