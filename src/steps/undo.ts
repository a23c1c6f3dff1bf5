import { StanchError } from "../errors.ts";
import { standingHolds } from "../incident/holding.ts";
import type { Incident } from "../incident/incident.ts";
import { formatPath, getAt } from "../kube/field-path.ts";
import { inverse, toPatch } from "../kube/json-patch.ts";
import { describeRef, sameRef } from "../kube/ref.ts";
import { sameValue } from "../kube/same-value.ts";
import { byObject, changeKey, withVersion } from "../kube/written.ts";
import type { Change, Phase } from "../model.ts";
import type { ActContext } from "./act.ts";

export interface Undone {
  readonly incident: Incident;
  /** Every field is back at what it was. */
  readonly complete: boolean;
  readonly text: string;
}

/**
 * Takes a hotfix back by its inverse patch. A field that somebody else has changed since is left to them and named. The
 * decision is recorded before the first write, so that a crash in between is finished by the next run. What holds an object goes in the
 * same patch as its fields, unless another incident needs it (`kept`, by `changeKey`).
 */
export async function undo(
  incident: Incident,
  reason: string,
  phase: Phase,
  context: ActContext,
  kept: ReadonlySet<string> = new Set(),
): Promise<Undone> {
  const hotfix = incident.status?.hotfix;
  if (hotfix === undefined || hotfix.undoneAt !== undefined)
    return { incident, complete: true, text: "There was no live change to take back." };
  let current = incident;
  const decision = hotfix.undo ?? { at: context.clock.now().toISOString(), reason };
  if (hotfix.undo === undefined)
    current = await context.store.advance(
      current,
      current.status?.phase ?? "Hotfixed",
      `Taking the live change back: ${reason}`,
      { hotfix: { ...hotfix, undo: decision } },
    );

  const left: string[] = [];
  const holding = standingHolds(incident)
    .flatMap((hold) => hold.changes)
    .filter((change) => !kept.has(changeKey(change)));
  for (const { ref, changes } of byObject(hotfix.changes).toReversed()) {
    const beside = holding.filter((change) => sameRef(change.object, ref));
    left.push(...(await revert(changes, beside, context, describeRef(ref))));
  }
  const undoneAt = context.clock.now().toISOString();
  const text =
    left.length === 0
      ? `Live change taken back: ${decision.reason}`
      : `Live change taken back where it still stood (${decision.reason}); left as it is: ${left.join("; ")}`;
  current = await context.store.advance(current, phase, text, { hotfix: { ...hotfix, undo: decision, undoneAt } });
  return { incident: current, complete: left.length === 0, text };
}

/** Puts back what still stands as the hotfix left it. Tried again when somebody writes at the same moment. */
async function revert(
  changes: readonly Change[],
  beside: readonly Change[],
  context: ActContext,
  what: string,
): Promise<string[]> {
  for (let attempt = 1; ; attempt += 1) {
    const ref = changes[0]?.object;
    const live = ref === undefined ? null : await context.cluster.get(ref);
    if (live === null || ref === undefined) return [`${what} is gone`];
    const stands = (change: Change): boolean => sameValue(getAt(live, change.path), change.to);
    const ours = changes.filter(stands);
    const original = (change: Change): boolean => sameValue(getAt(live, change.path), change.from);
    const others = changes
      .filter((change) => !ours.includes(change) && !original(change))
      .map((change) => `${formatPath(change.path)} of ${what} was changed by somebody else`);
    const taken = [...ours, ...beside.filter(stands)];
    if (taken.length === 0) return others;
    try {
      await context.cluster.patch(ref, withVersion(toPatch(inverse(taken), live), live));
      return others;
    } catch (error) {
      if (!(error instanceof StanchError) || error.code !== "conflict" || attempt >= 5) throw error;
      await context.clock.sleep(200 * attempt);
    }
  }
}
