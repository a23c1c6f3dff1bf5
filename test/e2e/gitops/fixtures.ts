/** The shop that all trees deploy: three workloads that will break, and a neighbour that must not notice. */
const AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.53";

/** What a Helm template or an environment's folder says for itself. */
export interface ShopValues {
  readonly memory: string;
  readonly image: string;
  readonly port: string;
}

export const HEALTHY: ShopValues = { memory: "128Mi", image: "nginx:1.27", port: "8080" };

/** A namespace line only where the repository says it; engines and Kustomize fill it in elsewhere. */
function deployment(name: string, namespace: string | null, container: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}${namespace === null ? "" : `\n  namespace: ${namespace}`}
spec:
  replicas: 1
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
${container}`;
}

/** The shop's manifests by workload. */
export function shop(values: ShopValues = HEALTHY, namespace: string | null = null): Record<string, string> {
  return {
    worker: deployment(
      "worker",
      namespace,
      `        - name: worker
          image: python:3.12-slim
          # Needs about 100 MiB from its first second on.
          command: [python3, -c, "x = bytearray(90 * 1024 * 1024); import time; time.sleep(3600)"]
          resources:
            requests: {memory: 32Mi}
            limits:
              memory: ${values.memory} # measured in spring
`,
    ),
    web: deployment(
      "web",
      namespace,
      `        - name: web
          image: ${values.image} # what customers see
          ports:
            - containerPort: 80
`,
    ),
    api: deployment(
      "api",
      namespace,
      `        - name: api
          image: ${AGNHOST}
          args: [netexec, --http-port=8080]
          ports:
            - containerPort: 8080
          readinessProbe:
            httpGet:
              path: /healthz
              port: ${values.port} # netexec's
            periodSeconds: 1
`,
    ),
    cache: deployment(
      "cache",
      namespace,
      `        - name: cache
          image: busybox:1.36
          command: [sh, -c, "echo serving; sleep 3600"]
`,
    ),
  };
}

/** The same shop as a chart in Git, with every value of the three faults settable. */
export function chart(folder: string): Record<string, string> {
  const values: ShopValues = {
    memory: "{{ .Values.worker.resources.limits.memory }}",
    image: '"{{ .Values.web.image.repository }}:{{ .Values.web.image.tag }}"',
    port: "{{ .Values.api.probe.port }}",
  };
  const templates = Object.entries(shop(values)).map(([name, text]) => [`${folder}/templates/${name}.yaml`, text]);
  return {
    [`${folder}/Chart.yaml`]: "apiVersion: v2\nname: shop\nversion: 1.4.0\n",
    [`${folder}/values.yaml`]: `worker:
  resources:
    limits:
      memory: 160Mi
web:
  image:
    repository: nginx
    tag: "1.26"
api:
  probe:
    port: 8080
`,
    ...(Object.fromEntries(templates) as Record<string, string>),
  };
}
