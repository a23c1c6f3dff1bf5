/** Repositories that reviews are tried on. */

export function deployment(
  name: string,
  more: { image?: string; memory?: string; env?: string; port?: number; labels?: string; replicas?: number } = {},
): string {
  const {
    image = "ghcr.io/acme/cart:1.4.2",
    memory = "128Mi",
    env = "",
    port = 8080,
    labels = `app: ${name}`,
    replicas,
  } = more;
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
${replicas === undefined ? "" : `  replicas: ${replicas}\n`}  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        ${labels}
    spec:
      containers:
        - name: app
          image: ${image}
          ports:
            - name: http
              containerPort: ${port}
          readinessProbe:
            httpGet:
              path: /healthz
              port: http
          resources:
            requests:
              memory: 64Mi
            limits:
              memory: ${memory}
${env}`;
}

export function service(name: string, target = "http", selector = `app: ${name}`): string {
  return `apiVersion: v1
kind: Service
metadata:
  name: ${name}
spec:
  selector:
    ${selector}
  ports:
    - port: 80
      targetPort: ${target}
`;
}

export const ENV_FROM = `          envFrom:
            - configMapRef:
                name: settings
`;

/** A base and two overlays; the production one is deployed by an Application that lies beside it. */
export const KUSTOMIZE: Readonly<Record<string, string>> = {
  "base/kustomization.yaml": "resources: [cart.yaml, service.yaml, settings.yaml]\n",
  "base/cart.yaml": deployment("cart", { env: ENV_FROM }),
  "base/service.yaml": service("cart"),
  "base/settings.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  level: info\n",
  "overlays/prod/kustomization.yaml": "namespace: shop\nresources: [../../base]\n",
  "overlays/staging/kustomization.yaml": "namespace: staging\nresources: [../../base]\n",
};

export function application(url: string, name = "shop", path = "overlays/prod"): string {
  return `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: ${name}
  namespace: argocd
spec:
  project: default
  source:
    repoURL: ${url}
    path: ${path}
    targetRevision: main
  destination:
    server: https://kubernetes.default.svc
    namespace: shop
  syncPolicy:
    automated: { selfHeal: true }
`;
}
