import { describe, expect, it } from "vitest";
import { type HealthStatus, healthOf } from "../../src/kube/health.ts";
import { rolloutWindow, steadyWindow, timeToCrash } from "../../src/kube/rollout-window.ts";
import type { KubeObject } from "../../src/model.ts";
import { backOff, container, ended, pod } from "../detectors/snapshot-builder.ts";

type Map = Record<string, unknown>;

function object(kind: string, spec: Map, status: Map, apiVersion = "apps/v1"): KubeObject {
  return {
    apiVersion,
    kind,
    metadata: { name: "x", namespace: "shop", generation: 2 },
    spec,
    status: { observedGeneration: 2, ...status },
  };
}

const condition = (type: string, status: string, reason = "", message = "") => ({ type, status, reason, message });
const AVAILABLE = [condition("Available", "True"), condition("Progressing", "True", "NewReplicaSetAvailable")];
const FULL = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 };
const STS = {
  replicas: 3,
  readyReplicas: 3,
  currentReplicas: 3,
  updatedReplicas: 3,
  currentRevision: "a",
  updateRevision: "a",
};
const DS = {
  desiredNumberScheduled: 2,
  currentNumberScheduled: 2,
  updatedNumberScheduled: 2,
  numberAvailable: 2,
  numberReady: 2,
};

