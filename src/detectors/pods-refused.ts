import { formatDuration } from "../config/duration.ts";
import { conditionOf } from "../kube/conditions.ts";
import { numberAt, timeOf } from "../kube/fields.ts";
import type { EventState, Finding, Workload } from "../model.ts";
import type { Detector } from "./detector.ts";
import { eventFact, plainText } from "./evidence.ts";
import { makeFinding } from "./finding.ts";
import { isActive, isRecent } from "./subject.ts";

/** What may pass by itself: other pods give quota back, a webhook or the API server answers again. */
const PASSING =
  /quota|timeout|timed out|deadline exceeded|connection refused|no endpoints available|\bEOF\b|try again|internal error|object has been modified|etcd|TLS handshake/i;
/** The namespace or the object goes away: nothing is wrong. */
const ENDING = /being terminated|already exists|being deleted/i;

/** Pods that the API server does not admit: quota, pod security, a webhook, a missing ServiceAccount, a LimitRange. */
export const podsRefused: Detector = {
  id: "pods-refused",
  summary:
    "Pods cannot be created: quota, pod security, an admission webhook or a missing ServiceAccount refuses them.",
  detect(snapshot, settings) {
    const now = Date.parse(snapshot.takenAt);
    return snapshot.workloads
      .filter((workload) => isActive(workload) && lacksPods(workload))
      .flatMap((workload) => {
        const events = workload.events.filter(
          (event) =>
            event.reason === "FailedCreate" &&
            speaksFor(event, workload) &&
            isRecent(event.lastSeen, now, settings.recent * 2) &&
            !ENDING.test(event.message),
        );
        const condition = conditionOf(workload.object, "ReplicaFailure");
        const told =
          condition?.status === "True" && condition.reason === "FailedCreate" && !ENDING.test(condition.message ?? "")
            ? condition
            : undefined;
        const message = told?.message ?? events[0]?.message;
        if (message === undefined) return [];
        const since = [told?.since, ...events.map((event) => event.firstSeen)];
        return [
          finding(workload, message, events, since, { now, patience: settings.pending, takenAt: snapshot.takenAt }),
        ];
      });
  },
};

/** Fewer pods than are wanted, or none of the newest revision. */
function lacksPods({ object }: Workload): boolean {
  const status = (name: string) => numberAt(object, "status", name) ?? 0;
  if (object.kind === "DaemonSet") return status("currentNumberScheduled") < status("desiredNumberScheduled");
  if (object.kind === "Job") return status("active") === 0 && conditionOf(object, "Failed")?.status !== "True";
  if (object.kind === "CronJob") return true;
  const wanted = numberAt(object, "spec", "replicas") ?? 1;
  return status("replicas") < wanted || (object.kind === "Deployment" && status("updatedReplicas") < wanted);
}

/** An old ReplicaSet's refusals are over. */
function speaksFor(event: EventState, workload: Workload): boolean {
  if (event.on.kind !== "ReplicaSet") return true;
  const current = workload.revisions.find((revision) => revision.current)?.name;
  return current === undefined || event.on.name === current;
}

function finding(
  workload: Workload,
  raw: string,
  events: readonly EventState[],
  since: readonly (string | undefined)[],
  look: { now: number; patience: number; takenAt: string },
): Finding {
  // "Error creating: pods "cart-6d4-" is forbidden: …": the generated name says nothing.
  const message = plainText(
    raw.replace(/^Error creating: /, "").replace(/^create Pod \S+ in \S+ \S+ failed error: /, ""),
  );
  const began = Math.min(...since.map((time) => timeOf(time) ?? look.now));
  const waited = look.now - began;
  return makeFinding(
    {
      detector: podsRefused.id,
      workload: workload.ref,
      symptom: { kind: "PodsRefused", message },
      summary: `Pods cannot be created: ${message}`,
      facts: [{ kind: "status", text: message }, ...events.slice(0, 3).map(eventFact)],
      since,
      pods: 0,
      unripe:
        PASSING.test(message) && waited < look.patience
          ? `It may pass by itself; it counts after ${formatDuration(look.patience)}.`
          : undefined,
    },
    look.takenAt,
  );
}
