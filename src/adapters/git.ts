import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, realpath, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf, StanchError } from "../errors.ts";
import type { Commit } from "../model.ts";
import type { Checkout, Log, Repositories, TrackedFile } from "../ports.ts";
import { type PublishBase, publish } from "./git-publish.ts";
import { type Git, gitIn } from "./git-runner.ts";
import { searchIn, textOf } from "./git-search.ts";

export interface GitOptions {
  readonly cacheDirectory: string;
  /** https URL of a repository, without credentials. */
  readonly remote: (repository: string) => string;
  readonly token: (repository: string) => Promise<string | undefined>;
  readonly author: { readonly name: string; readonly email: string };
  readonly log: Log;
  /** Where git is ($PATH). */
  readonly path: string;
  /** Proxies and certificate authorities, as variables (`gitNetwork`). */
  readonly network?: Readonly<Record<string, string>>;
}

/** Repositories as cached blobless clones with a private working tree for each checkout. */
export function createRepositories(options: GitOptions): Repositories {
  // One clone of a repository is fetched by one reader at a time.
  const queue = new Map<string, Promise<unknown>>();
  return {
    async open(repository, branch) {
      const before = queue.get(repository) ?? Promise.resolve();
      const turn = before.catch(() => undefined).then(() => open(repository, branch, options));
      queue.set(repository, turn);
      return turn;
    },
  };
}

async function open(repository: string, branch: string, options: GitOptions): Promise<Checkout> {
  const remote = options.remote(repository);
  const name = createHash("sha256").update(remote).digest("hex").slice(0, 16);
  await mkdir(options.cacheDirectory, { recursive: true, mode: 0o700 });
  const cache = join(await realpath(options.cacheDirectory), `${name}.git`);
  const access = {
    remote,
    token: await options.token(repository),
    path: options.path,
    network: options.network ?? {},
  };
  const git = await fetchInto(
    cache,
    gitIn(await realpath(options.cacheDirectory), access),
    () => gitIn(cache, access),
    remote,
    options.log,
  );
  const revision = (
    await git(["rev-parse", "--verify", "--end-of-options", `refs/heads/${branch}^{commit}`]).catch(
      (error: unknown) => {
        if (!/needed a single revision|unknown revision/i.test(messageOf(error))) throw error;
        throw new StanchError("git", `${repository} has no branch "${branch}"`, {
          hint: "correct `branch` of this source in the configuration",
          cause: error,
        });
      },
    )
  ).trim();
  const root = await mkdtemp(join(await realpath(tmpdir()), "stanch-tree-"));
  try {
    const directory = await addTree(git, root, revision);
    return checkoutOf({ git, root, directory, revision, branch, author: options.author });
  } catch (error) {
    await rm(root, { recursive: true, force: true });
    throw error;
  }
}

/** Clones or fetches. A cache that git cannot use any more is made anew. */
async function fetchInto(cache: string, outside: Git, inside: () => Git, remote: string, log: Log): Promise<Git> {
  const exists = await stat(join(cache, "HEAD")).then(
    () => true,
    () => false,
  );
  if (exists) {
    const git = inside();
    try {
      await git(["worktree", "prune"]);
      await git(["fetch", "--quiet", "--prune", "--no-tags", "--force", "origin", "+refs/heads/*:refs/heads/*"]);
      return git;
    } catch (error) {
      if (!/not a git repository|corrupt|bad object|unable to read|invalid|lock/i.test(messageOf(error))) throw error;
      log.warn("the cached clone cannot be used and is made anew", { error: messageOf(error) });
      await rm(cache, { recursive: true, force: true });
    }
  }
  const fresh = `${cache}.${randomBytes(4).toString("hex")}`;
  try {
    await outside(["clone", "--quiet", "--bare", "--filter=blob:none", "--no-tags", "--", remote, fresh]);
    await rm(cache, { recursive: true, force: true });
    await rename(fresh, cache);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return inside();
}

/** A detached working tree of a revision, under a folder of ours. */
async function addTree(git: Git, root: string, revision: string): Promise<string> {
  const directory = join(root, revision.slice(0, 12));
  await git(["worktree", "add", "--quiet", "--force", "--detach", directory, revision]);
  return directory;
}

interface State extends PublishBase {
  readonly directory: string;
  readonly branch: string;
}

/** A working tree of ours as a checkout. */
export function checkoutOf(state: State): Checkout {
  const { git, revision } = state;
  const trees = new Map<string, Promise<string>>([[revision, Promise.resolve(state.directory)]]);
  let files: Promise<readonly TrackedFile[]> | undefined;
  const listed = (): Promise<readonly TrackedFile[]> =>
    (files ??= git(["ls-tree", "-r", "-l", "-z", "--full-tree", revision]).then(parseTree));
  return {
    ...searchIn(git, revision),
    directory: state.directory,
    revision,
    branch: state.branch,
    files: listed,
    async read(file) {
      if (!(await listed()).some((entry) => entry.path === file && entry.mode.startsWith("100"))) return null;
      return textOf(git, revision, file);
    },
    async history(paths, limit) {
      // Paths are names and not patterns, whatever is in them.
      const out = await git([
        "--literal-pathspecs",
        "log",
        `--max-count=${limit}`,
        "--first-parent",
        "-m",
        `--format=${FORMAT}`,
        revision,
        "--",
        ...(paths.includes(".") ? [] : paths),
      ]);
      return parseLog(out);
    },
    async blame(file, line) {
      const out = await git(["blame", "--porcelain", `-L${line},${line}`, revision, "--", file]).catch(() => "");
      const sha = /^([0-9a-f]{40}) /.exec(out)?.[1];
      return sha === undefined
        ? null
        : (parseLog(await git(["log", "--max-count=1", `--format=${FORMAT}`, sha]))[0] ?? null);
    },
    async treeAt(other) {
      // Of a commit that is not there, git says nothing and this client no error.
      const sha = (await git(["rev-parse", "--verify", "--quiet", "--end-of-options", `${other}^{commit}`])).trim();
      if (sha === "") throw new StanchError("git", `there is no commit ${other}`);
      let tree = trees.get(sha);
      if (tree === undefined) {
        tree = addTree(git, state.root, sha);
        trees.set(sha, tree);
      }
      return tree;
    },
    publish: (request) => publish(state, request),
    async close() {
      // None may be made any more when the folder goes. What the clone notes about them goes when it is next opened.
      await Promise.allSettled(trees.values());
      await rm(state.root, { recursive: true, force: true });
    },
  };
}

const FORMAT = "%H%x1f%an%x1f%ae%x1f%cI%x1f%s%x1e";

function parseLog(text: string): Commit[] {
  return text.split("\x1e").flatMap((row): Commit[] => {
    const [sha, author, email, at, subject] = row.trim().split("\x1f");
    return sha === undefined || sha === ""
      ? []
      : [{ sha, author: author ?? "", email: email ?? "", at: at ?? "", subject: subject ?? "" }];
  });
}

function parseTree(text: string): TrackedFile[] {
  return text.split("\0").flatMap((row): TrackedFile[] => {
    const match = /^(\d{6}) \w+ [0-9a-f]+ +(\d+|-)\t([\s\S]+)$/.exec(row);
    return match === null ? [] : [{ mode: match[1] ?? "", bytes: Number(match[2]) || 0, path: match[3] ?? "" }];
  });
}
