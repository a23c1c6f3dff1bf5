import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createCodeChecks } from "../../src/adapters/code-check.ts";
import type { CheckResult, Sandbox } from "../../src/ports.ts";
import type { CheckRequest } from "../../src/run.ts";

let tree: string;
let outside: string;
beforeEach(async () => {
  outside = await mkdtemp(join(tmpdir(), "stanch-outside-"));
  tree = join(outside, "tree");
  await mkdir(join(tree, "cart", "lib"), { recursive: true });
  await writeFile(join(tree, ".git"), "gitdir: /cache/of-a-repository.git\n");
  await mkdir(join(tree, "vendor", ".git"), { recursive: true });
  await writeFile(join(tree, "vendor", ".git", "config"), "url = https://token@host\n");
  await writeFile(join(tree, "cart", "main.go"), "before\n", { mode: 0o755 });
  await writeFile(join(outside, "precious"), "precious\n");
  await symlink("../../precious", join(tree, "cart", "link"));
  await symlink("../..", join(tree, "cart", "away"));
});
afterEach(() => rm(outside, { recursive: true, force: true }));

const DONE: CheckResult = { ran: true, exit: 0, timedOut: false, output: "ok", ms: 1 };
type Asked = Parameters<Sandbox["run"]>[0];

function sandbox(run: (asked: Asked) => Promise<CheckResult> = async () => DONE, reason: string | null = null) {
  const asked: Asked[] = [];
  const port: Sandbox = {
    unavailable: async () => reason,
    run(request) {
      asked.push(request);
      return run(request);
    },
  };
  return { asked, checks: createCodeChecks(port) };
}

const request = (more: Partial<CheckRequest> = {}): CheckRequest => ({
  directory: tree,
  edits: [{ file: "cart/main.go", before: "before\n", after: "after\n" }],
  folder: "cart",
  command: ["go", "test", "./..."],
  timeoutMs: 1000,
  everyMs: 10,
  tick: async () => undefined,
  ...more,
});

describe("a check command", () => {
  it("runs in its folder of a copy that holds the edits and nothing of Git, and that is gone afterwards", async () => {
    const seen: Record<string, unknown> = {};
    const { checks, asked } = sandbox(async ({ directory }) => {
      seen["main"] = await readFile(join(directory, "cart", "main.go"), "utf8");
      seen["mode"] = (await lstat(join(directory, "cart", "main.go"))).mode & 0o111;
      seen["files"] = (await readdir(directory, { recursive: true })).filter((name) => name.includes(".git"));
      seen["link"] = (await lstat(join(directory, "cart", "link"))).isSymbolicLink();
      return DONE;
    });
    expect(await checks.run(request())).toEqual(DONE);
    expect(seen).toEqual({ main: "after\n", mode: 0o111, files: [], link: true });
    expect(asked[0]?.command).toEqual([
      "/bin/sh",
      "-c",
      'cd -- "$1" && shift && exec "$@"',
      "sh",
      "cart",
      "go",
      "test",
      "./...",
    ]);
    expect(await readFile(join(tree, "cart", "main.go"), "utf8")).toBe("before\n");
    await expect(lstat(asked[0]?.directory ?? "")).rejects.toThrow("ENOENT");
    await checks.run(request({ folder: "." }));
    expect(asked[1]?.command).toEqual(["go", "test", "./..."]);
  });

  it.each([
    ["a link to a file", "cart/link"],
    ["a folder that is a link", "cart/away/precious"],
    ["the folder above", "../precious"],
    ["nothing", "cart//main.go"],
  ])("is not run where an edit would be written through %s", async (_, file) => {
    const { checks, asked } = sandbox();
    const said = await checks.run(request({ edits: [{ file, before: "", after: "written\n" }] }));
    expect(said).toMatchObject({ ran: false, reason: expect.stringMatching(/symbolic link|is no path/) });
    expect(asked).toEqual([]);
    expect(await readFile(join(outside, "precious"), "utf8")).toBe("precious\n");
  });

  it("is not run in a folder that is a link, nor where no sandbox is to be had", async () => {
    const { checks, asked } = sandbox();
    expect(await checks.run(request({ folder: "cart/away", edits: [] }))).toMatchObject({ ran: false });
    expect(await sandbox(undefined, "bwrap is not installed").checks.run(request())).toEqual({
      ran: false,
      reason: "bwrap is not installed",
    });
    expect(asked).toEqual([]);
  });

  it("keeps the lease while it runs, and a lost lease is thrown once it has ended", async () => {
    let ticks = 0;
    const slow = sandbox(() => new Promise((resolve) => setTimeout(() => resolve(DONE), 100)));
    await slow.checks.run(
      request({
        tick: async () => {
          ticks += 1;
        },
      }),
    );
    expect(ticks).toBeGreaterThan(2);
    let ended = false;
    const lost = sandbox(() =>
      new Promise((resolve) => setTimeout(() => resolve(DONE), 60)).then(() => {
        ended = true;
        return DONE;
      }),
    );
    await expect(lost.checks.run(request({ tick: () => Promise.reject(new Error("lost")) }))).rejects.toThrow("lost");
    expect(ended).toBe(true);
  });
});
