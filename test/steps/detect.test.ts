import { describe, expect, it } from "vitest";
import { fingerprintOf } from "../../src/detectors/fingerprint.ts";
import { detectors } from "../../src/detectors/index.ts";
import type { Snapshot } from "../../src/model.ts";
import { detect } from "../../src/steps/detect.ts";
import { cpuTime } from "../cpu-time.ts";
import {
  ago,
  backOff,
  claim,
  container,
  ended,
  event,
  pod,
  revision,
  settings,
  snapshot,
  workload,
} from "../detectors/snapshot-builder.ts";

const LIVE = { livenessProbe: { httpGet: { path: "/", port: 80 } }, resources: { limits: { memory: "64Mi" } } };
const UNHEALTHY = event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 404", { count: 9 });
const DEADLINE = {
  replicas: 1,
  updatedReplicas: 1,
  readyReplicas: 0,
  availableReplicas: 0,
  conditions: [
    {
      type: "Progressing",
      status: "False",
      reason: "ProgressDeadlineExceeded",
      message: "timed out",
      lastTransitionTime: ago("3m"),
    },
  ],
};
const NOT_FOUND =
  'rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:1.99": not found';

function kinds(of: Snapshot): string[] {
  return detect(of, settings).map((finding) => `${finding.symptom.kind}${finding.unripe === undefined ? "" : "?"}`);
}

describe("one fault is one finding", () => {
  it("prefers the kill by a probe to the crash loop that it makes", () => {
    const looping = pod({ containers: [container({ ...backOff, last: ended("Error", 137, { ran: "25s" }) })] });
    expect(kinds(snapshot([workload({ container: LIVE, events: [UNHEALTHY], pods: [looping] })]))).toEqual([
      "LivenessKill",
    ]);
  });

  it("prefers the out-of-memory kill to everything that follows from it", () => {
    const looping = pod({ containers: [container({ ...backOff, last: ended("OOMKilled", 137, { ran: "25s" }) })] });
    expect(
      kinds(snapshot([workload({ container: LIVE, events: [UNHEALTHY], pods: [looping], status: DEADLINE })])),
    ).toEqual(["OOMKilled"]);
  });

  it("prefers what names a container to a rollout that is stuck", () => {
    const pulling = pod({
      phase: "Pending",
      containers: [container({ waiting: { reason: "ErrImagePull", message: NOT_FOUND } })],
    });
    const old = pod({ name: "cart-0", revision: "cart-old" });
    const revisions = [revision("cart-new", 2, true), revision("cart-old", 1, false, { readyReplicas: 1 })];
    expect(kinds(snapshot([workload({ pods: [pulling, old], revisions, status: DEADLINE })]))).toEqual(["ImagePull"]);
  });

  it("does not let a finding that must wait hide a stuck rollout", () => {
    const once = pod({ containers: [container({ ...backOff, restarts: 1, last: ended("Error", 1) })] });
    expect(kinds(snapshot([workload({ pods: [once], status: DEADLINE })]))).toEqual(["RolloutStuck", "CrashLoop?"]);
  });

  it("takes a missed deadline for the proof that a container will not become ready", () => {
    const unready = pod({
      containers: [container({ ready: false, started: true })],
      conditions: [{ type: "Ready", status: "False", since: ago("50m") }],
    });
    const over = { container: { readinessProbe: { tcpSocket: { port: 80 } } }, pods: [unready] };
    expect(kinds(snapshot([workload(over)]))).toEqual(["NotReady?"]);
    expect(kinds(snapshot([workload({ ...over, status: DEADLINE })]))).toEqual(["NotReady"]);
  });

  it("takes a container that is not ready beside one that crashes for its victim", () => {
    const probe = { readinessProbe: { tcpSocket: { port: 80 } } };
    const states = [
      container({ ...backOff, last: ended("Error", 1) }),
      container({ name: "proxy", ready: false, started: true }),
    ];
    const refused = event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404", { count: 30 });
    const both = workload({
      podSpec: { containers: [{ name: "app" }, { name: "proxy", ...probe }] },
      pods: [pod({ containers: states })],
      events: [refused],
    });
    expect(kinds(snapshot([both]))).toEqual(["CrashLoop"]);
  });

  it("keeps two faults of two containers", () => {
    const states = [
      container({ ...backOff, last: ended("Error", 1) }),
      container({ name: "proxy", ...backOff, last: ended("OOMKilled", 137) }),
    ];
    expect(
      kinds(
        snapshot([
          workload({
            podSpec: { containers: [{ name: "app" }, { name: "proxy" }] },
            pods: [pod({ containers: states })],
          }),
        ]),
      ),
    ).toEqual(["OOMKilled", "CrashLoop"]);
  });

  it("names a missing ConfigMap once, though two containers wait for it", () => {
    const waiting = (name: string) =>
      container({ name, waiting: { reason: "CreateContainerConfigError", message: 'configmap "settings" not found' } });
    expect(
      kinds(
        snapshot([workload({ pods: [pod({ phase: "Pending", containers: [waiting("app"), waiting("proxy")] })] })]),
      ),
    ).toEqual(["ConfigMissing"]);
  });

  it("blames an unbound claim for the pod that cannot be scheduled", () => {
    const { node: _, ...unplaced } = pod({
      phase: "Pending",
      ready: false,
      containers: [],
      conditions: [
        {
          type: "PodScheduled",
          status: "False",
          reason: "Unschedulable",
          message: "pod has unbound immediate PersistentVolumeClaims",
          since: ago("9m"),
        },
      ],
    });
    const claims = [claim({ events: [event("ProvisioningFailed", 'storageclass.storage.k8s.io "nope" not found')] })];
    const podSpec = { volumes: [{ name: "d", persistentVolumeClaim: { claimName: "data" } }] };
    expect(kinds(snapshot([workload({ podSpec, pods: [unplaced] })], { claims }))).toEqual(["ClaimPending"]);
    expect(kinds(snapshot([workload({ pods: [unplaced] })], { claims }))).toEqual(["ClaimPending", "Unschedulable"]);
  });

  it("blames the container for a Job that ran out of retries", () => {
    const failed = pod({
      name: "job-aaaaa",
      phase: "Failed",
      restartPolicy: "Never",
      containers: [container({ terminated: ended("OOMKilled", 137) })],
    });
    const status = {
      conditions: [{ type: "Failed", status: "True", reason: "BackoffLimitExceeded", message: "limit" }],
    };
    expect(kinds(snapshot([workload({ kind: "Job", pods: [failed], status })]))).toEqual(["OOMKilled"]);
  });
});

