import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
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

/**
 * A bare repository that takes partial clones and refuses pushes to protected branches as GitHub words it. It is what `git init --bare` makes
 * (gitrepository-layout), without starting git five times: tests make hundreds.
 */
export async function makeBare(folder: string, branch: string, protectedBranches: readonly string[]): Promise<void> {
  for (const part of ["hooks", "objects/info", "objects/pack", "refs/heads", "refs/tags"])
    await mkdir(join(folder, part), { recursive: true });
  await writeFile(join(folder, "HEAD"), `ref: refs/heads/${branch}\n`);
  await writeFile(join(folder, "config"), BARE_CONFIG);
  await protect(folder, protectedBranches);
}

const BARE_CONFIG = `[core]
	repositoryformatversion = 0
	filemode = true
	bare = true
[uploadpack]
	allowFilter = true
	allowAnySHA1InWant = true
[http]
	receivepack = true
[gc]
	auto = 0
`;

/** Refuses pushes to these branches (globs), and to no others. */
export async function protect(folder: string, protectedBranches: readonly string[]): Promise<void> {
  await rm(join(folder, "hooks", "pre-receive"), { force: true });
  if (protectedBranches.length === 0) return;
  const cases = protectedBranches.map((name) => `refs/heads/${name}`).join("|");
  const hook = `#!/bin/sh\nwhile read old new ref; do case "$ref" in ${cases}) echo "error: GH006: Protected branch update failed for $ref." >&2; echo "error: Changes must be made through a pull request." >&2; exit 1;; esac; done\n`;
  await writeFile(join(folder, "hooks", "pre-receive"), hook, { mode: 0o755 });
}

/** Commits files on a branch of a bare repository, past its hooks: a person at work. Answers the commit. */
export async function commitFiles(folder: string, branch: string, commit: CommitFiles): Promise<string> {
  const author = commit.author ?? { name: "Robin Person", email: "robin@example.com" };
  const parent = await headOf(folder, branch);
  const when = `${author.name} <${author.email}> ${Math.floor((commit.date ?? new Date()).getTime() / 1000)} +0000`;
  const lines = [
    `commit refs/heads/${branch}`,
    `author ${when}`,
    `committer ${when}`,
    dataOf(commit.message.endsWith("\n") ? commit.message : `${commit.message}\n`),
    ...(parent === null ? [] : [`from ${parent}`]),
    ...Object.entries(commit.files).map(([path, text]) =>
      text === null ? `D ${quoted(path)}` : `M 100644 inline ${quoted(path)}\n${dataOf(text)}`,
    ),
    "done\n",
  ];
  // One process for any number of files, and a pack of its own for what they hold.
  const limit = ["-c", "fastimport.unpackLimit=1"];
  const running = call("git", ["-C", folder, ...limit, "fast-import", "--quiet", "--done"], { env: GIT_ENV });
  running.child.stdin?.on("error", () => undefined).end(lines.join("\n"));
  await running;
  const head = await headOf(folder, branch);
  if (head === null) throw new Error(`nothing was committed on ${branch}`);
  return head;
}

/** Counted bytes, as git-fast-import reads them. */
const dataOf = (text: string): string => `data ${Buffer.byteLength(text)}\n${text}`;

/** A path that fast-import takes for nothing else. */
const quoted = (path: string): string =>
  `"${path.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;

/** The commit of a branch, or null. Read from its file, as long as nobody has packed it. */
export async function headOf(folder: string, branch: string): Promise<string | null> {
  if (branch === "" || branch.startsWith("-") || branch.split("/").includes("..")) return null;
  const loose = (await readFile(join(folder, "refs", "heads", branch), "utf8").catch(() => "")).trim();
  if (/^[0-9a-f]{40}$/.test(loose)) return loose;
  if (!existsSync(join(folder, "packed-refs"))) return null;
  return (
    (await git(folder, ["rev-parse", "--verify", "--quiet", `refs/heads/${branch}`]).catch(() => "")).trim() || null
  );
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
  const args = [service.slice(4), "--stateless-rpc", ...(advertise ? ["--advertise-refs"] : []), folder];
  const env = { ...GIT_ENV, ...(typeof protocol === "string" ? { GIT_PROTOCOL: protocol } : {}) };
  const head = {
    "content-type": advertise ? `application/x-${service}-advertisement` : `application/x-${service}-result`,
    "cache-control": "no-cache",
  };
  if (advertise && service === "git-upload-pack" && protocol === "version=2") {
    ABILITIES ??= call("git", args, { env }).then(({ stdout }) => stdout);
    ABILITIES.then(
      (text) => response.writeHead(200, head).end(`${announced(service)}${text}`),
      () => {
        ABILITIES = undefined;
        response.destroy();
      },
    );
    return;
  }
  const child = spawn("git", args, { env, stdio: ["pipe", "pipe", "ignore"] });
  response.writeHead(200, head);
  if (advertise) {
    response.write(announced(service));
    child.stdin.end();
  } else {
    const body = request.headers["content-encoding"] === "gzip" ? request.pipe(createGunzip()) : request;
    body.pipe(child.stdin);
  }
  // A client that goes away in the middle takes the pipe with it.
  child.stdin.on("error", () => undefined);
  child.stdout.pipe(response);
}

/** In version 2 git says first what it can do, which is the same for every repository that `makeBare` made, and is asked once. */
let ABILITIES: Promise<string> | undefined;

function announced(service: string): string {
  const line = `# service=${service}\n`;
  return `${(line.length + 4).toString(16).padStart(4, "0")}${line}0000`;
}
