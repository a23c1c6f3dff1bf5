import { afterEach, describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { removalOf, rootPaths } from "../../src/gitops/history.ts";
import type { Change, Json } from "../../src/model.ts";
import { locate } from "../../src/steps/locate.ts";
import { prove } from "../../src/steps/prove.ts";
import { createWorkbench, type WorkbenchPorts } from "../../src/workbench.ts";
import { canKustomize, makeRepository, type Repository, renderer, sourceOf } from "./repository.ts";

const kustomize = await canKustomize();
const open: Repository[] = [];
afterEach(async () => {
  for (const repository of open.splice(0)) await repository.close();
});

const settings = `apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  namespace: shop
data:
  level: info   # agreed with operations
`;
const other = settings.replaceAll("settings", "other");
const ref = { apiVersion: "v1", kind: "ConfigMap", namespace: "shop", name: "settings" };

async function putBack(repository: Repository, tool: "plain" | "kustomize", revertOf: string) {
  open.push(repository);
  const source = sourceOf("apps", tool, "shop");
  const removal = await removalOf({ ref, source, checkout: repository, renderer, limit: 10 });
  expect(removal?.commit.sha).toBe(revertOf);
  const changes: Change[] = [{ object: ref, path: [], to: removal?.before as unknown as Json }];
  const located = await locate({ changes, source, checkout: repository, renderer, hints: { revertOf } });
  if (!located.found) throw new Error(located.reason);
  const cluster = { get: async () => null, create: async (it: never) => it, dryRunApply: async (it: never) => it };
  const proof = await prove({ located, changes, source, checkout: repository, renderer, cluster, revertOf });
  return { edits: located.edits, proof };
}

describe("an object that a commit removed", () => {
  it("comes back with its file, byte for byte", async () => {
    const repository = makeRepository({ "apps/settings.yaml": settings, "apps/other.yaml": other });
    const sha = repository.commit("Tidy up", { "apps/settings.yaml": null });
    const { edits, proof } = await putBack(repository, "plain", sha);
    expect(edits).toEqual([{ file: "apps/settings.yaml", before: "", after: settings }]);
    expect(proof.checks.map((check) => [check.id, check.result])).toEqual([
      ["P1", "passed"],
      ["P2", "passed"],
      ["P3", "passed"],
      ["P4", "not-run"],
      ["P5", "passed"],
    ]);
  });

  it("comes back as a document of a file that is still there", async () => {
    const repository = makeRepository({ "apps/all.yaml": `${other}---\n${settings}` });
    const sha = repository.commit("Tidy up", { "apps/all.yaml": other });
    repository.commit("Later", { "README.md": "more\n" });
    expect((await putBack(repository, "plain", sha)).edits).toEqual([
      { file: "apps/all.yaml", before: other, after: `${other}---\n${settings}` },
    ]);
  });

  it.skipIf(!kustomize)("comes back with the line that names its file", async () => {
    const kustomization = (files: string) => `resources:\n- other.yaml\n${files}`;
    const repository = makeRepository({
      "apps/kustomization.yaml": kustomization("- settings.yaml\n"),
      "apps/settings.yaml": settings,
      "apps/other.yaml": other,
    });
    const sha = repository.commit("Tidy up", {
      "apps/kustomization.yaml": kustomization(""),
      "apps/settings.yaml": null,
    });
    const { edits } = await putBack(repository, "kustomize", sha);
    expect(edits.map((edit) => [edit.file, edit.after]).toSorted()).toEqual([
      ["apps/kustomization.yaml", kustomization("- settings.yaml\n")],
      ["apps/settings.yaml", settings],
    ]);
  });

  it("that is declared, or never was, is nothing to put back", async () => {
    const repository = makeRepository({ "apps/settings.yaml": settings });
    open.push(repository);
    const request = { source: sourceOf("apps", "plain", "shop"), checkout: repository, renderer, limit: 10 };
    expect(await removalOf({ ...request, ref })).toBeNull();
    expect(await removalOf({ ...request, ref: { ...ref, name: "never" } })).toBeNull();
  });

  it("that moved to another source is there", async () => {
    const repository = makeRepository({
      "apps/settings.yaml": settings,
      "apps/other.yaml": other,
      "base/a.yaml": other,
    });
    open.push(repository);
    const config = parseConfig(
      JSON.stringify({
        cluster: "test",
        sources: ["apps", "base"].map((path) => ({
          repository: "acme/shop",
          path,
          branch: "main",
          namespaces: ["shop"],
        })),
      }),
    );
    const removed = () =>
      createWorkbench(config, {
        repositories: { open: async () => ({ ...repository, revision: repository.revision }) },
        codeHost: { check: async () => ({ login: "a", push: true, defaultBranch: "main", archived: false }) },
        renderer,
      } as WorkbenchPorts).removed(ref);
    repository.commit("Tidy up", { "apps/settings.yaml": null });
    expect((await removed())?.commit.subject).toBe("Tidy up");
    repository.commit("Move", { "base/settings.yaml": settings });
    expect(await removed()).toBeNull();
  });

  it("is looked for by as many names as a command takes", () => {
    const many = Array.from({ length: 3000 }, (_, index) => `apps/a${index}.yaml`);
    const source = sourceOf("apps", "plain", "shop");
    expect(rootPaths(source, [...many, "base/x.yaml"])).toEqual(["apps", "base/x.yaml"]);
    expect(rootPaths(sourceOf("prod", "kustomize", "shop"), [...many, "top.yaml"])).toEqual([
      "prod",
      "apps",
      "top.yaml",
    ]);
    expect(rootPaths(sourceOf(".", "plain", "shop"), many)).toEqual(["."]);
  });
});
