import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { createGunzip } from "node:zlib";

const call = promisify(execFile);

/** Git without anything of the machine's or the user's own. */
export const GIT_ENV = {
  PATH: process.env["PATH"] ?? "",
  HOME: "/nonexistent",
  LC_ALL: "C",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_TERMINAL_PROMPT: "0",
};

export interface Author {
  readonly name: string;
  readonly email: string;
}

export interface CommitFiles {
  readonly message: string;
  readonly author?: Author;
  readonly date?: Date;
  /** Path → text; null removes the file. */
  readonly files: Readonly<Record<string, string | null>>;
}

export async function git(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await call("git", ["-C", folder, ...args], {
    env: { ...GIT_ENV, ...env },
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

/** A bare repository that takes partial clones and refuses pushes to protected branches as GitHub words it. */
export async function makeBare(folder: string, branch: string, protectedBranches: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  await git(folder, ["init", "--quiet", "--bare", `--initial-branch=${branch}`]);
  for (const [key, value] of [
    ["uploadpack.allowFilter", "true"],
    ["uploadpack.allowAnySHA1InWant", "true"],
    ["http.receivepack", "true"],
    ["gc.auto", "0"],
  ] as const)
    await git(folder, ["config", key, value]);
  await protect(folder, protectedBranches);
}

/** Refuses pushes to these branches (globs), and to no others. */
export async function protect(folder: string, protectedBranches: readonly string[]): Promise<void> {
  await rm(join(folder, "hooks", "pre-receive"), { force: true });
  if (protectedBranches.length === 0) return;
  const cases = protectedBranches.map((name) => `refs/heads/${name}`).join("|");
  const hook = `#!/bin/sh\nwhile read old new ref; do case "$ref" in ${cases}) echo "error: GH006: Protected branch update failed for $ref." >&2; echo "error: Changes must be made through a pull request." >&2; exit 1;; esac; done\n`;
  await writeFile(join(folder, "hooks", "pre-receive"), hook, { mode: 0o755 });
}

/** Commits files on a branch of a bare repository, past its hooks: a person at work. */
export async function commitFiles(folder: string, branch: string, commit: CommitFiles): Promise<string> {
  const tree = await mkdtemp(join(dirname(folder), "work-"));
  const author = commit.author ?? { name: "Robin Person", email: "robin@example.com" };
  const date = (commit.date ?? new Date()).toISOString();
  const env = {
    GIT_INDEX_FILE: join(tree, ".index"),
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.email,
    GIT_COMMITTER_NAME: author.name,
    GIT_COMMITTER_EMAIL: author.email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_DATE: date,
  };
  try {
    const parent = (
      await git(folder, ["rev-parse", "--verify", "--quiet", `refs/heads/${branch}`]).catch(() => "")
    ).trim();
    if (parent !== "") await git(folder, ["read-tree", parent], env);
    for (const [path, text] of Object.entries(commit.files)) {
      if (text === null) {
        // A bare repository takes no removal without a working tree beside it.
        const beside = { ...env, GIT_DIR: folder, GIT_WORK_TREE: tree };
        await git(tree, ["update-index", "--force-remove", path], beside);
        continue;
      }
      const file = join(tree, "blob");
      await writeFile(file, text);
      const blob = (await git(folder, ["hash-object", "-w", "--no-filters", file])).trim();
      await git(folder, ["update-index", "--add", "--cacheinfo", `100644,${blob},${path}`], env);
    }
    const root = (await git(folder, ["write-tree"], env)).trim();
    const head = (
      await git(folder, ["commit-tree", root, ...(parent === "" ? [] : ["-p", parent]), "-m", commit.message], env)
    ).trim();
    await git(folder, ["update-ref", `refs/heads/${branch}`, head]);
    return head;
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}

/** Git's smart HTTP protocol (gitprotocol-http) over `git upload-pack` and `git receive-pack`. */
export function serveGit(
  request: IncomingMessage,
  response: ServerResponse,
  folder: string,
  path: string,
  query: URLSearchParams,
): void {
  const advertise = path === "info/refs";
  const service = advertise ? (query.get("service") ?? "") : path;
  if (service !== "git-upload-pack" && service !== "git-receive-pack") {
    response.writeHead(403).end("Please upgrade your git client.\n");
    return;
  }
  const protocol = request.headers["git-protocol"];
  const child = spawn(
    "git",
    [service.slice(4), "--stateless-rpc", ...(advertise ? ["--advertise-refs"] : []), folder],
    {
      env: { ...GIT_ENV, ...(typeof protocol === "string" ? { GIT_PROTOCOL: protocol } : {}) },
      stdio: ["pipe", "pipe", "ignore"],
    },
  );
  response.writeHead(200, {
    "content-type": advertise ? `application/x-${service}-advertisement` : `application/x-${service}-result`,
    "cache-control": "no-cache",
  });
  if (advertise) {
    const line = `# service=${service}\n`;
    response.write(`${(line.length + 4).toString(16).padStart(4, "0")}${line}0000`);
    child.stdin.end();
  } else {
    const body = request.headers["content-encoding"] === "gzip" ? request.pipe(createGunzip()) : request;
    body.pipe(child.stdin);
  }
  // A client that goes away in the middle takes the pipe with it.
  child.stdin.on("error", () => undefined);
  child.stdout.pipe(response);
}
