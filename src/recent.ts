import { matchesGlob } from "./config/scope.ts";
import { originOf } from "./gitops/configured-source.ts";
import { rootPaths } from "./gitops/history.ts";
import { diffObjects } from "./gitops/object-diff.ts";
import type { Origin } from "./gitops/origin.ts";
import { stableKey } from "./gitops/rendered.ts";
import { inputsOf } from "./gitops/revert-candidates.ts";
import { openTree } from "./gitops/tree.ts";
import type { Change, Commit, KubeObject } from "./model.ts";
import type { Run } from "./run.ts";

/** Commits that are looked at, and how old they may be. */
const COMMITS = 3;
const AGE_MS = 24 * 3_600_000;

/** A source and the namespaces that it is asked about. */
export interface Inspected {
  readonly origin: Origin;
  readonly namespaces: readonly string[];
}

/** A recent commit of a source: what is rendered now, and what was before it. */
export interface RecentCommit {
  readonly commit: Commit;
  readonly now: readonly KubeObject[];
  /** By `stableKey`. */
  readonly before: ReadonlyMap<string, KubeObject>;
  /** Right after the commit: what later ones changed is not its doing. Undefined: it is the newest. */
  readonly after: ReadonlyMap<string, KubeObject> | undefined;
}

/** Sources whose recent commits are looked at, beginning with another one every minute. */
export async function inspectedSources({ workbench, config, clock }: Run): Promise<readonly Inspected[]> {
  // A chart that is fetched has no history, and this API server is not the one that takes what goes elsewhere.
  const known = (await workbench.origins()).filter(
    ({ owner, remote }) => owner.kind !== "configuration" && owner.elsewhere !== true && remote === undefined,
  );
  const all = [
    ...config.sources.map((entry) => ({ origin: originOf(entry), namespaces: entry.namespaces })),
    ...known.map((origin) => ({ origin, namespaces: ["*"] })),
  ];
  const start = all.length === 0 ? 0 : Math.floor(clock.now().getTime() / 60_000) % all.length;
  return [...all.slice(start), ...all.slice(0, start)];
}

/** Is an object deployed from this source into a namespace that is watched? */
export function isOfSource(
  object: KubeObject,
  { namespaces }: Inspected,
  watched: ReadonlyMap<string, unknown>,
): boolean {
  const { namespace = "" } = object.metadata;
  return watched.has(namespace) && namespaces.some((glob) => matchesGlob(glob, namespace));
}

/** Renders of one run, so that whoever looks at the same commits renders them once. */
const kept = new WeakMap<Run["workbench"], Map<string, Promise<Map<string, KubeObject>>>>();

/** The commits of the last day that touched what a source is rendered from, newest first, each rendered before it. */
export async function* recentCommits({ origin }: Inspected, run: Run): AsyncGenerator<RecentCommit> {
  const { source, checkout, rendered } = await run.workbench.bench(origin);
  const tree = await openTree(checkout.directory);
  const commits = await checkout.history(rootPaths(source, await inputsOf(tree, source)), COMMITS);
  const renders = kept.get(run.workbench) ?? new Map<string, Promise<Map<string, KubeObject>>>();
  kept.set(run.workbench, renders);
  let after: ReadonlyMap<string, KubeObject> | undefined;
  for (const commit of commits) {
    if (run.clock.now().getTime() - Date.parse(commit.at) > AGE_MS) return;
    const now = (await rendered()).objects;
    const key = `${JSON.stringify(origin)}@${commit.sha}`;
    const known =
      renders.get(key) ??
      checkout
        .treeAt(`${commit.sha}^`)
        .then(async (directory) => byKey((await run.renderer.render(directory, source)).objects));
    renders.set(key, known);
    const before = await known;
    yield { commit, now, before, after };
    after = before;
  }
}

/** What a commit changed in an object and what still stands so, from how it is to how it was before. */
export function ownChanges(object: KubeObject, { before, after }: RecentCommit): Change[] {
  const key = stableKey(object);
  const was = before.get(key);
  const made = after === undefined ? object : after.get(key);
  if (was === undefined || made === undefined) return [];
  const own = new Set(diffObjects(made, was).map((change) => JSON.stringify(change)));
  return diffObjects(object, was).filter((change) => own.has(JSON.stringify(change)));
}

function byKey(objects: readonly KubeObject[]): Map<string, KubeObject> {
  return new Map(objects.map((object) => [stableKey(object), object]));
}
