import type { Phase } from "../model.ts";
import { expiredHolds } from "./holding.ts";
import type { Incident, IncidentStatus } from "./incident.ts";

/** What a step of an incident tells those who look at its workload with `kubectl describe`. */
export interface Announcement {
  readonly type: "Normal" | "Warning";
  /** CamelCase, one for each kind of step. */
  readonly reason: string;
  readonly message: string;
}

/** What a step is worth telling: live changes and their end, pull requests, and where a person is needed. Most steps are worth nothing. */
export function announcementsOf(before: Incident | null, after: Incident): Announcement[] {
  const now = after.status;
  if (before === null || now === undefined) return [];
  const then = before.status;
  const came = (phase: Phase): boolean => now.phase === phase && then?.phase !== phase;
  const said: Announcement[] = [];
  const say = (type: Announcement["type"], reason: string, message: string): void => {
    said.push({ type, reason, message: withLink(message, now) });
  };

  if (then?.phase === "Acting" && came("Hotfixed"))
    say("Normal", "StanchHotfix", `${now.plan?.title ?? now.message}. ${now.plan?.reason ?? ""}`.trim());
  if (came("Verified")) say("Normal", "StanchVerified", now.message);
  const undoneAt = now.hotfix?.undoneAt;
  if (undoneAt !== undefined && then?.hotfix?.undoneAt === undefined) {
    const expired = expiredHolds(before, new Date(undoneAt)).length > 0;
    if (now.hotfix?.contains !== undefined) say("Normal", "StanchReleased", now.message);
    else say("Warning", expired ? "StanchHoldExpired" : "StanchRolledBack", now.message);
  }
  const fix = now.code?.pullRequest;
  if (fix !== undefined && then?.code?.pullRequest === undefined)
    say("Normal", "StanchCodeFix", `A draft fix of the program, written by a model, waits for people: ${fix.url}`);
  if (came("Contained")) say("Warning", "StanchContained", now.message);
  if (came("Proposed")) say("Normal", "StanchPullRequest", now.message);
  if (came("Merged")) say("Normal", "StanchMerged", now.message);
  if (came("Resolved")) say("Normal", "StanchResolved", now.message);
  if (came("Silenced")) say("Normal", "StanchSilenced", now.message);
  // What comes of a fix of the program is no other reason why a person is needed.
  const isOfCode = then?.phase === "Escalated" && JSON.stringify(now.code) !== JSON.stringify(then.code);
  if (now.phase === "Escalated" && !isOfCode && (then?.phase !== "Escalated" || then.message !== now.message))
    say("Warning", "StanchEscalated", now.message);
  return said;
}

function withLink(message: string, { pullRequest }: IncidentStatus): string {
  return pullRequest === undefined || message.includes(pullRequest.url) ? message : `${message} ${pullRequest.url}`;
}
