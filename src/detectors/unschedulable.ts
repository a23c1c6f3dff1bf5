import { formatDuration } from "../config/duration.ts";
import { textAt, timeOf } from "../kube/fields.ts";
import { podSpecOf } from "../kube/template.ts";
import type { Finding, PodState, Workload } from "../model.ts";
import type { Detector } from "./detector.ts";
import { eventFact, plainText } from "./evidence.ts";
import { makeFinding } from "./finding.ts";
import { eventsOn, subjectPods } from "./subject.ts";

interface Unplaced {
  readonly pod: PodState;
  readonly message: string;
  readonly since: string | undefined;
}

/** A pod for which no node fits, longer than `detect.pending`. Gated pods wait on purpose. */
export const unschedulable: Detector = {
  id: "unschedulable",
  summary: "No node fits a pod: resources, node selector, affinity, taints or volumes.",
  detect(snapshot, settings) {
    const now = Date.parse(snapshot.takenAt);
    return snapshot.workloads.flatMap((workload) => {
      const unplaced = subjectPods(workload).flatMap((pod) => [...unplacedOf(pod), ...unseen(pod, workload)]);
      return unplaced.length === 0
        ? []
        : [finding(workload, unplaced, { now, patience: settings.pending, takenAt: snapshot.takenAt })];
    });
  },
};

function unplacedOf(pod: PodState): Unplaced[] {
  const condition = pod.conditions.find(
    (item) => item.type === "PodScheduled" && item.status === "False" && item.reason === "Unschedulable",
  );
  return condition === undefined || pod.node !== undefined
    ? []
    : [{ pod, message: condition.message ?? "", since: condition.since ?? pod.createdAt }];
}

/** A pod at which no scheduler looks: none has the name that it asks for. The default one looks at once, or is itself what fails. */
function unseen(pod: PodState, { object }: Workload): Unplaced[] {
  const scheduler = textAt(podSpecOf(object), "schedulerName") ?? DEFAULT_SCHEDULER;
  const looked = pod.conditions.some((condition) => condition.type === "PodScheduled");
  return scheduler === DEFAULT_SCHEDULER || looked || pod.phase !== "Pending" || pod.node !== undefined
    ? []
    : [{ pod, message: `no scheduler has looked at it; it asks for scheduler "${scheduler}"`, since: pod.createdAt }];
}

const DEFAULT_SCHEDULER = "default-scheduler";

function finding(
  workload: Workload,
  unplaced: readonly Unplaced[],
  look: { now: number; patience: number; takenAt: string },
): Finding {
  const longest = unplaced.toSorted(
    (a, b) => (timeOf(a.since) ?? look.now) - (timeOf(b.since) ?? look.now),
  )[0] as Unplaced;
  const message = plainText(longest.message);
  const waited = look.now - (timeOf(longest.since) ?? look.now);
  return makeFinding(
    {
      detector: unschedulable.id,
      workload: workload.ref,
      symptom: { kind: "Unschedulable", message },
      summary: `${unplaced.length === 1 ? "A pod" : `${unplaced.length} pods`} cannot be scheduled: ${message}`,
      facts: [
        { kind: "status", text: `Pod ${longest.pod.name}: ${message}` },
        ...eventsOn(workload, longest.pod, look.now, look.patience * 12)
          .slice(0, 2)
          .map(eventFact),
      ],
      since: unplaced.map((item) => item.since),
      pods: unplaced.length,
      unripe:
        waited >= look.patience
          ? undefined
          : `It waits for a node since ${formatDuration(waited)}; it counts after ${formatDuration(look.patience)}.`,
    },
    look.takenAt,
  );
}
