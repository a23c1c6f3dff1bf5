import { type Base, composeBase, composeCluster, composeHosts, composeRun } from "../compose.ts";
import { messageOf, StanchError } from "../errors.ts";
import { createMeter } from "../metrics/meter.ts";
import { cycle } from "../pipeline.ts";
import type { Cluster } from "../ports.ts";
import { countsOf, entryOf, faultOf, keepsBooks, type Recorded, remember, resultOf } from "../remember.ts";
import type { Run, RunReport } from "../run.ts";
import { exportRun } from "../telemetry.ts";
import { version } from "../version.ts";
import { refuseExcess } from "./check-rights.ts";
import { EXIT, exitOf } from "./exit.ts";
import type { Flags } from "./flags.ts";
import { showReport } from "./show-report.ts";

/** `stanch run`: one cycle, told to whoever listens: standard output, one line of the log, metrics. */
export async function main(flags: Flags): Promise<number> {
  const base = await composeBase(flags);
  const startedAt = base.clock.now().getTime();
  const cluster = await composeCluster(flags, base.clock);
  let run: Omit<Run, "renew"> | undefined;
  let mayWrite = false;
  const sayStopped = (): void =>
    base.log.warn("run stopped", { signal: "SIGTERM", hint: "the next run repairs what was left half done" });
  process.prependOnceListener("SIGTERM", sayStopped);
  try {
    await refuseExcess(cluster, base.config);
    mayWrite = true;
    const hosts = await composeHosts(base, flags, cluster);
    const composed = await composeRun(base, cluster, hosts, { dryRun: flags["dry-run"] === true });
    run = composed.run;
    const report = await cycle(run, composed.holder);
    // On a terminal the line of progress and the result would be one.
    base.log.progress("");
    for (const gap of report.gaps) base.log.warn("not seen", { gap });
    process.stdout.write(showReport(report, base.output));
    await tell(report, resultOf(report), run, flags);
    if (base.config.drift.publish && flags["dry-run"] !== true)
      await (await import("./publish-after-run.ts")).publishAfterRun(base, cluster, hosts);
    return codeOf(EXIT[resultOf(report)], flags);
  } catch (error) {
    const broken = run ?? unborn(base, cluster, flags, startedAt);
    // An account that may do too much writes nothing, not even of its own refusal.
    await tell(null, faultOf(error), broken, flags, { error, books: mayWrite });
    // On a terminal the entry says it; in a pipe every line is one of the log's.
    const code = codeOf(exitOf(error), flags);
    if (flags.interactive && code !== 0) throw error;
    return code;
  } finally {
    base.log.progress("");
    process.removeListener("SIGTERM", sayStopped);
    await run?.workbench.close();
    cluster.close();
  }
}

/** A failed Job is an alert: what needs a person is told by incidents, issues and metrics, and another run at work is no fault. */
function codeOf(code: number, flags: Flags): number {
  return flags.scheduled === true && (code === EXIT.attention || code === EXIT.lease) ? EXIT.done : code;
}

/** The summary line and the metrics of a run, also of one that was broken off, which has not been recorded yet. */
async function tell(
  report: RunReport | null,
  result: ReturnType<typeof resultOf>,
  run: Recorded,
  flags: Flags,
  failure: { readonly error?: unknown; readonly books: boolean } = { books: true },
): Promise<void> {
  const { error, books } = failure;
  const { config, cluster, clock, log, startedAt } = run;
  const entry = entryOf(report, result, run);
  const { at: _, version: __, id: ___, result: ____, findings, steps, ...rest } = entry;
  // A person at a terminal has not asked for them.
  const facts = { ...rest, ...(flags.interactive ? {} : { steps }) };
  if (report === null && codeOf(exitOf(error), flags) === EXIT.done)
    log.info("gave way to another run", { result, ...facts, ...whyOf(error) });
  else if (report === null && !flags.interactive) log.error("run failed", { result, ...facts, ...whyOf(error) });
  if (report !== null) {
    const ripe = Object.values(findings ?? {}).reduce((sum, it) => sum + it.ripe, 0);
    log.info("run finished", { result, ...facts, findings: ripe });
  }
  if (run.dryRun) return;
  const reachable = !(error instanceof StanchError && error.code === "cluster");
  if (report === null && reachable && books) await remember(entry, run);
  await exportRun(
    { entry, counts: countsOf(entry, run), startedAt, kept: keepsBooks(run), reachable },
    { config, cluster, clock, log, env: flags.env },
  );
}

function whyOf(error: unknown): Record<string, string> {
  if (!(error instanceof StanchError)) {
    const stack = error instanceof Error ? error.stack : undefined;
    return { error: messageOf(error), ...(stack === undefined ? {} : { stack }) };
  }
  return { error: error.message, code: error.code, ...(error.hint === undefined ? {} : { hint: error.hint }) };
}

/** A run that failed before there was one. */
function unborn(base: Base, cluster: Cluster, flags: Flags, startedAt: number): Recorded {
  const { config, clock, log, id = "", meter = createMeter(clock) } = base;
  const tally = { ripe: 0, hotfixes: 0, opened: 0 };
  return { cluster, clock, config, dryRun: flags["dry-run"] === true, id, log, meter, startedAt, tally, version };
}
