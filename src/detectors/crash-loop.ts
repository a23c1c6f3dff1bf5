import { formatDuration } from "../config/duration.ts";
import type { Config } from "../config/schema.ts";
import { conditionOf } from "../kube/conditions.ts";
import { timeOf } from "../kube/fields.ts";
import { failedRuns } from "../kube/runs.ts";
import { containersOf } from "../kube/template.ts";
import type { ContainerState, ExitClass, Finding, PodState, Workload } from "../model.ts";
import type { Detector } from "./detector.ts";
import { containerFact, eventFact, type Fact, plainText, programText } from "./evidence.ts";
import { type BadEnd, badEnd } from "./exit-class.ts";
import { makeFinding } from "./finding.ts";
import { byContainer, eventsOn, type Hit, hasOutlived, OUTLIVED, podCount, subjectPods } from "./subject.ts";

interface CrashHit extends Hit {
  readonly bad: BadEnd;
}

/**
 * A container that ends again and again, or cannot be started at all; and Jobs that failed (`Failed=True`). Containers
 * that the kubelet will not start for their own settings (`runAsNonRoot`, a bad mount) count here, as class `command`:
 * no process ever ran, and only a change of the template heals it.
 */
export const crashLoop: Detector = {
  id: "crash-loop",
  summary: "A container ends again and again, cannot be started, or a Job failed.",
  detect(snapshot, settings) {
    const now = Date.parse(snapshot.takenAt);
    return snapshot.workloads.flatMap((workload) => {
      const sidecars = new Set(containersOf(workload.object).flatMap(({ name, sidecar }) => (sidecar ? [name] : [])));
      const hits = subjectPods(workload).flatMap((pod) =>
        pod.containers.flatMap((container): CrashHit[] => {
          const bad = badEnd(pod, container, !container.init || sidecars.has(container.name), now, settings.recent);
          return bad === null ? [] : [{ pod, container, bad }];
        }),
      );
      const failure = jobFailure(workload);
      const all = [...byContainer(hits)];
      // When a Job fails, its other containers are stopped: the one that ended by itself counts.
      const groups =
        failure === undefined
          ? all
          : all.toSorted((a, b) => Number(wasStopped(a[1])) - Number(wasStopped(b[1]))).slice(0, 1);
      if (groups.length === 0) return failure === undefined ? [] : [bareFailure(workload, failure, snapshot.takenAt)];
      return groups.map(([name, group]) =>
        finding(workload, name, group, { settings, now, takenAt: snapshot.takenAt, failure }),
      );
    });
  },
};

interface Look {
  readonly settings: Config["detect"];
  readonly now: number;
  readonly takenAt: string;
  readonly failure: string | undefined;
}

function finding(workload: Workload, name: string, hits: readonly CrashHit[], look: Look): Finding {
  const worst = hits.toSorted((a, b) => b.container.restarts - a.container.restarts)[0] as CrashHit;
  const { bad, container } = worst;
  const message = bad.message === undefined ? undefined : bad.own ? programText(bad.message) : plainText(bad.message);
  const events = hits
    .slice(0, 2)
    .flatMap(({ pod }) =>
      eventsOn(workload, pod, look.now, look.settings.recent).filter((event) => event.reason !== "Unhealthy"),
    );
  const failure: readonly Fact[] =
    look.failure === undefined ? [] : [{ kind: "status", text: `Job failed: ${look.failure}` }];
  return makeFinding(
    {
      detector: crashLoop.id,
      workload: workload.ref,
      container: name,
      symptom: {
        kind: "CrashLoop",
        exit: bad.exit,
        exitCode: bad.exitCode,
        init: container.init,
        ...(message === undefined ? {} : { message }),
      },
      summary: `${container.init ? "Init container" : "Container"} ${name} ${PHRASES[bad.exit]}${bad.exit === "completed" || bad.exitCode === 128 ? "" : ` (exit code ${bad.exitCode})`}.`,
      facts: [
        ...failure,
        ...hits.slice(0, 2).flatMap(({ pod, container }) => [containerFact(pod, container)]),
        ...(message === undefined ? [] : [{ kind: "status" as const, text: message }]),
        ...events.slice(0, 3).map(eventFact),
      ],
      since: hits.flatMap(({ pod, bad: { end } }) => [
        pod.createdAt === "" ? undefined : pod.createdAt,
        end?.finishedAt,
      ]),
      pods: podCount(hits),
      unripe: look.failure === undefined ? unripe(workload, hits, look) : undefined,
    },
    look.takenAt,
  );
}

