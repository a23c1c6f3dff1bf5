import { formatDuration } from "../config/duration.ts";
import type { Config } from "../config/schema.ts";
import { standingHolds, wasApplied } from "../incident/holding.ts";
import { CLOSED, type Incident, type IncidentStatus } from "../incident/incident.ts";
import type { NoticeEvent, Severity } from "../model.ts";

/** Something about an incident that is worth telling, read off its state: whoever looks again sees the same, under the same key. */
export interface Milestone {
  readonly key: string;
  readonly event: NoticeEvent;
  readonly severity: Severity;
  readonly at: string;
  readonly text: string;
  /** It is so now, and somebody should do something: told also to a receiver that was not there when it began. */
  readonly standing: boolean;
}

export type MilestoneSettings = Pick<Config["notify"], "expiring" | "debt"> & {
  readonly deployed: number;
};

/** What of the settings decides what is worth telling. */
export function milestoneSettings(config: Config): MilestoneSettings {
  return { expiring: config.notify.expiring, debt: config.notify.debt, deployed: config.followUp.deployed };
}

/** What an incident's state says that is worth telling, the oldest first. What a later state replaced is not among it. */
export function milestonesOf(incident: Incident, settings: MilestoneSettings, now: Date): Milestone[] {
  const { status } = incident;
  if (status === undefined) return [];
  const found = [
    hotfixApplied(status),
    hotfixUndone(status),
    contained(status),
    pullRequestOpened(status),
    fixProposed(status),
    escalated(status),
    notDeployed(status, settings, now),
    holdExpires(incident, settings, now),
    debt(status, settings, now),
    merged(status),
    closed(status),
    resolved(status),
  ];
  const milestones = found.flatMap((milestone) => (milestone === null ? [] : [milestone]));
  return milestones
    .map((milestone, index) => ({ milestone, index }))
    .toSorted((a, b) => Date.parse(a.milestone.at) - Date.parse(b.milestone.at) || a.index - b.index)
    .map(({ milestone }) => milestone);
}

/** Does the live change stand? That of an earlier occurrence, which ended well, does not count. */
export function stands({ hotfix, resolvedAt, phase }: IncidentStatus): boolean {
  if (hotfix === undefined || hotfix.undoneAt !== undefined || phase === "Acting") return false;
  // Nothing stands of what was done to contain it.
  if (hotfix.contains !== undefined && hotfix.changes.length === 0) return false;
  return resolvedAt === undefined || Date.parse(hotfix.appliedAt) > Date.parse(resolvedAt);
}

function hotfixApplied(status: IncidentStatus): Milestone | null {
  const { hotfix, plan, verification } = status;
  if (hotfix === undefined || status.phase === "Acting" || hotfix.undoneAt !== undefined) return null;
  // That it contains, and what, is told once that is known.
  if (hotfix.contains !== undefined) return null;
  const seen = verification === undefined ? "" : ` ${sentence(`${verification.result}: ${verification.seen}`)}`;
  return {
    key: `hotfix-applied@${hotfix.appliedAt}`,
    event: "hotfix-applied",
    severity: "warning",
    at: hotfix.appliedAt,
    text: `${sentence(`Changed live: ${plan?.title ?? "the workload"}`)}${seen}`,
    standing: false,
  };
}

function hotfixUndone(status: IncidentStatus): Milestone | null {
  const { hotfix, plan, tried } = status;
  if (hotfix?.undoneAt === undefined) return null;
  // What contains a fault ends as it was meant to, and what the cluster refused was never applied.
  if (hotfix.contains !== undefined || !wasApplied({ status })) return null;
  const rows = tried.slice(-3).map((row) => `${row.title} (${row.result})`);
  const also = rows.length === 0 ? "" : ` ${sentence(`Tried: ${rows.join("; ")}`)}`;
  return {
    key: `hotfix-undone@${hotfix.undoneAt}`,
    event: "hotfix-undone",
    severity: "warning",
    at: hotfix.undoneAt,
    text: `${sentence(`Taken back: ${plan?.title ?? "the live change"}. ${hotfix.undo?.reason ?? ""}`)}${also}`,
    standing: false,
  };
}

function contained(status: IncidentStatus): Milestone | null {
  if (status.phase !== "Contained" || status.hotfix === undefined) return null;
  return {
    key: `contained@${status.hotfix.appliedAt}`,
    event: "contained",
    severity: "warning",
    at:
      status.timeline.find(({ phase, at }) => phase === "Contained" && at >= (status.hotfix?.appliedAt ?? ""))?.at ??
      status.lastSeenAt,
    text: status.message,
    standing: true,
  };
}

function pullRequestOpened(status: IncidentStatus): Milestone | null {
  const { pullRequest, timeline, plan, phase } = status;
  if (pullRequest === undefined) return null;
  const opened = timeline.find(
    (entry) => /^(Opened|Updated) /.test(entry.text) && entry.text.includes(pullRequest.url),
  );
  // One that a person refused before is linked, too, and was not opened by this incident.
  if (opened === undefined && phase !== "Proposed" && phase !== "Merged") return null;
  const last = timeline.findLast((entry) => entry.phase === "Proposed") ?? timeline.at(-1);
  if (opened === undefined && last?.text.includes("was closed unmerged before") === true) return null;
  const draft = pullRequest.draft ? " It is a draft: not everything is proved." : "";
  return {
    key: `pull-request-opened@${pullRequest.repository}#${pullRequest.number}`,
    event: "pull-request-opened",
    severity: "info",
    at: opened?.at ?? last?.at ?? status.detectedAt,
    text: `${sentence(`#${pullRequest.number} of ${pullRequest.repository} makes Git say: ${plan?.title ?? "the fix"}`)}${draft}`,
    standing: false,
  };
}

