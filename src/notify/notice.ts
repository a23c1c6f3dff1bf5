import { createHash } from "node:crypto";
import { standingHolds } from "../incident/holding.ts";
import type { Incident } from "../incident/incident.ts";
import { describeRef } from "../kube/ref.ts";
import type { Notice, NoticeEvent, NoticeIncident, Severity } from "../model.ts";
import { redact } from "../redact.ts";
import type { Due } from "./due.ts";
import { type Milestone, stands } from "./milestones.ts";

const HEADINGS: Record<NoticeEvent, string> = {
  "hotfix-applied": "Hotfix applied",
  "hotfix-undone": "Hotfix taken back",
  contained: "Contained, and not healed",
  "pull-request-opened": "Pull request opened",
  escalated: "A person is needed",
  expiring: "A hotfix is about to be taken back",
  waiting: "Waiting too long",
  closed: "Left alone",
  merged: "Merged",
  resolved: "Resolved",
  storm: "Many findings at once",
  "run-failing": "Runs fail",
  finding: "Found",
  summary: "More happened",
  test: "Test",
};

const MOST_TEXT = 1500;
const MOST_LINES = 20;
/** Read of a text before it is redacted and cut: well beyond what is shown, so that no secret is cut into an unknown shape. */
const MOST_READ = 6000;

/** The message of what is due about an incident. */
export function noticeOf(
  incident: Incident,
  { main, covers }: Due,
  { cluster, evidence }: { readonly cluster: string; readonly evidence: boolean },
): Notice {
  const { workload } = incident.spec;
  return {
    id: idOf([cluster, incident.metadata.uid ?? `${incident.metadata.namespace}/${incident.metadata.name}`, main.key]),
    event: main.event,
    severity: main.severity,
    at: main.at,
    cluster,
    title: clean(`${HEADINGS[main.event]}: ${describeRef(workload)}`, 140),
    text: clean(main.text, MOST_TEXT),
    incident: incidentOf(incident),
    earlier: covers
      .filter((milestone) => milestone !== main)
      .slice(-10)
      .map(({ event, at, text }: Milestone) => ({ event, at, text: clean(text, 300) })),
    lines: [],
    evidence: evidence ? (incident.status?.evidence ?? []).slice(0, 5).map(({ text }) => lines(text, 600)) : [],
  };
}

/** A message about many workloads, or about none. `key` tells one occasion from another. */
export function noticeOfMany(facts: {
  readonly key: readonly string[];
  readonly event: NoticeEvent;
  readonly severity: Severity;
  readonly at: string;
  readonly cluster: string;
  readonly title?: string;
  readonly text: string;
  readonly lines: readonly string[];
}): Notice {
  const { key, lines: all, title, text, ...rest } = facts;
  const more = all.length > MOST_LINES ? [`and ${all.length - MOST_LINES} more`] : [];
  return {
    ...rest,
    id: idOf([facts.cluster, ...key]),
    title: clean(title ?? HEADINGS[facts.event], 140),
    text: clean(text, MOST_TEXT),
    earlier: [],
    lines: [...all.slice(0, MOST_LINES).map((line) => clean(line, 250)), ...more],
    evidence: [],
  };
}

/** One line about a due message, for the summary of many. */
export function lineOf(incident: Incident, { main }: Due): string {
  return `${HEADINGS[main.event]}: ${describeRef(incident.spec.workload)} (${incident.spec.symptom})`;
}

/** Digest of what a thread's first message says of an incident, so that it is written anew only when it would say something else. */
export function stateOf(incident: Incident, milestones: readonly Milestone[]): string {
  const { phase, pullRequest, issue, code } = incident.status ?? {};
  const fix = code?.pullRequest === undefined ? [] : [code.pullRequest.url];
  return idOf([
    phase ?? "",
    pullRequest?.url ?? "",
    issue?.url ?? "",
    ...fix,
    ...milestones.map(({ key }) => key),
  ]).slice(4, 20);
}

/** What the first message of a thread says now: the newest of what is worth telling. */
export function cardOf(
  incident: Incident,
  milestones: readonly Milestone[],
  settings: { readonly cluster: string; readonly evidence: boolean },
): Notice | null {
  const main = milestones.at(-1);
  return main === undefined ? null : noticeOf(incident, { main, covers: milestones }, settings);
}

export function incidentOf(incident: Incident): NoticeIncident {
  const { metadata, spec, status } = incident;
  const { hotfix, plan, pullRequest, issue, code } = status ?? {};
  const expiresAt = standingHolds(incident)
    .filter((hold) => hold.kind !== "none")
    .map((hold) => hold.expiresAt)
    .toSorted()[0];
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid ?? "",
    phase: status?.phase ?? "Detected",
    workload: spec.workload,
    ...(spec.container === undefined ? {} : { container: spec.container }),
    symptom: spec.symptom,
    summary: clean(status?.summary ?? "", 500),
    ...(status?.cause === undefined ? {} : { cause: clean(status.cause, 1000) }),
    detectedAt: status?.detectedAt ?? "",
    recurrences: status?.recurrences ?? 0,
    ...(hotfix === undefined || status === undefined
      ? {}
      : {
          hotfix: {
            title: clean(plan?.title ?? "", 200),
            appliedAt: hotfix.appliedAt,
            standing: stands(status),
            ...(expiresAt === undefined || !stands(status) ? {} : { expiresAt }),
          },
        }),
    ...(pullRequest === undefined ? {} : { pullRequest }),
    ...(issue?.number === undefined || issue.url === undefined
      ? {}
      : { issue: { repository: issue.repository, number: issue.number, url: issue.url } }),
    ...(code?.pullRequest === undefined ? {} : { codeFix: code.pullRequest }),
    ...(status?.mergeCommit === undefined ? {} : { mergeCommit: status.mergeCommit }),
  };
}

/** Stable over runs: the same event has the same id. */
export function idOf(parts: readonly string[]): string {
  return `msg_${createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32)}`;
}

/** Invisible characters and controls change how a line reads without being seen. */
const INVISIBLE = /(?!\n)[\p{Cc}\p{Cf}]/gu;

/** Text from outside on one line: redacted, without controls, at most `most` characters. */
export function clean(text: string, most: number): string {
  return cut(redact(text.slice(0, MOST_READ)).replaceAll(/\s+/g, " ").replaceAll(INVISIBLE, "").trim(), most);
}

function lines(text: string, most: number): string {
  return cut(redact(text.slice(0, MOST_READ)).replaceAll(/\r\n?/g, "\n").replaceAll(INVISIBLE, ""), most);
}

function cut(text: string, most: number): string {
  const letters = [...text];
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : text;
}