describe("the order", () => {
  const crashing = (name: string, restarts: number, more = {}) =>
    workload({
      name,
      pods: [pod({ name: `${name}-1`, containers: [container({ ...backOff, restarts, last: ended("Error", 1) })] })],
      ...more,
    });

  it("puts what can be acted on first, and outages before it", () => {
    const serving = { ...crashing("serving", 9), readyCount: 2 };
    const found = detect(snapshot([crashing("waiting", 1), serving, crashing("down", 9)]), settings);
    expect(found.map((finding) => finding.workload.name)).toEqual(["down", "serving", "waiting"]);
  });

  it("does not hang on the order in which things were read", () => {
    const all = ["a", "b", "c", "d"].map((name) => crashing(name, 9));
    expect(detect(snapshot(all.toReversed()), settings)).toEqual(detect(snapshot(all), settings));
  });
});

describe("fingerprints", () => {
  const one = (over = {}) =>
    detect(
      snapshot([
        workload({ pods: [pod({ containers: [container({ ...backOff, last: ended("Error", 1) })], ...over })] }),
      ]),
      settings,
    )[0]?.fingerprint;

  it("stay the same over pods, tags, numbers and times", () => {
    expect(one()).toMatch(/^[0-9a-f]{16}$/);
    expect(
      one({
        name: "cart-99",
        uid: "other",
        createdAt: ago("5m"),
        containers: [container({ image: "nginx:2", ...backOff, restarts: 40, last: ended("Error", 9) })],
      }),
    ).toBe(one());
  });

  it("tell detector, owner, container and symptom apart, and not the API version", () => {
    const base = {
      detector: "d",
      workload: { apiVersion: "apps/v1", kind: "Deployment", namespace: "a", name: "b" },
      container: "c",
      kind: "CrashLoop",
    } as const;
    const other = [
      { ...base, detector: "e" },
      { ...base, container: "d" },
      { ...base, kind: "OOMKilled" as const },
      { ...base, workload: { ...base.workload, name: "c" } },
      { ...base, workload: { ...base.workload, kind: "StatefulSet" } },
    ];
    expect(new Set([base, ...other].map(fingerprintOf)).size).toBe(6);
    expect(fingerprintOf({ ...base, workload: { ...base.workload, apiVersion: "apps/v2" } })).toBe(fingerprintOf(base));
    // Stored in incidents and branches: it must never change.
    expect(fingerprintOf(base)).toBe("2aa73c23fc094224");
  });
});

it("has detectors with ids and sentences of their own", () => {
  expect(new Set(detectors.map((detector) => detector.id)).size).toBe(detectors.length);
  for (const detector of detectors) {
    expect(detector.id).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(detector.summary).toMatch(/^[A-Z].*\.$/);
  }
});

it("scans ten thousand healthy pods in no time", () => {
  const many = Array.from({ length: 1000 }, (_, index) =>
    workload({ name: `w${index}`, pods: Array.from({ length: 10 }, (_, at) => pod({ name: `w${index}-${at}` })) }),
  );
  const begun = cpuTime();
  expect(detect(snapshot(many), settings)).toEqual([]);
  expect(cpuTime() - begun).toBeLessThan(2000);
});
