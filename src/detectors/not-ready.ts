import { formatDuration } from "../config/duration.ts";
import type { Config } from "../config/schema.ts";
import { timeOf } from "../kube/fields.ts";
import { portsOf, probeOf } from "../kube/probes.ts";
import { containerOf } from "../kube/template.ts";
import type { ContainerState, EventState, Finding, PodState, Workload } from "../model.ts";
import type { Detector } from "./detector.ts";
import { containerFact, eventFact, programText } from "./evidence.ts";
import { makeFinding } from "./finding.ts";
import { describeProbe } from "./liveness.ts";
import { byContainer, eventsOn, type Hit, isRollingOut, podCount, subjectPods } from "./subject.ts";

const UNHEALTHY = /^Readiness probe (?:failed|errored)/;
/** The program answered, and what it said does not change with time: no such path, no right to it. Not 408, 425 and 429. */
const ANSWERED = /statuscode: 4(?!08|25|29)\d\d/;

interface UnreadyHit extends Hit {
  readonly failures: readonly EventState[];
}

/** A container that runs, stays unready longer than `detect.notReady`, and whose readiness probe fails. */
export const notReady: Detector = {
  id: "not-ready",
  summary: "A container runs but never becomes ready: its readiness probe fails.",
  detect(snapshot, settings) {
    const now = Date.parse(snapshot.takenAt);
    return snapshot.workloads.flatMap((workload) => {
      const hits = subjectPods(workload).flatMap((pod) => {
        // Since it is not ready: earlier failures belong to an earlier start. The kubelet limits events, so the last may be old.
        const age = Math.max(settings.recent, now - (unreadySince(pod) ?? now) + 60_000);
        const failures = eventsOn(workload, pod, now, age).filter(
          (event) => event.reason === "Unhealthy" && UNHEALTHY.test(event.message),
        );
        return pod.containers
          .filter((container) => isUnready(workload, pod, container, now, settings))
          .map((container): UnreadyHit => ({ pod, container, failures }));
      });
      return [...byContainer(hits)].map(([name, group]) =>
        finding(workload, name, group, { settings, now, takenAt: snapshot.takenAt }),
      );
    });
  },
};

function isUnready(
  workload: Workload,
  pod: PodState,
  container: ContainerState,
  now: number,
  settings: Config["detect"],
): boolean {
  if (pod.phase !== "Running" || pod.ready || container.ready || container.running === undefined) return false;
  // Its startup probe has not passed: readiness was not asked yet.
  if (container.started === false) return false;
  const spec = containerOf(workload.object, container.name)?.spec;
  const probe = probeOf(spec, "readinessProbe");
  const began = timeOf(container.running.startedAt) ?? timeOf(pod.createdAt);
  if (probe === null || began === undefined) return false;
  return now - Math.max(began, unreadySince(pod) ?? 0) >= settings.notReady + probe.initialDelay * 1000;
}

/** Since when the pod is not ready: it may have been ready before. */
function unreadySince(pod: PodState): number | undefined {
  return timeOf(pod.conditions.find((condition) => condition.type === "Ready" && condition.status === "False")?.since);
}

function finding(
  workload: Workload,
  name: string,
  hits: readonly UnreadyHit[],
  look: { settings: Config["detect"]; now: number; takenAt: string },
): Finding {
  const most = hits.toSorted((a, b) => countOf(b) - countOf(a))[0] as UnreadyHit;
  const message = programText(most.failures[0]?.message ?? "The kubelet reports the container as not ready.");
  return makeFinding(
    {
      detector: notReady.id,
      workload: workload.ref,
      container: name,
      symptom: { kind: "NotReady", message },
      summary: `Container ${name} runs but is not ready: ${message.replace(/^Readiness probe \w+: /, "")}`,
      facts: [
        ...hits
          .slice(0, 2)
          .flatMap((hit) => [...hit.failures.slice(0, 2).map(eventFact), containerFact(hit.pod, hit.container)]),
        { kind: "spec", text: describeProbe(workload, name, "readinessProbe") },
      ],
      since: hits.flatMap((hit) => [
        hit.pod.conditions.find((condition) => condition.type === "Ready")?.since,
        ...hit.failures.map((event) => event.firstSeen),
      ]),
      pods: podCount(hits),
      unripe: unripe(workload, name, most, look),
    },
    look.takenAt,
  );
}

function unripe(
  workload: Workload,
  name: string,
  most: UnreadyHit,
  { settings, now }: { settings: Config["detect"]; now: number },
): string | undefined {
  const count = countOf(most);
  if (count < settings.restarts)
    return `Its readiness probe was seen to fail ${count} time${count === 1 ? "" : "s"}; ${settings.restarts} make it a finding to act on.`;
  if (!isRollingOut(workload, now) || isDefinite(workload, name, most)) return undefined;
  return `The rollout is younger than its progress deadline, and the program may still be starting (not ready for ${formatDuration(now - (timeOf(most.container.running?.startedAt) ?? now))}).`;
}

/** Does the failure say that waiting does not help: the program answers, or the probe asks where it does not listen? */
function isDefinite(workload: Workload, name: string, hit: UnreadyHit): boolean {
  if (ANSWERED.test(hit.failures[0]?.message ?? "")) return true;
  const spec = containerOf(workload.object, name)?.spec;
  const probe = probeOf(spec, "readinessProbe");
  const ports = portsOf(spec).map((port) => port.port);
  return (
    probe !== null &&
    probe.kind !== "exec" &&
    ports.length > 0 &&
    (probe.port === undefined || !ports.includes(probe.port))
  );
}

function countOf(hit: UnreadyHit): number {
  return hit.failures.reduce((sum, event) => sum + event.count, 0);
}
