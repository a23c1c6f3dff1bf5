import { composeBase, composeCluster, composeHosts, composeRun } from "../compose.ts";
import { StanchError } from "../errors.ts";
import { countOutcomes } from "../incident/run-history.ts";
import { cycle } from "../pipeline.ts";
import { refuseExcess } from "./check-rights.ts";
import type { Flags } from "./flags.ts";
import { showReport } from "./show-report.ts";

/** `stanch run`: one cycle. */
export async function main(flags: Flags): Promise<number> {
  const base = await composeBase(flags);
  const cluster = await composeCluster(flags, base.clock);
  try {
    await refuseExcess(cluster, base.config);
  } catch (error) {
    cluster.close();
    throw error;
  }
  const hosts = await composeHosts(base, flags, cluster);
  const { run, holder } = await composeRun(base, cluster, hosts, { dryRun: flags["dry-run"] === true });
  try {
    const report = await cycle(run, holder);
    for (const gap of report.gaps) base.log.warn("not seen", { gap });
    process.stdout.write(showReport(report, base.output));
    const count = (kind: string): number => report.outcomes.filter((outcome) => outcome.kind === kind).length;
    base.log.info("run finished", {
      mode: base.config.mode,
      ...report.scanned,
      seconds: report.seconds,
      outcomes: countOutcomes(report.outcomes),
      ...(report.firstHotfixSeconds === undefined ? {} : { firstHotfixSeconds: report.firstHotfixSeconds }),
      ...(report.firstPullRequestSeconds === undefined
        ? {}
        : { firstPullRequestSeconds: report.firstPullRequestSeconds }),
    });
    if (count("failed") > 0) return 1;
    // A failed Job is an alert; what needs a person is told by incidents, issues and metrics.
    return count("escalated") + count("refused") > 0 && flags.scheduled !== true ? 3 : 0;
  } catch (error) {
    if (!(error instanceof StanchError) || error.code !== "lease" || flags.scheduled !== true) throw error;
    base.log.info("another run is at work", { detail: error.message });
    return 0;
  } finally {
    await run.workbench.close();
    cluster.close();
  }
}
