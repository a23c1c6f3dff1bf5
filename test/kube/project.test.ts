import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { topOwner } from "../../src/kube/owners.ts";
import { isSuspicious, projectEvent, projectPod } from "../../src/kube/project.ts";
import { revisionsOf } from "../../src/kube/revisions.ts";
import type { KubeObject } from "../../src/model.ts";
import { cpuTime } from "../cpu-time.ts";

const NOW = Date.parse("2026-01-10T12:00:00Z");
const RECENT = 15 * 60_000;

/** A pod of a ReplicaSet as the API server sends it, trimmed. */
function raw(
  over: {
    readonly status?: Record<string, unknown>;
    readonly container?: Record<string, unknown>;
    readonly metadata?: Record<string, unknown>;
  } = {},
) {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "cart-6d4-x2x4z",
      namespace: "shop",
      uid: "u1",
      creationTimestamp: "2026-01-10T11:00:00Z",
      labels: { app: "cart", "pod-template-hash": "6d4" },
      ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: "cart-6d4", uid: "rs1", controller: true }],
      ...over.metadata,
    },
    spec: {
      nodeName: "n1",
      restartPolicy: "Always",
      containers: [{ name: "app", image: "nginx:1.27", env: [{ name: "PASSWORD", value: "hunter2" }] }],
      initContainers: [{ name: "b" }, { name: "a" }],
    },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: "True", lastTransitionTime: "2026-01-10T11:00:05Z" }],
      initContainerStatuses: [
        {
          name: "a",
          ready: true,
          restartCount: 0,
          state: { terminated: { reason: "Completed", exitCode: 0, finishedAt: "2026-01-10T11:59:00Z" } },
        },
        { name: "b", ready: true, restartCount: 0, state: { terminated: { reason: "Completed", exitCode: 0 } } },
      ],
      containerStatuses: [
        {
          name: "app",
          image: "docker.io/library/nginx@sha256:1",
          ready: true,
          started: true,
          restartCount: 0,
          state: { running: { startedAt: "2026-01-10T11:00:04Z" } },
          lastState: {},
          ...over.container,
        },
      ],
      ...over.status,
    },
  };
}

describe("isSuspicious", () => {
  it.each([
    ["a healthy pod whose init containers are done", raw(), false],
    ["a pod that completed", raw({ status: { phase: "Succeeded" } }), false],
    ["an evicted pod", raw({ status: { phase: "Failed", reason: "Evicted" } }), false],
    [
      "a pod that goes away",
      raw({ status: { phase: "Pending" }, metadata: { deletionTimestamp: "2026-01-10T12:00:00Z" } }),
      false,
    ],
    [
      "a crash long ago",
      raw({ container: { lastState: { terminated: { exitCode: 1, finishedAt: "2026-01-10T11:30:00Z" } } } }),
      false,
    ],
    [
      "a recent crash",
      raw({ container: { lastState: { terminated: { exitCode: 1, finishedAt: "2026-01-10T11:50:00Z" } } } }),
      true,
    ],
    [
      "a container that waits",
      raw({ container: { ready: false, state: { waiting: { reason: "CrashLoopBackOff" } } } }),
      true,
    ],
    ["an unready container", raw({ container: { ready: false } }), true],
    ["an unready pod", raw({ status: { conditions: [{ type: "Ready", status: "False" }] } }), true],
    ["a pending pod", raw({ status: { phase: "Pending" } }), true],
    ["a failed pod", raw({ status: { phase: "Failed" } }), true],
    ["a pod whose state is not known", raw({ status: { phase: "Unknown" } }), true],
    [
      "a sidecar that restarts",
      raw({
        status: {
          initContainerStatuses: [
            { name: "proxy", ready: true, lastState: { terminated: { finishedAt: "2026-01-10T11:59:00Z" } } },
          ],
        },
      }),
      true,
    ],
    ["a pod without a status", { metadata: { name: "x" } }, true],
  ])("%s", (_, pod, expected) => expect(isSuspicious(pod, NOW, RECENT)).toBe(expected));

  it("looks at a hundred thousand pods in less than a second", () => {
    const pod = raw();
    const begun = cpuTime();
    for (let count = 0; count < 100_000; count += 1) isSuspicious(pod, NOW, RECENT);
    expect(cpuTime() - begun).toBeLessThan(1000);
  });
});