function fixProposed({ code }: IncidentStatus): Milestone | null {
  const pull = code?.pullRequest;
  if (code === undefined || pull === undefined || code.closedAt !== undefined) return null;
  return {
    key: `code-fix-proposed@${pull.repository}#${pull.number}`,
    event: "pull-request-opened",
    severity: "info",
    at: code.proposedAt ?? code.at,
    text: `A draft fix of the program is proposed: #${pull.number} of ${pull.repository}. A model wrote it, and nothing proves it: ${sentence(code.said)}`,
    standing: false,
  };
}

function escalated(status: IncidentStatus): Milestone | null {
  if (status.phase !== "Escalated") return null;
  const live = stands(status);
  // The wording may change from run to run; a person is needed for the same reason until one of these is another.
  const reason = [status.recurrences, live, status.mergedAt, status.plan?.remedy, status.pullRequest?.number];
  const before = status.timeline.findLastIndex((entry) => entry.phase !== "Escalated");
  return {
    key: `escalated@${reason.map((part) => part ?? "").join(",")}`,
    event: "escalated",
    severity: live ? "warning" : "critical",
    at: status.timeline[before + 1]?.at ?? status.lastSeenAt,
    text: status.message,
    standing: true,
  };
}

function notDeployed(status: IncidentStatus, { deployed }: MilestoneSettings, now: Date): Milestone | null {
  const { mergedAt, phase, pullRequest, message } = status;
  if (phase !== "Merged" || mergedAt === undefined || Date.parse(mergedAt) + deployed > now.getTime()) return null;
  const asks = /a person must/i.test(message);
  return {
    key: `not-deployed@${mergedAt}`,
    event: "escalated",
    severity: stands(status) ? "warning" : "critical",
    at: new Date(Date.parse(mergedAt) + deployed).toISOString(),
    text: asks
      ? message
      : `#${pullRequest?.number ?? "?"} was merged more than ${formatDuration(deployed)} ago and is not deployed. A person must look at the deployment.`,
    standing: true,
  };
}

function holdExpires(incident: Incident, { expiring }: MilestoneSettings, now: Date): Milestone | null {
  const { status } = incident;
  if (status === undefined || CLOSED.includes(status.phase) || !stands(status)) return null;
  const [first] = standingHolds(incident)
    .filter((hold) => hold.kind !== "none")
    .map((hold) => hold.expiresAt)
    .toSorted();
  if (first === undefined || Date.parse(first) - expiring > now.getTime()) return null;
  const url = status.pullRequest?.url;
  const until = `The hotfix is held until ${minuteOf(first)}`;
  const text =
    status.phase === "Merged"
      ? `${until}; then the engine deploys what Git says, merged or not.`
      : `${until} and is taken back then${url === undefined ? "" : `, unless ${url} is merged and deployed before`}.`;
  return {
    key: `expiring@${first}`,
    event: "expiring",
    severity: "warning",
    at: new Date(Date.parse(first) - expiring).toISOString(),
    text,
    standing: true,
  };
}

/** A hotfix that stands without Git, or a pull request that nobody merges: said after `debt`, twice that, four times that, … */
function debt(status: IncidentStatus, { debt }: MilestoneSettings, now: Date): Milestone | null {
  if (!["Hotfixed", "Verified", "Proposed", "Escalated"].includes(status.phase)) return null;
  const live = stands(status);
  const since = live
    ? status.hotfix?.appliedAt
    : status.phase === "Proposed"
      ? pullRequestOpened(status)?.at
      : undefined;
  if (since === undefined) return null;
  const waited = now.getTime() - Date.parse(since);
  if (!(waited >= debt)) return null;
  const doublings = Math.floor(Math.log2(waited / debt));
  const url = status.pullRequest?.url;
  const todo = url === undefined ? "Git does not say it yet." : `Merge or close ${url}.`;
  return {
    key: `waiting@${since},${doublings}`,
    event: "waiting",
    severity: "warning",
    at: new Date(Date.parse(since) + debt * 2 ** doublings).toISOString(),
    text: `${live ? "The hotfix stands" : "The pull request is open"} for ${formatDuration(waited)}. ${todo}`,
    standing: true,
  };
}

function merged({ mergedAt, pullRequest, timeline }: IncidentStatus): Milestone | null {
  if (mergedAt === undefined) return null;
  // When it was seen, by the clock of everything else here; the code host has its own.
  const seen = timeline.findLast(({ phase, text }) => phase === "Merged" && text.endsWith(" was merged."));
  return {
    key: `merged@${mergedAt}`,
    event: "merged",
    severity: "info",
    at: seen?.at ?? mergedAt,
    text: `#${pullRequest?.number ?? "?"} was merged.`,
    standing: false,
  };
}

function closed(status: IncidentStatus): Milestone | null {
  if (status.phase !== "Silenced") return null;
  const until = status.silencedUntil ?? "";
  const before = status.timeline.findLastIndex((entry) => entry.phase !== "Silenced");
  return {
    key: `closed@${until}`,
    event: "closed",
    severity: "info",
    at: status.timeline[before + 1]?.at ?? status.lastSeenAt,
    text: status.message,
    standing: false,
  };
}

function resolved({ phase, resolvedAt, message }: IncidentStatus): Milestone | null {
  if (phase !== "Resolved" || resolvedAt === undefined) return null;
  return {
    key: `resolved@${resolvedAt}`,
    event: "resolved",
    severity: "info",
    at: resolvedAt,
    text: message,
    standing: false,
  };
}

const sentence = (text: string): string => (/[.!?]\s*$/.test(text) ? text.trim() : `${text.trim()}.`);
const minuteOf = (at: string): string => `${at.slice(0, 16).replace("T", " ")} UTC`;
