/** Manifests of the end-to-end suite, as a team would have written them. */
const deployment = (namespace: string, name: string, container: string): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  namespace: ${namespace}
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

const AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.53";

export function healthyState(namespace: string): Record<string, string> {
  return {
    "deploy/release.yaml": deployment(
      namespace,
      "release",
      `        - name: app
          image: busybox:1.36
          command: [sh, -c, "echo serving; sleep 3600"]   # the entrypoint of the release
`,
    ),
  };
}

/** What an afternoon of commits makes of it: five faults of five classes. */
export function brokenState(namespace: string): Record<string, string> {
  return {
    "deploy/release.yaml": deployment(
      namespace,
      "release",
      `        - name: app
          image: busybox:1.36
          command: [sh, -c, "echo FATAL no such table; exit 1"]   # the entrypoint of the release
`,
    ),
    "deploy/memory.yaml": deployment(
      namespace,
      "memory",
      `        - name: app
          image: python:3.12-slim
          command: [python3, -c, "x = bytearray(90 * 1024 * 1024); import time; time.sleep(3600)"]
          resources:
            requests: {memory: 32Mi}
            limits:
              memory: 64Mi # measured in spring
`,
    ),
    "deploy/tag.yaml": deployment(
      namespace,
      "tag",
      `        - name: web
          image: nginx:1.72   # two digits swapped
          ports:
            - containerPort: 80
`,
    ),
    "deploy/config.yaml": `${deployment(
      namespace,
      "config",
      `        - name: app
          image: busybox:1.36
          command: [sh, -c, "echo $GREETING; sleep 3600"]
          env:
            - name: GREETING
              valueFrom:
                configMapKeyRef: {name: settings, key: greting}
`,
    )}---
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  namespace: ${namespace}
data:
  greeting: hello
`,
    "deploy/probe.yaml": deployment(
      namespace,
      "probe",
      `        - name: app
          image: ${AGNHOST}
          args: [netexec, --http-port=8080]
          ports:
            - containerPort: 8080
          readinessProbe:
            httpGet:
              path: /healthz
              port: 8081
            periodSeconds: 1
`,
    ),
  };
}

/** Lines that a pull request may take and give, by workload. */
export const MINIMAL: Readonly<
  Record<string, { readonly file: string; readonly minus: string[]; readonly plus: string[] }>
> = {
  release: {
    file: "deploy/release.yaml",
    minus: ['command: [sh, -c, "echo FATAL no such table; exit 1"]   # the entrypoint of the release'],
    plus: ['command: [sh, -c, "echo serving; sleep 3600"]   # the entrypoint of the release'],
  },
  memory: {
    file: "deploy/memory.yaml",
    minus: ["memory: 64Mi # measured in spring"],
    plus: ["memory: 128Mi # measured in spring"],
  },
  tag: {
    file: "deploy/tag.yaml",
    minus: ["image: nginx:1.72   # two digits swapped"],
    plus: ["image: nginx:1.27   # two digits swapped"],
  },
  config: {
    file: "deploy/config.yaml",
    minus: ["configMapKeyRef: {name: settings, key: greting}"],
    plus: ["configMapKeyRef: {name: settings, key: greeting}"],
  },
  probe: { file: "deploy/probe.yaml", minus: ["port: 8081"], plus: ["port: 8080"] },
};
