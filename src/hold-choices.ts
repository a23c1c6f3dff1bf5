import { messageOf } from "./errors.ts";
import { claimOf } from "./gitops/claim.ts";
import { type HoldChoice, holdFor, patchOf } from "./gitops/holds.ts";
import type { Deployer, Deployers } from "./gitops/origin.ts";
import { describeRef, keyOf } from "./kube/ref.ts";
import { byObject } from "./kube/written.ts";
import type { KubeObject, Plan } from "./model.ts";
import type { Run } from "./run.ts";

/** For each object of a plan that an engine deploys: the hold that its change would stand under, or why there is none. */
export async function holdChoices(
  plan: Plan,
  live: ReadonlyMap<string, KubeObject | null>,
  run: Run,
): Promise<ReadonlyMap<string, HoldChoice>> {
  const choices = new Map<string, HoldChoice>();
  const groups = byObject(plan.changes);
  // Git does not say what only contains (the remedy has looked), so that no engine reverts it; and nothing may keep the fix back.
  if (groups.length === 0 || plan.contains !== undefined) return choices;
  let known: Deployers;
  try {
    known = await run.workbench.deployers();
  } catch (error) {
    // Any of them may be somebody's.
    const reason = `perhaps deployed by an engine that cannot be read: ${messageOf(error)}`;
    return new Map(groups.map(({ ref }) => [keyOf(ref), { possible: false, reason }]));
  }
  for (const { ref } of groups) {
    const object = live.get(keyOf(ref)) ?? null;
    if (object === null) continue;
    const deployer = known.of(object);
    if (deployer === null && claimOf(object) === null) continue;
    choices.set(
      keyOf(ref),
      deployer === null ? holdFor(object, null, run.config, run.clock.now()) : await held(object, deployer, run),
    );
  }
  return choices;
}

/** What the run read of the deployer may be minutes old: it is read again. */
async function held(object: KubeObject, deployer: Deployer, run: Run): Promise<HoldChoice> {
  const fresh = await run.cluster.get(deployer.ref).catch((error: unknown) => messageOf(error));
  if (fresh === null || typeof fresh === "string")
    return {
      possible: false,
      reason: `deployed by ${describeRef(deployer.ref)}, which cannot be read${fresh === null ? "" : ` (${fresh})`} and may revert a live change`,
    };
  const [may] = await run.cluster.review([patchOf(deployer.ref)]);
  return holdFor(object, { ...deployer, object: fresh }, run.config, run.clock.now(), () => may === true);
}
