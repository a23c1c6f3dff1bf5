import type { Deploys } from "../../src/drift/writer.ts";
import type { FieldPath, Json } from "../../src/model.ts";

/** One source of false alarms: a pair that means the same, and a change beside it that must be found. */
export interface Case {
  /** Number in the list of sources; `docs/drift.md` has it, too. */
  readonly source: number;
  readonly name: string;
  readonly deploys?: Deploys;
  readonly git: string;
  /** What is laid over Git's object in the cluster: by whom it was written (null: by nobody, as defaults and webhooks). */
  readonly over?: readonly {
    readonly path: FieldPath;
    readonly value: Json | undefined;
    readonly by: string | null;
    readonly subresource?: string;
  }[];
  /** Last-applied, where it was applied by kubectl's client-side apply. */
  readonly clientSide?: boolean;
  readonly planted: {
    readonly path: FieldPath;
    readonly value: Json | undefined;
    readonly by?: string;
    readonly text: string;
  };
}

const container: FieldPath = ["spec", "template", "spec", "containers", { by: "name", value: "app" }];
const pod: FieldPath = ["spec", "template", "spec"];

export const DEPLOYMENT = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: shop, labels: {team: a}}
spec:
  replicas: 2
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      containers:
        - name: app
          image: example.com/app:1
          args: [serve, --port, "80"]
          env:
            - {name: A, value: "1"}
            - {name: B, value: ""}
          ports: [{containerPort: 80}]
          resources: {limits: {cpu: 1000m, memory: 1024Mi}}
          volumeMounts: [{name: tmp, mountPath: /tmp}, {name: data, mountPath: /data}]
      volumes: [{name: tmp, emptyDir: {}}, {name: data, configMap: {name: data}}]
