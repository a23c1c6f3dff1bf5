import type { Config } from "../config/schema.ts";
import { deployerNamespaces, namedNamespaces } from "../config/scope.ts";
import { patchOf } from "../gitops/holds.ts";
import type { LiveAction, Plan } from "../model.ts";
import type { Access } from "../ports.ts";
import { accessesOf, GRANTS, type Grant, isNeeded } from "./grants.ts";
import { EVICT_PODS, EXEC_PODS } from "./workload-rights.ts";

/**
 * Rights that every run needs: to observe, to find proof for the enabled remedies and, unless the mode is `observe`, to keep its books (Incidents, Events, the
 * Lease and the Run in its own namespace). Secrets appear only as far as `observe.secrets` and `registry.usePullSecrets` ask for them.
 */
export function readRights(config: Config): Access[] {
  return rightsOf("reader", config);
}

/**
 * Rights to change things live: those of the enabled remedies and, where a whole application may be held, to what deploys workloads.
 * None unless the mode is `remediate`.
 */
export function writeRights(config: Config): Access[] {
  return rightsOf("writer", config);
}

function rightsOf(part: Grant["part"], config: Config): Access[] {
  const within = (namespace: string, accesses: readonly Access[]): Access[] =>
    accesses.map((access) => ({ ...access, namespace }));
  const watched = namedNamespaces(config);
  // Where all namespaces are watched, or this one, the right is held there already.
  const beside = watched === null ? [] : (deployerNamespaces(config) ?? []).filter((name) => !watched.includes(name));
  return unique(
    GRANTS.filter((grant) => grant.part === part && isNeeded(grant, config)).flatMap((grant) => {
      const accesses = accessesOf(grant, config);
      if (grant.own === true) return within(config.namespace, accesses);
      return [...accesses, ...(grant.deployers === true ? beside.flatMap((name) => within(name, accesses)) : [])];
    }),
  );
}

const ACTIONS: Readonly<Record<LiveAction["kind"], readonly Access[]>> = { evict: [EVICT_PODS], exec: EXEC_PODS };

/** Rights that the live half of one plan needs, in the namespaces of its objects. None for a plan that is Git only. */
export function workloadRights(plan: Plan): Access[] {
  if (plan.gitOnly !== undefined) return [];
  const patches = plan.changes.map((change) => patchOf(change.object));
  const { namespace } = plan.finding.workload;
  const acts = plan.action === undefined ? [] : ACTIONS[plan.action.kind].map((access) => ({ ...access, namespace }));
  return unique([...patches, ...acts]);
}

function unique(accesses: readonly Access[]): Access[] {
  return [...new Map(accesses.map((access) => [keyOf(access), access])).values()];
}

function keyOf(access: Access): string {
  return [access.group, access.resource, access.subresource, access.verb, access.namespace, access.name].join("/");
}
