import type { ProgramSource } from "./cluster/programs.ts";
import type { CommitFiles } from "./code-host/git-server.ts";

/** What the shop's images need to run. Nothing knows of an incident: what a manifest does not give, a program does not get. */
export const PROGRAMS: Readonly<Record<string, ProgramSource>> = {
  "registry.example.com/shop/web:2.4.1": {
    ports: [8080],
    memory: 20 * 1024 ** 2,
    log: ["web 2.4.1 listening on :8080"],
  },
  "registry.example.com/shop/web:2.4.0": {
    ports: [8080],
    memory: 20 * 1024 ** 2,
    log: ["web 2.4.0 listening on :8080"],
  },
  "registry.example.com/shop/cart:1.9.3": {
    ports: [8080],
    memory: 90 * 1024 ** 2,
    log: ["cart 1.9.3: warming the price cache"],
  },
  "registry.example.com/shop/orders:3.1.0": {
    ports: [8080],
    requires: [{ name: "LOG_LEVEL", log: "FATAL: LOG_LEVEL is not set" }],
    log: ["orders 3.1.0 ready"],
  },
};

const deployment = (name: string, image: string, container: string): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  namespace: shop
  labels:
    app: ${name}
spec:
  replicas: 2
  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
    spec:
      containers:
        - name: ${name}
          image: ${image}   # bumped by the release job
          ports:
            - containerPort: 8080
${container}`;

const probes = `          readinessProbe:
            httpGet: {path: /, port: 8080}
            periodSeconds: 5
`;

const web = (tag: string): string => deployment("web", `registry.example.com/shop/web:${tag}`, probes);
// The traffic of the sale needs more than anybody thought: nothing in Git ever gave it enough.
const cart = deployment(
  "cart",
  "registry.example.com/shop/cart:1.9.3",
  `${probes}          resources:
            requests: {cpu: 50m, memory: 32Mi}
            limits:
              memory: 64Mi   # "should be plenty"
`,
);
const orders = (key: string): string =>
  deployment(
    "orders",
    "registry.example.com/shop/orders:3.1.0",
    `          env:
            - name: LOG_LEVEL
              valueFrom:
                configMapKeyRef:
                  name: orders-config
                  key: ${key}
`,
  );

const base = {
  "apps/namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n",
  "apps/orders-config.yaml":
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: orders-config\n  namespace: shop\ndata:\n  log_level: info\n  currency: EUR\n",
  "README.md": "# Shop\n\nThe manifests of the shop. `apps/` is what is deployed.\n",
};

/** The repository's history: a shop, and an afternoon of changes. */
export function shopHistory(now: Date): CommitFiles[] {
  const ago = (hours: number): Date => new Date(now.getTime() - hours * 3_600_000);
  return [
    {
      message: "Import the shop",
      author: { name: "Ada Platform", email: "ada@example.com" },
      date: ago(72),
      files: { ...base, "apps/web.yaml": web("2.4.0"), "apps/cart.yaml": cart },
    },
    {
      message: "Release web 2.4.1",
      author: { name: "Lin Release", email: "lin@example.com" },
      date: ago(0.1),
      files: { "apps/web.yaml": web("2.41") },
    },
    {
      message: "Add the orders service",
      author: { name: "Sam Orders", email: "sam@example.com" },
      date: ago(0.05),
      files: { "apps/orders.yaml": orders("log_levle") },
    },
  ];
}

/** Files that are deployed. */
export const DEPLOYED = [
  "apps/namespace.yaml",
  "apps/orders-config.yaml",
  "apps/web.yaml",
  "apps/cart.yaml",
  "apps/orders.yaml",
];