describe("healthOf", () => {
  it.each<[HealthStatus, string, KubeObject]>([
    [
      "Current",
      "pods are ready",
      object("Deployment", { replicas: 2, progressDeadlineSeconds: 600 }, { ...FULL, conditions: AVAILABLE }),
    ],
    [
      "Current",
      "pods are ready",
      object("Deployment", { replicas: 2 }, { ...FULL, conditions: [condition("Available", "True")] }),
    ],
    ["Current", "Scaled to zero", object("Deployment", { replicas: 0, progressDeadlineSeconds: 600 }, {})],
    ["InProgress", "1 of 2 pods exist", object("Deployment", { replicas: 2 }, { ...FULL, replicas: 1 })],
    [
      "InProgress",
      "refused: no account",
      object(
        "Deployment",
        { replicas: 2 },
        { replicas: 0, conditions: [condition("ReplicaFailure", "True", "FailedCreate", "no account")] },
      ),
    ],
    [
      "InProgress",
      "1 of 2 pods are of the new revision",
      object("Deployment", { replicas: 2 }, { ...FULL, updatedReplicas: 1 }),
    ],
    ["InProgress", "1 old pods", object("Deployment", { replicas: 2 }, { ...FULL, replicas: 3 })],
    [
      "InProgress",
      "1 of 2 pods are available",
      object("Deployment", { replicas: 2 }, { ...FULL, availableReplicas: 1 }),
    ],
    [
      "InProgress",
      "not yet available",
      object(
        "Deployment",
        { replicas: 2, progressDeadlineSeconds: 600 },
        { ...FULL, conditions: [condition("Progressing", "True", "ReplicaSetUpdated")] },
      ),
    ],
    ["InProgress", "0 of 1 pods exist", object("Deployment", {}, {})],
    [
      "Failed",
      "timed out",
      object(
        "Deployment",
        { replicas: 2 },
        { ...FULL, conditions: [condition("Progressing", "False", "ProgressDeadlineExceeded", "timed out")] },
      ),
    ],
    [
      "InProgress",
      "not yet seen generation 2",
      object("Deployment", { replicas: 2 }, { ...FULL, conditions: AVAILABLE, observedGeneration: 1 }),
    ],
    ["Current", "newest revision", object("StatefulSet", { replicas: 3 }, STS)],
    ["InProgress", "2 of 3 pods are ready", object("StatefulSet", { replicas: 3 }, { ...STS, readyReplicas: 2 })],
    ["InProgress", "not yet the current one", object("StatefulSet", { replicas: 3 }, { ...STS, updateRevision: "b" })],
    [
      "Current",
      "beyond the partition",
      object(
        "StatefulSet",
        { replicas: 3, updateStrategy: { rollingUpdate: { partition: 2 } } },
        { ...STS, updatedReplicas: 1, updateRevision: "b" },
      ),
    ],
    [
      "InProgress",
      "0 of 1 pods beyond the partition",
      object(
        "StatefulSet",
        { replicas: 3, updateStrategy: { rollingUpdate: { partition: 2 } } },
        { ...STS, updatedReplicas: 0, updateRevision: "b" },
      ),
    ],
    [
      "Current",
      "deleted",
      object(
        "StatefulSet",
        { replicas: 3, updateStrategy: { type: "OnDelete" } },
        { ...STS, updateRevision: "b", currentReplicas: 0 },
      ),
    ],
    [
      "InProgress",
      "1 of 3 pods are ready",
      object("StatefulSet", { replicas: 3, updateStrategy: { type: "OnDelete" } }, { ...STS, readyReplicas: 1 }),
    ],
    ["Current", "2 of 2", object("DaemonSet", {}, DS)],
    ["Current", "0 of 0", object("DaemonSet", {}, { desiredNumberScheduled: 0 })],
    ["InProgress", "counted", object("DaemonSet", {}, {})],
    ["InProgress", "new revision", object("DaemonSet", {}, { ...DS, updatedNumberScheduled: 1 })],
    [
      "Current",
      "2 of 2",
      object("DaemonSet", { updateStrategy: { type: "OnDelete" } }, { ...DS, updatedNumberScheduled: 0 }),
    ],
    ["InProgress", "1 of 2 pods are ready", object("DaemonSet", {}, { ...DS, numberReady: 1 })],
    [
      "Current",
      "completed",
      object("Job", {}, { succeeded: 1, conditions: [condition("Complete", "True")] }, "batch/v1"),
    ],
    [
      "Failed",
      "limit",
      object(
        "Job",
        {},
        { failed: 7, conditions: [condition("Failed", "True", "BackoffLimitExceeded", "limit")] },
        "batch/v1",
      ),
    ],
    ["InProgress", "1 pods are active", object("Job", {}, { active: 1, failed: 3 }, "batch/v1")],
    ["Current", "1 pods are ready", object("Job", {}, { active: 1, ready: 1 }, "batch/v1")],
    [
      "Current",
      "suspended",
      object("Job", { suspend: true }, { conditions: [condition("Suspended", "True")] }, "batch/v1"),
    ],
    ["Current", "Scheduled", object("CronJob", { schedule: "* * * * *" }, {}, "batch/v1")],
    ["Current", "Suspended", object("CronJob", { suspend: true }, {}, "batch/v1")],
    ["Current", "ready", object("Pod", {}, { phase: "Running", conditions: [condition("Ready", "True")] }, "v1")],
    ["Current", "completed", object("Pod", {}, { phase: "Succeeded" }, "v1")],
    ["Failed", "evicted", object("Pod", {}, { phase: "Failed", message: "evicted" }, "v1")],
    [
      "InProgress",
      "not ready",
      object("Pod", {}, { phase: "Running", conditions: [condition("Ready", "False")] }, "v1"),
    ],
    [
      "Failed",
      "crash loop",
      object(
        "Pod",
        {},
        {
          phase: "Pending",
          initContainerStatuses: [{ name: "setup", state: { waiting: { reason: "CrashLoopBackOff" } } }],
        },
        "v1",
      ),
    ],
    [
      "Failed",
      "no node",
      object(
        "Pod",
        {},
        { phase: "Pending", conditions: [condition("PodScheduled", "False", "Unschedulable", "no node")] },
        "v1",
      ),
    ],
    ["InProgress", "not yet observed", object("Pod", {}, {}, "v1")],
    ["Current", "bound", object("PersistentVolumeClaim", {}, { phase: "Bound" }, "v1")],
    ["InProgress", "Pending", object("PersistentVolumeClaim", {}, { phase: "Pending" }, "v1")],
    ["Failed", "lost", object("PersistentVolumeClaim", {}, { phase: "Lost" }, "v1")],
    ["Current", "there", object("Service", { type: "ClusterIP" }, {}, "v1")],
    ["InProgress", "load balancer", object("Service", { type: "LoadBalancer" }, {}, "v1")],
    [
      "Current",
      "load balancer",
      object("Service", { type: "LoadBalancer" }, { loadBalancer: { ingress: [{ ip: "1.2.3.4" }] } }, "v1"),
    ],
    ["Current", "there", object("ConfigMap", {}, {}, "v1")],
    [
      "InProgress",
      "not yet",
      object("Widget", {}, { conditions: [condition("Ready", "False", "Wait", "not yet")] }, "acme.io/v1"),
    ],
    [
      "Failed",
      "stuck",
      object(
        "Widget",
        {},
        { conditions: [condition("Stalled", "True", "", "stuck"), condition("Ready", "False")] },
        "acme.io/v1",
      ),
    ],
    [
      "Unknown",
      "who knows",
      object("Widget", {}, { conditions: [condition("Ready", "Unknown", "", "who knows")] }, "acme.io/v1"),
    ],
  ])("%s: %s", (status, message, subject) => {
    const health = healthOf(subject);
    expect(health.status).toBe(status);
    expect(health.message).toContain(message);
  });

  it("knows what is not there and what goes away", () => {
    expect(healthOf(null).status).toBe("NotFound");
    const going = object("Deployment", { replicas: 2 }, { ...FULL, conditions: AVAILABLE });
    expect(
      healthOf({ ...going, metadata: { ...going.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } }).status,
    ).toBe("Terminating");
  });

  it("says what an unfinished rollout waits for", () => {
    const waiting = pod({ containers: [container({ ...backOff })] });
    expect(
      healthOf(object("Deployment", { replicas: 2 }, { ...FULL, availableReplicas: 1 }), { pods: [waiting] }).message,
    ).toContain("Container app of pod cart-1 waits: CrashLoopBackOff");
  });

  it("throws at nothing odd", () => {
    for (const kind of ["Deployment", "StatefulSet", "DaemonSet", "Job", "Pod"]) {
      expect(
        healthOf({
          apiVersion: kind === "Pod" ? "v1" : "apps/v1",
          kind,
          metadata: { name: "x" },
          spec: null,
          status: [],
        }).status,
      ).toMatch(/^[A-Z]/);
    }
  });
});

