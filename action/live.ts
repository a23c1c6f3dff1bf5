import { join } from "node:path";
import { systemClock } from "../src/adapters/clock.ts";
import { useProxies } from "../src/adapters/network.ts";
import { survey } from "../src/commands/survey.ts";
import { type Base, composeCluster, composeHosts } from "../src/compose.ts";
import type { DriftReport } from "../src/drift/model.ts";
import { ofRepository } from "../src/drift/of-repository.ts";
import { mayShowValues } from "../src/drift/publishing.ts";
import { type CountedReport, sanitised } from "../src/drift/sanitise.ts";
import { ownConfig } from "./config.ts";
import type { Environment, Inputs, Runner } from "./inputs.ts";
import { debugLog } from "./report.ts";

/**
 * Compares the cluster of a kubeconfig with what Git says of this repository, with rights to read and no others: nothing is asked of the API
 * server by dry run, because that needs the right to write. Whoever may read the repository may read what comes of it, so that it is told as
 * it would be published there.
 */
export async function surveyLive(inputs: Inputs, runner: Runner, env: Environment): Promise<CountedReport> {
  const { kubeconfig, context, token, apiUrl } = inputs;
  const flags = {
    kubeconfig,
    ...(context === "" ? {} : { context }),
    env: { ...env, GITHUB_TOKEN: token },
    interactive: false,
  };
  useProxies(env);
  const own = await ownConfig(inputs, runner);
  const config = {
    ...own,
    git: { cache: join(runner.temp, "stanch-git") },
    // What other repositories deploy is for their own workflows to say.
    github: { ...own.github, apiUrl, repositories: [runner.repository], appId: undefined },
  };
  const log = debugLog(systemClock.now);
  const base: Base = { config, configFile: undefined, log, clock: systemClock, output: "table" };
  const cluster = await composeCluster(flags, base.clock);
  try {
    const hosts = await composeHosts(base, flags, cluster);
    const report = await survey(base, cluster, hosts, { mode: "client", wait: config.drift.wait });
    const values = await mayShowValues(runner.repository, { codeHost: hosts.codeHost, config });
    return sanitised(known(ofRepository(report, runner.repository), runner.repository), { values });
  } finally {
    cluster.close();
  }
}

/** What is deployed from nowhere that is known to be here is not known to be in sync. */
function known(report: DriftReport, own: string): DriftReport {
  if (report.roots.length > 0 || report.gaps.length > 0) return report;
  const gap = `nothing in this cluster is known to be deployed from ${own}: look at \`sources\` and \`github.hosts\` of the configuration`;
  return { ...report, gaps: [gap] };
}
