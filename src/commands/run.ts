import { composeBase, composeCluster, composeHosts, composeRun } from "../compose.ts";
import { countOutcomes } from "../incident/run-history.ts";
import { cycle } from "../pipeline.ts";
import type { Flags } from "./flags.ts";
import { showReport } from "./show-report.ts";

/** `stanch run`: one cycle. */
export async function main(flags: Flags): Promise<number> {
  const base = await composeBase(flags);
  const cluster = await composeCluster(flags, base.clock);
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
    if (base.config.drift.publish && flags["dry-run"] !== true)
      await (await import("./publish-after-run.ts")).publishAfterRun(base, cluster, hosts);
    if (count("failed") > 0) return 1;
    return count("escalated") + count("refused") > 0 ? 3 : 0;
  } finally {
    await run.workbench.close();
    cluster.close();
  }
}
