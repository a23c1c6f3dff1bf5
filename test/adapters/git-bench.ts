import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { createRepositories } from "../../src/adapters/git.ts";
import { gitRemote } from "../../src/adapters/github-address.ts";
import { type EmbeddedCodeHost, startCodeHost } from "../../src/demo/code-host/code-host.ts";
import { createLog } from "../../src/log.ts";
import type { Repositories } from "../../src/ports.ts";

const call = promisify(execFile);

export const REPOSITORY = "acme/shop";
export const TOKEN = "git-test-token-0123456789abcdef";
export const AUTHOR = { name: "stanch[bot]", email: "stanch@users.noreply.github.com" };

export interface GitBench extends AsyncDisposable {
  readonly host: EmbeddedCodeHost;
  readonly folder: string;
  readonly cache: string;
  readonly logged: string[];
  repositories(options?: { readonly remote?: string; readonly token?: string }): Repositories;
  /** Every argument list that git was started with. */
  argv(): Promise<string>;
  /** Pushes a tree that the web interface would not make: modes, links, submodules. */
  push(
    repository: string,
    make: (folder: string, git: (...args: string[]) => Promise<void>) => Promise<void>,
  ): Promise<void>;
}

/** The embedded code host, and a `git` on the PATH that writes down how it is called. */
export async function startGitBench(): Promise<GitBench> {
  const host = await startCodeHost();
  host.addToken(TOKEN, { login: "stanch[bot]", permission: "write" });
  const folder = await mkdtemp(join(tmpdir(), "stanch-git-test-"));
  const bin = join(folder, "bin");
  const journal = join(folder, "argv");
  await mkdir(bin);
  await writeFile(journal, "");
  const real = (await call("which", ["git"])).stdout.trim();
  await writeFile(join(bin, "git"), `#!/bin/sh\nprintf '%s\\n' "$*" >> '${journal}'\nexec '${real}' "$@"\n`);
  await chmod(join(bin, "git"), 0o755);
  const logged: string[] = [];
  const write = (text: string): void => void logged.push(text);
  const log = createLog({ format: "json", level: "debug", interactive: false, write, now: () => new Date() });
  const cache = join(folder, "cache");
  return {
    host,
    folder,
    cache,
    logged,
    repositories: ({ remote, token = TOKEN } = {}) =>
      createRepositories({
        cacheDirectory: cache,
        remote: (repository) => remote ?? gitRemote(host.apiUrl, repository),
        token: async () => token,
        author: AUTHOR,
        log,
        path: `${bin}:${process.env["PATH"]}`,
      }),
    argv: () => readFile(journal, "utf8"),
    async push(repository, make) {
      const work = await mkdtemp(join(folder, "work-"));
      const git = async (...args: string[]): Promise<void> =>
        void (await call("git", ["-C", work, "-c", "user.name=Eve", "-c", "user.email=eve@example.com", ...args]));
      const url = host.url.replace("://", `://eve:${TOKEN}@`);
      await git("clone", "--quiet", `${url}/${repository}.git`, ".");
      await make(work, git);
      await git("commit", "--quiet", "--message", "More");
      await git("push", "--quiet", "origin", "HEAD");
    },
    async [Symbol.asyncDispose]() {
      await host.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** All text of all files below a folder, to look for what must not be there. */
export async function everythingIn(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const texts = entries
    .filter((entry) => entry.isFile())
    .map((entry) => readFile(join(entry.parentPath, entry.name), "latin1"));
  return (await Promise.all(texts)).join("\n");
}

export async function put(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
