import { z } from "zod";
import { getAt } from "../kube/field-path.ts";
import { numberAt, textAt, timeOf } from "../kube/fields.ts";
import { probeOf } from "../kube/probes.ts";
import { failedRuns } from "../kube/runs.ts";
import { containerOf, templateDigest } from "../kube/template.ts";
import type { Change, FieldPath, Finding, PodState, Workload } from "../model.ts";
import { fact } from "./evidence.ts";
import { defineRemedy, no, type PlanContext, refuse } from "./remedy.ts";
import { PATCH_CRON_JOBS, PATCH_DEPLOYMENTS } from "./workload-rights.ts";

/**
 * Keeps what still serves. A Deployment's rollout whose new pods count as available for a moment, again and again, takes the old ones away one
 * after the other; paused, it leaves both as they are. Where they never count, the rollout stops by itself, and there is nothing to pause. A
 * CronJob is suspended only where that is wanted, because a job that is not run is harm, too. Once for a template: another one may be the fix, and ends it.
 */
export const pause = defineRemedy({
  id: "pause",
  summary:
    "Pauses a rollout that takes serving pods away for pods that crash; suspends a CronJob whose runs fail again and again, where remedies.pause.cronJobs says so.",
  risk: "low",
  reversibility: "inverse",
  contains: true,
  params: z.strictObject({}),
  needs: [PATCH_DEPLOYMENTS],
  needsWhen: [{ when: { setting: "remedies.pause.cronJobs", is: true }, accesses: [PATCH_CRON_JOBS] }],
  async diagnose(finding, context) {
    const found = threatened(finding, context);
    if ("reason" in found) return no(found.reason);
    return { applies: true, params: {}, reason: found.proof, evidence: [fact("status", found.proof)] };
  },
  plan(_params, finding, context) {
    const found = threatened(finding, context);
    if ("reason" in found) return refuse(found.reason);
    const { workload, title } = found;
    const path = pausePath(workload.ref.kind) ?? [];
    const from = getAt(workload.object, path);
    if (from === true) return refuse("it is paused already");
    const change: Change = { object: workload.ref, path, ...(from === undefined ? {} : { from }), to: true };
    return {
      possible: true,
      changes: [change],
      contains: { template: templateDigest(workload.object), pods: [] },
      title,
    };
  },
  async origin(_params, { workload }, context) {
    const path = pausePath(workload.kind);
    // Out of reach, Git says nothing that would be fought: an engine that puts it back is not fought either.
    const declared = await context.declared(workload).catch(() => null);
    return path === null || declared === null || getAt(declared, path) === undefined
      ? null
      : `Git says ${path.join(".")} itself, and what deploys it would put that back`;
  },
});

/** The field that makes a kind rest; null: it cannot. */
export function pausePath(kind: string): FieldPath | null {
  return kind === "Deployment" ? ["spec", "paused"] : kind === "CronJob" ? ["spec", "suspend"] : null;
}

/** Runs that failed one after the other before a CronJob is suspended: as many as are looked at. */
const RUNS = 3;

type Threatened =
  | { readonly workload: Workload; readonly proof: string; readonly title: string }
  | { readonly reason: string };

function threatened(finding: Finding, context: PlanContext): Threatened {
  const { workload, contained } = context;
  const { symptom } = finding;
  if (symptom.kind !== "CrashLoop" || (symptom.exit !== "application" && symptom.exit !== "fault"))
    return { reason: "it does not end by its own fault" };
  if (workload === undefined || pausePath(workload.ref.kind) === null)
    return { reason: `a ${finding.workload.kind} cannot be paused` };
  const template = templateDigest(workload.object);
  if (contained.some((row) => row.remedy === "pause" && row.template === template))
    return { reason: "it was paused with this template before, and is not paused again" };
  return workload.ref.kind === "CronJob" ? ofCronJob(workload, context) : ofDeployment(workload, finding, symptom.init);
}

function ofCronJob(workload: Workload, { settings }: PlanContext): Threatened {
  if (!settings.remedies.pause.cronJobs)
    return {
      reason: "a CronJob is suspended only where remedies.pause.cronJobs says so: a job that is not run is harm, too",
    };
  const failed = failedRuns(workload.pods);
  if (failed < RUNS) return { reason: `${failed} of its last runs failed; it is suspended after ${RUNS}` };
  return {
    workload,
    proof: `Its last ${failed} runs all ended by their own fault, and the next one would, too.`,
    title: "suspend the CronJob, whose runs all fail",
  };
}

function ofDeployment(workload: Workload, { container }: Finding, init: boolean): Threatened {
  const { object } = workload;
  if (textAt(object, "spec", "strategy", "type") === "Recreate")
    return { reason: "its rollout ends the old pods before it makes new ones (Recreate)" };
  const current = workload.revisions.find((revision) => revision.current);
  const old = workload.revisions.reduce((sum, one) => sum + (one.current ? 0 : one.readyReplicas), 0);
  if (current === undefined || old === 0) return { reason: "no pod of an earlier revision serves any more" };
  if (init || container === undefined)
    return { reason: "its new pods never count as available, so that the rollout takes no further pod away by itself" };
  const fresh = workload.pods.filter((pod) => pod.revision === current.name && !pod.deleting);
  const flapping = fresh.find((pod) => wasAvailable(pod, container, workload));
  if (flapping === undefined)
    return { reason: "its new pods never count as available, so that the rollout takes no further pod away by itself" };
  const serve = `${old} pod${old === 1 ? "" : "s"} of an earlier revision still serve${old === 1 ? "s" : ""}`;
  return {
    workload,
    proof: `${serve}, and the rollout goes on to take them away: new pod ${flapping.name} ends again and again, and counts as available in between.`,
    title: `pause the rollout, while ${serve}`,
  };
}

/** Did a pod that crashes count as available between two ends of its container? */
function wasAvailable(pod: PodState, container: string, workload: Workload): boolean {
  const state = pod.containers.find(({ name, init }) => name === container && !init);
  const last = state?.last ?? state?.terminated;
  if (state === undefined || last === undefined || (state.restarts === 0 && state.terminated === undefined))
    return false;
  const least = (numberAt(workload.object, "spec", "minReadySeconds") ?? 0) * 1000;
  if ((timeOf(last.finishedAt) ?? 0) - (timeOf(last.startedAt) ?? 0) < least) return false;
  // Without a readiness probe, what runs is ready.
  if (probeOf(containerOf(workload.object, container)?.spec, "readinessProbe") === null)
    return pod.containers.every((other) => other === state || other.init || other.ready);
  if (pod.ready) return true;
  const since = timeOf(pod.conditions.find(({ type, status }) => type === "Ready" && status === "False")?.since);
  const began = timeOf(last.startedAt);
  return since !== undefined && began !== undefined && since > began;
}
