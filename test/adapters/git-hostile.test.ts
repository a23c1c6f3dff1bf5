import { existsSync } from "node:fs";
import { chmod, lstat, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createRenderer } from "../../src/adapters/renderers.ts";
import type { Source } from "../../src/model.ts";
import type { Checkout } from "../../src/ports.ts";
import { everythingIn, type GitBench, put, REPOSITORY, startGitBench } from "./git-bench.ts";

/** What a repository may hold that would like to run, or to be read from outside of it. */
let bench: GitBench;
let checkout: Checkout;
let mark = "";

beforeAll(async () => {
  bench = await startGitBench();
  mark = join(bench.folder, "it-ran");
  await put(join(bench.folder, "secret", "secret.yaml"), "kind: Secret\n");
  await bench.host.addRepository(REPOSITORY, {
    commits: [{ message: "Import", files: { "apps/app.yaml": "a: 1\n" } }],
  });
  await bench.push(REPOSITORY, async (folder, git) => {
    const touch = `touch '${mark}'`;
    for (const hook of [
      "post-checkout",
      "post-merge",
      "pre-push",
      "pre-commit",
      "reference-transaction",
      "post-index-change",
    ]) {
      for (const place of ["hooks", ".githooks", ".git-hooks"]) {
        await put(join(folder, place, hook), `#!/bin/sh\n${touch}\n`);
        await chmod(join(folder, place, hook), 0o755);
      }
    }
    await put(
      join(folder, ".gitattributes"),
      "* filter=evil diff=evil merge=evil\n*.yaml working-tree-encoding=ISO-8859-1\n",
    );
    await put(
      join(folder, ".gitconfig"),
      `[core]\n\tfsmonitor = ${touch}\n\thooksPath = hooks\n[filter "evil"]\n\tsmudge = ${touch}\n\tclean = ${touch}\n`,
    );
    await put(
      join(folder, ".gitmodules"),
      `[submodule "evil"]\n\tpath = evil\n\turl = file://${bench.folder}/secret\n\tupdate = !${touch}\n`,
    );
    await put(join(folder, ".lfsconfig"), `[lfs]\n\turl = http://127.0.0.1:9/\n`);
    await put(join(folder, "--upload-pack=touch"), "a: 1\n");
    await put(join(folder, "apps", "$(touch it-ran).yaml"), "a: 1\n");
    await symlink(join(bench.folder, "secret", "secret.yaml"), join(folder, "apps", "link.yaml"));
    await symlink(join(bench.folder, "secret"), join(folder, "outside"));
    await git("add", "--all", "--force");
    await git("update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},evil`);
  });
  // What stands in the environment of the process must not reach git either.
  vi.stubEnv("GIT_CONFIG_PARAMETERS", `'core.fsmonitor=touch ${mark}'`);
  vi.stubEnv("GIT_SSH_COMMAND", `touch ${mark}`);
  vi.stubEnv("GIT_EXTERNAL_DIFF", `touch ${mark}`);
  checkout = await bench.repositories().open(REPOSITORY, "main");
}, 30_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await checkout.close();
  await bench[Symbol.asyncDispose]();
});

describe("a hostile repository", () => {
  it("runs nothing, from checkout to push", async () => {
    const [last] = await checkout.history(["."], 5);
    await checkout.history(["--upload-pack=touch", ":(attr:filter=evil)", "apps/*"], 5);
    await checkout.blame("apps/app.yaml", 1);
    await checkout.blame("--upload-pack=touch", 1);
    await checkout.treeAt(last?.sha ?? "");
    await expect(checkout.treeAt("--upload-pack=touch")).rejects.toThrow();
    const pushed = await checkout.publish({
      branch: "stanch/test/hostile",
      message: "fix: x\n\n--amend\n",
      edits: [
        { file: "apps/app.yaml", before: "a: 1\n", after: "a: é\n" },
        { file: "--upload-pack=touch", before: "a: 1\n", after: "a: 3\n" },
        { file: "apps/$(touch it-ran).yaml", before: "a: 1\n", after: "a: 4\n" },
      ],
      expected: null,
    });
    expect(pushed.pushed).toBe(true);
    expect(existsSync(mark)).toBe(false);
    // No filter and no encoding of the repository's: bytes as they were edited.
    expect(await bench.host.read(REPOSITORY, "stanch/test/hostile", "apps/app.yaml")).toBe("a: é\n");
    expect(await bench.host.read(REPOSITORY, "stanch/test/hostile", "--upload-pack=touch")).toBe("a: 3\n");
  });

  it("fetches no submodule and reads no file through a link", async () => {
    const modes = new Map((await checkout.files()).map((file) => [file.path, file.mode]));
    expect(modes.get("evil")).toBe("160000");
    expect(modes.get("apps/link.yaml")).toBe("120000");
    expect(await checkout.read("apps/link.yaml")).toBeNull();
    expect(await checkout.read("evil")).toBeNull();
    expect(await checkout.read("outside/secret.yaml")).toBeNull();
    expect((await bench.argv()).includes("submodule")).toBe(false);
  });

  it("edits no link, no submodule, nothing behind a link", async () => {
    const publish = (file: string, before: string) =>
      checkout.publish({
        branch: "stanch/test/x",
        message: "m",
        edits: [{ file, before, after: "b: 1\n" }],
        expected: null,
      });
    await expect(publish("apps/link.yaml", "kind: Secret\n")).rejects.toMatchObject({
      code: "git",
      hint: expect.stringContaining("symbolic links"),
    });
    await expect(publish("evil", "")).rejects.toThrow();
    await expect(publish("outside/secret.yaml", "kind: Secret\n")).rejects.toMatchObject({ code: "conflict" });
    expect(await readFile(join(bench.folder, "secret", "secret.yaml"), "utf8")).toBe("kind: Secret\n");
  });

  it("renders nothing from outside of the repository", async () => {
    const source = (path: string): Source => ({
      id: `x:${path}`,
      repository: REPOSITORY,
      branch: "main",
      path,
      tool: "plain",
      owner: { kind: "configuration", name: "test" },
    });
    const renderer = createRenderer({ path: "" });
    for (const path of ["apps", "outside"]) {
      const rendered = await renderer.render(checkout.directory, source(path)).catch(() => ({ objects: [] }));
      expect(JSON.stringify(rendered.objects)).not.toContain("Secret");
    }
  });

  it("keeps nothing of it where git would read it as configuration", async () => {
    expect(await lstat(join(bench.cache, "hooks")).catch(() => null)).toBeNull();
    expect(await everythingIn(bench.cache)).not.toMatch(/fsmonitor\s*=|\[filter/);
  });
});
