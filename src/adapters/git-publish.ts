import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, StanchError } from "../errors.ts";
import type { PublishRequest, PublishResult } from "../ports.ts";
import type { Git } from "./git-runner.ts";

/** What is published from: a clone, the commit to build on, and a folder of ours. */
export interface PublishBase {
  readonly git: Git;
  readonly root: string;
  readonly revision: string;
  readonly author: { readonly name: string; readonly email: string };
}

/**
 * Is every commit between the checkout's revision and a branch's head ours? Asked right before the push, of the very commit that
 * it would replace: whoever pushes after this is seen by the compare and swap.
 */
async function isOurs(state: PublishBase, head: string): Promise<boolean> {
  const { git, revision, author } = state;
  const rows = await git(["log", "--format=%ae%x1f%ce", `${revision}..${head}`]).catch(() => null);
  // Not fetched: it came after the checkout was opened, and the push would be refused.
  if (rows === null) return false;
  return rows
    .split("\n")
    .filter((row) => row !== "")
    .every((row) => row === `${author.email}\x1f${author.email}`);
}

/**
 * One commit on top of the checkout's revision, built from blobs in an index of its own (no filter, no hook, no working tree), and
 * pushed by compare and swap.
 */
export async function publish(state: PublishBase, request: PublishRequest): Promise<PublishResult> {
  const { git, revision, author } = state;
  const folder = await mkdtemp(join(state.root, "publish-"));
  const env = {
    GIT_INDEX_FILE: join(folder, "index"),
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.email,
    GIT_COMMITTER_NAME: author.name,
    GIT_COMMITTER_EMAIL: author.email,
  };
  if (request.expected !== null && !(await isOurs(state, request.expected)))
    return { pushed: false, reason: "edited", message: `branch ${request.branch} has commits of a person` };
  await git(["read-tree", revision], env);
  for (const [index, edit] of request.edits.entries()) {
    const row = (await git(["ls-tree", "-z", "--full-tree", revision, "--", edit.file])).split("\0")[0] ?? "";
    // A folder or submodule has a mode too, and is no file.
    const mode = /^(\d{6}) /.exec(row)?.[1];
    if (mode !== undefined && !mode.startsWith("100"))
      throw new StanchError("git", `${edit.file} is no regular file`, {
        hint: "symbolic links and submodules are not edited",
      });
    const now = mode === undefined ? "" : (await git.blob(`${revision}:${edit.file}`)).toString("utf8");
    if (now !== edit.before)
      throw new StanchError("conflict", `${edit.file} is not what the edit was made for`, {
        hint: "the next run looks again",
      });
    const file = join(folder, String(index));
    await writeFile(file, edit.after);
    const blob = (await git(["hash-object", "-w", "--no-filters", "--", file])).trim();
    await git(["update-index", "--add", "--cacheinfo", `${mode ?? "100644"},${blob},${edit.file}`], env);
  }
  const tree = (await git(["write-tree"], env)).trim();
  const same = (await git(["rev-parse", `${revision}^{tree}`])).trim();
  if (tree === same) return { pushed: false, reason: "unchanged", message: "the edits change nothing" };
  const message = join(folder, "message");
  await writeFile(message, request.message);
  const head = (await git(["commit-tree", tree, "-p", revision, "-F", message], env)).trim();
  if (
    request.expected !== null &&
    (await git(["rev-parse", "--verify", "--quiet", `${request.expected}^{tree}`]).catch(() => "")).trim() === tree
  ) {
    const parent = (await git(["rev-parse", "--verify", "--quiet", `${request.expected}^`]).catch(() => "")).trim();
    if (parent === revision) return { pushed: false, reason: "unchanged", message: "the branch says this already" };
  }
  const lease = `--force-with-lease=refs/heads/${request.branch}:${request.expected ?? ""}`;
  try {
    await git(["push", "--quiet", lease, "origin", `${head}:refs/heads/${request.branch}`]);
    return { pushed: true, head };
  } catch (error) {
    const text = messageOf(error);
    if (/stale info|fetch first|non-fast-forward|cannot lock ref/i.test(text))
      return { pushed: false, reason: "moved", message: `branch ${request.branch} was moved by somebody else` };
    if (/protected branch|GH006|hook declined|GH013|pre-receive/i.test(text))
      return {
        pushed: false,
        reason: "refused",
        message: `the host refuses a push to ${request.branch}: ${text.slice(0, 300)}`,
      };
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
