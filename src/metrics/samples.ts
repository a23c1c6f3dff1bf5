import { standingHolds } from "../incident/holding.ts";
import { CLOSED, type Incident } from "../incident/incident.ts";
import type { RunEntry, RunTotals } from "../incident/run-history.ts";
import {
  CODE_FIX_STATES,
  HOLDS,
  MODES,
  OUTCOMES,
  PHASES,
  PULL_REQUEST_STATES,
  RESULTS,
  STEPS,
  SYMPTOMS,
} from "./labels.ts";
import { boundedLabels, type Counts, type Sample, samplesOf } from "./series.ts";
import type { MetricName } from "./table.ts";

export interface Facts {
  readonly now: Date;
  /** The last run; null: none is known. */
  readonly last: RunEntry | null;
  /** Amounts over all runs; null: they are not known, and no counter is told. */
  readonly totals: RunTotals | null;
  /** Null: they could not be read, and nothing is told of them. */
  readonly incidents: readonly Incident[] | null;
  /** Tell of each open incident by name. */
  readonly perIncident: boolean;
}

/** Incidents that are told of by name at most. */
const NAMED = 200;

/**
 * What is told of a state of affairs. Every gauge whose labels are known has all of its series, zeros included: a series that comes and
 * goes says nothing between two looks.
 */
export function samplesFrom({ now, last, totals, incidents, perIncident }: Facts): Sample[] {
  return [
    ...countersOf(totals),
    ...(last === null ? [] : ofRun(last)),
    ...ofSuccess(last, totals),
    ...(incidents === null ? [] : ofIncidents(incidents, now)),
    ...(incidents === null || !perIncident ? [] : namesOf(incidents)),
  ];
}

/** The counters of stored totals, and of what one run counted. */
export function countersOf(totals: { readonly counters: Counts } | null): Sample[] {
  return totals === null ? [] : samplesOf(totals.counters);
}

function gauge(name: MetricName, value: number, labels: Readonly<Record<string, string>> = {}): Sample {
  return { name, labels: boundedLabels(name, labels), value };
}

const seconds = (at: string): number => Date.parse(at) / 1000;

function ofRun(last: RunEntry): Sample[] {
  // A run that was broken off saw nothing that could be told.
  const whole = last.result === undefined || last.findings !== undefined;
  const result = last.result ?? "done";
  return [
    gauge("stanch_build_info", 1, { version: last.version }),
    ...MODES.map((mode) => gauge("stanch_mode", last.mode === mode ? 1 : 0, { mode })),
    gauge("stanch_last_run_timestamp_seconds", seconds(last.at)),
    gauge("stanch_last_run_duration_seconds", last.seconds),
    ...RESULTS.map((one) => gauge("stanch_last_run_result", one === result ? 1 : 0, { result: one })),
    ...STEPS.map((step) => gauge("stanch_last_run_step_duration_seconds", last.steps?.[step] ?? 0, { step })),
    ...(whole ? ofWholeRun(last) : []),
  ];
}

function ofWholeRun(last: RunEntry): Sample[] {
  const { pods, workloads, namespaces, firstHotfixSeconds, firstPullRequestSeconds } = last;
  return [
    ...OUTCOMES.map((kind) => gauge("stanch_last_run_outcomes", last.outcomes[kind] ?? 0, { kind })),
    gauge("stanch_last_run_gaps", last.gaps),
    ...Object.entries({ pods, workloads, ...(namespaces === undefined ? {} : { namespaces }) }).map(([kind, count]) =>
      gauge("stanch_last_run_objects", count, { kind }),
    ),
    ...SYMPTOMS.flatMap((symptom) => {
      const { ripe = 0, unripe = 0 } = last.findings?.[symptom] ?? {};
      return [
        gauge("stanch_findings", ripe, { symptom, ripe: "true" }),
        gauge("stanch_findings", unripe, { symptom, ripe: "false" }),
      ];
    }),
    ...(firstHotfixSeconds === undefined ? [] : [gauge("stanch_last_run_first_hotfix_seconds", firstHotfixSeconds)]),
    ...(firstPullRequestSeconds === undefined
      ? []
      : [gauge("stanch_last_run_first_pull_request_seconds", firstPullRequestSeconds)]),
  ];
}

function ofSuccess(last: RunEntry | null, totals: RunTotals | null): Sample[] {
  const succeeded = last?.result === "done" || last?.result === "attention";
  const at = totals?.lastSuccessAt ?? (succeeded ? last?.at : undefined);
  return at === undefined || Number.isNaN(Date.parse(at))
    ? []
    : [gauge("stanch_last_success_timestamp_seconds", seconds(at))];
}

const isOpen = ({ status }: Incident): boolean => status !== undefined && !CLOSED.includes(status.phase);