const PHRASES: Readonly<Record<ExitClass, string>> = {
  application: "ends with an error",
  command: "cannot be started as it is specified",
  killed: "is killed, though not for its memory",
  fault: "crashes with a fault of its program",
  terminated: "is asked to end",
  completed: "ends at once although it should keep running",
};

/**
 * A loop is its own proof: from `detect.restarts` ends on it is acted on, even while a rollout's deadline runs. What
 * cannot be started is terminal at once. A crash after a long life is no loop.
 */
function unripe(workload: Workload, hits: readonly CrashHit[], { settings, now }: Look): string | undefined {
  if (hits.some(({ bad }) => bad.exit === "command")) return undefined;
  if (workload.object.kind === "CronJob" && failedRuns(workload.pods) >= 2) return undefined;
  const batch = workload.object.kind === "Job" || workload.object.kind === "CronJob";
  // Pods of a Job that are not restarted fail one after the other.
  const failed = batch ? hits.filter(({ pod }) => pod.phase === "Failed").length : 0;
  const restarts = Math.max(...hits.map(({ container }) => container.restarts)) + failed;
  if (restarts < settings.restarts && !isOver(hits, workload))
    return `It ended ${restarts === 0 ? "once" : `${restarts} time${restarts === 1 ? "" : "s"}`}; ${settings.restarts} restarts make it a crash loop.`;
  if (hits.every(({ container }) => isBackAfterLongLife(container, settings.recent)))
    return `It runs again, and ran longer than ${formatDuration(settings.recent)} before it ended: no loop yet.`;
  return hits.every(({ container }) => hasOutlived(container, now)) ? OUTLIVED : undefined;
}

function isBackAfterLongLife(container: ContainerState, longMs: number): boolean {
  const from = timeOf(container.last?.startedAt);
  const to = timeOf(container.last?.finishedAt);
  return container.running !== undefined && from !== undefined && to !== undefined && to - from > longMs;
}

function wasStopped(hits: readonly CrashHit[]): boolean {
  return hits.every(({ bad }) => bad.exit === "killed" || bad.exit === "terminated");
}

/** A bare pod that is not restarted has failed for good. */
function isOver(hits: readonly CrashHit[], workload: Workload): boolean {
  return workload.object.kind === "Pod" && hits.some(({ pod }: { pod: PodState }) => pod.phase === "Failed");
}

function jobFailure(workload: Workload): string | undefined {
  if (workload.object.kind !== "Job" || workload.object.metadata.deletionTimestamp !== undefined) return undefined;
  const failed = conditionOf(workload.object, "Failed");
  return failed?.status === "True" ? `${failed.reason ?? "Failed"}: ${failed.message ?? "no message"}` : undefined;
}

/** A Job that failed and whose pods are gone or tell nothing, as after its deadline. */
function bareFailure(workload: Workload, failure: string, takenAt: string): Finding {
  const failed = conditionOf(workload.object, "Failed");
  // "Container app for pod shop/x failed with exit code 42 matching FailJob rule at index 0"
  const told = /container (\S+) for pod \S+ failed with exit code (\d+)/i.exec(failure);
  return makeFinding(
    {
      detector: crashLoop.id,
      workload: workload.ref,
      container: told?.[1],
      symptom: {
        kind: "CrashLoop",
        exit: "application",
        exitCode: told === null ? 1 : Number(told[2]),
        init: false,
        message: plainText(failure),
      },
      summary: `The Job failed (${failure}).`,
      facts: [
        {
          kind: "status",
          text: `Job failed: ${failure}`,
          ...(failed?.since === undefined ? {} : { at: failed.since }),
        },
      ],
      since: [failed?.since],
      pods: workload.pods.length,
    },
    takenAt,
  );
}
