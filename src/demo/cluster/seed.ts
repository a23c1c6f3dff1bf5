import { randomUUID } from "node:crypto";
import type { KubeObject } from "../../model.ts";
import { createEvents } from "./controllers/events.ts";
import type { Api } from "./server/api.ts";
import type { Pod, PodOwner } from "./shapes.ts";
import { controllerOf } from "./shapes.ts";

export interface SeedOptions {
  /** How many namespaces they are spread over (default 20). */
  readonly namespaces?: number;
  /** How many of the pods are in a crash loop (default 0). */
  readonly failing?: number;
  /** Pods a Deployment (default 5). */
  readonly perDeployment?: number;
}

/** Puts `count` pods with their Deployments and ReplicaSets straight into the store. Answers how many objects it made. */
export function seedPods(api: Api, count: number, options: SeedOptions): number {
  const { namespaces = 20, failing = 0, perDeployment = 5 } = options;
  const kind = (name: string, apiVersion = "apps/v1") => api.kinds.of({ apiVersion, kind: name });
  const stamp = api.timeline.stamp();
  const events = createEvents(api, "kubelet");
  let made = 0;
  const put = (object: KubeObject): KubeObject => {
    made += 1;
    return api.store.put(api.kinds.of(object), object);
  };
  for (let index = 0; index < namespaces; index += 1) {
    const name = `seed-${index}`;
    if (api.store.get(kind("Namespace", "v1"), "", name) === undefined) {
      put({
        apiVersion: "v1",
        kind: "Namespace",
        metadata: {
          name,
          uid: randomUUID(),
          creationTimestamp: stamp,
          labels: { "kubernetes.io/metadata.name": name },
        },
        spec: { finalizers: ["kubernetes"] },
        status: { phase: "Active" },
      });
    }
  }
  const deployments = Math.ceil(count / perDeployment);
  const sick = Math.ceil(failing / perDeployment);
  for (let index = 0; index < deployments; index += 1) {
    const size = Math.min(perDeployment, count - index * perDeployment);
    const namespace = `seed-${index % namespaces}`;
    const fails = index < sick ? Math.min(size, failing - index * perDeployment) : 0;
    const name = `service-${index}`;
    const deployment = put(seedDeployment(name, namespace, size, fails, stamp)) as PodOwner;
    const hash = `h${index.toString(16)}`;
    const set = put(seedReplicaSet(deployment, hash, size - fails)) as PodOwner;
    for (let each = 0; each < size; each += 1) {
      const pod = put(seedPod(set, `${set.metadata.name}-${each.toString(36).padStart(5, "x")}`, each < fails, stamp));
      if (each < fails) {
        events.warning(
          pod,
          "BackOff",
          `Back-off restarting failed container app in pod ${pod.metadata.name}_${namespace}(${pod.metadata.uid})`,
          "spec.containers{app}",
        );
        made += 1;
      }
    }
  }
  return made;
}

function metadata(
  name: string,
  namespace: string,
  stamp: string,
  more: Partial<KubeObject["metadata"]>,
): KubeObject["metadata"] {
  return { name, namespace, uid: randomUUID(), generation: 1, creationTimestamp: stamp, ...more };
}

function seedDeployment(name: string, namespace: string, size: number, fails: number, stamp: string): KubeObject {
  const labels = { app: name, "app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "seed" };
  const ready = size - fails;
  const available = ready >= size * 0.75;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: metadata(name, namespace, stamp, { labels, annotations: { "deployment.kubernetes.io/revision": "1" } }),
    spec: {
      replicas: size,
      selector: { matchLabels: { app: name } },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      template: { metadata: { labels }, spec: podSpec(name) },
    },
    status: {
      observedGeneration: 1,
      replicas: size,
      updatedReplicas: size,
      ...(ready > 0 ? { readyReplicas: ready, availableReplicas: ready } : {}),
      ...(fails > 0 ? { unavailableReplicas: fails } : {}),
      conditions: [
        {
          type: "Available",
          status: available ? "True" : "False",
          lastUpdateTime: stamp,
          lastTransitionTime: stamp,
          reason: available ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
          message: available
            ? "Deployment has minimum availability."
            : "Deployment does not have minimum availability.",
        },
        {
          type: "Progressing",
          status: "True",
          lastUpdateTime: stamp,
          lastTransitionTime: stamp,
          reason: "NewReplicaSetAvailable",
          message: `ReplicaSet "${name}" has successfully progressed.`,
        },
      ],
    },
  };
}

function podSpec(name: string): Pod["spec"] {
  return {
    containers: [
      {
        name: "app",
        image: `registry.example.com/seed/${name}:1.0.0`,
        ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }],
        env: [
          { name: "LOG_LEVEL", value: "info" },
          { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
        ],
        resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "128Mi" } },
        readinessProbe: {
          httpGet: { path: "/ready", port: "http", scheme: "HTTP" },
          periodSeconds: 10,
          timeoutSeconds: 1,
          successThreshold: 1,
          failureThreshold: 3,
        },
        livenessProbe: {
          httpGet: { path: "/live", port: "http", scheme: "HTTP" },
          periodSeconds: 10,
          timeoutSeconds: 1,
          successThreshold: 1,
          failureThreshold: 3,
        },
      },
    ],
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
  };
}

