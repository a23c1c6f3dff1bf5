import { askForSync } from "./await-sync.ts";
import { messageOf } from "./errors.ts";
import { sameAsLive } from "./gitops/field-equality.ts";
import type { Incident } from "./incident/incident.ts";
import { outcomeOf } from "./incident/outcome.ts";
import { getAt } from "./kube/field-path.ts";
import { describeRef } from "./kube/ref.ts";
import { byObject } from "./kube/written.ts";
import type { Outcome, Plan, Source } from "./model.ts";
import type { Run } from "./run.ts";

/** Git says something else than the cluster runs, and it is not deployed yet. */
export interface Ahead {
  readonly head: string;
  /** `Deployment shop/cart comes from … at 1a2b3c4, which says otherwise; deployed is 5d6e7f8`: a clause. */
  readonly text: string;
}

/** A fix that is on its way gets this long before the problem is treated as if there were none. */
const PATIENCE_MS = 10 * 60_000;

/**
 * Has somebody changed these fields in Git already, and the engine has not come to it? Then neither a live change nor a pull request is
 * right. Only of what an engine deploys that says its commit; a code host that is out of reach stops nobody.
 */
export async function aheadOf(plan: Plan, run: Run): Promise<Ahead | null> {
  try {
    for (const { ref, changes } of byObject(plan.changes)) {
      const source = await deployedSource(ref, run);
      if (source === null) continue;
      const { deployed, branch } = source;
      const head = await run.codeHost.branchHead(source.repository, branch);
      if (head === null || head === deployed) continue;
      const found = await run.workbench.find(ref);
      if (!found.found) continue;
      const { bench, object } = found;
      const differs = changes.some(({ path, from }) => !sameAsLive(path, getAt(object, path), from));
      if (differs)
        return {
          head: bench.checkout.revision,
          text: `${bench.source.id} at ${bench.checkout.revision.slice(0, 7)} says something else for ${describeRef(ref)} already; deployed is ${deployed.slice(0, 7)}`,
        };
    }
  } catch (error) {
    run.log.debug("Git was not compared before the live change", { error: messageOf(error) });
  }
  return null;
}

/** Where an object comes from by its engine, without fetching anything. */
async function deployedSource(
  ref: Plan["finding"]["workload"],
  run: Run,
): Promise<(Pick<Source, "repository" | "branch"> & { readonly deployed: string }) | null> {
  const live = await run.cluster.get(ref);
  const deployer = live === null ? null : (await run.workbench.deployers()).of(live);
  if (deployer?.origins.found !== true || deployer.origins.origins.length !== 1) return null;
  const [origin] = deployer.origins.origins;
  const deployed = origin?.owner.deployed;
  if (origin === undefined || deployed === undefined || origin.branch === undefined || origin.remote !== undefined)
    return null;
  return { repository: origin.repository, branch: origin.branch, deployed };
}

/** Asks for the deployment and waits; null when it has been waited for long enough. */
export async function waitForGit(incident: Incident, ahead: Ahead, run: Run): Promise<Outcome | null> {
  const { sync } = incident.status ?? {};
  const now = run.clock.now();
  // A branch that moves on meanwhile begins no new wait, or nothing would ever be treated.
  const begun = sync?.commit === undefined ? Number.NaN : now.getTime() - Date.parse(sync.since);
  const goesOn = sync !== undefined && (sync.commit === ahead.head || begun < 3 * PATIENCE_MS);
  const since = goesOn ? sync.since : now.toISOString();
  if (now.getTime() - Date.parse(since) > PATIENCE_MS) return null;
  const asked = await askForSync(incident, { commit: ahead.head, since }, run);
  const said = asked.said === "" ? "" : ` ${asked.said}.`;
  const text = `Nothing was changed live and no pull request is needed: ${ahead.text}.${said}`;
  const known = asked.incident.status?.sync;
  // Also where nobody may be asked (mode `propose`), the wait has a beginning.
  const waited = known?.commit === ahead.head ? known : { commit: ahead.head, since };
  return outcomeOf(await run.store.advance(asked.incident, "Diagnosed", text, { sync: waited }), "waiting");
}
