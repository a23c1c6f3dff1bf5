import { join } from "node:path";
import { systemClock } from "../src/adapters/clock.ts";
import { useProxies } from "../src/adapters/network.ts";
import { locateLine } from "../src/commands/locate-line.ts";
import { type Base, clusterSide, composeCluster, composeHosts } from "../src/compose.ts";
import { namedNamespaces } from "../src/config/scope.ts";
import type { DriftReport } from "../src/drift/model.ts";
import { surveyDrift } from "../src/drift/survey.ts";
import { StanchError } from "../src/errors.ts";
import type { Incident } from "../src/incident/incident.ts";
import { createIncidentStore, type IncidentStore } from "../src/incident/store.ts";
import { version } from "../src/version.ts";
import { ownConfig } from "./config.ts";
import type { Environment, Inputs, Runner } from "./inputs.ts";
import { debugLog } from "./report.ts";

/**
 * Compares the cluster of a kubeconfig with what Git says of this repository, with rights to read and no others: nothing is asked of the API
 * server by dry run, because that needs the right to write.
 */
export async function surveyLive(inputs: Inputs, runner: Runner, env: Environment): Promise<DriftReport> {
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
    const { createWorkbench } = await import("../src/workbench.ts");
    const workbench = createWorkbench(config, { ...hosts, ...clusterSide(base, cluster) });
    try {
      const report = await surveyDrift({
        config,
        cluster,
        workbench,
        renderer: hosts.renderer,
        locate: (bench, change) => locateLine(bench, change, hosts.renderer),
        incidents: () => openIncidents(createIncidentStore(cluster, base.clock), namedNamespaces(config)),
        clock: base.clock,
        log: base.log,
        version,
        mode: "client",
        wait: config.drift.wait,
      });
      const mine = (repository: string): boolean => repository.toLowerCase() === runner.repository.toLowerCase();
      return { ...report, roots: report.roots.filter(({ repository }) => mine(repository)) };
    } finally {
      await workbench.close();
    }
  } finally {
    cluster.close();
  }
}

/** A cluster without the custom resource has no incidents. */
async function openIncidents(store: IncidentStore, namespaces: readonly string[] | null): Promise<readonly Incident[]> {
  try {
    return await store.list(namespaces);
  } catch (error) {
    if (error instanceof StanchError && error.code === "config") return [];
    throw error;
  }
}
