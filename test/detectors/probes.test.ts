import { describe, expect, it } from "vitest";
import { liveness } from "../../src/detectors/liveness.ts";
import { notReady } from "../../src/detectors/not-ready.ts";
import {
  ago,
  backOff,
  container,
  ended,
  event,
  pod,
  rollingOut,
  settings,
  snapshot,
  type WorkloadSpec,
  workload,
} from "./snapshot-builder.ts";

const LIVE = { livenessProbe: { httpGet: { path: "/healthz", port: 80 }, periodSeconds: 10, failureThreshold: 3 } };
const UNHEALTHY = event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 404", { count: 12 });
const KILLING = event("Killing", "Container app failed liveness probe, will be restarted", { count: 4 });

function kills(state: ReturnType<typeof container>, over: WorkloadSpec = {}) {
  return liveness.detect(
    snapshot([workload({ container: LIVE, pods: [pod({ containers: [state] })], events: [UNHEALTHY], ...over })]),
    settings,
  );
}

describe("liveness", () => {
  it.each([
    ["Error", 137],
    ["Error", 143],
    ["Completed", 0],
  ])("finds kills that ended with %s, exit code %d", (reason, exitCode) => {
    const [found, ...rest] = kills(container({ ...backOff, last: ended(reason, exitCode, { ran: "25s" }) }));
    expect(rest).toEqual([]);
    expect(found).toMatchObject({
      container: "app",
      symptom: {
        kind: "LivenessKill",
        probe: "livenessProbe",
        message: "Liveness probe failed: HTTP probe failed with statuscode: 404",
      },
    });
    expect(found?.unripe).toBeUndefined();
  });

  it("finds kills between two of them, and those of a startup probe", () => {
    expect(
      kills(container({ restarts: 3, running: { startedAt: ago("5s") }, last: ended("Error", 137, { ran: "31s" }) })),
    ).toHaveLength(1);
    const startup = { startupProbe: { tcpSocket: { port: 81 }, periodSeconds: 2, failureThreshold: 2 } };
    const [found] = kills(container({ ...backOff, last: ended("Completed", 0, { ran: "4s" }) }), {
      container: startup,
      events: [
        event("Unhealthy", "Startup probe failed: dial tcp 10.0.0.1:81: connect: connection refused", { count: 9 }),
      ],
    });
    expect(found).toMatchObject({ symptom: { probe: "startupProbe" } });
  });

  it("believes the kubelet's own word whatever the exit code", () => {
    expect(
      kills(container({ ...backOff, last: ended("Error", 1, { ran: "25s" }) }), { events: [UNHEALTHY, KILLING] }),
    ).toHaveLength(1);
    expect(kills(container({ ...backOff, last: ended("Error", 1, { ran: "25s" }) }))).toEqual([]);
  });

  it("knows the kills by their timing when the events are gone", () => {
    expect(kills(container({ ...backOff, last: ended("Error", 137, { ran: "51s" }) }), { events: [] })).toHaveLength(1);
    expect(kills(container({ ...backOff, last: ended("Completed", 0, { ran: "25s" }) }), { events: [] })).toHaveLength(
      1,
    );
    expect(kills(container({ ...backOff, last: ended("Completed", 0, { ran: "10m" }) }), { events: [] })).toEqual([]);
    expect(
      kills(container({ ...backOff, restarts: 1, last: ended("Error", 143, { ran: "25s" }) }), { events: [] }),
    ).toEqual([]);
  });

  it.each([
    ["no probe", container({ ...backOff, last: ended("Error", 137, { ran: "25s" }) }), { container: {} }],
    ["a run too short for its probe", container({ ...backOff, last: ended("Completed", 0, { ran: "3s" }) }), {}],
    ["an out-of-memory kill", container({ ...backOff, last: ended("OOMKilled", 137, { ran: "25s" }) }), {}],
    ["no restart", container(), {}],
    ["kills long ago", container({ restarts: 4, last: ended("Error", 137, { ran: "25s", at: "20m" }) }), {}],
    [
      "a failing readiness probe only",
      container({ ...backOff, last: ended("Completed", 0, { ran: "2h" }) }),
      { events: [event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404", { count: 30 })] },
    ],
  ])("says nothing of a container with %s", (_, state, over) => expect(kills(state, over)).toEqual([]));

  it("does not guess which of two containers was meant", () => {
    const two = {
      podSpec: {
        containers: [
          { name: "app", ...LIVE },
          { name: "proxy", ...LIVE },
        ],
      },
    };
    const killed = (name: string, exitCode: number) =>
      container({ name, ...backOff, last: ended("Error", exitCode, { ran: "25s" }) });
    expect(
      kills(killed("app", 137), { ...two, pods: [pod({ containers: [killed("app", 137), killed("proxy", 137)] })] }),
    ).toEqual([]);
    const [found, ...rest] = kills(killed("app", 137), {
      ...two,
      pods: [pod({ containers: [killed("app", 1), killed("proxy", 137)] })],
    });
    expect(rest).toEqual([]);
    expect(found?.container).toBe("proxy");
  });

  it("waits for the third restart, and with a container that has outlived its last run", () => {
    expect(
      kills(container({ ...backOff, restarts: 2, last: ended("Error", 137, { ran: "25s" }) }))[0]?.unripe,
    ).toContain("2 times");
    expect(
      kills(
        container({
          restarts: 5,
          running: { startedAt: ago("8m") },
          last: ended("Error", 137, { ran: "25s", at: "8m" }),
        }),
      )[0]?.unripe,
    ).toContain("recovered");
  });
});

const READY = { ports: [{ containerPort: 80 }], readinessProbe: { httpGet: { path: "/ready", port: 80 } } };
const unready = (startedAt: string, over = {}) =>
  container({ ready: false, started: true, running: { startedAt }, ...over });
const NOT_FOUND = event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404", { count: 30 });
const REFUSED = event(
  "Unhealthy",
  'Readiness probe failed: Get "http://10.0.0.1:80/ready": dial tcp 10.0.0.1:80: connect: connection refused',
  { count: 30 },
);

function readiness(
  over: WorkloadSpec & { readonly state?: ReturnType<typeof container>; readonly since?: string } = {},
) {
  const { state = unready(ago("10m")), since = "10m", ...rest } = over;
  const one = pod({
    containers: [state],
    ready: false,
    conditions: [{ type: "Ready", status: "False", since: ago(since) }],
  });
  return notReady.detect(
    snapshot([workload({ container: READY, pods: [one], events: [NOT_FOUND], ...rest })]),
    settings,
  );
}

describe("not-ready", () => {
  it("finds a container whose readiness probe keeps failing", () => {
    const [found, ...rest] = readiness();
    expect(rest).toEqual([]);
    expect(found).toMatchObject({
      container: "app",
      symptom: { kind: "NotReady", message: "Readiness probe failed: HTTP probe failed with statuscode: 404" },
    });
    expect(found?.unripe).toBeUndefined();
    expect(found?.evidence.some((item) => item.kind === "spec" && item.text.includes("/ready"))).toBe(true);
  });

  it("waits on a young rollout for a program that may still be starting", () => {
    expect(readiness({ status: rollingOut, events: [REFUSED] })[0]?.unripe).toContain("progress deadline");
    expect(
      readiness({
        status: rollingOut,
        events: [event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", { count: 9 })],
      })[0]?.unripe,
    ).toContain("progress deadline");
    expect(readiness({ events: [REFUSED] })[0]?.unripe).toBeUndefined();
  });

  it.each([
    ["the program answers that there is no such path", {}],
    [
      "the probe asks a port that is not declared",
      { container: { ...READY, readinessProbe: { tcpSocket: { port: 81 } } }, events: [REFUSED] },
    ],
    [
      "the probe names a port that is not there",
      { container: { ...READY, readinessProbe: { tcpSocket: { port: "http" } } }, events: [REFUSED] },
    ],
  ])("does not wait on a young rollout when %s", (_, over) =>
    expect(readiness({ status: rollingOut, ...over })[0]?.unripe).toBeUndefined(),
  );

  it("waits for the third failure", () => {
    expect(readiness({ events: [event("Unhealthy", "Readiness probe failed: x", { count: 2 })] })[0]?.unripe).toContain(
      "2 times",
    );
    expect(readiness({ events: [] })[0]?.unripe).toContain("0 times");
  });

  it("does not count failures of an earlier start", () => {
    const old = event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404", {
      count: 30,
      last: "50m",
    });
    expect(readiness({ events: [old] })[0]?.unripe).toContain("0 times");
  });

  it.each([
    ["that is ready", { state: container() }],
    ["that started just now", { state: unready(ago("1m")) }],
    ["that became unready just now", { since: "30s" }],
    [
      "whose probe begins later",
      {
        state: unready(ago("3m")),
        since: "3m",
        container: { readinessProbe: { ...READY.readinessProbe, initialDelaySeconds: 300 } },
      },
    ],
    ["without a readiness probe", { container: {} }],
    ["whose startup probe has not passed", { state: unready(ago("10m"), { started: false }) }],
    ["that waits", { state: container({ waiting: { reason: "CrashLoopBackOff", message: "" } }) }],
  ])("says nothing of a container %s", (_, over) => expect(readiness(over)).toEqual([]));
});