describe("projectPod", () => {
  it("keeps what detectors need, in the order of the spec, and no environment", () => {
    const pod = projectPod(raw());
    expect(pod).toMatchObject({
      name: "cart-6d4-x2x4z",
      node: "n1",
      phase: "Running",
      ready: true,
      deleting: false,
      revision: "cart-6d4",
      restartPolicy: "Always",
    });
    expect(pod.containers.map((container) => [container.name, container.init])).toEqual([
      ["b", true],
      ["a", true],
      ["app", false],
    ]);
    expect(pod.containers[2]).toEqual({
      name: "app",
      init: false,
      image: "nginx:1.27",
      ready: true,
      started: true,
      restarts: 0,
      running: { startedAt: "2026-01-10T11:00:04Z" },
    });
    expect(JSON.stringify(pod)).not.toContain("hunter2");
  });

  it("reads how a container ended, and leaves out the times of one that never ran", () => {
    const last = {
      terminated: {
        exitCode: 128,
        reason: "StartError",
        message: "no such file",
        startedAt: "1970-01-01T00:00:00Z",
        finishedAt: "2026-01-10T11:59:00Z",
      },
    };
    const waiting = {
      waiting: { reason: "CrashLoopBackOff", message: "back-off 40s restarting failed container=app pod=x" },
    };
    const [, , app] = projectPod(
      raw({ container: { ready: false, state: waiting, lastState: last, restartCount: 4 } }),
    ).containers;
    expect(app).toMatchObject({
      restarts: 4,
      waiting: { reason: "CrashLoopBackOff" },
      last: { reason: "StartError", exitCode: 128, finishedAt: "2026-01-10T11:59:00Z", message: "no such file" },
    });
    expect(app?.last?.startedAt).toBeUndefined();
  });

  it("names the revision of StatefulSet and DaemonSet pods as the ControllerRevision is named", () => {
    const owned = (kind: string, hash: string) =>
      projectPod(
        raw({
          metadata: {
            labels: { "controller-revision-hash": hash },
            ownerReferences: [{ apiVersion: "apps/v1", kind, name: "db", uid: "1", controller: true }],
          },
        }),
      ).revision;
    expect(owned("StatefulSet", "db-5cccc94dcd")).toBe("db-5cccc94dcd");
    expect(owned("DaemonSet", "5cccc94dcd")).toBe("db-5cccc94dcd");
    expect(owned("Job", "x")).toBeUndefined();
  });

  it("throws at nothing", () => {
    for (const odd of [
      null,
      undefined,
      3,
      "pod",
      [],
      {},
      { status: { containerStatuses: [null, 3, {}], conditions: {} }, metadata: [] },
    ])
      expect(projectPod(odd).containers).toEqual([]);
    fc.assert(
      fc.property(
        fc.jsonValue(),
        (value) =>
          projectPod({ metadata: value, spec: value, status: value }) !== null &&
          projectEvent(value) !== null &&
          typeof isSuspicious({ status: value }, NOW, RECENT) === "boolean",
      ),
    );
  });
});

describe("projectEvent", () => {
  it("reads core events, series and events.k8s.io alike", () => {
    const on = { apiVersion: "v1", kind: "Pod", namespace: "shop", name: "x" };
    expect(
      projectEvent({
        reason: "BackOff",
        message: "m",
        count: 7,
        firstTimestamp: "2026-01-01T00:00:00Z",
        lastTimestamp: "2026-01-02T00:00:00Z",
        involvedObject: on,
      }),
    ).toEqual({
      reason: "BackOff",
      message: "m",
      count: 7,
      firstSeen: "2026-01-01T00:00:00Z",
      lastSeen: "2026-01-02T00:00:00Z",
      on,
    });
    expect(
      projectEvent({
        reason: "FailedScheduling",
        note: "m",
        eventTime: "2026-01-01T00:00:00Z",
        series: { count: 5, lastObservedTime: "2026-01-03T00:00:00Z" },
        regarding: on,
        firstTimestamp: null,
      }),
    ).toMatchObject({
      message: "m",
      count: 5,
      firstSeen: "2026-01-01T00:00:00Z",
      lastSeen: "2026-01-03T00:00:00Z",
      on,
    });
  });
});

