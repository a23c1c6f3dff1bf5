import type { Hold, Phase } from "../model.ts";
import { CLOSED, type Incident } from "./incident.ts";

/** Holds of an incident that are not known to be gone. */
export function standingHolds(incident: Pick<Incident, "status">): readonly Hold[] {
  return (incident.status?.holds ?? []).filter((hold) => hold.releasedAt === undefined);
}

/** Does something stand of what the hotfix was held for? When not, a hold has no reason any more: a release failed, or a crash came before it. */
export function isHeldForNothing(incident: Pick<Incident, "status">): boolean {
  const { phase, hotfix } = incident.status ?? {};
  if (standingHolds(incident).length === 0) return false;
  return hotfix === undefined || hotfix.undoneAt !== undefined || (phase !== undefined && CLOSED.includes(phase));
}

/** The holds whose time is over. Where nothing is suspended (`none`), nothing has to end. */
export function expiredHolds(incident: Pick<Incident, "status">, now: Date): readonly Hold[] {
  return standingHolds(incident).filter((hold) => hold.kind !== "none" && Date.parse(hold.expiresAt) <= now.getTime());
}

/** Holds of the newest hotfix take the place of those that are gone. */
export function withHolds(incident: Pick<Incident, "status">, taken: readonly Hold[]): readonly Hold[] {
  return [...standingHolds(incident), ...taken];
}

/**
 * Was the hotfix applied at all? One that was refused goes from Acting to RolledBack. A long life may have pushed the step out of the timeline:
 * what comes only after it says the same.
 */
export function wasApplied({ status }: Pick<Incident, "status">): boolean {
  const { hotfix, timeline = [] } = status ?? {};
  if (hotfix === undefined) return false;
  const { appliedAt, undoneAt } = hotfix;
  const from = Date.parse(appliedAt);
  const until = undoneAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(undoneAt);
  return timeline.some(({ at, phase }) => AFTER_ACTING.has(phase) && Date.parse(at) >= from && Date.parse(at) <= until);
}

const AFTER_ACTING: ReadonlySet<Phase> = new Set(["Hotfixed", "Verified", "Contained", "Proposed", "Merged"]);

/** Does a live change stand that could be taken back? Of an action (an eviction, a command) nothing does. */
export function isStanding({ status }: Pick<Incident, "status">): boolean {
  const hotfix = status?.hotfix;
  return hotfix !== undefined && hotfix.undoneAt === undefined && hotfix.changes.length > 0;
}
