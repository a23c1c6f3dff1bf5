import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Change, Json, Plan, Symptom } from "../../src/model.ts";
import { remedies } from "../../src/remedies/index.ts";
import { container, pod, workload } from "../detectors/snapshot-builder.ts";
import { commit, configMap, NAMES, tried, type World } from "./remedy-context.ts";

/** Whatever a remedy is given: it answers with a sentence or with a plan for the finding's own namespace, and never throws. */

const FIELDS =
  "container image memory revision commit fields object path from to probes probe port scheme pods name key variable service workload selector value reason".split(
    " ",
  );
const words = fc.constantFrom(
  ...NAMES,
  ...FIELDS,
  "app",
  "cart-1",
  "cart-old",
  "64Mi",
  "128Mi",
  "9e999",
  "-1",
  "livenessProbe",
  "Deployment",
  "Secret",
  "shop",
  "kube-system",
  "spec",
  "example.com/shop/cart:1.4.2",
  "\u0000\u202e",
  "",
);
const numbers = fc.constantFrom(0, -1, 1, 8080, 65_536, Number.MAX_SAFE_INTEGER, 1e308, -0);
const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    words,
    numbers,
    fc.constantFrom<Json>(null, true, [], {}),
    fc.array(tie("json"), { maxLength: 3 }),
    fc.dictionary(words, tie("json"), { maxKeys: 4 }) as fc.Arbitrary<Json>,
  ),
}));
const noise = fc.dictionary(fc.constantFrom(...FIELDS, ...NAMES), json, { maxKeys: 2 });
const IMAGE: Change = {
  object: { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "cart" },
  path: ["spec", "template", "spec", "containers", { by: "name", value: "app" }, "image"],
  from: "example.com/shop/cart:1.4.2-alpin",
  to: "example.com/shop/cart:1.4.1",
};
/** Parameters that are right, so that noise in one of them gets past the schema. */
const RIGHT: readonly { readonly [name: string]: Json }[] = [
  { container: "app", memory: "128Mi" },
  { container: "app", image: "example.com/shop/cart:1.4.2-alpine" },
  { container: "app", probes: [{ probe: "livenessProbe", port: 8080 }] },
  { container: "app", probes: [{ probe: "livenessProbe", path: "/healthz" }] },
  { container: "app", variable: "MODE", service: "settings" },
  { name: "setting" },
  { pods: ["cart-1"] },
  { revision: "cart-old" },
  { port: 8080 },
  { from: "standrad", to: "standard" },
  { key: "disk", value: "ssd" },
  { workload: "cart", selector: { app: "cart" } },
  { commit: "1a2b3c4", fields: [IMAGE as unknown as Json] },
];
const params = fc.tuple(fc.constantFrom({}, ...RIGHT), noise).map(([right, over]) => ({ ...right, ...over }));

const cart = workload({
  container: {
    image: "example.com/shop/cart:1.4.2-alpin",
    ports: [{ containerPort: 8080 }],
    livenessProbe: { httpGet: { path: "/", port: 9090 } },
    resources: { limits: { memory: "64Mi" } },
    envFrom: [{ configMapRef: { name: "settings" } }, { configMapRef: { name: "stting" } }],
  },
  pods: [pod({ containers: [container({ waiting: { reason: "CreateContainerConfigError", message: "" } })] })],
});
const SYMPTOMS: readonly Symptom[] = [
  { kind: "OOMKilled", limit: "64Mi" },
  { kind: "CrashLoop", exit: "application", exitCode: 1, init: false },
  { kind: "ConfigMissing", refKind: "ConfigMap", name: "settings", message: "" },
  { kind: "NotReady", message: "connection refused" },
  { kind: "ImagePull", cause: "terminal", image: "example.com/shop/cart:1.4.2-alpin", message: "", init: false },
  { kind: "ConfigMissing", refKind: "ConfigMap", name: "stting", message: "" },
];

function world(symptom: Symptom): World {
  return {
    workload: { ...cart, limits: {} },
    symptom,
    live: [configMap("settings", { mode: "fast" })],
    registry: { "example.com/shop/cart": ["1.4.1", "1.4.2-alpine"] },
    previous: [commit([IMAGE])],
    snapshot: { configs: { shop: { configMaps: { setting: ["mode"], settings: ["mode"] }, secrets: {} } } },
  };
}

describe.each(remedies.map((remedy) => [remedy.id]))("%s", (id) => {
  it("stays within its finding, whatever it is given", async () => {
    await fc.assert(
      fc.asyncProperty(params, fc.constantFrom(...SYMPTOMS), async (given, symptom) => {
        const said: string | Plan = await tried(id, given as { readonly [name: string]: Json }, world(symptom));
        if (typeof said === "string") {
          expect(said).not.toBe("");
          return;
        }
        for (const { object } of said.changes) {
          expect(object.namespace).toBe("shop");
          expect(["Deployment", "ConfigMap"]).toContain(object.kind);
        }
        expect(said.changes.length + (said.action?.pods.length ?? 0)).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

it("what the noise is put into is planned without it, so that the cases above reach the plans themselves", async () => {
  const planned = new Set<string>();
  for (const { id } of remedies)
    for (const right of RIGHT)
      for (const symptom of SYMPTOMS) if (typeof (await tried(id, right, world(symptom))) !== "string") planned.add(id);
  expect([...planned]).toEqual(
    expect.arrayContaining([
      "raise-memory-limit",
      "correct-image",
      "correct-probe",
      "repoint-reference",
      "evict",
      "restore-from-git",
    ]),
  );
});
