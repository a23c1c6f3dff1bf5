import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, realpath, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { messageOf, StanchError } from "../errors.ts";
import { remember } from "../gitops/kept.ts";
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
  const outside = gitIn(await realpath(options.cacheDirectory), access);
  const checkout = (): Promise<Checkout> => checkOut(gitIn(cache, access), repository, branch, options);
  const found = await stat(join(cache, "HEAD")).catch(() => null);
  if (found !== null && (await fetched(gitIn(cache, access), options.log))) {
    try {
      return await checkout();
    } catch (error) {
      if (!DAMAGED.test(messageOf(error))) throw error;
      options.log.warn("the cached clone is damaged and is made anew", { error: messageOf(error) });
    }
  }
  await cloneTo(cache, outside, remote, found?.ino);
  return checkout();
}

/** What git says of objects that should be there and are not, or are not what they should be. */
const DAMAGED =
  /corrupt|bad object|unable to read|missing (blob|tree|commit|object)|loose object|not a git repository/i;

async function checkOut(git: Git, repository: string, branch: string, options: GitOptions): Promise<Checkout> {
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

/** Brings the cached clone up to date. False: git cannot use it any more. */
async function fetched(git: Git, log: Log): Promise<boolean> {
  try {
    await git(["worktree", "prune"]);
    await git(["fetch", "--quiet", "--prune", "--no-tags", "--force", "origin", "+refs/heads/*:refs/heads/*"]);
    return true;
  } catch (error) {
    if (!/not a git repository|corrupt|bad object|unable to read|invalid|lock/i.test(messageOf(error))) throw error;
    log.warn("the cached clone cannot be used and is made anew", { error: messageOf(error) });
    return false;
  }
}

/**
 * Clones, and puts the clone in the place of what was there. By names alone, which change at once: whoever is killed or works beside leaves a
 * whole clone there or none, and never one with half of its objects. `unusable`: the inode of the HEAD that cannot be used; what somebody
 * else has put there since is as good as this clone.
 */
async function cloneTo(cache: string, outside: Git, remote: string, unusable: number | undefined): Promise<void> {
  await sweep(cache);
  const mark = randomBytes(4).toString("hex");
  const fresh = `${cache}.${mark}`;
  const old = `${fresh}.old`;
  try {
    await outside(["clone", "--quiet", "--bare", "--filter=blob:none", "--no-tags", "--", remote, fresh]);
    const there = await stat(join(cache, "HEAD")).catch(() => null);
    if (there === null || there.ino === unusable) await rename(cache, old).catch(except("ENOENT"));
    await rename(fresh, cache).catch(except("ENOTEMPTY", "EEXIST"));
  } finally {
    for (const left of [fresh, old]) await rm(left, { recursive: true, force: true });
  }
}

function except(...codes: readonly string[]): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (!codes.includes(error.code ?? "")) throw error;
  };
}

const STALE_MS = 86_400_000;

/** What a killed process left of its clones. */
async function sweep(cache: string): Promise<void> {
  const folder = dirname(cache);
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${basename(cache)}.`)) continue;
    const { mtimeMs } = await stat(join(folder, name)).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > STALE_MS) await rm(join(folder, name), { recursive: true, force: true });
  }
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
  // A commit's history never changes, and several of those who look into it ask the same.
  const histories = new Map<string, Promise<readonly Commit[]>>();
  const names = new Map<string, Promise<string>>();
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
    history(paths, limit) {
      // Paths are names and not patterns, whatever is in them.
      const words = [`--max-count=${limit}`, "--first-parent", "-m", `--format=${FORMAT}`, revision, "--"];
      if (!paths.includes(".")) words.push(...paths);
      return remember(histories, words.join("\0"), async () =>
        parseLog(await git(["--literal-pathspecs", "log", ...words])),
      );
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
      const sha = await remember(names, other, async () =>
        (await git(["rev-parse", "--verify", "--quiet", "--end-of-options", `${other}^{commit}`])).trim(),
      );
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