function withContainer(kind: string, spec: Map, container: Map): KubeObject {
  return object(
    kind,
    { ...spec, template: { spec: { terminationGracePeriodSeconds: 0, containers: [{ name: "app", ...container }] } } },
    {},
  );
}

const SECOND = 1000;
const PATIENCE = 300 * SECOND;

describe("rolloutWindow", () => {
  it("is the patience where nothing asks for more or less", () =>
    expect(rolloutWindow(withContainer("Deployment", {}, {}), PATIENCE)).toBe(PATIENCE));
  it("is shortened by a deadline that gives up earlier", () =>
    expect(rolloutWindow(withContainer("Deployment", { progressDeadlineSeconds: 60 }, {}), PATIENCE)).toBe(
      70 * SECOND,
    ));
  it("is not lengthened by the default deadline", () =>
    expect(rolloutWindow(withContainer("Deployment", { progressDeadlineSeconds: 600 }, {}), PATIENCE)).toBe(PATIENCE));
  it("is lengthened by slow probes and many waves, up to twice the patience", () => {
    const slow = { startupProbe: { tcpSocket: { port: 1 }, periodSeconds: 10, failureThreshold: 40 } };
    expect(rolloutWindow(withContainer("Deployment", {}, slow), PATIENCE)).toBe((20 + 391) * SECOND);
    expect(rolloutWindow(withContainer("StatefulSet", { replicas: 5 }, slow), PATIENCE)).toBe(2 * PATIENCE);
    expect(
      rolloutWindow(
        withContainer(
          "Deployment",
          { replicas: 40, minReadySeconds: 20, strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } },
          {},
        ),
        PATIENCE,
      ),
    ).toBe(2 * PATIENCE);
    expect(
      rolloutWindow(
        withContainer(
          "Deployment",
          {
            replicas: 40,
            minReadySeconds: 20,
            strategy: { rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
          },
          {},
        ),
        PATIENCE,
      ),
    ).toBe(PATIENCE);
  });
});

describe("steadyWindow", () => {
  const limits = { least: 20 * SECOND, most: PATIENCE };
  it("covers the time after which a liveness probe would have killed the container", () => {
    const live = {
      livenessProbe: { tcpSocket: { port: 1 }, initialDelaySeconds: 30, periodSeconds: 10, failureThreshold: 3 },
    };
    expect(steadyWindow(withContainer("Deployment", {}, live), limits)).toBe((30 + 20 + 1 + 5) * SECOND);
    expect(steadyWindow(withContainer("Deployment", {}, live), { ...limits, container: "other" })).toBe(20 * SECOND);
  });
  it("covers the time to the last crash, within its limits", () => {
    expect(steadyWindow(withContainer("Deployment", {}, {}), { ...limits, timeToCrash: 60 * SECOND })).toBe(
      95 * SECOND,
    );
    expect(steadyWindow(withContainer("Deployment", {}, {}), { ...limits, timeToCrash: 3600 * SECOND })).toBe(PATIENCE);
    expect(steadyWindow(withContainer("Deployment", {}, {}), limits)).toBe(20 * SECOND);
  });
});

it("takes the longest run that is known for the time to crash", () => {
  const pods = [
    pod({
      containers: [
        container({
          ...backOff,
          last: ended("Error", 1, { ran: "40s" }),
          terminated: ended("Error", 1, { ran: "3s" }),
        }),
        container({ name: "proxy", last: ended("Error", 1, { ran: "5m" }) }),
      ],
    }),
  ];
  expect(timeToCrash(pods, "app")).toBe(40 * SECOND);
  expect(timeToCrash([pod()], "app")).toBeUndefined();
});
