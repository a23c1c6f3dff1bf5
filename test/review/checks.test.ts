import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { deployment, ENV_FROM, service } from "../action/trees.ts";
import { look, objects, said } from "./scene.ts";

const SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings }\ndata: { level: info }\n";
const doc = (...parts: string[]): string => parts.join("---\n");
const HEALTHY = doc(deployment("cart", { env: ENV_FROM }), service("cart"), SETTINGS);

describe("static checks", () => {
  it("say nothing of what is well", () => {
    expect(said(look(HEALTHY))).toEqual([]);
  });

  it.each([
    [
      "a missing ConfigMap",
      deployment("cart", { env: ENV_FROM }),
      /^notice dangling-reference Deployment\/cart needs ConfigMap settings, which is not in Git; it may be in the cluster/,
    ],
    [
      "a missing key",
      doc(
        SETTINGS,
        deployment("cart", {
          env: "          env:\n            - name: A\n              valueFrom: { configMapKeyRef: { name: settings, key: colour } }\n",
        }),
      ),
      /^warning dangling-reference .*needs the key colour of ConfigMap settings/,
    ],
    [
      "a missing claim",
      deployment("cart").replace(
        "      containers:",
        "      volumes: [{ name: data, persistentVolumeClaim: { claimName: data } }]\n      containers:",
      ),
      /^notice dangling-reference .*PersistentVolumeClaim data/,
    ],
    [
      "a missing ServiceAccount",
      deployment("cart").replace("      containers:", "      serviceAccountName: cart\n      containers:"),
      /^notice dangling-reference .*ServiceAccount cart/,
    ],
    [
      "a missing scale target",
      "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: { name: cart }\nspec: { scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: kart }, maxReplicas: 3 }\n",
      /^notice dangling-reference HorizontalPodAutoscaler\/cart needs Deployment kart/,
    ],
    [
      "a missing backend",
      "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: { name: web }\nspec: { rules: [{ http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] } }] }\n",
      /^notice dangling-reference Ingress\/web needs Service web/,
    ],
    [
      "a missing role",
      "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: { name: cart }\nroleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: cart }\n",
      /^notice dangling-reference RoleBinding\/cart needs Role cart/,
    ],
    [
      "an Ingress port",
      doc(
        service("cart"),
        deployment("cart"),
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: { name: web }\nspec: { rules: [{ http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: cart, port: { number: 8080 } } } }] } }] }\n",
      ),
      /^warning service-port Ingress\/web sends to port 8080 of Service cart, which has no such port/,
    ],
    [
      "a mistyped selector",
      doc(deployment("cart"), service("cart", "http", "app: kart")),
      /^warning empty-selector Service\/cart selects app=kart, which no pods in Git have; Deployment cart has app=cart/,
    ],
    [
      "a named port",
      doc(deployment("cart"), service("cart", "htpp")),
      /^warning service-port Service\/cart sends to the port named htpp/,
    ],
    [
      "a port number",
      doc(deployment("cart"), service("cart", "9090")),
      /^warning service-port Service\/cart sends to port 9090, and its pods declare 8080/,
    ],
    [
      "a probe's port name",
      deployment("cart").replace("port: http", "port: web"),
      /^warning probe-port .*asks the port named web/,
    ],
    [
      "a probe's port number",
      deployment("cart").replace("port: http", "port: 9999"),
      /^notice probe-port .*asks port 9999; it declares 8080/,
    ],
    [
      "an amount that is none",
      deployment("cart", { memory: "128MB" }),
      /^failure resources .*memory "128MB" .*is no amount/,
    ],
    [
      "a request above its limit",
      deployment("cart", { memory: "32Mi" }),
      /^failure resources .*requests more memory than its limit/,
    ],
    [
      "more than a LimitRange allows",
      doc(
        deployment("cart", { memory: "2Gi" }),
        "apiVersion: v1\nkind: LimitRange\nmetadata: { name: small }\nspec: { limits: [{ type: Container, max: { memory: 1Gi } }] }\n",
      ),
      /^failure resources .*more memory than LimitRange small allows/,
    ],
    [
      "a claim's amount",
      "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: { name: data }\nspec: { resources: { requests: { storage: 10GB } } }\n",
      /^failure resources PersistentVolumeClaim\/data asks for storage "10GB"/,
    ],
    [
      "a selector that its own pods do not fit",
      deployment("cart", { labels: "app: basket" }),
      /^failure empty-selector Deployment\/cart does not select its own pods/,
    ],
    [
      "a budget of nothing",
      doc(
        deployment("cart"),
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: { name: cart }\nspec: { minAvailable: 1, selector: { matchLabels: { app: kart } } }\n",
      ),
      /^warning empty-selector PodDisruptionBudget\/cart/,
    ],
    ["an object said twice", doc(SETTINGS, SETTINGS), /^failure duplicate ConfigMap\/settings is declared twice/],
    [
      "a mount of no volume",
      deployment("cart").replace(
        "          ports:",
        "          volumeMounts: [{ name: data, mountPath: /data }]\n          ports:",
      ),
      /^failure pod-shape .*mounts the volume data/,
    ],
    [
      "a container without image",
      deployment("cart", { image: '""' }),
      /^failure pod-shape .*no image for container app/,
    ],
  ])("find %s", (_, text, message) => {
    expect(said(look(text))).toEqual([expect.stringMatching(message)]);
  });

  it.each([
    [
      "optional references",
      deployment("cart", { env: "          envFrom: [{ configMapRef: { name: settings, optional: true } }]\n" }),
    ],
    [
      "claims of a StatefulSet's template",
      deployment("cart")
        .replace("Deployment", "StatefulSet")
        .replace(
          "  selector:",
          "  volumeClaimTemplates: [{ metadata: { name: data }, spec: { resources: { requests: { storage: 1Gi } } } }]\n  selector:",
        )
        .replace("          ports:", "          volumeMounts: [{ name: data, mountPath: /data }]\n          ports:"),
    ],
    [
      "the default ServiceAccount",
      deployment("cart").replace("      containers:", "      serviceAccountName: default\n      containers:"),
    ],
    [
      "a second port for what is not switched on",
      doc(
        deployment("cart"),
        service("cart").replace(
          "      targetPort: http\n",
          "      targetPort: http\n    - name: metrics\n      port: 9090\n",
        ),
      ),
    ],
    [
      "headless Services' numbers",
      doc(deployment("cart"), service("cart", "9090").replace("  selector:", "  clusterIP: None\n  selector:")),
    ],
    [
      "external names",
      "apiVersion: v1\nkind: Service\nmetadata: { name: db }\nspec: { type: ExternalName, externalName: db.example.com, selector: { app: db } }\n",
    ],
    [
      "Services without a selector",
      "apiVersion: v1\nkind: Service\nmetadata: { name: db }\nspec: { ports: [{ port: 80 }] }\n",
    ],
    [
      "pods of kinds that others define",
      doc(
        deployment("cart").replace("apps/v1", "argoproj.io/v1alpha1").replace("kind: Deployment", "kind: Rollout"),
        service("cart"),
      ),
    ],
    [
      "containers that declare no port",
      doc(
        deployment("cart")
          .replace(/ {10}ports:\n.*\n.*\n/, "")
          .replace("port: http", "port: 8080"),
        service("cart", "8080"),
      ),
    ],
    [
      "one name in two namespaces",
      doc(SETTINGS, SETTINGS.replace("name: settings", "name: settings, namespace: other")),
    ],
  ])("leave %s alone", (_, text) => {
    expect(said(look(text))).toEqual([]);
  });

  it("knows what controllers make of other objects, and what lies elsewhere in the commit", () => {
    const text = deployment("cart", { env: "          envFrom: [{ secretRef: { name: db } }]\n" });
    for (const beside of [
      "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: { name: db }\n",
      "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: { name: x }\nspec: { target: { name: db } }\n",
      "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: { name: x }\nspec: { secretName: db }\n",
      "apiVersion: v1\nkind: Secret\nmetadata: { name: db, namespace: other }\n",
    ])
      expect(said(look(text, { beside }))).toEqual([]);
    expect(look(text)).toHaveLength(1);
  });

  it("says a notice of a Service whose pods may be made elsewhere, and a warning when it lost its own", () => {
    const alone = service("db", "5432", "cluster-name: db");
    expect(said(look(doc(deployment("cart"), alone)))).toEqual([
      expect.stringMatching(/^notice empty-selector Service\/db/),
    ]);
    const before = doc(deployment("cart"), service("web", "http", "app: cart"));
    const now = doc(deployment("cart"), service("web", "http", "app: crat"));
    expect(said(look(now, { before }))).toEqual([expect.stringMatching(/^warning empty-selector Service\/web/)]);
    // A folder that nobody is known to deploy need not be all.
    expect(said(look(now, { before, whole: false }))).toEqual([
      expect.stringMatching(/^notice empty-selector Service\/web/),
    ]);
  });

  it("is a failure to take away what another object needs", () => {
    const before = HEALTHY;
    const now = doc(deployment("cart", { env: ENV_FROM }), service("cart"));
    expect(said(look(now, { before }))).toEqual([
      expect.stringMatching(/^failure dangling-reference Deployment\/cart .*takes out of Git/),
    ]);
  });

  it("never throw, whatever stands in a manifest", () => {
    const odd = [null, [], "x", 1, { a: null }];
    for (const value of odd) {
      const text = JSON.stringify(value);
      const kinds = [
        "Deployment",
        "Service",
        "Ingress",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "LimitRange",
        "RoleBinding",
        "StatefulSet",
        "Pod",
        "CronJob",
        "Certificate",
      ];
      for (const kind of kinds)
        for (const spec of [
          `spec: ${text}`,
          `spec: { template: ${text}, rules: ${text}, ports: ${text}, selector: ${text}, limits: [${text}] }`,
          `spec: { template: { spec: { containers: [${text}, { name: a, resources: ${text}, env: ${text}, volumeMounts: [${text}], livenessProbe: { httpGet: ${text} } }], volumes: [${text}] } } }`,
        ])
          expect(() =>
            look(
              `apiVersion: apps/v1\nkind: ${kind}\nmetadata: { name: x }\n${spec}\nroleRef: ${text}\ndata: ${text}\n`,
            ),
          ).not.toThrow();
    }
  });
});

