import { messageOf, StanchError } from "./errors.ts";
import { countOutcomes, type RunEntry, recordRun } from "./incident/run-history.ts";
import type { RunResult } from "./metrics/labels.ts";
import { addCounts, type Counts, totalsWith } from "./metrics/series.ts";
import type { Run, RunReport } from "./run.ts";

/** What the books of a run need of it. */
export type Recorded = Pick<
  Run,
  "cluster" | "clock" | "config" | "dryRun" | "id" | "log" | "meter" | "startedAt" | "tally" | "version"
>;

/** How a run that came to its end ended. */
export function resultOf({ outcomes }: RunReport): RunResult {
  const kinds = new Set(outcomes.map((outcome) => outcome.kind));
  if (kinds.has("failed")) return "fault";
  return kinds.has("escalated") || kinds.has("refused") ? "attention" : "done";
}

/** How a run that was broken off ended. */
export function faultOf(error: unknown): RunResult {
  const code = error instanceof StanchError ? error.code : "internal";
  return code === "config" || code === "lease" ? code : "fault";
}

/** The summary of a run, for people and metrics. `report`: null for a run that was broken off. */
export function entryOf(report: RunReport | null, result: RunResult, run: Recorded): RunEntry {
  const { config, clock, version, meter, id, tally, cluster } = run;
  const now = clock.now();
  const { pods = 0, workloads = 0, namespaces = 0 } = report?.scanned ?? {};
  const { firstHotfixSeconds, firstPullRequestSeconds } = report ?? {};
  const rounded = Object.entries(meter.steps()).map(([step, seconds]) => [step, Math.round(seconds * 1000) / 1000]);
  return {
    at: now.toISOString(),
    seconds: report?.seconds ?? (now.getTime() - run.startedAt) / 1000,
    mode: config.mode,
    version,
    pods,
    workloads,
    namespaces,
    calls: report?.scanned.calls ?? cluster.calls(),
    gaps: report?.gaps.length ?? 0,
    outcomes: countOutcomes(report?.outcomes ?? []),
    ...(firstHotfixSeconds === undefined ? {} : { firstHotfixSeconds }),
    ...(firstPullRequestSeconds === undefined ? {} : { firstPullRequestSeconds }),
    id,
    result,
    steps: Object.fromEntries(rounded),
    ...(report === null ? {} : { findings: report.findings }),
    ...(tally.model === undefined ? {} : { model: tally.model }),
  };
}

/** Everything that a run counted, its own end included. */
export function countsOf(entry: RunEntry, { meter, cluster }: Pick<Recorded, "meter" | "cluster">) {
  let counts = meter.counts();
  const add = (series: string, amount: number): void => {
    if (amount > 0) counts = addCounts(counts, { [series]: amount });
  };
  add(`stanch_runs_total{result="${entry.result ?? "done"}"}`, 1);
  add("stanch_run_seconds_total", entry.seconds);
  for (const [step, seconds] of Object.entries(entry.steps ?? {}))
    add(`stanch_step_seconds_total{step="${step}"}`, seconds);
  for (const [kind, count] of Object.entries(entry.outcomes)) add(`stanch_outcomes_total{kind="${kind}"}`, count);
  add('stanch_api_requests_total{api="kubernetes"}', cluster.calls());
  add("stanch_model_requests_total", entry.model?.requests ?? 0);
  add('stanch_model_tokens_total{direction="input"}', entry.model?.inputTokens ?? 0);
  add('stanch_model_tokens_total{direction="output"}', entry.model?.outputTokens ?? 0);
  add("stanch_model_cost_dollars_total", entry.model?.dollars ?? 0);
  return counts;
}

/** Does this run keep books at all? */
export function keepsBooks({ config, dryRun }: Pick<Recorded, "config" | "dryRun">): boolean {
  return config.mode !== "observe" && !dryRun && config.history > 0;
}

/** Writes a run into the history. Without it nothing is lost that a run needs: a failure is a line in the log. */
export async function remember(entry: RunEntry, run: Recorded): Promise<void> {
  if (!keepsBooks(run)) return;
  const { cluster, clock, config, log } = run;
  const counts = countsOf(entry, run);
  // A run that gave way has nothing to list.
  const listed = entry.result === "lease" ? {} : { entry };
  const success = entry.result === "done" || entry.result === "attention";
  try {
    const count = (before: Counts | null): Counts => totalsWith(before, counts);
    await recordRun({ ...listed, startedAt: run.startedAt, success, count }, config.history, {
      cluster,
      clock,
      namespace: config.namespace,
    });
  } catch (error) {
    log.warn("the run's summary was not kept", { error: messageOf(error) });
  }
}
