import { StanchError } from "../errors.ts";
import type { Change, Commit, KubeObject, ObjectRef, Source } from "../model.ts";
import type { Checkout, Renderer } from "../ports.ts";
import { isBuilt } from "./composition.ts";
import { indexSource } from "./manifest-index.ts";
import { diffObjects } from "./object-diff.ts";
import { entriesOf } from "./plain-candidates.ts";
import { allRendered, findRendered } from "./rendered.ts";
import { inputsOf } from "./revert-candidates.ts";
import { openTree } from "./tree.ts";

export interface HistoryRequest {
  readonly ref: ObjectRef;
  readonly source: Source;
  readonly checkout: Checkout;
  readonly renderer: Renderer;
  /** Commits that are looked at. */
  readonly limit: number;
}

export interface ObjectVersion {
  /** The commit that made the change. */
  readonly commit: Commit;
  /** The tree before it. */
  readonly parent: string;
  /** From what the object is now to what it was before that commit. */
  readonly changes: readonly Change[];
  readonly before: KubeObject;
}

/**
 * Earlier versions of one object, newest change first: each commit that touched what the object is rendered from, rendered at its
 * parent. A parent that does not render, or does not have the object, tells nothing and is passed over.
 */
export async function previousVersions({
  ref,
  source,
  checkout,
  renderer,
  limit,
}: HistoryRequest): Promise<ObjectVersion[]> {
  const now = findRendered((await renderer.render(checkout.directory, source)).objects, ref, source);
  if (now === undefined) return [];
  const commits = await checkout.history(await pathsOf(ref, source, checkout), limit);
  const out: ObjectVersion[] = [];
  let newer = JSON.stringify([]);
  for (const commit of commits) {
    const parent = `${commit.sha}^`;
    const before = await versionAt(parent, ref, source, checkout, renderer);
    if (before === "no parent") break;
    if (before === null) continue;
    const changes = diffObjects(now, before).map((change) => ({ ...change, object: ref }));
    const said = JSON.stringify(changes);
    // The same difference as before the next commit: this one changed something else.
    if (changes.length > 0 && said !== newer) out.push({ commit, parent, changes, before });
    newer = said;
  }
  return out;
}

/**
 * The newest commit that took an object out of what a source renders, with the object as it was; null when it is rendered now,
 * and when none of the commits that are looked at had it.
 */
export async function removalOf({
  ref,
  source,
  checkout,
  renderer,
  limit,
}: HistoryRequest): Promise<Pick<ObjectVersion, "commit" | "before"> | null> {
  if (findRendered((await renderer.render(checkout.directory, source)).objects, ref, source) !== undefined) return null;
  const tree = await openTree(checkout.directory);
  for (const commit of await checkout.history(rootPaths(source, await inputsOf(tree, source)), limit)) {
    const before = await versionAt(`${commit.sha}^`, ref, source, checkout, renderer);
    if (before === "no parent") return null;
    if (before !== null) return { commit, before };
  }
  return null;
}

/** More names than this do not fit on a command line everywhere. */
const NAMES = 500;

/** What a source is rendered from, for Git's history: its folder, which also holds what is gone by now, and files elsewhere. */
export function rootPaths({ path }: Source, inputs: readonly string[]): string[] {
  const elsewhere = inputs.filter((file) => path !== "." && !file.startsWith(`${path}/`));
  if (elsewhere.length <= NAMES) return [path, ...elsewhere];
  return [path, ...new Set(elsewhere.map((file) => (file.includes("/") ? file.slice(0, file.indexOf("/")) : file)))];
}

async function versionAt(
  parent: string,
  ref: ObjectRef,
  source: Source,
  checkout: Checkout,
  renderer: Renderer,
): Promise<KubeObject | null | "no parent"> {
  let directory: string;
  try {
    directory = await checkout.treeAt(parent);
  } catch (error) {
    if (error instanceof StanchError && error.code === "git") return "no parent";
    throw error;
  }
  try {
    const found = allRendered((await renderer.render(directory, source)).objects, ref, source);
    return found.length === 1 ? (found[0] ?? null) : null;
  } catch (error) {
    if (error instanceof StanchError && error.code === "render") return null;
    throw error;
  }
}

/** What the object is rendered from: its own file in a plain source, everything that the root pulls in otherwise. */
async function pathsOf(ref: ObjectRef, source: Source, checkout: Checkout): Promise<readonly string[]> {
  const tree = await openTree(checkout.directory);
  if (source.tool === "plain" && !(await isBuilt(tree, source))) {
    const index = await indexSource(tree.directory, source);
    const files = [
      ...new Set(entriesOf(index.entries, { change: { object: ref, path: [] }, source }).map((entry) => entry.file)),
    ];
    if (files.length > 0) return files;
  }
  const inputs = await inputsOf(tree, source);
  return inputs.length === 0 || inputs.length > NAMES ? [source.path] : inputs;
}
