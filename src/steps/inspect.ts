import type { SourceEntry } from "../config/schema.ts";
import { inScope, matchesGlob } from "../config/scope.ts";
import { messageOf, StanchError } from "../errors.ts";
import { diffObjects } from "../gitops/object-diff.ts";
import { stableKey } from "../gitops/rendered.ts";
import { inputsOf } from "../gitops/revert-candidates.ts";
import { openTree } from "../gitops/tree.ts";
import { refOf } from "../kube/ref.ts";
import { resourceOf } from "../kube/resources.ts";
import type { KubeObject, RefusedState } from "../model.ts";
import type { Run } from "../run.ts";

/** Commits that are looked at, how old they may be, and how many of the objects that they changed are asked about. */
const COMMITS = 3;
const AGE_MS = 24 * 3_600_000;
const OBJECTS = 50;

/**
 * Objects that recent commits changed and that the API server now refuses to take: Git says what cannot be deployed, and the
 * cluster still runs what was before. By server-side dry run; nothing is written. A source that cannot be read tells nothing here.
 */
export async function inspect(run: Run): Promise<RefusedState[]> {
  const out = new Map<string, RefusedState>();
  for (const entry of run.config.sources) {
    try {
      const bench = await run.workbench.bench(entry);
      const { source, checkout } = bench;
      const tree = await openTree(checkout.directory);
      const commits = await checkout.history([source.path, ...(await inputsOf(tree, source))], COMMITS);
      const now = (await bench.rendered()).objects;
      for (const commit of commits) {
        if (run.clock.now().getTime() - Date.parse(commit.at) > AGE_MS) break;
        const before = await run.renderer.render(await checkout.treeAt(`${commit.sha}^`), source);
        const earlier = new Map(before.objects.map((object) => [stableKey(object), object]));
        for (const object of now.filter((item) => isAsked(item, entry, run)).slice(0, OBJECTS)) {
          const was = earlier.get(stableKey(object));
          if (was === undefined || out.has(stableKey(object)) || diffObjects(object, was).length === 0) continue;
          const message = await refusalOf(object, run);
          if (message === null || (await refusalOf(was, run)) !== null) continue;
          out.set(stableKey(object), { ref: refOf(object), object, before: was, commit, message });
        }
      }
    } catch (error) {
      run.log.debug("source not inspected", { source: `${entry.repository}:${entry.path}`, error: messageOf(error) });
    }
  }
  return [...out.values()];
}

/** Only kinds that are known, in watched namespaces of the source, and never Secrets: their data would be sent. */
function isAsked({ apiVersion, kind, metadata }: KubeObject, entry: SourceEntry, { config }: Run): boolean {
  const namespace = metadata.namespace ?? "";
  return (
    resourceOf(apiVersion, kind)?.namespaced === true &&
    kind !== "Secret" &&
    inScope(namespace, config) &&
    entry.namespaces.some((glob) => matchesGlob(glob, namespace))
  );
}

/** The API server's own words; null: it takes the object, or could not be asked. */
export async function refusalOf(object: KubeObject, run: Pick<Run, "cluster">): Promise<string | null> {
  try {
    await run.cluster.dryRunApply(object);
    return null;
  } catch (error) {
    if (!(error instanceof StanchError)) throw error;
    return error.code === "invalid" ? error.message : null;
  }
}
