/**
 * `npm run bench:drift`: what comparing 1,000 rendered objects costs beyond rendering and listing them. Prints milliseconds and the ratio to parsing the same
 * lists; no assertion on time, because machines differ.
 */
import { parseConfig } from "../../src/config/load.ts";
import { surveyDrift } from "../../src/drift/survey.ts";
import type { Origin } from "../../src/gitops/origin.ts";
import { refOf } from "../../src/kube/ref.ts";
import { resourceOf } from "../../src/kube/resources.ts";
import { createLog } from "../../src/log.ts";
import type { KubeObject } from "../../src/model.ts";
import type { Checkout } from "../../src/ports.ts";
import type { Bench } from "../../src/workbench.ts";
import { managed } from "../drift/objects.ts";

const COUNT = Number(process.argv[2] ?? 1000);
const ROUNDS = 5;

function declared(index: number): KubeObject {
  const name = `app-${index}`;
  if (index % 4 === 3)
    return {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, namespace: "shop" },
      data: Object.fromEntries(Array.from({ length: 20 }, (_, key) => [`key-${key}`, `value ${index} ${key}`])),
    };
  const container = (part: string) => ({
    name: part,
    image: `example.com/${name}-${part}:1.${index}`,
    args: ["serve", "--port", "8080"],
    env: Array.from({ length: 12 }, (_, key) => ({ name: `VARIABLE_${key}`, value: `${index}` })),
    ports: [{ containerPort: 8080, name: "http" }],
    resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { cpu: 1, memory: "1024Mi" } },
    livenessProbe: { httpGet: { path: "/healthz", port: 8080 } },
    volumeMounts: [
      { name: "tmp", mountPath: "/tmp" },
      { name: "settings", mountPath: "/etc/app" },
    ],
  });
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: "shop", labels: { app: name, team: "a" } },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          containers: [container("app"), container("sidecar")],
          volumes: [
            { name: "tmp", emptyDir: {} },
            { name: "settings", configMap: { name } },
          ],
        },
      },
    },
  };
}

/** As the API server answers: defaults, status and managedFields. */
function stored(object: KubeObject): KubeObject {
  const copy = structuredClone(object);
  if (copy.kind === "Deployment") {
    const spec = copy["spec"] as { template: { spec: { containers: object[] } } };
    Object.assign(spec, { progressDeadlineSeconds: 600, revisionHistoryLimit: 10 });
    Object.assign(spec.template.spec, {
      restartPolicy: "Always",
      dnsPolicy: "ClusterFirst",
      schedulerName: "default-scheduler",
    });
    for (const container of spec.template.spec.containers)
      Object.assign(container, { imagePullPolicy: "IfNotPresent", terminationMessagePath: "/dev/termination-log" });
    copy["status"] = { replicas: 2, observedGeneration: 1, conditions: [{ type: "Available", status: "True" }] };
  }
  copy.metadata.managedFields = [managed("kustomize-controller", "Apply", object)];
  return copy;
}

const objects = Array.from({ length: COUNT }, (_, index) => declared(index));
const texts = ["Deployment", "ConfigMap"].map((kind) =>
  JSON.stringify(objects.filter((each) => each.kind === kind).map(stored)),
);
const owner = { kind: "flux" as const, name: "Kustomization flux-system/apps" };
const origin: Origin = { repository: "acme/fleet", path: "apps", tool: "plain", branch: "main", owner };
const source = { ...origin, id: "acme/fleet:apps@main", branch: "main", tool: "plain" as const };
const ref = {
  apiVersion: "kustomize.toolkit.fluxcd.io/v1",
  kind: "Kustomization",
  namespace: "flux-system",
  name: "apps",
};
const deployer = {
  ref,
  object: {
    apiVersion: ref.apiVersion,
    kind: ref.kind,
    metadata: { name: "apps", namespace: "flux-system" },
    spec: {},
  },
  origins: { found: true as const, origins: [origin] },
};
const checkout = { directory: "/nonexistent", revision: "0".repeat(40), branch: "main" } as unknown as Checkout;
const bench: Bench = { source, checkout, rendered: async () => ({ objects, tool: "plain" }) };
const log = createLog({
  format: "json",
  level: "error",
  interactive: false,
  write: () => undefined,
  now: () => new Date(),
});

let parsing = 0;
const rounds: { total: number; parsing: number }[] = [];
for (let round = 0; round < ROUNDS; round++) {
  parsing = 0;
  const began = performance.now();
  const report = await surveyDrift({
    config: parseConfig("{}"),
    cluster: {
      async *list(resource) {
        const start = performance.now();
        const page = JSON.parse(texts[resource.kind === "Deployment" ? 0 : 1] ?? "[]") as KubeObject[];
        parsing += performance.now() - start;
        yield page;
      },
      get: async () => null,
      resource: async (apiVersion, kind) => resourceOf(apiVersion, kind) ?? null,
      dryRunApply: async (object) => object,
      review: async (accesses) => accesses.map(() => false),
    },
    workbench: {
      bench: async () => bench,
      origins: async () => [origin],
      deployers: async () => ({ all: [deployer], of: () => null, gaps: [] }),
    },
    renderer: { render: async () => ({ objects, tool: "plain" }) },
    clock: { now: () => new Date(), sleep: async () => undefined },
    log,
    version: "0.0.0",
    mode: "client",
    wait: 0,
  });
  const [root] = report.roots;
  if (root?.inSync !== COUNT)
    throw new Error(
      `${root?.inSync} of ${COUNT} in sync: ${JSON.stringify(root?.items[0])} ${refOf(objects[0] as KubeObject).name}`,
    );
  rounds.push({ total: performance.now() - began, parsing });
}
const best = rounds
  .map(({ total, parsing: of }) => ({ compare: total - of, of }))
  .toSorted((a, b) => a.compare - b.compare);
const [fastest] = best;
const worst = best.at(-1);
if (fastest !== undefined && worst !== undefined)
  process.stdout.write(
    `${COUNT} objects (${Math.round(texts.join("").length / 1024)} KiB of lists): compared in ${fastest.compare.toFixed(0)} ms (slowest of ${ROUNDS} rounds ${worst.compare.toFixed(0)} ms) beyond rendering and listing; ` +
      `${(fastest.compare / fastest.of).toFixed(1)} times what parsing the lists takes (${fastest.of.toFixed(0)} ms)\n`,
  );