function ofIncidents(incidents: readonly Incident[], now: Date): Sample[] {
  const pulls = incidents.flatMap((incident) => pullOf(incident) ?? []);
  const fixes = incidents.flatMap((incident) => fixStateOf(incident) ?? []);
  const debt = incidents.flatMap((incident) => debtOf(incident) ?? []);
  const holds = incidents.flatMap((incident) => standingHolds(incident).filter(({ kind }) => kind !== "none"));
  const expiries = holds.map((hold) => Date.parse(hold.expiresAt)).filter((at) => !Number.isNaN(at));
  return [
    ...PHASES.map((phase) =>
      gauge("stanch_incidents", incidents.filter(({ status }) => status?.phase === phase).length, { phase }),
    ),
    ...SYMPTOMS.map((symptom) => {
      const open = incidents.filter((incident) => isOpen(incident) && incident.spec.symptom === symptom);
      return gauge("stanch_incidents_open", open.length, { symptom });
    }),
    ...PULL_REQUEST_STATES.map((state) =>
      gauge("stanch_pull_requests", pulls.filter((pull) => pull.state === state).length, { state }),
    ),
    ...CODE_FIX_STATES.map((state) =>
      gauge("stanch_code_fixes", fixes.filter((one) => one === state).length, { state }),
    ),
    ...oldest(
      "stanch_pull_request_oldest",
      pulls.filter(({ state }) => state === "open" || state === "draft").map(({ since }) => since),
      now,
    ),
    gauge("stanch_hotfix_debt", debt.length),
    ...oldest("stanch_hotfix_debt_oldest", debt, now),
    ...HOLDS.map((kind) => gauge("stanch_holds", holds.filter((hold) => hold.kind === kind).length, { kind })),
    ...oldest(
      "stanch_hold_oldest",
      holds.map((hold) => hold.takenAt),
      now,
    ),
    ...(expiries.length === 0
      ? []
      : [gauge("stanch_hold_next_expiry_timestamp_seconds", Math.min(...expiries) / 1000)]),
  ];
}

/** Age and time of the oldest of some times. */
function oldest(
  stem: "stanch_pull_request_oldest" | "stanch_hotfix_debt_oldest" | "stanch_hold_oldest",
  times: readonly string[],
  now: Date,
): Sample[] {
  const known = times.map((at) => Date.parse(at)).filter((at) => !Number.isNaN(at));
  if (known.length === 0) return [gauge(`${stem}_age_seconds`, 0)];
  const first = known.reduce((a, b) => Math.min(a, b));
  return [
    gauge(`${stem}_age_seconds`, Math.max(0, now.getTime() - first) / 1000),
    gauge(`${stem}_timestamp_seconds`, first / 1000),
  ];
}

/** An incident's pull request by what is known of it, and since when. */
function pullOf({ status }: Incident): { state: (typeof PULL_REQUEST_STATES)[number]; since: string } | null {
  if (status?.pullRequest === undefined) return null;
  const since = status.timeline.findLast(
    (entry, at, all) => entry.phase === "Proposed" && all[at - 1]?.phase !== "Proposed",
  );
  const at = since?.at ?? status.lastSeenAt;
  if (status.mergedAt !== undefined) return { state: "merged", since: at };
  if (CLOSED.includes(status.phase)) return { state: "closed", since: at };
  return { state: status.pullRequest.draft ? "draft" : "open", since: at };
}

/** What became of the draft fix of an incident's program; null: there is none. */
function fixStateOf({ status }: Incident): (typeof CODE_FIX_STATES)[number] | null {
  const code = status?.code;
  if (code?.pullRequest === undefined) return null;
  if (code.mergedAt !== undefined) return "merged";
  return code.closedAt === undefined ? "open" : "closed";
}

/** When a live change was applied that still stands and that no merge has made Git say; null: there is none. */
function debtOf({ status }: Incident): string | null {
  const hotfix = status?.hotfix;
  if (status === undefined || hotfix === undefined || hotfix.undoneAt !== undefined) return null;
  // Nothing stands of a live action, and nothing in Git has to say it, nor what only contains.
  if (hotfix.changes.length === 0 || hotfix.contains !== undefined) return null;
  // Kept after a refusal, a live change is a debt that nobody pays.
  const paid = status.mergedAt !== undefined || status.phase === "Resolved";
  return paid ? null : hotfix.appliedAt;
}

function namesOf(incidents: readonly Incident[]): Sample[] {
  return incidents
    .filter(isOpen)
    .toSorted((a, b) => (b.status?.detectedAt ?? "").localeCompare(a.status?.detectedAt ?? ""))
    .slice(0, NAMED)
    .map(({ metadata, spec, status }) =>
      gauge("stanch_incident_info", 1, {
        namespace: metadata.namespace,
        incident: metadata.name,
        kind: spec.workload.kind,
        workload: spec.workload.name,
        symptom: spec.symptom,
        phase: status?.phase ?? "",
      }),
    );
}
