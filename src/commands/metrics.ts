import { composeBase, composeCluster } from "../compose.ts";
import { readHistory } from "../incident/run-history.ts";
import { samplesFrom } from "../metrics/samples.ts";
import { formatMetrics, identityOf, readIncidents } from "../telemetry.ts";
import type { Flags } from "./flags.ts";

/** `stanch metrics`: what the cluster keeps, in Prometheus' text format. Reads only. */
export async function main(flags: Flags): Promise<number> {
  const base = await composeBase(flags);
  const { config, clock, log } = base;
  const cluster = await composeCluster(flags, clock);
  try {
    const [{ entries, totals }, incidents] = await Promise.all([
      readHistory({ cluster, namespace: config.namespace }),
      readIncidents(cluster, clock, config),
    ]);
    const last = entries[0] ?? null;
    if (last === null)
      log.warn("no run is recorded: only incidents are told of", {
        hint: "runs in mode observe, with --dry-run or with history: 0 are not recorded",
      });
    const samples = samplesFrom({ now: clock.now(), last, totals, incidents, perIncident: config.metrics.perIncident });
    const identity = identityOf(config);
    process.stdout.write(
      base.output === "json"
        ? `${JSON.stringify(
            samples.map((sample) => ({ ...sample, labels: { ...sample.labels, ...identity } })),
            null,
            2,
          )}\n`
        : await formatMetrics(samples, config),
    );
    return 0;
  } finally {
    cluster.close();
  }
}
