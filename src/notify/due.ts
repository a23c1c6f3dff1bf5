import type { ReceiverEntry } from "../config/notify-section.ts";
import { SEVERITIES } from "../config/notify-section.ts";
import { matchesGlob } from "../config/scope.ts";
import type { Told } from "../incident/incident.ts";
import type { Severity } from "../model.ts";
import type { Milestone } from "./milestones.ts";
import { isQuiet } from "./quiet.ts";

/** A message that is due: what it says, and what else it covers, the oldest first. */
export interface Due {
  readonly main: Milestone;
  readonly covers: readonly Milestone[];
}

export interface DueFacts {
  readonly milestones: readonly Milestone[];
  readonly namespace: string;
  readonly told: Told | undefined;
  /** Since when the receiver is known, in milliseconds: what happened before is no news to it. */
  readonly since: number;
  /** Many findings at once are told as one: each escalation on its own waits until it is over. */
  readonly storm: boolean;
}

/** What is older than this when it is told came late: the latest state is told then, and not each step. */
const LATE = 15 * 60_000;

/**
 * What a receiver must be told of an incident now. Depends on nothing but the incident's state, what was told before and the time: asked again it
 * answers the same, and once all of it was told, nothing. During quiet hours only what is grave enough is due.
 */
export function due(facts: DueFacts, receiver: ReceiverEntry, now: Date): Due[] {
  if (!receiver.namespaces.some((glob) => matchesGlob(glob, facts.namespace))) return [];
  const untold = untoldOf(facts, receiver);
  const { quiet } = receiver;
  const hushed = isQuiet(quiet, now);
  const main = untold.findLast(({ severity }) => !hushed || isAtLeast(severity, quiet?.below ?? "info"));
  if (main === undefined) return [];
  // What happened before is part of the story of what is told now, also when it was not grave enough to be told by itself.
  const before = untold.slice(0, untold.indexOf(main) + 1);
  const isLate = ({ at }: Milestone): boolean => now.getTime() - Date.parse(at) > LATE || isQuiet(quiet, new Date(at));
  if (hushed || before.slice(0, -1).some(isLate)) return [{ main, covers: before }];
  return before.map((milestone) => ({ main: milestone, covers: [milestone] }));
}

function untoldOf({ milestones, told, since, storm }: DueFacts, receiver: ReceiverEntry): Milestone[] {
  const keys = new Set(told?.keys ?? []);
  const knows = knowsOfIt(told);
  const wanted = milestones.filter(
    ({ key, event, severity, at, standing }) =>
      !keys.has(key) &&
      receiver.events.some((name) => name === event) &&
      // Who was told that something is wrong is told that it is over.
      (isAtLeast(severity, receiver.severity) || (event === "resolved" && knows)) &&
      (standing || Date.parse(at) >= since) &&
      !(storm && event === "escalated"),
  );
  // What began and ended without anybody being told is not worth telling.
  return !knows && wanted.every(({ event }) => event === "resolved") ? [] : wanted;
}

/**
 * Was the receiver told of this occurrence? Keys stand in the order in which they were told; those before the last end are of earlier ones. When
 * that end is not kept any more, more keys than are kept came after it.
 */
function knowsOfIt(told: Told | undefined): boolean {
  const keys = told?.keys ?? [];
  return keys.length > 0 && !(keys.at(-1) ?? "").startsWith("resolved@");
}

export function isAtLeast(severity: Severity, least: Severity): boolean {
  return SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(least);
}
