import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { openWorkspace } from "../../src/adapters/git-workspace.ts";
import { pathsThrough } from "../../src/gitops/links.ts";
import { resultOf } from "../../src/review/model.ts";
import { review } from "../../src/review/review.ts";
import { deployment } from "../action/trees.ts";
import { type Files, makeRepository, PATH, type Repository, renderer } from "../gitops/repository.ts";

const open: Repository[] = [];
afterEach(async () => {
  for (const repository of open.splice(0)) await repository.close();
});

describe("where a path leads", () => {
  const links = new Map([
    ["apps/prod/a.yaml", "../../shared/a.yaml"],
    ["apps/stage", "prod"],
    ["shared/a.yaml", "b.yaml"],
    ["out.yaml", "../../etc/passwd"],
    ["top.yaml", "/etc/passwd"],
    ["round", "round"],
  ]);
  it.each([
    ["plain/a.yaml", []],
    ["apps/prod/a.yaml", ["shared/a.yaml", "shared/b.yaml"]],
    ["apps/stage/a.yaml", ["apps/stage", "apps/prod/a.yaml", "shared/a.yaml", "shared/b.yaml"]],
    ["out.yaml", []],
    ["top.yaml", []],
    ["round/x", ["round"]],
  ])("%s depends on itself and on %j", (path, others) => {
    expect(pathsThrough(path, links)).toEqual([path, ...others]);
  });
});

describe("a review of what is reached through a symbolic link", () => {
  async function changed(files: Files, links: Readonly<Record<string, string>>, after: Files) {
    const repository = makeRepository(files);
    open.push(repository);
    for (const [path, target] of Object.entries(links)) {
      rmSync(join(repository.directory, path), { recursive: true, force: true });
      symlinkSync(target, join(repository.directory, path));
    }
    const base = repository.commit("base", {});
    const head = repository.commit("head", after);
    const remote = "https://example.invalid/acme/shop.git";
    const workspace = await openWorkspace({ directory: repository.directory, remote, token: undefined, path: PATH });
    try {
      return await review({
        base: await workspace.at(base, "main"),
        head: await workspace.at(head, "main"),
        changed: await workspace.changed(base, head),
        repository: "acme/shop",
        number: 1,
        branch: "main",
        isDefault: true,
        config: { sources: [{ repository: "acme/shop", path: "apps/prod", tool: "plain", namespaces: ["*"] }] },
        hosts: [],
        renderer,
        reports: [],
        pulls: [],
        only: [],
        gaps: [],
      });
    } finally {
      await workspace.close();
    }
  }
  const FILES = { "apps/prod/a.yaml": "", "apps/other.yaml": deployment("other"), "shared/a.yaml": deployment("cart") };

  it("sees a file that is a link as touched when what it leads to changes", async () => {
    const links = { "apps/prod/a.yaml": "../../shared/a.yaml" };
    const made = await changed(FILES, links, { "shared/a.yaml": deployment("cart", { memory: "1Gi" }) });
    expect(made.environments.map(({ name }) => name)).toEqual(["apps/prod", "shared"]);
    expect(made.environments.flatMap(({ effects }) => effects)).toMatchObject(
      ["apps/prod", "shared"].map(() => ({ kind: "changed", object: { name: "cart" } })),
    );
  });

  it("is not clean where the source's folder is a link, which is not rendered", async () => {
    const links = { "apps/prod": "../shared" };
    const made = await changed(FILES, links, { "shared/a.yaml": deployment("cart", { memory: "1Gi" }) });
    expect(made.environments.find(({ name }) => name === "apps/prod")?.fault?.when).toBe("both");
    expect(resultOf(made)).toBe("error");
  });

  it("leaves alone what leads elsewhere", async () => {
    const links = { "apps/prod/a.yaml": "../../shared/a.yaml" };
    const made = await changed(FILES, links, { "apps/other.yaml": deployment("other", { memory: "1Gi" }) });
    expect(made.environments.map(({ name }) => name)).toEqual(["apps"]);
  });

  it("sees that what a link leads to breaks", async () => {
    const links = { "apps/prod/a.yaml": "../../shared/a.yaml" };
    const made = await changed(FILES, links, { "shared/a.yaml": `${deployment("cart")}bad: [\n` });
    expect(made.environments.find(({ name }) => name === "apps/prod")?.fault?.when).toBe("head");
    expect(resultOf(made)).toBe("problems");
  });
});