function seedReplicaSet(deployment: PodOwner, hash: string, ready: number): KubeObject {
  const { name, namespace = "", creationTimestamp = "", labels } = deployment.metadata;
  const size = deployment.spec.replicas ?? 1;
  const all = { ...labels, "pod-template-hash": hash };
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: metadata(`${name}-${hash}`, namespace, creationTimestamp, {
      labels: all,
      annotations: {
        "deployment.kubernetes.io/desired-replicas": String(size),
        "deployment.kubernetes.io/revision": "1",
      },
      ownerReferences: [controllerOf(deployment)],
    }),
    spec: {
      replicas: size,
      selector: { matchLabels: { app: name, "pod-template-hash": hash } },
      template: { metadata: { labels: all }, spec: deployment.spec.template.spec },
    },
    status: {
      replicas: size,
      fullyLabeledReplicas: size,
      ...(ready > 0 ? { readyReplicas: ready, availableReplicas: ready } : {}),
      observedGeneration: 1,
    },
  };
}

// Written by the kubelet in every real pod, and the largest part of one.
const KUBELET_FIELDS = Object.fromEntries(
  ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady"].map((type) => [
    `k:{"type":"${type}"}`,
    {
      ".": {},
      "f:lastProbeTime": {},
      "f:lastTransitionTime": {},
      "f:observedGeneration": {},
      "f:status": {},
      "f:type": {},
    },
  ]),
);

function seedPod(set: PodOwner, name: string, fails: boolean, stamp: string): KubeObject {
  const { namespace = "" } = set.metadata;
  const spec = set.spec.template.spec;
  const uid = randomUUID();
  const containerID = `containerd://${uid.replaceAll("-", "").repeat(2)}`;
  const condition = (type: string, ok: boolean): object => ({
    type,
    observedGeneration: 1,
    status: ok ? "True" : "False",
    lastProbeTime: null,
    lastTransitionTime: stamp,
    ...(ok ? {} : { reason: "ContainersNotReady", message: "containers with unready status: [app]" }),
  });
  const ended = { terminated: { exitCode: 1, reason: "Error", startedAt: stamp, finishedAt: stamp, containerID } };
  const state = fails
    ? {
        waiting: {
          reason: "CrashLoopBackOff",
          message: `back-off 5m0s restarting failed container=app pod=${name}_${namespace}(${uid})`,
        },
      }
    : { running: { startedAt: stamp } };
  const image = spec.containers[0]?.image ?? "";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...metadata(name, namespace, stamp, {
        labels: set.spec.template.metadata?.labels ?? {},
        ownerReferences: [controllerOf(set)],
        generateName: `${set.metadata.name}-`,
      }),
      uid,
      managedFields: [
        {
          manager: "kube-controller-manager",
          operation: "Update",
          apiVersion: "v1",
          time: stamp,
          fieldsType: "FieldsV1",
          fieldsV1: {
            "f:metadata": {
              "f:generateName": {},
              "f:labels": { ".": {}, "f:app": {}, "f:pod-template-hash": {} },
              "f:ownerReferences": { ".": {} },
            },
            "f:spec": {
              "f:containers": {
                'k:{"name":"app"}': {
                  ".": {},
                  "f:env": {},
                  "f:image": {},
                  "f:name": {},
                  "f:ports": {},
                  "f:resources": {},
                },
              },
            },
          },
        },
        {
          manager: "kubelet",
          operation: "Update",
          apiVersion: "v1",
          time: stamp,
          fieldsType: "FieldsV1",
          fieldsV1: {
            "f:status": {
              "f:conditions": KUBELET_FIELDS,
              "f:containerStatuses": {},
              "f:phase": {},
              "f:podIP": {},
              "f:startTime": {},
            },
          },
          subresource: "status",
        },
      ] as object[],
    },
    spec: {
      ...spec,
      nodeName: "seed-node",
      serviceAccountName: "default",
      schedulerName: "default-scheduler",
      dnsPolicy: "ClusterFirst",
      securityContext: {},
      tolerations: [
        { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 },
      ],
    },
    status: {
      phase: "Running",
      conditions: [
        condition("PodReadyToStartContainers", true),
        condition("Initialized", true),
        condition("Ready", !fails),
        condition("ContainersReady", !fails),
        condition("PodScheduled", true),
      ],
      hostIP: "10.89.0.9",
      podIP: "10.250.0.9",
      podIPs: [{ ip: "10.250.0.9" }],
      startTime: stamp,
      containerStatuses: [
        {
          name: "app",
          state,
          lastState: fails ? ended : {},
          ready: !fails,
          restartCount: fails ? 42 : 0,
          image,
          imageID: `${image.split(":")[0]}@sha256:${uid.replaceAll("-", "").repeat(2)}`,
          containerID,
          started: !fails,
          resources: spec.containers[0]?.resources ?? {},
        },
      ],
      qosClass: "Burstable",
    },
  };
}
