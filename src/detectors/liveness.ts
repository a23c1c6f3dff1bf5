import type { Config } from "../config/schema.ts";
import { numberAt, timeOf } from "../kube/fields.ts";
import { type ProbeName, probeOf } from "../kube/probes.ts";
import { containerOf, podSpecOf } from "../kube/template.ts";
import type { ContainerState, EventState, Finding, PodState, Workload } from "../model.ts";
import type { Detector } from "./detector.ts";
import { containerFact, eventFact, programText } from "./evidence.ts";
import { makeFinding } from "./finding.ts";
import {
  byContainer,
  eventsOn,
  type Hit,
  hasOutlived,
  isRecent,
  lastEnd,
  OUTLIVED,
  podCount,
  subjectPods,
} from "./subject.ts";

/** How a container ends when the kubelet stops it: killed, terminated, or an orderly end on SIGTERM. */
const STOPPED = new Set([0, 137, 143]);
/** The kubelet limits events: those of a loop that goes on may be older than its last kill. They live for an hour. */
const EVENTS_LIVE = 24 * 3_600_000;
const UNHEALTHY = /^(Liveness|Startup) probe (?:failed|errored)/;
const KILLING = /^Container (\S+) failed (liveness|startup) probe/;

interface Look {
  readonly settings: Config["detect"];
  readonly now: number;
}

interface KillHit extends Hit {
  readonly probe: "livenessProbe" | "startupProbe";
  readonly message: string;
  readonly events: readonly EventState[];
}

/** A container that the kubelet kills again and again because its liveness or startup probe fails. */
export const liveness: Detector = {
  id: "liveness",
  summary: "A container is killed again and again because its liveness or startup probe fails.",
  detect(snapshot, settings) {
    const now = Date.parse(snapshot.takenAt);
    return snapshot.workloads.flatMap((workload) => {
      const hits = subjectPods(workload).flatMap((pod) =>
        killsOf(workload, pod, eventsOn(workload, pod, now, EVENTS_LIVE), { settings, now }),
      );
      return [...byContainer(hits)].map(([name, group]) =>
        finding(workload, name, group, { settings, now, takenAt: snapshot.takenAt }),
      );
    });
  },
};

function killsOf(workload: Workload, pod: PodState, events: readonly EventState[], look: Look): KillHit[] {
  return pod.containers.flatMap((container): KillHit[] => {
    const end = lastEnd(container);
    if (container.restarts === 0 || end === undefined || end.reason === "OOMKilled") return [];
    const looping = container.waiting?.reason === "CrashLoopBackOff" || container.terminated !== undefined;
    if (!looping && !isRecent(end.finishedAt, look.now, look.settings.recent)) return [];
    for (const probe of ["startupProbe", "livenessProbe"] as const) {
      const told = killedBy(workload, pod, container, probe, events);
      if (told === null) continue;
      if (told.length === 0 && container.restarts < look.settings.restarts) continue;
      const message =
        told[0]?.message ??
        `The container was stopped after the time that its ${probe} needs to give up; the events have expired.`;
      return [{ pod, container, probe, message, events: told }];
    }
    return [];
  });
}

