import type { Config } from "../config/schema.ts";
import { namedNamespaces } from "../config/scope.ts";
import { patchOf } from "../gitops/holds.ts";
import { isStanding, standingHolds } from "../incident/holding.ts";
import type { Incident } from "../incident/incident.ts";
import { createIncidentStore } from "../incident/store.ts";
import { resourceName } from "../kube/rbac.ts";
import { describeRef, keyOf } from "../kube/ref.ts";
import type { ObjectRef } from "../model.ts";
import type { Access, Clock, Cluster } from "../ports.ts";
import { type Finding, failed } from "./check.ts";

/** At most so many lines: more say nothing new. */
const TOLD = 10;

/**
 * May this account take back what stands live, and let go of what holds it? Rights follow from the configuration of now, and what stands
 * from that of before: a remedy that was taken out, or a lesser mode, leaves changes that nobody may undo.
 */
export async function checkStanding(cluster: Cluster, config: Config, clock: Clock): Promise<Finding[]> {
  try {
    const incidents = await createIncidentStore(cluster, clock).list(namedNamespaces(config));
    const wanted = incidents.flatMap((incident) => objectsOf(incident).map((ref) => ({ incident, ref })));
    if (wanted.length === 0) return [];
    const needs: Access[] = wanted.map(({ ref }) => patchOf(ref));
    const held = await cluster.review(needs);
    const lost = wanted.filter((_, index) => held[index] !== true);
    if (lost.length === 0)
      return [{ check: "rights to take back", ok: true, text: `${wanted.length} objects that are changed live` }];
    return lost.slice(0, TOLD).map(({ incident: { metadata }, ref }) => ({
      check: "rights to take back",
      ok: false,
      text: `${describeRef(ref)} is changed or held live (incident ${metadata.namespace}/${metadata.name}), and this account may not patch it`,
      fix: `grant patch on ${resourceName(patchOf(ref))} again until \`stanch undo ${metadata.name} -n ${metadata.namespace}\`, or the merge, has ended it`,
    }));
  } catch (error) {
    return [failed("rights to take back", error)];
  }
}

function objectsOf(incident: Incident): readonly ObjectRef[] {
  const changed = isStanding(incident) ? (incident.status?.hotfix?.changes ?? []).map(({ object }) => object) : [];
  const held = standingHolds(incident).flatMap(({ changes }) => changes.map(({ object }) => object));
  return [...new Map([...changed, ...held].map((ref) => [keyOf(ref), ref])).values()];
}
