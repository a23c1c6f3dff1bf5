import { describe, expect, it } from "vitest";
import { formatPath, getAt } from "../../src/kube/field-path.ts";
import { probeOf, secondsToFail } from "../../src/kube/probes.ts";
import { referencesOf, referencesTo } from "../../src/kube/references.ts";
import { containerOf, containersOf, podSpecPath, templateOf } from "../../src/kube/template.ts";
import type { KubeObject } from "../../src/model.ts";

const POD_SPEC = {
  serviceAccountName: "robot",
  imagePullSecrets: [{ name: "pull" }],
  initContainers: [
    { name: "setup", image: "busybox" },
    { name: "proxy", image: "envoy", restartPolicy: "Always" },
  ],
  containers: [
    {
      name: "app",
      image: "nginx",
      ports: [{ name: "http", containerPort: 8080 }],
      env: [
        { name: "A", valueFrom: { configMapKeyRef: { name: "settings", key: "a" } } },
        { name: "B", valueFrom: { secretKeyRef: { name: "login", key: "b", optional: true } } },
        { name: "C", value: "plain" },
        { name: "TWICE", value: "x" },
        { name: "TWICE", valueFrom: { configMapKeyRef: { name: "settings", key: "twice" } } },
      ],
      envFrom: [{ prefix: "P_" }, { configMapRef: { name: "all" } }, { secretRef: { name: "allsecret" } }],
      volumeMounts: [{ name: "files", mountPath: "/files" }],
    },
  ],
  volumes: [
    { name: "files", configMap: { name: "files", items: [{ key: "one", path: "1" }] } },
    { name: "tls", secret: { secretName: "tls" } },
    {
      name: "mix",
      projected: {
        sources: [
          { serviceAccountToken: { path: "t" } },
          { secret: { name: "mixed", items: [{ key: "k", path: "k" }] } },
          { configMap: { name: "mixmap", optional: true } },
        ],
      },
    },
    { name: "data", persistentVolumeClaim: { claimName: "data" } },
    { name: "empty", emptyDir: {} },
  ],
};

function workload(kind: string): KubeObject {
  const object: KubeObject = { apiVersion: "x/v1", kind, metadata: { name: "w", namespace: "shop" } };
  const template = { metadata: { labels: { app: "w" } }, spec: POD_SPEC };
  if (kind === "Pod") object["spec"] = POD_SPEC;
  else if (kind === "CronJob") object["spec"] = { jobTemplate: { spec: { template } } };
  else object["spec"] = { template };
  return object;
}

const KINDS = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod"];

describe("containersOf", () => {
  it.each(KINDS)("finds every container of a %s, and its path leads to it", (kind) => {
    const object = workload(kind);
    const containers = containersOf(object);
    expect(containers.map((container) => [container.name, container.init, container.sidecar])).toEqual([
      ["setup", true, false],
      ["proxy", true, true],
      ["app", false, false],
    ]);
    for (const container of containers) expect(getAt(object, container.path)).toBe(container.spec);
    expect(getAt(object, podSpecPath(kind) ?? [])).toBe(POD_SPEC);
    expect(templateOf(object)?.["spec"]).toBe(POD_SPEC);
  });

  it("finds nothing in kinds without pods and in broken objects", () => {
    expect(containersOf(workload("Service"))).toEqual([]);
    expect(
      containersOf({
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "x" },
        spec: { template: { spec: { containers: "none" } } },
      }),
    ).toEqual([]);
    expect(containersOf({ apiVersion: "apps/v1", kind: "constructor", metadata: { name: "x" } })).toEqual([]);
    expect(containerOf(workload("Pod"), "nobody")).toBeNull();
  });
});

describe("referencesOf", () => {
  it.each(KINDS)("finds every reference of a %s, and its path leads to the name", (kind) => {
    const object = workload(kind);
    const references = referencesOf(object);
    expect(references.map((at) => [at.kind, at.name, at.key ?? "", at.optional, at.via, at.container ?? ""])).toEqual([
      ["ConfigMap", "settings", "a", false, "env", "app"],
      ["Secret", "login", "b", true, "env", "app"],
      ["ConfigMap", "settings", "twice", false, "env", "app"],
      ["ConfigMap", "all", "", false, "envFrom", "app"],
      ["Secret", "allsecret", "", false, "envFrom", "app"],
      ["ConfigMap", "files", "one", false, "volume", "app"],
      ["Secret", "tls", "", false, "volume", ""],
      ["Secret", "mixed", "k", false, "volume", ""],
      ["ConfigMap", "mixmap", "", true, "volume", ""],
      ["PersistentVolumeClaim", "data", "", false, "volume", ""],
      ["Secret", "pull", "", true, "pull-secret", ""],
      ["ServiceAccount", "robot", "", false, "service-account", ""],
    ]);
    for (const at of references) {
      expect(getAt(object, at.path), formatPath(at.path)).toBe(at.name);
      if (at.keyPath !== undefined) expect(getAt(object, at.keyPath), formatPath(at.keyPath)).toBe(at.key);
    }
  });

  it("narrows to one object and key", () => {
    expect(referencesTo(workload("Deployment"), "ConfigMap", "settings").length).toBe(2);
    expect(referencesTo(workload("Deployment"), "ConfigMap", "settings", "a").length).toBe(1);
  });
});

describe("probeOf", () => {
  it("fills in the API's defaults and resolves a named port", () => {
    const container = {
      ports: [{ name: "http", containerPort: 8080 }],
      livenessProbe: { httpGet: { port: "http" } },
      readinessProbe: { tcpSocket: { port: 9 }, initialDelaySeconds: 5, periodSeconds: 2, failureThreshold: 4 },
    };
    const liveness = probeOf(container, "livenessProbe");
    expect(liveness).toEqual({
      kind: "http",
      writtenPort: "http",
      port: 8080,
      scheme: "HTTP",
      path: "/",
      initialDelay: 0,
      period: 10,
      timeout: 1,
      failures: 3,
      successes: 1,
    });
    expect(liveness && secondsToFail(liveness)).toBe(21);
    const readiness = probeOf(container, "readinessProbe");
    expect(readiness).toMatchObject({ kind: "tcp", port: 9 });
    expect(readiness && secondsToFail(readiness)).toBe(12);
  });

  it("leaves a port name that the container does not declare unresolved", () => {
    const probe = probeOf({ livenessProbe: { grpc: { port: "nope" } } }, "livenessProbe");
    expect(probe).toMatchObject({ kind: "grpc", writtenPort: "nope" });
    expect(probe?.port).toBeUndefined();
  });

  it("knows exec probes and says null for none", () => {
    expect(probeOf({ startupProbe: { exec: { command: ["cat", "/x"] } } }, "startupProbe")).toMatchObject({
      kind: "exec",
      command: ["cat", "/x"],
    });
    expect(probeOf({}, "startupProbe")).toBeNull();
    expect(probeOf(undefined, "startupProbe")).toBeNull();
    expect(probeOf({ startupProbe: {} }, "startupProbe")).toBeNull();
  });
});