/** The events that tell of kills by this probe; none when the way the container ended tells it alone; null when it was not the probe. */
function killedBy(
  workload: Workload,
  pod: PodState,
  container: ContainerState,
  name: ProbeName,
  events: readonly EventState[],
): EventState[] | null {
  const probe = probeOf(containerOf(workload.object, container.name)?.spec, name);
  const end = lastEnd(container);
  if (probe === null || end === undefined) return null;
  const word = name === "startupProbe" ? "startup" : "liveness";
  const failures = events.filter(
    (event) => event.reason === "Unhealthy" && UNHEALTHY.exec(event.message)?.[1]?.toLowerCase() === word,
  );
  const kills = events.filter((event) => event.reason === "Killing" && isKill(event, container.name, word));
  const told = [...failures.slice(0, 2), ...kills.slice(0, 1)];
  if (kills.length > 0) return told;
  // Failed probes accompany many a crash. Without the kubelet's own word, the end must look like its doing.
  if (!STOPPED.has(end.exitCode) || !isOnlySuspect(workload, pod, container, name)) return null;
  const from = timeOf(end.startedAt);
  const to = timeOf(end.finishedAt);
  const ran = from === undefined || to === undefined ? undefined : (to - from) / 1000;
  const least = probe.initialDelay + probe.period * (probe.failures - 1);
  // A run that was shorter than the probe needs to give up was not ended by it. Times have whole seconds.
  if (ran !== undefined && ran + 1 < least) return null;
  if (failures.length > 0) return told;
  const grace =
    end.exitCode === 0
      ? 0
      : (probe.grace ?? numberAt(podSpecOf(workload.object), "terminationGracePeriodSeconds") ?? 30);
  return ran !== undefined && ran <= least + probe.period + probe.timeout + grace + 2 ? [] : null;
}

function isKill(event: EventState, container: string, word: string): boolean {
  const told = KILLING.exec(event.message);
  return told?.[1] === container && told[2] === word;
}

/** An Unhealthy event does not say in its text whose probe failed: it must be the only container that it fits. */
function isOnlySuspect(workload: Workload, pod: PodState, container: ContainerState, probe: ProbeName): boolean {
  return pod.containers.every(
    (other) =>
      other.name === container.name ||
      other.restarts === 0 ||
      probeOf(containerOf(workload.object, other.name)?.spec, probe) === null ||
      !STOPPED.has(lastEnd(other)?.exitCode ?? 1),
  );
}

function finding(
  workload: Workload,
  name: string,
  hits: readonly KillHit[],
  look: Look & { readonly takenAt: string },
): Finding {
  const first = hits.toSorted((a, b) => b.container.restarts - a.container.restarts)[0] as KillHit;
  const message = programText(first.message);
  const restarts = first.container.restarts;
  const word = first.probe === "startupProbe" ? "startup" : "liveness";
  return makeFinding(
    {
      detector: liveness.id,
      workload: workload.ref,
      container: name,
      symptom: { kind: "LivenessKill", probe: first.probe, message },
      summary: `Container ${name} is killed because its ${word} probe fails: ${message.replace(/^\w+ probe \w+: /, "")}`,
      facts: [
        ...hits.slice(0, 2).flatMap((hit) => [...hit.events.map(eventFact), containerFact(hit.pod, hit.container)]),
        { kind: "spec", text: describeProbe(workload, name, first.probe) },
      ],
      since: hits.flatMap((hit) => hit.events.map((event) => event.firstSeen)),
      pods: podCount(hits),
      unripe: unripe(hits, restarts, look),
    },
    look.takenAt,
  );
}

function unripe(hits: readonly KillHit[], restarts: number, { settings, now }: Look): string | undefined {
  if (restarts < settings.restarts)
    return `It was killed ${restarts} time${restarts === 1 ? "" : "s"}; ${settings.restarts} restarts make it a loop.`;
  return hits.every(({ container }) => hasOutlived(container, now)) ? OUTLIVED : undefined;
}

/** What the template asks for, in one line. Arguments of an exec probe are left out: they may hold anything. */
export function describeProbe(workload: Workload, container: string, name: ProbeName): string {
  const probe = probeOf(containerOf(workload.object, container)?.spec, name);
  if (probe === null) return `Container ${container} has no ${name}.`;
  const port =
    probe.writtenPort === undefined
      ? ""
      : ` port ${probe.writtenPort}${probe.port === undefined ? " (not declared)" : ""}`;
  const what = {
    http: `${probe.scheme ?? "HTTP"} GET ${probe.path ?? "/"}${port}`,
    tcp: `TCP${port}`,
    grpc: `gRPC${port}`,
    exec: "a command",
  }[probe.kind];
  return `The ${name} of container ${container} asks ${what}, first after ${probe.initialDelay}s, every ${probe.period}s, and gives up after ${probe.failures} failures.`;
}