/** What the detectors find live, found in review: the same folders. */
describe("scenarios of the detectors", () => {
  const top = resolve(import.meta.dirname, "../scenarios");
  const repository = (id: string): string =>
    readdirSync(join(top, id, "repository"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".yaml") && !file.includes("kustomization"))
      .map((file) => readFileSync(join(top, id, "repository", file), "utf8"))
      .join("\n---\n");

  it.each([
    ["correct-selector/mistyped-label", /^warning empty-selector/],
    ["correct-service-port/undeclared-target", /^(warning|notice) (service-port|empty-selector)/],
    ["correct-probe/undeclared-port", /probe-port/],
    ["config-missing/none-is-near", /^notice dangling-reference/],
  ])("%s is stopped in review", (id, message) => {
    expect(said(look(repository(id)))).toContainEqual(expect.stringMatching(message));
  });

  it("nothing is refused in what works: the objects of every healthy twin", () => {
    const found: string[] = [];
    let looked = 0;
    for (const kind of readdirSync(top, { withFileTypes: true }).filter((entry) => entry.isDirectory()))
      for (const name of readdirSync(join(top, kind.name))) {
        const file = join(top, kind.name, name, "healthy.yaml");
        if (!existsSync(file)) continue;
        const text = readFileSync(file, "utf8");
        looked += objects(text).length;
        found.push(
          ...said(look(text))
            .filter((line) => !line.startsWith("notice"))
            .map((line) => `${kind.name}/${name}: ${line}`),
        );
      }
    expect(found).toEqual([]);
    expect(looked).toBeGreaterThan(50);
  });
});
