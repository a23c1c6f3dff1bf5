import { messageOf, StanchError } from "../errors.ts";
import { formatPath } from "../kube/field-path.ts";
import { numberAt } from "../kube/fields.ts";
import { describeRef, keyOf, refOf } from "../kube/ref.ts";
import { lostAddresses } from "../losses/addresses.ts";
import type { Lost } from "../losses/askers.ts";
import { lostNames } from "../losses/names.ts";
import { lostPods } from "../losses/pods.ts";
import { lostRights } from "../losses/rights.ts";
import { lostPorts, lostServices } from "../losses/services.ts";
import { lostWays } from "../losses/ways.ts";
import type { CutOffState, KubeObject } from "../model.ts";
import { inspectedSources, isOfSource, type RecentCommit, recentCommits } from "../recent.ts";
import type { Run } from "../run.ts";
import type { Observation } from "./observe.ts";

const PATIENCE_MS = 30_000;

/**
 * Objects in which a commit of the last day took away what clients, by their own manifests, still ask for (`src/losses`). Told from what Git says now and said before; no program is asked, because one that is cut off
 * may only log it, or hang.
 */
export async function cutOffs(run: Run, seen: Observation): Promise<CutOffState[]> {
  const out = new Map<string, CutOffState>();
  const began = run.clock.now().getTime();
  for (const entry of await inspectedSources(run)) {
    await run.renew();
    if (run.clock.now().getTime() - began > PATIENCE_MS) break;
    try {
      for await (const recent of recentCommits(entry, run)) {
        const watched = (object: KubeObject): boolean => isOfSource(object, entry, seen.namespaces);
        for (const state of LOSSES.flatMap((losses) => losses(recent))) {
          const key = keyOf(state.ref);
          if (out.has(key) || !watched(state.before)) continue;
          const live = await liveOf(state, run);
          if (live === undefined || isMoved(state, live)) continue;
          if ((live === null) === (state.now === undefined)) out.set(key, stateOf(state, live, recent));
        }
      }
    } catch (error) {
      const { repository, path } = entry.origin;
      run.log.debug("source not compared with its past", { source: `${repository}:${path}`, error: messageOf(error) });
    }
  }
  return [...out.values()];
}

const LOSSES: readonly ((recent: RecentCommit) => Lost[])[] = [
  lostPorts,
  lostServices,
  lostWays,
  lostPods,
  lostAddresses,
  lostNames,
  lostRights,
];

/** Null: it is not there. Undefined: nobody can know, or there is what only Git does not tell of. */
async function liveOf({ ref, absent = [] }: Lost, run: Run): Promise<KubeObject | null | undefined> {
  try {
    for (const name of absent)
      if ((await run.cluster.get({ apiVersion: "v1", kind: "Service", namespace: ref.namespace, name })) !== null)
        return undefined;
    return await run.cluster.get(ref);
  } catch (error) {
    // What may not be read is no reason to leave out all the others.
    if (!(error instanceof StanchError && error.code === "forbidden")) throw error;
    run.log.debug("object not read", { object: describeRef(ref), error: messageOf(error) });
    return undefined;
  }
}

/** Somebody scaled it in the meantime, whatever Git says. */
function isMoved({ now }: Lost, live: KubeObject | null): boolean {
  return now !== undefined && numberAt(now, "spec", "replicas") === 0 && numberAt(live, "spec", "replicas") !== 0;
}

function stateOf(
  { ref, clients, what, says, flows = [], rights = [], fields }: Lost,
  object: KubeObject | null,
  { commit }: RecentCommit,
): CutOffState {
  const [first] = clients;
  const who = first === undefined ? "A client" : describeRef(refOf(first));
  const short = commit.sha.slice(0, 7);
  const message = says?.replaceAll("{commit}", short) ?? `${who} asks for ${what}, which commit ${short} took away.`;
  return {
    ref,
    object,
    commit,
    message,
    flows,
    rights,
    clients: clients.map(refOf),
    ...(fields === undefined ? {} : { fields: fields.map(formatPath) }),
  };
}
