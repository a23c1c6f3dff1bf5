import type { Config } from "./config/schema.ts";
import { namedNamespaces } from "./config/scope.ts";
import { messageOf, StanchError } from "./errors.ts";
import { standingHolds } from "./incident/holding.ts";
import type { Incident } from "./incident/incident.ts";
import { keyOf } from "./kube/ref.ts";
import { byObject, changeKey } from "./kube/written.ts";
import type { Hold, ObjectRef, Phase } from "./model.ts";
import type { ActContext } from "./steps/act.ts";
import { type ReleaseContext, releaseHold, releaseOwnership } from "./steps/release.ts";
import { type Undone, undo } from "./steps/undo.ts";

/** What ending a hotfix works with; a run has it, and so has `stanch undo`. */
export interface Ending extends ActContext, ReleaseContext {
  readonly config: Pick<Config, "scope" | "namespace">;
}

/** undo → release: a live change that is taken back leaves neither values nor ownership nor holds behind. */
export async function takeBack(incident: Incident, reason: string, phase: Phase, context: Ending): Promise<Undone> {
  const kept = await keptByOthers(incident, context);
  const undone = await undo(incident, reason, phase, context, kept).catch(async (error: unknown) => {
    if (error instanceof StanchError && error.code === "lease") throw error;
    // What cannot be written back must not stay held as well: its engine then does what we could not. The next run tries again.
    const { namespace, name } = incident.metadata;
    const known = await context.store.get(namespace, name);
    if (known !== null) await letGo(known, `The live change could not be taken back: ${messageOf(error)}`, context);
    throw error;
  });
  const freed = await letGo(undone.incident, undone.text, context);
  return freed.left === null
    ? { ...undone, incident: freed.incident }
    : { incident: freed.incident, complete: false, text: `${undone.text} ${stillHeld(freed.left)}` };
}

export interface Freed {
  readonly incident: Incident;
  /** What of the hold still stands; null: nothing of Stanch's does, and the incident says so. */
  readonly left: string | null;
}

/** Gives up the ownership of fields and ends the holds. What could not be ended stays in the incident, for the next run. */
export async function letGo(incident: Incident, reason: string, context: Ending): Promise<Freed> {
  const standing = standingHolds(incident);
  const held = new Set(standing.map((hold) => keyOf(hold.object)));
  await releaseOwnership(
    changedObjects(incident).filter((ref) => !held.has(keyOf(ref))),
    context,
  );
  if (standing.length === 0) return { incident, left: null };
  const kept = await keptByOthers(incident, context);
  const released = new Set<Hold>();
  const left: string[] = [];
  for (const hold of standing) {
    const stands = await releaseHold(hold, kept, context);
    if (stands === null) released.add(hold);
    else left.push(stands);
  }
  const releasedAt = context.clock.now().toISOString();
  const holds = (incident.status?.holds ?? []).map((hold) =>
    released.has(hold) ? { ...hold, releasedAt, releaseReason: reason.slice(0, 300) } : hold,
  );
  const phase = incident.status?.phase ?? "Hotfixed";
  const said = left.length === 0 ? null : left.join("; ");
  const text = said === null ? `${reason} Let go of ${named(standing)}.` : stillHeld(said);
  return { incident: await context.store.advance(incident, phase, text, { holds }), left: said };
}

export function stillHeld(left: string): string {
  return `A hold still stands and could not be released (${left}); the next run tries again.`;
}

/**
 * What holds of other incidents need of the same objects: their annotation, their owner's rest, and the ownership of fields, which is given up
 * for an object as a whole. The last of them ends it.
 */
async function keptByOthers(incident: Incident, { store, config }: Ending): Promise<ReadonlySet<string>> {
  if (standingHolds(incident).length === 0) return new Set();
  const others = (await store.list(namedNamespaces(config))).filter(
    ({ metadata }) => metadata.name !== incident.metadata.name || metadata.namespace !== incident.metadata.namespace,
  );
  const holds = others.flatMap(standingHolds);
  return new Set([...holds.flatMap((hold) => hold.changes).map(changeKey), ...holds.map((hold) => keyOf(hold.object))]);
}

/** The objects that an incident's hotfix changed. */
export function changedObjects(incident: Incident): ObjectRef[] {
  return byObject(incident.status?.hotfix?.changes ?? []).map((group) => group.ref);
}

function named(holds: readonly Hold[]): string {
  return [...new Set(holds.map((hold) => `${hold.object.kind} ${hold.object.namespace}/${hold.object.name}`))].join(
    ", ",
  );
}
