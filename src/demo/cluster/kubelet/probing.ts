import type { Probe } from "../shapes.ts";
import type { Timeline } from "../timeline.ts";
import type { Box, ProbeRun } from "./box.ts";

type Verdict = { readonly ok: true } | { readonly ok: false; readonly text: string };

/** Asks a probe of a running container. `boxes` are all containers of the pod: they share its network. */
function ask(probe: Probe, box: Box, boxes: readonly Box[], ip: string, timeline: Timeline): Verdict {
  const limit = probe.timeoutSeconds ?? 1;
  if (probe.exec !== undefined) {
    const result = box.program?.exec?.(probe.exec.command ?? []) ?? { code: 1, output: "" };
    return result.code === 0 ? { ok: true } : { ok: false, text: `probe failed: ${result.output}` };
  }
  const asked = probe.httpGet?.port ?? probe.tcpSocket?.port ?? probe.grpc?.port ?? 0;
  const port =
    typeof asked === "number" ? asked : box.container.ports?.find((each) => each.name === asked)?.containerPort;
  if (port === undefined)
    return { ok: false, text: `probe errored and resulted in unknown state: invalid port number: ${asked}` };
  const listener = listenerOn(boxes, port, timeline);
  const refused = `dial tcp ${ip}:${port}: connect: connection refused`;
  if (probe.httpGet === undefined)
    return listener === undefined ? { ok: false, text: `probe failed: ${refused}` } : { ok: true };
  const { path = "/", scheme = "HTTP" } = probe.httpGet;
  const url = `${scheme.toLowerCase()}://${ip}:${port}${path}`;
  if (listener === undefined) return { ok: false, text: `probe failed: Get "${url}": ${refused}` };
  if ((listener.program?.answerSeconds ?? 0) > limit) {
    return {
      ok: false,
      text: `probe failed: Get "${url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
    };
  }
  if (serves(listener, path)) return { ok: true };
  return { ok: false, text: "probe failed: HTTP probe failed with statuscode: 404" };
}

/** The container of a pod that listens on a port now. */
function listenerOn(boxes: readonly Box[], port: number, timeline: Timeline): Box | undefined {
  return boxes.find(
    (box) =>
      box.state.running !== undefined &&
      box.program?.ports?.includes(port) === true &&
      timeline.secondsSince(box.startedAt) >= (box.program.startSeconds ?? 0),
  );
}

function serves(box: Box, path: string): boolean {
  const served = box.program?.paths;
  return served === undefined || served.includes(path.split("?")[0] ?? path);
}

/** The status with which a pod answers an HTTP GET; null: nothing listens there. */
export function answerOf(boxes: readonly Box[], port: number, path: string, timeline: Timeline): 200 | 404 | null {
  const listener = listenerOn(boxes, port, timeline);
  return listener === undefined ? null : serves(listener, path) ? 200 : 404;
}

/** What came of a round of probes. */
export interface Round {
  /** Sentences of the probes that failed, for `Unhealthy` events. */
  readonly unhealthy: readonly string[];
  /** The probe that wants the container restarted. */
  readonly kill?: "liveness" | "startup";
}

const NAMES = { readiness: "Readiness", liveness: "Liveness", startup: "Startup" };

/** Runs the probes of a running container that are due, and notes in `box` whether it has started and is ready. */
export function probe(box: Box, boxes: readonly Box[], ip: string, timeline: Timeline): Round {
  const unhealthy: string[] = [];
  const { container } = box;
  for (const kind of ["startup", "readiness", "liveness"] as const) {
    const spec = container[`${kind}Probe`];
    if (spec === undefined) {
      if (kind === "startup") box.started = true;
      if (kind === "readiness" && box.started) box.ready = true;
      continue;
    }
    if (kind === "startup" ? box.started : !box.started) continue;
    const run = runOf(box, kind, spec, timeline);
    if (run.next > timeline.now()) continue;
    run.next = timeline.later(Math.max(0.05, spec.periodSeconds ?? 10));
    const verdict = ask(spec, box, boxes, ip, timeline);
    run.failures = verdict.ok ? 0 : run.failures + 1;
    run.successes = verdict.ok ? run.successes + 1 : 0;
    if (!verdict.ok) unhealthy.push(`${NAMES[kind]} ${verdict.text}`);
    const passed = run.successes >= (spec.successThreshold ?? 1);
    const failed = run.failures >= (spec.failureThreshold ?? 3);
    if (kind === "startup" && passed) box.started = true;
    if (kind === "readiness") box.ready = passed || (box.ready && !failed);
    if (kind !== "readiness" && failed) return { unhealthy, kill: kind };
  }
  return { unhealthy };
}

function runOf(box: Box, kind: "readiness" | "liveness" | "startup", spec: Probe, timeline: Timeline): ProbeRun {
  let run = box.probes[kind];
  if (run === undefined) {
    run = {
      next: Math.max(timeline.now(), box.startedAt + (timeline.later(spec.initialDelaySeconds ?? 0) - timeline.now())),
      failures: 0,
      successes: 0,
    };
    if (spec.initialDelaySeconds === undefined) run.next = timeline.later(0.1);
    box.probes[kind] = run;
  }
  return run;
}

/** When the next probe is due. */
export function nextProbe(box: Box): number {
  return Math.min(...Object.values(box.probes).map((run) => run.next), Number.POSITIVE_INFINITY);
}
