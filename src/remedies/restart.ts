import { z } from "zod";
import { formatDuration } from "../config/duration.ts";
import { timeOf } from "../kube/fields.ts";
import { probeOf, secondsToFail } from "../kube/probes.ts";
import { containerOf, templateDigest } from "../kube/template.ts";
import type { EventState, Evidence, Finding, PodState, Workload } from "../model.ts";
import { spentOn } from "./containing.ts";
import { fact } from "./evidence.ts";
import { defineRemedy, no, type PlanContext, refuse } from "./remedy.ts";
import { EVICT_PODS } from "./workload-rights.ts";

/**
 * A new pod in place of one that hangs. Proof is that this very pod was ready with the present template, that its readiness probe gets no answer
 * any more (a program that answers says itself that it is not ready, and a restart would not change its mind), and that no liveness probe has
 * restarted it in all the time that it had. One pod at a time; where no pod is ready, that one is the trial: when it does not help, the cause
 * is elsewhere and no other pod follows it.
 */
export const restart = defineRemedy({
  id: "restart",
  summary: "Evicts a pod that was ready and does not answer its readiness probe any more, one at a time.",
  risk: "low",
  reversibility: "none-needed",
  contains: true,
  params: z.strictObject({ pod: z.string().min(1).max(253) }),
  needs: [EVICT_PODS],
  async diagnose(finding, context) {
    const found = hungPods(finding, context);
    if ("reason" in found) return no(found.reason);
    const { pod, evidence, reason } = found.pods[0];
    return { applies: true, params: { pod: pod.name }, reason, evidence };
  },
  plan({ pod: name }, finding, context) {
    const found = hungPods(finding, context);
    if ("reason" in found) return refuse(found.reason);
    const hung = found.pods.find(({ pod }) => pod.name === name);
    if (hung === undefined) return refuse(`pod ${name} is not one that hangs`);
    return {
      possible: true,
      changes: [],
      action: { kind: "evict", pods: [name] },
      contains: { template: templateDigest(found.workload.object), pods: [hung.pod.uid] },
      title: `restart ${name}, which does not answer any more`,
    };
  },
});

/** A program that was ready for less never really worked. */
const SERVED_MS = 60_000;
/** The kubelet asked and heard nothing; not that the program said no. */
const NO_ANSWER =
  /context deadline exceeded|Client\.Timeout|timed out|i\/o timeout|^\S+ probe \w+: timeout|connection refused|connection reset|\bEOF\b/;
const UNHEALTHY = /^Readiness probe (?:failed|errored)/;
const KINDS = new Set(["Deployment", "DaemonSet", "StatefulSet"]);

interface Hung {
  readonly pod: PodState;
  readonly since: number;
  readonly reason: string;
  readonly evidence: readonly Evidence[];
}

/** Pods that are proved to hang, the one that has hung for longest first; or why none may be restarted. */
function hungPods(
  finding: Finding,
  context: PlanContext,
): { readonly workload: Workload; readonly pods: readonly [Hung, ...Hung[]] } | { readonly reason: string } {
  const { workload, settings, snapshot } = context;
  const container = finding.container;
  if (finding.symptom.kind !== "NotReady" || container === undefined)
    return { reason: "nothing shows that it ran well before and hangs now" };
  if (workload === undefined || !KINDS.has(workload.ref.kind))
    return { reason: `nothing would make a new pod in place of one of a ${finding.workload.kind}` };
  if (workload.ref.kind === "StatefulSet" && !settings.remedies.restart.statefulSets)
    return {
      reason: "a pod of a StatefulSet may hold data: it is restarted only where remedies.restart.statefulSets says so",
    };
  const spent = spentOn("restart", context);
  if (spent !== null)
    return { reason: `${spent}; a restart does not last, and the program's developers must look at what it hangs on` };
  const current = workload.revisions.find((revision) => revision.current);
  if (current === undefined) return { reason: "its controller has not yet seen the newest template" };
  if (workload.revisions.some((revision) => !revision.current && revision.replicas > 0))
    return { reason: "a rollout is under way: its pods are replaced anyway" };

  const now = Date.parse(snapshot.takenAt);
  const looked = workload.pods.filter((pod) => pod.containers.some(({ name, ready }) => name === container && !ready));
  const judged = looked.map((pod) => judge(pod, container, current.name, workload, { context, now }));
  const [first, ...others] = judged
    .filter((found): found is Hung => typeof found !== "string")
    .toSorted((a, b) => a.since - b.since || a.pod.name.localeCompare(b.pod.name));
  if (first !== undefined) return { workload, pods: [first, ...others] };
  return { reason: judged.find((found) => typeof found === "string") ?? "no pod of it runs without being ready" };
}

function judge(
  pod: PodState,
  container: string,
  revision: string,
  workload: Workload,
  { context, now }: { readonly context: PlanContext; readonly now: number },
): Hung | string {
  const state = pod.containers.find(({ name }) => name === container);
  const began = timeOf(state?.running?.startedAt);
  // Ready turns to False only from True: a pod that never was ready says so since before its containers started.
  const since = timeOf(pod.conditions.find(({ type, status }) => type === "Ready" && status === "False")?.since);
  if (pod.deleting || pod.phase !== "Running" || began === undefined || since === undefined)
    return `pod ${pod.name} does not run`;
  if (pod.revision !== revision) return `pod ${pod.name} is not of the present revision`;
  if (since - began < SERVED_MS)
    return `nothing shows that pod ${pod.name} ever worked with the present template: a restart would not help`;
  const { after } = context.settings.remedies.restart;
  const waited = now - since;
  if (waited < after)
    return `pod ${pod.name} has not been ready for ${formatDuration(waited)}; it may come back by itself until ${formatDuration(after)} have passed (remedies.restart.after)`;
  const spec = containerOf(workload.object, container)?.spec;
  const liveness = probeOf(spec, "livenessProbe");
  if (liveness !== null && waited < 2 * secondsToFail(liveness) * 1000)
    return `the liveness probe of pod ${pod.name} may restart it yet`;
  const failure = newestFailure(workload.events, pod.name, since);
  if (failure === undefined) return `nothing tells what the readiness probe of pod ${pod.name} gets for an answer`;
  if (!NO_ANSWER.test(failure.message))
    return `the program in pod ${pod.name} answers that it is not ready: a restart would not change that`;
  const others =
    workload.readyCount === 0
      ? "No other pod is ready either, so that this one shows whether a restart helps."
      : `${workload.readyCount} other pod${workload.readyCount === 1 ? " is" : "s are"} ready with the same template.`;
  const probe = liveness === null ? "it has no liveness probe that would restart it" : "its liveness probe passes";
  return {
    pod,
    since,
    reason: `Pod ${pod.name} was ready with the present template and has not answered its readiness probe for ${formatDuration(waited)}; ${probe}. ${others}`,
    evidence: [
      fact(
        "status",
        `Pod ${pod.name}: its container ${container} runs since ${new Date(began).toISOString()}, and was ready until ${new Date(since).toISOString()}.`,
      ),
      fact("event", failure.message.slice(0, 500), failure.lastSeen),
    ],
  };
}

/** The newest failure of its readiness since it stopped being ready; a minute before that, the first probe already failed. */
function newestFailure(events: readonly EventState[], pod: string, since: number): EventState | undefined {
  return events.find(
    (event) =>
      event.on.kind === "Pod" &&
      event.on.name === pod &&
      event.reason === "Unhealthy" &&
      UNHEALTHY.test(event.message) &&
      (timeOf(event.lastSeen) ?? 0) >= since - 60_000,
  );
}
