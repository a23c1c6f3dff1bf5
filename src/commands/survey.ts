import { type Base, clusterSide, type Hosts } from "../compose.ts";
import { namedNamespaces } from "../config/scope.ts";
import type { DriftReport } from "../drift/model.ts";
import type { DriftMode } from "../drift/request.ts";
import { surveyDrift } from "../drift/survey.ts";
import { StanchError } from "../errors.ts";
import { createIncidentStore, type IncidentStore } from "../incident/store.ts";
import type { Cluster } from "../ports.ts";
import { version } from "../version.ts";
import { locateLine } from "./locate-line.ts";

/** Compares the cluster with Git, with a workbench of its own. `wait`: milliseconds until the second look. */
export async function survey(
  base: Base,
  cluster: Cluster,
  hosts: Hosts,
  options: { readonly mode: DriftMode; readonly wait: number; readonly roots?: readonly string[] },
): Promise<DriftReport> {
  const { config, log, clock } = base;
  // As compose.ts loads it, so that a bundle may keep it apart.
  const { createWorkbench } = await import("../workbench.ts");
  const workbench = createWorkbench(config, { ...hosts, ...clusterSide(base, cluster) });
  try {
    return await surveyDrift({
      config,
      cluster,
      workbench,
      renderer: hosts.renderer,
      locate: (bench, change) => locateLine(bench, change, hosts.renderer),
      incidents: () => openIncidents(createIncidentStore(cluster, clock), namedNamespaces(config)),
      clock,
      log,
      version,
      ...options,
    });
  } finally {
    await workbench.close();
  }
}

/** A cluster without the custom resource has no incidents. */
async function openIncidents(store: IncidentStore, namespaces: readonly string[] | null) {
  try {
    return await store.list(namespaces);
  } catch (error) {
    if (error instanceof StanchError && error.code === "config") return [];
    throw error;
  }
}
