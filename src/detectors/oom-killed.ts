import { textAt } from "../kube/fields.ts";
import { containerOf } from "../kube/template.ts";
import type { ContainerState, Finding, Workload } from "../model.ts";
import type { Detector } from "./detector.ts";
import { containerFact, type Fact } from "./evidence.ts";
import { makeFinding } from "./finding.ts";
import { byContainer, type Hit, isRecent, lastEnd, podCount, subjectPods } from "./subject.ts";

/** A container, init container or sidecar that the kernel killed for its memory, now or within `detect.recent`. */
export const oomKilled: Detector = {
  id: "oom-killed",
  summary: "A container is killed because it needs more memory than its limit allows.",
  detect(snapshot, settings) {
    const now = Date.parse(snapshot.takenAt);
    return snapshot.workloads.flatMap((workload) => {
      const hits = subjectPods(workload).flatMap((pod) =>
        pod.containers
          .filter((container) => isOomKilled(container, now, settings.recent))
          .map((container): Hit => ({ pod, container })),
      );
      return [...byContainer(hits)].map(([name, group]) => finding(workload, name, group, snapshot.takenAt));
    });
  },
};

/** The end that counts is the latest: a container that was killed once and ended otherwise since has another fault. */
function isOomKilled(container: ContainerState, now: number, recentMs: number): boolean {
  const end = lastEnd(container);
  if (end?.reason !== "OOMKilled") return false;
  return container.running === undefined || isRecent(end.finishedAt, now, recentMs);
}

function finding(workload: Workload, name: string, hits: readonly Hit[], takenAt: string): Finding {
  const spec = containerOf(workload.object, name);
  const limit = textAt(spec?.spec, "resources", "limits", "memory");
  const request = textAt(spec?.spec, "resources", "requests", "memory");
  // Killed once and back: a peak, perhaps. Killed again, or not back: the limit does not fit.
  const repeated = hits.some(({ container }) => container.running === undefined || container.restarts >= 2);
  const limitFact: Fact = {
    kind: "spec",
    text:
      limit === undefined
        ? `Container ${name} has no memory limit: the node, a limit of the pod or a default of the namespace killed it.`
        : `Container ${name} has a memory limit of ${limit}${request === undefined ? "" : ` and requests ${request}`}.`,
  };
  return makeFinding(
    {
      detector: oomKilled.id,
      workload: workload.ref,
      container: name,
      symptom: {
        kind: "OOMKilled",
        ...(limit === undefined ? {} : { limit }),
        ...(request === undefined ? {} : { request }),
      },
      summary: `Container ${name} is killed for its memory${limit === undefined ? " although it has no limit of its own" : ` at its limit of ${limit}`}.`,
      facts: [...hits.slice(0, 3).map(({ pod, container }) => containerFact(pod, container)), limitFact],
      // The first back-off is as near as the cluster's own data come to the first kill.
      since: hits.flatMap(({ pod, container }) => [
        container.last?.finishedAt,
        container.terminated?.finishedAt,
        ...workload.events
          .filter((event) => event.reason === "BackOff" && event.on.name === pod.name)
          .map((event) => event.firstSeen),
      ]),
      pods: podCount(hits),
      unripe: repeated
        ? undefined
        : `Container ${name} was killed once for its memory and runs again; a second kill makes it a finding to act on.`,
    },
    takenAt,
  );
}
