import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createRenderer } from "../../src/adapters/renderers.ts";
import { StanchError } from "../../src/errors.ts";
import type { Commit, Source } from "../../src/model.ts";
import type { Checkout } from "../../src/ports.ts";

export type Files = Readonly<Record<string, string | null>>;

/** A real Git repository in a temporary folder: a Checkout of its head. */
export interface Repository extends Checkout {
  /** Writes files (null: removes) and commits them. */
  commit(subject: string, files: Files): string;
}

export function makeRepository(files: Files): Repository {
  const directory = mkdtempSync(join(tmpdir(), "stanch-test-"));
  const trees: string[] = [];
  const git = (...args: string[]): string =>
    execFileSync("git", args, { cwd: directory, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  // What `git init` makes (gitrepository-layout): starting git is most of what a test of this kind costs.
  for (const part of ["objects", "refs/heads"]) mkdirSync(join(directory, ".git", part), { recursive: true });
  writeFileSync(join(directory, ".git/HEAD"), "ref: refs/heads/main\n");
  writeFileSync(join(directory, ".git/config"), "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n");
  let minute = 0;
  let head = "";
  const commit = (subject: string, changed: Files): string => {
    for (const [file, text] of Object.entries(changed)) {
      if (text === null) rmSync(join(directory, file));
      else {
        mkdirSync(dirname(join(directory, file)), { recursive: true });
        writeFileSync(join(directory, file), text);
      }
    }
    git("add", "-A");
    const at = new Date(Date.UTC(2026, 0, 1, 0, minute++)).toISOString();
    execFileSync(
      "git",
      ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "-q", "--allow-empty", "-m", subject],
      {
        cwd: directory,
        env: { ...process.env, GIT_AUTHOR_DATE: at, GIT_COMMITTER_DATE: at },
      },
    );
    head = readFileSync(join(directory, ".git/refs/heads/main"), "utf8").trim();
    return head;
  };
  commit("initial", files);
  return {
    directory,
    get revision() {
      return head;
    },
    branch: "main",
    commit,
    files: async () =>
      git("ls-tree", "-r", "-l", "-z", "HEAD")
        .split("\0")
        .filter((line) => line !== "")
        .map((line) => {
          const [mode = "", , , bytes = "0"] = line.split(/\s+/);
          return { mode, bytes: Number(bytes) || 0, path: line.slice(line.indexOf("\t") + 1) };
        }),
    read: async (file) =>
      lstatSync(join(directory, file), { throwIfNoEntry: false })?.isFile() === true
        ? readFileSync(join(directory, file), "utf8")
        : null,
    history: async (paths, limit) =>
      git("log", `-${limit}`, "--format=%H%x1f%an%x1f%ae%x1f%aI%x1f%s", "--", ...paths)
        .split("\n")
        .filter((line) => line !== "")
        .map(parseCommit),
    blame: async () => null,
    filesWith: async () => [],
    changedSince: async () => null,
    readAt: async () => null,
    treeAt: async (revision) => {
      const tree = mkdtempSync(join(tmpdir(), "stanch-tree-"));
      trees.push(tree);
      let archive: Buffer;
      try {
        archive = execFileSync("git", ["archive", revision], {
          cwd: directory,
          maxBuffer: 1e8,
          stdio: ["ignore", "pipe", "pipe"],
        });
      } catch (error) {
        // As the adapter says of the parent of the first commit.
        throw new StanchError("git", `there is no ${revision}`, { cause: error });
      }
      execFileSync("tar", ["-x", "-C", tree], { input: archive });
      return tree;
    },
    publish: async () => ({ pushed: false, reason: "refused", message: "this repository is read only" }),
    close: async () => {
      for (const path of [directory, ...trees]) rmSync(path, { recursive: true, force: true });
    },
  };
}

function parseCommit(line: string): Commit {
  const [sha = "", author = "", email = "", at = "", subject = ""] = line.split("\u001f");
  return { sha, author, email, at, subject };
}

export function sourceOf(path: string, tool: Source["tool"], namespace?: string): Source {
  return {
    id: `shop/deploy:${path}@main`,
    repository: "shop/deploy",
    branch: "main",
    path,
    tool,
    owner: { kind: "configuration", name: "test" },
    ...(namespace === undefined ? {} : { namespace }),
  };
}

const LAB = join(process.env["HOME"] ?? "", ".cache/stanch-lab/bin");
export const PATH = [process.env["PATH"] ?? "", LAB].join(delimiter);
export const renderer = createRenderer({ path: PATH });

/** Whether Kustomize roots can be rendered here; says so loudly when they cannot. */
export async function canKustomize(): Promise<boolean> {
  const version = (await renderer.versions()).find((row) => row.tool.includes("kustomize"));
  if (version?.missing !== undefined)
    process.stderr.write(`\nSKIPPED: every Kustomize test, because ${version.missing}.\n`);
  return version?.missing === undefined;
}
