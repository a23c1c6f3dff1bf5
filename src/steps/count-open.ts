import { entriesFor } from "../gitops/configured-source.ts";
import type { Deployer, Deployers, Origin } from "../gitops/origin.ts";
import { keyOf } from "../kube/ref.ts";
import type { KubeObject, ObjectRef } from "../model.ts";
import { parseCodeMarker } from "../pull-request/code-marker.ts";
import type { Run } from "../run.ts";

/** An object, what deploys it, what deploys that: as far as a change is followed. */
const LONGEST_WAY = 5;

/**
 * Open pull requests of Stanch in the fullest of the repositories in which these objects may be corrected. Not in every one that something of the
 * cluster is deployed from: these may be hundreds, and branches of a stranger's repository may have any name.
 */
export async function countOpen(
  live: ReadonlyMap<string, KubeObject | null>,
  refs: readonly ObjectRef[],
  run: Run,
): Promise<number> {
  const known: Deployers | null = await run.workbench.deployers().catch(() => null);
  const repositories = new Set<string>();
  for (const ref of refs) {
    for (const entry of entriesFor(ref, run.config.sources)) repositories.add(entry.repository);
    let object = live.get(keyOf(ref)) ?? null;
    for (let step = 0; known !== null && object !== null && step < LONGEST_WAY; step += 1) {
      const deployer: Deployer | null = known.of(object);
      for (const origin of deployer?.origins.found === true ? deployer.origins.origins : [])
        for (const repository of repositoriesOf(origin)) repositories.add(repository);
      object = deployer?.object ?? null;
    }
  }
  const counts = await Promise.all(
    [...repositories].map((repository) =>
      run.codeHost.openPullRequests(repository, `${run.config.pullRequest.branchPrefix}/`).then(
        // What a model wrote for people to judge must not keep production from being healed.
        (open) => open.filter(({ body }) => parseCodeMarker(body) === null).length,
        () => 0,
      ),
    ),
  );
  return Math.max(0, ...counts);
}

function repositoriesOf({ remote, repository, files = {} }: Origin): string[] {
  return [...(remote === undefined ? [repository] : []), ...Object.values(files).map((file) => file.repository)];
}
