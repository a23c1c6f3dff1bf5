import { composeBase, composeCluster } from "../compose.ts";
import { detect } from "../steps/detect.ts";
import { observe } from "../steps/observe.ts";
import { countsLine } from "./counts-line.ts";
import type { Flags } from "./flags.ts";
import { age, table } from "./table.ts";

/** `stanch scan`: what fails now, by rules. Reads only; needs neither custom resource nor code host. */
export async function main(flags: Flags): Promise<number> {
  const base = await composeBase(flags);
  const cluster = await composeCluster(flags, base.clock);
  try {
    base.log.progress(`reading ${cluster.server}`);
    const { snapshot } = await observe(cluster, base.config, base.clock);
    const findings = detect(snapshot, base.config.detect);
    // On a terminal the line of progress and the result would be one.
    base.log.progress("");
    for (const gap of snapshot.gaps) base.log.warn("not seen", { gap });
    if (base.output === "json")
      process.stdout.write(
        `${JSON.stringify({ takenAt: snapshot.takenAt, counts: snapshot.counts, gaps: snapshot.gaps, findings }, null, 2)}\n`,
      );
    else if (findings.length === 0) process.stdout.write(`Nothing fails: ${countsLine(snapshot.counts)}.\n`);
    else {
      const now = base.clock.now();
      const rows = findings.map((finding) => [
        finding.workload.namespace,
        `${finding.workload.kind.toLowerCase()}/${finding.workload.name}`,
        finding.container ?? "-",
        finding.symptom.kind,
        String(finding.pods),
        age(finding.since, now),
        finding.unripe === undefined ? finding.summary : `${finding.summary} (watching: ${finding.unripe})`,
      ]);
      process.stdout.write(table(["NAMESPACE", "WORKLOAD", "CONTAINER", "SYMPTOM", "PODS", "SINCE", "WHAT"], rows));
    }
    return findings.length > 0 ? 3 : 0;
  } finally {
    base.log.progress("");
    cluster.close();
  }
}
