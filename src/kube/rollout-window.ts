import type { KubeObject, PodState } from "../model.ts";
import { numberAt, textAt, timeOf } from "./fields.ts";
import { type Probe, probeOf, secondsToFail } from "./probes.ts";
import { containersOf, podSpecOf, type TemplateContainer } from "./template.ts";

/** Seconds allowed for scheduling, pulling and starting one pod, and for ending its predecessor. */
const START_SECONDS = 20;
/** The longest grace period that is waited for, for each wave. */
const GRACE_SECONDS = 60;

/**
 * Milliseconds that a change of this workload may take until it is healthy: `patience`, shortened where its own
 * `progressDeadlineSeconds` gives up earlier, lengthened where its probes and number of waves need more; never more than
 * twice `patience` (in milliseconds, too).
 */
export function rolloutWindow(object: KubeObject, patience: number): number {
  const deadline = numberAt(object, "spec", "progressDeadlineSeconds");
  // A little later than the deadline, so that the controller itself says that it failed.
  const base = deadline === undefined ? patience : Math.min(patience, (deadline + 10) * 1000);
  const needed = waves(object) * secondsOfPod(object) * 1000;
  return Math.min(2 * patience, Math.max(base, needed));
}

/**
 * Milliseconds that a workload must stay healthy before it counts as recovered: long enough that a liveness probe that
 * still fails would have killed the container, and that the crash seen before would have come again. At least `least`,
 * at most `most`.
 */
export function steadyWindow(
  object: KubeObject,
  limits: { readonly least: number; readonly most: number; readonly container?: string; readonly timeToCrash?: number },
): number {
  const containers = containersOf(object).filter(
    (container) => limits.container === undefined || container.name === limits.container,
  );
  const kill = Math.max(0, ...containers.map((container) => secondsToKill(container)));
  const crash = limits.timeToCrash === undefined ? 0 : limits.timeToCrash * 1.5 + 5000;
  return Math.min(limits.most, Math.max(limits.least, kill === 0 ? 0 : (kill + 5) * 1000, crash));
}

/**
 * The longest time, in milliseconds, that a container was seen to run before it ended; undefined when no end is known.
 * Given the pods of a finding, it tells how long to watch before a crash can be ruled out.
 */
export function timeToCrash(pods: readonly PodState[], container: string): number | undefined {
  const times = pods.flatMap((pod) =>
    pod.containers
      .filter((state) => state.name === container)
      .flatMap((state) => [state.terminated, state.last])
      .flatMap((end) => {
        const from = timeOf(end?.startedAt);
        const to = timeOf(end?.finishedAt);
        return from === undefined || to === undefined || to < from ? [] : [to - from];
      }),
  );
  return times.length === 0 ? undefined : Math.max(...times);
}

/** Until the startup probe has passed its worst and the liveness probe had its chance. */
function secondsToKill(container: TemplateContainer): number {
  const startup = probeOf(container.spec, "startupProbe");
  const liveness = probeOf(container.spec, "livenessProbe");
  return Math.max(startup === null ? 0 : secondsToFail(startup), liveness === null ? 0 : secondsToFail(liveness));
}

/** How long one pod of this workload may take to become available. */
function secondsOfPod(object: KubeObject): number {
  const containers = containersOf(object).filter((container) => !container.init || container.sidecar);
  const ready = Math.max(
    0,
    ...containers.map((container) =>
      secondsToReady(probeOf(container.spec, "startupProbe"), probeOf(container.spec, "readinessProbe")),
    ),
  );
  const grace = Math.min(GRACE_SECONDS, numberAt(podSpecOf(object), "terminationGracePeriodSeconds") ?? 30);
  return START_SECONDS + ready + grace + (numberAt(object, "spec", "minReadySeconds") ?? 0);
}

function secondsToReady(startup: Probe | null, readiness: Probe | null): number {
  const started = startup === null ? 0 : secondsToFail(startup);
  return (
    started +
    (readiness === null ? 0 : readiness.initialDelay + readiness.period * readiness.successes + readiness.timeout)
  );
}

/** How many times pods are replaced one group after the other. */
function waves(object: KubeObject): number {
  if (object.kind === "Deployment") {
    const replicas = numberAt(object, "spec", "replicas") ?? 1;
    if (textAt(object, "spec", "strategy", "type") === "Recreate") return 1;
    const surge = share(object, "maxSurge", "strategy", replicas, Math.ceil);
    const missing = share(object, "maxUnavailable", "strategy", replicas, Math.floor);
    return Math.max(1, Math.ceil(replicas / Math.max(1, surge + missing)));
  }
  if (object.kind === "StatefulSet") {
    const replicas = numberAt(object, "spec", "replicas") ?? 1;
    const partition = numberAt(object, "spec", "updateStrategy", "rollingUpdate", "partition") ?? 0;
    return Math.max(1, replicas - partition);
  }
  if (object.kind !== "DaemonSet") return 1;
  const nodes = numberAt(object, "status", "desiredNumberScheduled") ?? 1;
  return Math.max(
    1,
    Math.ceil(
      nodes /
        Math.max(
          1,
          share(object, "maxUnavailable", "updateStrategy", nodes, Math.ceil, 1) +
            share(object, "maxSurge", "updateStrategy", nodes, Math.ceil, 0),
        ),
    ),
  );
}

/** A number of pods, or a percentage of them; the API's default is a quarter. */
function share(
  object: KubeObject,
  field: string,
  strategy: string,
  of: number,
  round: (value: number) => number,
  fallback?: number,
): number {
  const written = numberAt(object, "spec", strategy, "rollingUpdate", field);
  if (written !== undefined) return written;
  const percent = /^(\d+)%$/.exec(textAt(object, "spec", strategy, "rollingUpdate", field) ?? "")?.[1];
  if (percent === undefined && fallback !== undefined) return fallback;
  return round((of * Number(percent ?? 25)) / 100);
}
