const AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.53";

/** What real repositories hold, spelled as people spell it: amounts, ports, empties and order that the API server changes. */
export function shop(namespace: string): Record<string, string> {
  const pods = (name: string, more = ""): string => `
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
      terminationGracePeriodSeconds: 1
      nodeSelector: {}
      tolerations: []
      hostNetwork: false
      serviceAccountName: shop
      containers:
        - name: app
          image: ${AGNHOST}
          args: [netexec, --http-port=8080]
          env:
            - {name: COLOR, value: blue}
            - {name: EMPTY, value: ""}
            - {name: LEVEL, value: "1"}
          ports:
            - containerPort: 8080
              name: http
          readinessProbe:
            httpGet: {path: /healthz, port: 8080}
            initialDelaySeconds: 0
            periodSeconds: 1
          resources:
            requests: {cpu: 0.01, memory: 16384Ki}
            limits: {cpu: 1000m, memory: 64Mi}
          volumeMounts:
            - {name: tmp, mountPath: /scratch}
            - {name: settings, mountPath: /settings, readOnly: false}
      volumes:
        - name: tmp
          emptyDir: {}
        - name: settings
          configMap: {name: settings}
${more}`;
  const deployment = (name: string, replicas: string, more = ""): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  namespace: ${namespace}
  creationTimestamp: null
  labels: {app: ${name}, tier: front}
spec:${replicas}
  strategy: {}${pods(name, more)}`;
  return {
    "web.yaml": deployment("web", "\n  replicas: 1"),
    "sorted.yaml": deployment("sorted", "\n  replicas: 1"),
    "side.yaml": deployment("side", "\n  replicas: 1"),
    "replaced.yaml": deployment("replaced", "\n  replicas: 1"),
    "scaled.yaml": deployment("scaled", "\n  replicas: 1"),
    "open.yaml": deployment("open", ""),
    "autoscaler.yaml": `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: scaled, namespace: ${namespace}}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: scaled}
  minReplicas: 2
  maxReplicas: 3
  metrics:
    - {type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 1024Mi}}}
    - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}
`,
    "services.yaml": ["web", "gone"]
      .map(
        (name) => `apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  clusterIP: ""
  selector: {app: web}
  ports:
    - {name: http, port: 80, targetPort: 8080}
    - {name: dns, port: 53, protocol: UDP, targetPort: 53}
    - {name: dns-tcp, port: 53, targetPort: 53}
`,
      )
      .join("---\n"),
    "settings.yaml": `apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: ${namespace}}
data:
  colors: |
    blue
    green
  empty: ""
`,
    "secret.yaml": `apiVersion: v1
kind: Secret
metadata: {name: keys, namespace: ${namespace}}
stringData: {user: admin, password: correct-horse-battery}
data: {token: aGVsbG8=}
`,
    "account.yaml": `apiVersion: v1
kind: ServiceAccount
metadata: {name: shop, namespace: ${namespace}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: shop, namespace: ${namespace}}
rules:
  - {apiGroups: [""], resources: [services, configmaps], verbs: [list, get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: shop, namespace: ${namespace}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: shop}
subjects:
  - {kind: ServiceAccount, name: shop, namespace: ${namespace}}
`,
    "network.yaml": `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: ${namespace}}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress: [{ports: [{port: 8080}]}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: ${namespace}}
spec:
  rules:
    - host: shop.example.com
      http:
        paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web, namespace: ${namespace}}
spec:
  minAvailable: "1"
  selector: {matchLabels: {app: web}}
`.replace('minAvailable: "1"', "minAvailable: 1"),
    "batch.yaml": `apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: ${namespace}}
spec:
  schedule: "0 3 * * *"
  suspend: false
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - {name: job, image: "busybox:1.36", command: [sh, -c, "true"]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once, namespace: ${namespace}}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
        - {name: job, image: "busybox:1.36", command: [sh, -c, "true"]}
`,
    "data.yaml": `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: data, namespace: ${namespace}}
spec:
  serviceName: web
  replicas: 1${pods("data")}
  volumeClaimTemplates:
    - metadata: {name: disk}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 0.5Gi}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: ${namespace}}
spec:${pods("agent")}
`,
  };
}
