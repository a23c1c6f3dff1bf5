import type { KubeObject } from "../../../model.ts";
import type { Container, PodSpec, PodTemplate, Probe } from "../shapes.ts";

/** What the API server fills in (k8s.io/kubernetes pkg/apis/*\/v*\/defaults.go) where an object says nothing. */
export function withDefaults(object: KubeObject): KubeObject {
  const copy = structuredClone(object) as KubeObject & { spec: Fields; status?: Fields };
  const fill = FILLERS[copy.kind];
  if (
    fill !== undefined &&
    /^(v1|apps\/v1|batch\/v1|policy\/v1|autoscaling\/v2|apiextensions.k8s.io\/v1)$/.test(copy.apiVersion)
  ) {
    if (typeof copy.spec !== "object" || copy.spec === null) copy.spec = {};
    fill(copy);
  }
  return copy;
}

type Fields = Record<string, unknown>;
type Fillable = KubeObject & { spec: Fields; status?: Fields };

function set(target: object, values: Fields): void {
  const fields = target as Fields;
  for (const [key, value] of Object.entries(values))
    if (fields[key] === undefined || fields[key] === null) fields[key] = value;
}

function nested(target: Fields, key: string): Fields {
  set(target, { [key]: {} });
  return target[key] as Fields;
}

const FILLERS: Record<string, (object: Fillable) => void> = {
  Pod(object) {
    const spec = object.spec as unknown as PodSpec;
    fillPodSpec(spec);
    for (const { resources } of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
      if (resources?.limits !== undefined) resources.requests = { ...resources.limits, ...resources.requests };
    }
    set(object.spec, {
      enableServiceLinks: true,
      serviceAccountName: "default",
      serviceAccount: object.spec.serviceAccountName ?? "default",
      priority: 0,
      preemptionPolicy: "PreemptLowerPriority",
    });
    set(object.spec, {
      tolerations: ["not-ready", "unreachable"].map((state) => ({
        key: `node.kubernetes.io/${state}`,
        operator: "Exists",
        effect: "NoExecute",
        tolerationSeconds: 300,
      })),
    });
    set(object, { status: { phase: "Pending", qosClass: qosClass(spec) } });
  },
  Deployment(object) {
    set(object.spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 });
    const strategy = nested(object.spec, "strategy");
    set(strategy, { type: "RollingUpdate" });
    if (strategy.type === "RollingUpdate")
      set(nested(strategy, "rollingUpdate"), { maxUnavailable: "25%", maxSurge: "25%" });
    fillTemplate(object.spec);
  },
  ReplicaSet(object) {
    set(object.spec, { replicas: 1 });
    fillTemplate(object.spec);
  },
  StatefulSet(object) {
    set(object.spec, {
      replicas: 1,
      podManagementPolicy: "OrderedReady",
      revisionHistoryLimit: 10,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
    });
    const strategy = nested(object.spec, "updateStrategy");
    set(strategy, { type: "RollingUpdate" });
    if (strategy.type === "RollingUpdate") set(nested(strategy, "rollingUpdate"), { partition: 0 });
    fillTemplate(object.spec);
  },
  DaemonSet(object) {
    set(object.spec, { revisionHistoryLimit: 10 });
    const strategy = nested(object.spec, "updateStrategy");
    set(strategy, { type: "RollingUpdate" });
    if (strategy.type === "RollingUpdate") set(nested(strategy, "rollingUpdate"), { maxUnavailable: 1, maxSurge: 0 });
    fillTemplate(object.spec);
  },
  Job(object) {
    fillJob(object.spec);
    if (object.spec.selector === undefined && object.metadata.uid !== undefined) {
      const labels = {
        "batch.kubernetes.io/controller-uid": object.metadata.uid,
        "batch.kubernetes.io/job-name": object.metadata.name,
        "controller-uid": object.metadata.uid,
        "job-name": object.metadata.name,
      };
      const template = nested(object.spec, "template");
      const metadata = nested(template, "metadata");
      metadata.labels = { ...(metadata.labels as Fields | undefined), ...labels };
      set(object.spec, {
        manualSelector: false,
        selector: { matchLabels: { "batch.kubernetes.io/controller-uid": object.metadata.uid } },
      });
      object.metadata.labels = { ...(metadata.labels as Record<string, string>), ...object.metadata.labels };
    }
  },
  CronJob(object) {
    set(object.spec, {
      concurrencyPolicy: "Allow",
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
    });
    const job = nested(nested(object.spec, "jobTemplate"), "spec");
    fillTemplate(job);
  },
  Service(object) {
    set(object.spec, {
      type: "ClusterIP",
      sessionAffinity: "None",
      internalTrafficPolicy: "Cluster",
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
    });
    for (const port of (object.spec.ports ?? []) as Fields[]) set(port, { protocol: "TCP", targetPort: port.port });
    set(object, { status: { loadBalancer: {} } });
  },
  Namespace(object) {
    set(object.spec, { finalizers: ["kubernetes"] });
    object.metadata.labels = { ...object.metadata.labels, "kubernetes.io/metadata.name": object.metadata.name };
    set(object, { status: { phase: "Active" } });
  },
  PersistentVolumeClaim(object) {
    set(object.spec, { volumeMode: "Filesystem" });
    set(object, { status: { phase: "Pending" } });
  },
  HorizontalPodAutoscaler(object) {
    set(object.spec, { minReplicas: 1 });
  },
  CustomResourceDefinition(object) {
    const names = nested(object.spec, "names");
    set(names, { singular: String(names.kind ?? "").toLowerCase(), listKind: `${String(names.kind)}List` });
    set(object.spec, { conversion: { strategy: "None" } });
  },
};