describe("revisionsOf", () => {
  const deployment: KubeObject = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "cart", namespace: "shop", uid: "d1", generation: 3 },
    spec: {
      template: { metadata: { labels: { app: "cart" } }, spec: { containers: [{ name: "app", image: "nginx:2" }] } },
    },
    status: { observedGeneration: 3 },
  };
  const set = (number: number, image: string, over = {}): KubeObject => ({
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: `cart-${number}`,
      namespace: "shop",
      annotations: { "deployment.kubernetes.io/revision": String(number) },
      creationTimestamp: `2026-01-0${number}T00:00:00Z`,
      ownerReferences: [{ apiVersion: "apps/v1", kind: "Deployment", name: "cart", uid: "d1", controller: true }],
      ...over,
    },
    spec: {
      template: {
        metadata: { labels: { app: "cart", "pod-template-hash": "x" }, creationTimestamp: null },
        spec: { containers: [{ name: "app", image }] },
      },
    },
    status: { replicas: number, readyReplicas: number - 1 },
  });

  it("reads a Deployment's, newest first, without the template hash", () => {
    const found = revisionsOf(deployment, [set(1, "nginx:1"), set(3, "nginx:3"), set(2, "nginx:2")]);
    expect(found.map((one) => [one.number, one.current, one.replicas, one.readyReplicas])).toEqual([
      [3, false, 3, 2],
      [2, true, 2, 1],
      [1, false, 1, 0],
    ]);
    expect(found[1]?.template).toEqual({
      metadata: { labels: { app: "cart" } },
      spec: { containers: [{ name: "app", image: "nginx:2" }] },
    });
  });

  it("leaves out other owners' and knows none for current while the controller lags", () => {
    expect(
      revisionsOf(deployment, [
        set(1, "nginx:2", {
          ownerReferences: [{ apiVersion: "apps/v1", kind: "Deployment", name: "cart", uid: "d0", controller: true }],
        }),
      ]),
    ).toEqual([]);
    const lagging = { ...deployment, status: { observedGeneration: 2 } };
    expect(revisionsOf(lagging, [set(1, "nginx:1")]).some((one) => one.current)).toBe(false);
    expect(revisionsOf(deployment, [set(1, "nginx:1"), set(2, "nginx:9")]).find((one) => one.current)?.number).toBe(2);
  });

  it("reads ControllerRevisions, with counts from the pods", () => {
    const template = { metadata: { labels: { app: "db" } }, spec: { containers: [{ name: "app", image: "pg:1" }] } };
    const owner: KubeObject = {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: "db", namespace: "shop", uid: "s1" },
      spec: { template },
      status: { updateRevision: "db-b" },
    };
    const made = (name: string, revision: number, image: string): KubeObject => ({
      apiVersion: "apps/v1",
      kind: "ControllerRevision",
      metadata: {
        name,
        namespace: "shop",
        ownerReferences: [{ apiVersion: "apps/v1", kind: "StatefulSet", name: "db", uid: "s1", controller: true }],
      },
      revision,
      data: { spec: { template: { ...template, $patch: "replace", spec: { containers: [{ name: "app", image }] } } } },
    });
    const found = revisionsOf(
      owner,
      [made("db-a", 1, "pg:0"), made("db-b", 2, "pg:1")],
      new Map([["db-a", { replicas: 2, ready: 1 }]]),
    );
    expect(found.map((one) => [one.name, one.current, one.replicas, one.readyReplicas])).toEqual([
      ["db-b", true, 0, 0],
      ["db-a", false, 2, 1],
    ]);
    expect(found[0]?.template).toEqual(template);
  });
});

describe("topOwner", () => {
  const owned = (
    kind: string,
    name: string,
    owner?: { kind: string; name: string; uid: string; apiVersion?: string },
  ): KubeObject => ({
    apiVersion: kind === "Pod" ? "v1" : "apps/v1",
    kind,
    metadata: {
      name,
      namespace: "shop",
      uid: `${kind}-${name}`,
      ...(owner === undefined ? {} : { ownerReferences: [{ apiVersion: "apps/v1", controller: true, ...owner }] }),
    },
  });
  const lookup =
    (...objects: KubeObject[]) =>
    (ref: { kind: string; name: string }) =>
      objects.find((object) => object.kind === ref.kind && object.metadata.name === ref.name);

  it("climbs from a pod to the Deployment and not to the operator above it", () => {
    const deployment = owned("Deployment", "cart", { kind: "Shop", name: "s", uid: "1", apiVersion: "acme.io/v1" });
    const set = owned("ReplicaSet", "cart-1", { kind: "Deployment", name: "cart", uid: "Deployment-cart" });
    const found = topOwner(
      owned("Pod", "cart-1-x", { kind: "ReplicaSet", name: "cart-1", uid: "ReplicaSet-cart-1" }),
      lookup(set, deployment),
    );
    expect(found.top).toEqual({ apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "cart" });
    expect(found.chain).toHaveLength(2);
  });

  it("stops at an owner that is gone, that was made anew, at a node, and at a circle", () => {
    const pod = owned("Pod", "p", { kind: "ReplicaSet", name: "r", uid: "other" });
    expect(topOwner(pod, () => null).top.kind).toBe("ReplicaSet");
    expect(topOwner(pod, lookup(owned("ReplicaSet", "r", { kind: "Deployment", name: "d", uid: "1" }))).top.kind).toBe(
      "ReplicaSet",
    );
    expect(
      topOwner(owned("Pod", "static", { kind: "Node", name: "n1", uid: "1", apiVersion: "v1" }), () => null),
    ).toMatchObject({ top: { kind: "Pod", name: "static" }, chain: [] });
    expect(topOwner(owned("Pod", "alone"), () => null).top.name).toBe("alone");
    const self = owned("ReplicaSet", "r", { kind: "ReplicaSet", name: "r", uid: "ReplicaSet-r" });
    expect(topOwner(self, lookup(self)).top.name).toBe("r");
  });
});
