import { appendFile, copyFile, mkdtemp, readFile, realpath, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { messageOf, StanchError } from "../errors.ts";
import type { Checkout } from "../ports.ts";
import { checkoutOf } from "./git.ts";
import { type Git, gitIn } from "./git-runner.ts";

export interface WorkspaceOptions {
  /** What the runner checked out ($GITHUB_WORKSPACE); it need not be a repository. */
  readonly directory: string;
  /** https URL of the repository, without credentials. */
  readonly remote: string;
  readonly token: string | undefined;
  /** Where git is ($PATH). */
  readonly path: string;
  /** Proxies and certificate authorities, as variables (`gitNetwork`). */
  readonly network?: Readonly<Record<string, string>>;
}

/** Two commits of one repository, each as a folder of our own. */
export interface Workspace {
  /** A commit as a checkout. It is fetched when the workspace does not hold it. Throws StanchError `git` with a hint. */
  at(revision: string, branch: string): Promise<Checkout>;
  /** Parents of a commit, in order. */
  parents(revision: string): Promise<readonly string[]>;
  /** The commit from which two others went apart. Fetches history where it is not there. */
  mergeBase(a: string, b: string): Promise<string>;
  /** Files that differ between two commits, both names of one that moved. */
  changed(before: string, after: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

const SHA = /^[0-9a-f]{40}$/;

/**
 * The workspace's commits in a repository of our own that borrows its objects: nothing of the workspace's configuration, hooks, filters
 * or credentials is used, whatever an earlier step left there, and nothing in it is changed.
 */
export async function openWorkspace(options: WorkspaceOptions): Promise<Workspace> {
  const root = await mkdtemp(join(await realpath(tmpdir()), "stanch-review-"));
  try {
    const own = join(root, "own.git");
    const outside = gitIn(root, options);
    await outside(["init", "--quiet", "--bare", own]);
    await borrow(options.directory, own);
    // A workspace may have been fetched without blobs: what is missing then is asked for one by one. (An address holds no quote.)
    const { href } = new URL(options.remote);
    await appendFile(
      join(own, "config"),
      `[remote "origin"]\n\turl = "${href}"\n\tpromisor = true\n\tpartialclonefilter = blob:none\n`,
    );
    return workspaceOf(gitIn(own, options), root, options);
  } catch (error) {
    await rm(root, { recursive: true, force: true });
    throw error;
  }
}

function workspaceOf(git: Git, root: string, options: WorkspaceOptions): Workspace {
  const opened: Checkout[] = [];
  const seen = new Set<string>();
  const has = async (revision: string): Promise<boolean> =>
    seen.has(revision) ||
    git(["cat-file", "-e", `${revision}^{commit}`], { GIT_NO_LAZY_FETCH: "1" }).then(
      () => seen.add(revision) !== undefined,
      () => false,
    );
  const fetch = async (revisions: readonly string[], more: readonly string[]): Promise<void> => {
    try {
      await git(["fetch", "--quiet", "--no-tags", "--filter=blob:none", ...more, "origin", ...revisions]);
    } catch (error) {
      throw missing(revisions, options, error);
    }
  };
  /** Makes sure that a commit is here, alone if that is enough. */
  async function need(revision: string): Promise<void> {
    if (!SHA.test(revision))
      throw new StanchError("git", "the event names a commit by something that is no commit id", {
        hint: "run the Action on `pull_request` events",
      });
    if (!(await has(revision))) await fetch([revision], ["--depth=1"]);
  }
  return {
    async at(revision, branch) {
      await need(revision);
      const directory = join(root, `${opened.length}-${revision.slice(0, 12)}`);
      await git(["worktree", "add", "--quiet", "--force", "--detach", directory, revision]).catch((error: unknown) => {
        throw missing([revision], options, error);
      });
      const author = { name: "stanch", email: "stanch@invalid" };
      const checkout = checkoutOf({
        git,
        root: join(root, `tree-${opened.length}`),
        directory,
        revision,
        branch,
        author,
      });
      const reading: Checkout = {
        ...checkout,
        publish: () => Promise.reject(new StanchError("git", "a review publishes nothing")),
      };
      opened.push(reading);
      return reading;
    },
    async parents(revision) {
      await need(revision);
      const text = await git(["cat-file", "-p", revision]);
      const [head = ""] = text.split("\n\n");
      return [...head.matchAll(/^parent ([0-9a-f]{40})$/gm)].map((match) => match[1] ?? "");
    },
    async mergeBase(a, b) {
      const find = async (): Promise<string | null> => {
        const out = await git(["merge-base", "--end-of-options", a, b]).catch(() => "");
        return SHA.test(out.trim()) ? out.trim() : null;
      };
      if ((await has(a)) && (await has(b))) {
        const near = await find();
        if (near !== null) return near;
      }
      const shallow = (await stat(join(root, "own.git", "shallow")).catch(() => null)) !== null;
      await fetch([a, b], shallow ? ["--unshallow"] : []);
      const found = await find();
      if (found === null) throw missing([a, b], options, new Error("they have no commit in common"));
      return found;
    },
    async changed(before, after) {
      const out = await git([
        "diff-tree",
        "-r",
        "-z",
        "--name-only",
        "--no-renames",
        "--end-of-options",
        before,
        after,
      ]);
      return out.split("\0").filter((name) => name !== "");
    },
    async close() {
      for (const checkout of opened) await checkout.close().catch(() => undefined);
      await rm(root, { recursive: true, force: true });
    },
  };
}

function missing(revisions: readonly string[], options: WorkspaceOptions, error: unknown): StanchError {
  const names = revisions.map((sha) => sha.slice(0, 10)).join(" and ");
  return new StanchError("git", `commit ${names} is not in the checkout and cannot be fetched: ${messageOf(error)}`, {
    hint:
      options.token === undefined || options.token === ""
        ? "check out with `fetch-depth: 0` (actions/checkout), or give the Action a `token` with contents: read"
        : "give the job `permissions: contents: read`, or check out with `fetch-depth: 0` (actions/checkout)",
    cause: error,
  });
}

/** Lets a repository use the objects of the workspace, as deep as they go there. A workspace that is none lends nothing. */
async function borrow(workspace: string, own: string): Promise<void> {
  const folder = await gitFolder(workspace);
  if (folder === null) return;
  const objects = join(folder, "objects");
  if ((await stat(objects).catch(() => null)) === null) return;
  await writeFile(join(own, "objects", "info", "alternates"), `${objects}\n`);
  // What is cut off there is cut off here, too: else its parents would be taken for lost.
  await copyFile(join(folder, "shallow"), join(own, "shallow")).catch(() => undefined);
}

/** The folder in which a working tree's objects lie: `.git`, or what a file of that name leads to. */
async function gitFolder(workspace: string): Promise<string | null> {
  const at = join(workspace, ".git");
  const info = await stat(at).catch(() => null);
  if (info === null) return null;
  if (info.isDirectory()) return realpath(at);
  const [, named] = /^gitdir: (.+)$/m.exec(await readFile(at, "utf8").catch(() => "")) ?? [];
  if (named === undefined) return null;
  const linked = resolve(workspace, named.trim());
  const common = (await readFile(join(linked, "commondir"), "utf8").catch(() => "")).trim();
  return realpath(common === "" ? linked : resolve(linked, common)).catch(() => null);
}