function fillJob(spec: Fields): void {
  set(spec, {
    parallelism: 1,
    completions: 1,
    backoffLimit: 6,
    completionMode: "NonIndexed",
    suspend: false,
    podReplacementPolicy: "TerminatingOrFailed",
  });
  fillTemplate(spec);
}

function fillTemplate(spec: Fields): void {
  const template = spec.template as PodTemplate | undefined;
  if (template === undefined || typeof template.spec !== "object") return;
  fillPodSpec(template.spec);
}

function fillPodSpec(spec: PodSpec): void {
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) fillContainer(container);
  for (const volume of spec.volumes ?? []) {
    for (const source of [volume.configMap, volume.secret]) if (source !== undefined) set(source, { defaultMode: 420 });
  }
  set(spec, {
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    dnsPolicy: "ClusterFirst",
    securityContext: {},
    schedulerName: "default-scheduler",
  });
}

function fillContainer(container: Container): void {
  const latest =
    container.image !== undefined &&
    (/:latest$/.test(container.image) || !/[:@]/.test(container.image.split("/").at(-1) ?? ""));
  set(container, {
    resources: {},
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    imagePullPolicy: latest ? "Always" : "IfNotPresent",
  });
  for (const port of container.ports ?? []) set(port, { protocol: "TCP" });
  for (const probe of [container.readinessProbe, container.livenessProbe, container.startupProbe])
    if (probe !== undefined) fillProbe(probe);
  for (const { valueFrom } of container.env ?? [])
    if (valueFrom?.fieldRef !== undefined) set(valueFrom.fieldRef, { apiVersion: "v1" });
}

function fillProbe(probe: Probe): void {
  set(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
  if (probe.httpGet !== undefined) set(probe.httpGet, { path: "/", scheme: "HTTP" });
}

/** The quality of service class of a pod (status.qosClass). */
export function qosClass(spec: PodSpec): string {
  const all = [...spec.containers, ...(spec.initContainers ?? [])].map((container) => container.resources ?? {});
  const some = all.some((each) => Object.keys(each.requests ?? {}).length + Object.keys(each.limits ?? {}).length > 0);
  if (!some) return "BestEffort";
  const guaranteed = all.every((each) =>
    ["cpu", "memory"].every(
      (name) => each.limits?.[name] !== undefined && (each.requests?.[name] ?? each.limits[name]) === each.limits[name],
    ),
  );
  return guaranteed ? "Guaranteed" : "Burstable";
}
