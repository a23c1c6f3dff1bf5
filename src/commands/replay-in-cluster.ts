import type { Consulted } from "../advice/consult.ts";
import { makeRedactor } from "../advice/redaction.ts";
import { allowedFor, judge } from "../advise.ts";
import { type Base, composeHosts, composeRun } from "../compose.ts";
import { guardContext, remedyContext } from "../context.ts";
import { findingOf, type Incident } from "../incident/incident.ts";
import type { Diagnosis } from "../model.ts";
import type { Cluster } from "../ports.ts";
import { guard } from "../steps/guard.ts";
import { observe } from "../steps/observe.ts";
import { plan } from "../steps/plan.ts";
import type { Flags } from "./flags.ts";

/** A recorded answer against the cluster and Git as they are now: the same plan, the same guards, and no write. */
export async function replayInCluster({
  incident,
  consulted,
  base,
  flags,
  cluster,
}: {
  readonly incident: Incident;
  readonly consulted: Consulted;
  readonly base: Base;
  readonly flags: Flags;
  readonly cluster: Cluster;
}): Promise<{ readonly allowed: boolean; readonly text: string }> {
  if ("problem" in consulted) return { allowed: false, text: "There is nothing to plan." };
  // Nothing is asked of a model here, whatever the configuration says.
  const offline: Base = { ...base, config: { ...base.config, model: { ...base.config.model, enabled: false } } };
  const hosts = await composeHosts(offline, flags, cluster);
  const composed = await composeRun(base, cluster, hosts, { dryRun: true });
  const run = { ...composed.run, renew: async () => undefined };
  try {
    const finding = findingOf(incident);
    const seen = await observe(cluster, base.config, base.clock);
    const context = await remedyContext(finding, seen, run, incident);
    const diagnosis: Diagnosis = { finding, cause: "", by: "model", choices: [], rejected: [] };
    const judged = await judge(consulted, diagnosis, context, makeRedactor([]));
    if (judged.proposal === undefined) return { allowed: false, text: judged.said };
    const tried = new Set((incident.status?.tried ?? []).map((row) => row.remedy));
    if (!(allowedFor(diagnosis, tried, run) as readonly string[]).includes(judged.proposal.remedy))
      return {
        allowed: false,
        text: `${judged.proposal.remedy} may not be chosen (model.remedies, model.risk), or was tried`,
      };
    const planned = await plan(diagnosis, judged.proposal, context);
    if ("refused" in planned) return { allowed: false, text: planned.refused };
    const verdict = guard(planned, await guardContext(planned, seen, run, incident));
    if (verdict.decision === "refuse")
      return { allowed: false, text: `${planned.title}: refused by ${verdict.rule}: ${verdict.reason}` };
    return {
      allowed: true,
      text:
        verdict.decision === "live"
          ? `${planned.title}: would be applied live`
          : `${planned.title}: in Git only, because ${verdict.reason}`,
    };
  } finally {
    await run.workbench.close();
  }
}