`;
const image = {
  path: [...container, "image"],
  value: "example.com/app:2",
  text: "spec.template.spec.containers[name=app].image",
};

export const CASES: readonly Case[] = [
  {
    source: 1,
    name: "metadata that the server writes",
    git: DEPLOYMENT,
    over: [
      { path: ["metadata", "uid"], value: "u", by: null },
      { path: ["metadata", "generation"], value: 7, by: null },
      { path: ["metadata", "creationTimestamp"], value: "2026-01-01T00:00:00Z", by: null },
    ],
    planted: { path: ["metadata", "labels", "team"], value: "b", text: "metadata.labels.team" },
  },
  {
    source: 2,
    name: "status",
    git: `${DEPLOYMENT}status: {replicas: 0}\n`,
    over: [
      {
        path: ["status"],
        value: { replicas: 2, readyReplicas: 2 },
        by: "kube-controller-manager",
        subresource: "status",
      },
    ],
    planted: image,
  },
  {
    source: 3,
    name: "books that tools keep in annotations and labels",
    git: DEPLOYMENT,
    over: [
      {
        path: ["metadata", "annotations", "deployment.kubernetes.io/revision"],
        value: "4",
        by: "kube-controller-manager",
      },
      {
        path: ["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"],
        value: "{}",
        by: "kubectl-client-side-apply",
      },
      { path: ["metadata", "labels", "kustomize.toolkit.fluxcd.io/name"], value: "apps", by: "kustomize-controller" },
      {
        path: ["spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt"],
        value: "2026-01-01",
        by: "kubectl-rollout",
      },
    ],
    planted: {
      path: ["spec", "template", "metadata", "annotations", "example.com/debug"],
      value: "on",
      text: 'spec.template.metadata.annotations["example.com/debug"]',
    },
  },
  {
    source: 4,
    name: "defaults",
    git: DEPLOYMENT,
    over: [
      { path: ["spec", "progressDeadlineSeconds"], value: 600, by: null },
      { path: [...container, "imagePullPolicy"], value: "IfNotPresent", by: null },
      { path: [...container, "ports"], value: [{ containerPort: 80, protocol: "TCP" }], by: null },
      { path: [...pod, "volumes", { by: "name", value: "data" }, "configMap", "defaultMode"], value: 420, by: null },
    ],
    planted: {
      path: [...container, "imagePullPolicy"],
      value: "Always",
      text: "spec.template.spec.containers[name=app].imagePullPolicy",
    },
  },
  {
    source: 5,
    name: "quantities",
    git: DEPLOYMENT,
    over: [
      { path: [...container, "resources", "limits", "cpu"], value: "1", by: null },
      { path: [...container, "resources", "limits", "memory"], value: "1Gi", by: null },
    ],
    planted: {
      path: [...container, "resources", "limits", "memory"],
      value: "1G",
      text: "spec.template.spec.containers[name=app].resources.limits.memory",
    },
  },
  {
    source: 5,
    name: "quantities of custom resources",
    git: "apiVersion: x.io/v1\nkind: Pool\nmetadata: {name: p, namespace: shop}\nspec: {size: {memory: 0.5}, env: [{name: A, value: 1000m}]}",
    over: [{ path: ["spec", "size", "memory"], value: "500m", by: null }],
    // Text is no amount.
    planted: { path: ["spec", "env", { by: "name", value: "A" }, "value"], value: "1", text: "spec.env[name=A].value" },
  },
  {
    source: 6,
    name: "ports as text",
    git: "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: shop}\nspec: {ports: [{port: 80, targetPort: '80'}]}",
    over: [{ path: ["spec", "ports", 0, "targetPort"], value: 80, by: null }],
    planted: {
      path: ["spec", "ports", { by: "port", value: 80 }, "targetPort"],
      value: 81,
      text: "spec.ports[port=80].targetPort",
    },
  },
  {
    source: 6,
    name: "durations",
    git: "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: g, namespace: shop}\nspec: {interval: 60s, timeout: 90s}",
    over: [
      { path: ["spec", "interval"], value: "1m0s", by: null },
      { path: ["spec", "timeout"], value: "1m30s", by: null },
    ],
    planted: { path: ["spec", "interval"], value: "61s", text: "spec.interval" },
  },
  {
    source: 6,
    name: "what is empty, and what is left out",
    git: `${DEPLOYMENT.replace("      volumes:", "      nodeSelector: {}\n      tolerations: []\n      hostNetwork: false\n      affinity: null\n      volumes:").replace("labels: {app: app}}", "labels: {app: app}, creationTimestamp: null}")}`,
    over: [
      { path: [...pod, "nodeSelector"], value: undefined, by: null },
      { path: [...pod, "tolerations"], value: undefined, by: null },
      { path: [...pod, "hostNetwork"], value: undefined, by: null },
      { path: [...container, "env", { by: "name", value: "B" }, "value"], value: undefined, by: null },
    ],
    planted: { path: [...pod, "hostNetwork"], value: true, text: "spec.template.spec.hostNetwork" },
  },
  {
    source: 6,
    name: "an empty text, which is an entry of a map whose keys are free",
    git: DEPLOYMENT.replace(
      "      volumes:",
      '      nodeSelector: {node-role.kubernetes.io/infra: ""}\n      volumes:',
    ),
    over: [{ path: [...container, "env", { by: "name", value: "B" }, "value"], value: undefined, by: null }],
    planted: {
      path: [...pod, "nodeSelector", "node-role.kubernetes.io/infra"],
      value: undefined,
      text: "spec.template.spec.nodeSelector",
    },
  },
  {
    source: 6,
    name: "an empty key of a ConfigMap that is called as a field that Kubernetes fills in",
    git: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: shop}\ndata: {nodeName: '', proxy: ''}",
    planted: { path: ["data", "nodeName"], value: "evil", text: "data.nodeName" },
  },
  {
    source: 6,
    name: "text and base64 of a Secret",
    git: "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\nstringData: {user: admin}\ndata: {empty: '', none: null}",
    over: [
      { path: ["stringData"], value: undefined, by: null },
      { path: ["data"], value: { user: "YWRtaW4=", empty: "" }, by: null },
      { path: ["type"], value: "Opaque", by: null },
    ],
    planted: { path: ["data", "user"], value: "cm9vdA==", text: "data.user" },
  },
  {
    source: 7,
    name: "the order of lists with merge keys, and of sets",
    git: `${DEPLOYMENT.replace("metadata: {name: app,", "metadata: {name: app, finalizers: [x.io/a, x.io/b],")}`,
    over: [
      { path: ["metadata", "finalizers"], value: ["x.io/b", "x.io/a"], by: null },
      { path: [...container, "env"], value: [{ name: "B" }, { name: "A", value: "1" }], by: null },
      {
        path: [...container, "volumeMounts"],
        value: [
          { name: "data", mountPath: "/data" },
          { name: "tmp", mountPath: "/tmp" },
        ],
        by: null,
      },
      {
        path: [...pod, "volumes"],
        value: [
          { name: "data", configMap: { name: "data" } },
          { name: "tmp", emptyDir: {} },
        ],
        by: null,
      },
    ],
    planted: {
      path: [...container, "args"],
      value: ["--port", "80", "serve"],
      text: "spec.template.spec.containers[name=app].args",
    },
  },
  {
    source: 7,
    name: "ports that share a number",
    git: "apiVersion: v1\nkind: Service\nmetadata: {name: dns, namespace: shop}\nspec: {ports: [{name: udp, port: 53, protocol: UDP}, {name: tcp, port: 53, protocol: TCP}]}",
    over: [
      {
        path: ["spec", "ports"],
        value: [
          { name: "tcp", port: 53, protocol: "TCP", targetPort: 53 },
          { name: "udp", port: 53, protocol: "UDP", targetPort: 53 },
        ],
        by: null,
      },
    ],
    planted: { path: ["spec", "ports", { by: "name", value: "udp" }, "port"], value: 54, text: "spec.ports[name=udp]" },
  },
  {
    source: 8,
    name: "metrics of an autoscaler that the server sorts",
    git: "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h, namespace: shop}\nspec:\n  maxReplicas: 5\n  metrics:\n    - {type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 1024Mi}}}\n    - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}",
    over: [
      {
        path: ["spec", "metrics"],
        value: [
          { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } },
          { type: "Resource", resource: { name: "memory", target: { type: "AverageValue", averageValue: "1Gi" } } },
        ],
        by: null,
      },
    ],
    planted: {
      path: ["spec", "metrics"],
      value: [
        { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 90 } } },
        { type: "Resource", resource: { name: "memory", target: { type: "AverageValue", averageValue: "1Gi" } } },
      ],
      text: "spec.metrics[1].resource.target.averageUtilization",
    },
  },
  {
    source: 10,
    name: "what mutating webhooks add",
    git: DEPLOYMENT,
    over: [
      {
        path: [...pod, "containers", { by: "name", value: "istio-proxy" }],
        value: { name: "istio-proxy", image: "istio/proxyv2:1" },
        by: null,
      },
      { path: [...pod, "initContainers"], value: [{ name: "istio-init", image: "istio/proxyv2:1" }], by: null },
      { path: ["spec", "template", "metadata", "annotations"], value: { "sidecar.istio.io/status": "{}" }, by: null },
      {
        path: [...container, "env", { by: "name", value: "DD_AGENT_HOST" }],
        value: { name: "DD_AGENT_HOST", value: "x" },
        by: null,
      },
      // And what they replace, by the deployer's own name.
      { path: [...container, "image"], value: "mirror.local/example.com/app:1", by: null },
    ],
    planted: {
      path: [...pod, "containers", { by: "name", value: "debug" }],
      value: { name: "debug", image: "busybox" },
      text: "spec.template.spec.containers[name=debug]",
    },
  },
  {
    source: 11,
    name: "injected caBundle",
    git: "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: w}\nwebhooks: [{name: a.x.io, clientConfig: {caBundle: Cg==, service: {name: s, namespace: n, path: /v}}}]",
    over: [
      {
        path: ["webhooks", { by: "name", value: "a.x.io" }, "clientConfig", "caBundle"],
        value: "TFMwdA==",
        by: "cainjector",
      },
    ],
    planted: {
      path: ["webhooks", { by: "name", value: "a.x.io" }, "clientConfig", "service", "path"],
      value: "/w",
      text: "webhooks[name=a.x.io].clientConfig.service.path",
    },
  },
  {
    source: 12,
    name: "aggregated roles",
    git: "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r, labels: {a: b}}\naggregationRule: {clusterRoleSelectors: [{matchLabels: {x: y}}]}\nrules: null",
    over: [
      {
        path: ["rules"],
        value: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }],
        by: "kube-controller-manager",
      },
    ],
    planted: { path: ["metadata", "labels", "a"], value: "c", text: "metadata.labels.a" },
  },
  {
    source: 12,
    name: "rules in which only the order differs",
    git: "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r, namespace: shop}\nrules: [{apiGroups: [''], resources: [pods, services], verbs: [get, list]}]",
    over: [{ path: ["rules", 0, "verbs"], value: ["list", "get"], by: null }],
    planted: {
      path: ["rules"],
      value: [{ apiGroups: [""], resources: ["pods", "services"], verbs: ["get", "list", "delete"] }],
      text: "rules[0].verbs",
    },
  },
  {
    source: 13,
    name: "what controllers put into a ServiceAccount",
    git: "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a, namespace: shop}\nimagePullSecrets: [{name: mine}]",
    over: [
      { path: ["secrets"], value: [{ name: "a-token" }], by: "kube-controller-manager" },
      {
        path: ["imagePullSecrets", { by: "name", value: "a-dockercfg" }],
        value: { name: "a-dockercfg" },
        by: "openshift-controller-manager",
      },
    ],
    planted: {
      path: ["imagePullSecrets", { by: "name", value: "theirs" }],
      value: { name: "theirs" },
      text: "imagePullSecrets[name=theirs]",
    },
  },
  {
    source: 14,
    name: "what the server gives a Service",
    git: "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: shop}\nspec: {type: NodePort, clusterIP: '', selector: {app: a}, ports: [{port: 80, nodePort: 0}]}",
    over: [
      { path: ["spec", "clusterIP"], value: "10.0.0.1", by: null },
      { path: ["spec", "clusterIPs"], value: ["10.0.0.1"], by: null },
      { path: ["spec", "ports"], value: [{ port: 80, nodePort: 30080, protocol: "TCP", targetPort: 80 }], by: null },
      { path: ["spec", "sessionAffinity"], value: "None", by: null },
      { path: ["spec", "ipFamilies"], value: ["IPv4"], by: null },
    ],
    planted: { path: ["spec", "selector", "app"], value: "b", text: "spec.selector.app" },
  },
  {
    source: 15,
    name: "a claim's volume, and the defaults of claim templates",
    git: "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: d, namespace: shop}\nspec: {serviceName: d, volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1024Mi}}}}]}",
    over: [
      {
        path: ["spec", "volumeClaimTemplates"],
        value: [
          {
            apiVersion: "v1",
            kind: "PersistentVolumeClaim",
            metadata: { name: "data", creationTimestamp: null },
            spec: {
              accessModes: ["ReadWriteOnce"],
              volumeMode: "Filesystem",
              storageClassName: "standard",
              resources: { requests: { storage: "1Gi" } },
            },
            status: { phase: "Pending" },
          },
        ],
        by: null,
      },
    ],
    planted: {
      path: ["spec", "volumeClaimTemplates", 0, "spec", "resources", "requests", "storage"],
      value: "2Gi",
      text: "spec.volumeClaimTemplates[0].spec.resources.requests.storage",
    },
  },
  {
    source: 16,
    name: "a Job's generated selector",
    git: "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j, namespace: shop}\nspec: {backoffLimit: 2, template: {spec: {restartPolicy: Never}}}",
    over: [
      { path: ["spec", "selector"], value: { matchLabels: { "batch.kubernetes.io/controller-uid": "u" } }, by: null },
      {
        path: ["spec", "template", "metadata"],
        value: { labels: { "controller-uid": "u", "job-name": "j" } },
        by: null,
      },
    ],
    planted: { path: ["spec", "backoffLimit"], value: 9, text: "spec.backoffLimit" },
  },
  {
    source: 17,
    name: "a definition's conversion",
    git: "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: xs.x.io}\nspec: {group: x.io, preserveUnknownFields: false, scope: Namespaced}",
    over: [
      { path: ["spec", "preserveUnknownFields"], value: undefined, by: null },
      { path: ["spec", "conversion"], value: { strategy: "None" }, by: null },
    ],
    planted: { path: ["spec", "scope"], value: "Cluster", text: "spec.scope" },
  },
  {
    source: 18,
    name: "a namespace's own label and finalizer",
    git: "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: a}}",
    over: [
      { path: ["metadata", "labels", "kubernetes.io/metadata.name"], value: "shop", by: "kubectl-create" },
      { path: ["spec"], value: { finalizers: ["kubernetes"] }, by: null },
    ],
    planted: {
      path: ["metadata", "labels", "pod-security.kubernetes.io/enforce"],
      value: "privileged",
      text: 'metadata.labels["pod-security.kubernetes.io/enforce"]',
    },
  },
  {
    source: 19,
    name: "the marks of Helm, which its templates do not have",
    deploys: "helmrelease",
    git: DEPLOYMENT,
    over: [
      { path: ["metadata", "labels", "app.kubernetes.io/managed-by"], value: "Helm", by: "helm-controller" },
      {
        path: ["metadata", "annotations"],
        value: { "meta.helm.sh/release-name": "app", "meta.helm.sh/release-namespace": "shop" },
        by: "helm-controller",
      },
      { path: ["metadata", "labels", "helm.toolkit.fluxcd.io/name"], value: "app", by: "helm-controller" },
    ],
    planted: image,
  },
  {
    source: 20,
    name: "values that a chart makes anew each time",
    deploys: "helmrelease",
    git: `${DEPLOYMENT.replace("labels: {team: a}", "labels: {team: a}, annotations: {seed: abc}")}`,
    over: [{ path: ["metadata", "annotations", "seed"], value: "xyz", by: null }],
    planted: { path: ["metadata", "annotations", "seed"], value: "by hand", text: "metadata.annotations.seed" },
  },
  {
    source: 24,
    name: "lists that are replaced as a whole, with defaults in their items",
    git: `${DEPLOYMENT.replace("      volumes: [", "      volumes: [{name: p, projected: {sources: [{serviceAccountToken: {path: t}}]}}, ")}`,
    over: [
      {
        path: [...pod, "volumes", { by: "name", value: "p" }, "projected", "sources"],
        value: [{ serviceAccountToken: { path: "t", expirationSeconds: 3607 } }],
        by: null,
      },
    ],
    planted: {
      path: [...pod, "volumes", { by: "name", value: "p" }, "projected", "sources"],
      value: [{ serviceAccountToken: { path: "u", expirationSeconds: 3600 } }],
      text: "spec.template.spec.volumes[name=p].projected.sources[0].serviceAccountToken.path",
    },
  },
  {
    source: 28,
    name: "defaults of custom resources",
    git: "apiVersion: x.io/v1\nkind: Pool\nmetadata: {name: p, namespace: shop}\nspec: {size: 3}",
    over: [{ path: ["spec", "policy"], value: { mode: "fast", retries: 5 }, by: null }],
    planted: { path: ["spec", "policy", "mode"], value: "slow", text: "spec.policy.mode" },
  },
  {
    source: 29,
    name: "null and zero that are dropped on apply",
    git: "apiVersion: x.io/v1\nkind: Pool\nmetadata: {name: p, namespace: shop}\nspec: {size: 3, floor: 0, on: false, name: ''}",
    over: [
      { path: ["spec", "floor"], value: undefined, by: null },
      { path: ["spec", "on"], value: undefined, by: null },
      { path: ["spec", "name"], value: undefined, by: null },
    ],
    planted: { path: ["spec", "floor"], value: undefined, by: "kubectl-edit", text: "spec.floor" },
  },
  {
    source: 31,
    name: "numbers where the type wants text",
    git: "apiVersion: x.io/v1\nkind: Pool\nmetadata: {name: p, namespace: shop}\nspec: {version: 1.1, size: '3'}",
    over: [
      { path: ["spec", "version"], value: "1.1", by: null },
      { path: ["spec", "size"], value: 3, by: null },
    ],
    planted: { path: ["spec", "version"], value: "1.10", text: "spec.version" },
  },
];
