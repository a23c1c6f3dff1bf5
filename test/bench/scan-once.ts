import { systemClock } from "../../src/adapters/clock.ts";
import { connectCluster } from "../../src/adapters/kubernetes.ts";
import { parseConfig } from "../../src/config/load.ts";
import { detect } from "../../src/steps/detect.ts";
import { observe } from "../../src/steps/observe.ts";

const [kubeconfig = ""] = process.argv.slice(2);
const config = parseConfig("");
const cluster = await connectCluster({ kubeconfig, clock: systemClock });
// One small call first, so that neither side pays for the connection or for loading code.
await cluster.version();
const started = performance.now();
const { snapshot } = await observe(cluster, config, systemClock);
const findings = detect(snapshot, config.detect);
const ms = Math.round(performance.now() - started);
process.stdout.write(
  JSON.stringify({
    ms,
    peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    calls: snapshot.counts.calls,
    findings: findings.length,
  }),
);
cluster.close();
