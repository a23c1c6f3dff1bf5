import type { Change, KubeObject, Symptom } from "../../src/model.ts";
import { ago, container, pod, revision, workload } from "../detectors/snapshot-builder.ts";
import { APP, commit, configMap, configRef, onWorkload } from "../remedies/remedy-context.ts";
import type { ModelWorld } from "./bench.ts";

/** Incidents of the kinds that rules leave open: what is wrong can be read, but not proved. */

export const crash: Symptom = { kind: "CrashLoop", exit: "application", exitCode: 1, init: false };
export const SHA = "1a2b3c4d5e6f70819293a4b5c6d7e8f901234567";
const log = (text: string) => ({ evidence: [{ id: "e1", kind: "log" as const, text }] });

/** Two tags are near the mistyped one: rules do not guess which. */
export function twoTags(): ModelWorld {
  const image = "ghcr.io/acme/cart:1.4.2-alpin";
  return {
    workload: workload({ container: { image } }),
    symptom: { kind: "ImagePull", cause: "terminal", image, message: "manifest unknown", init: false },
    registry: { "ghcr.io/acme/cart": ["1.4.2-alpine", "1.4.2-alpina", "1.4.1"] },
    files: { "apps/cart/README.md": "We ship the alpine build of the cart." },
    finding: {
      summary: "Image ghcr.io/acme/cart:1.4.2-alpin is not in its registry.",
      evidence: [{ id: "e1", kind: "event", text: "Failed to pull image: manifest unknown" }],
    },
  };
}

/** The probe asks a port that nobody declares, and two are declared. */
export function twoPorts(): ModelWorld {
  return {
    workload: workload({
      container: {
        ports: [
          { name: "http", containerPort: 8080 },
          { name: "metrics", containerPort: 9100 },
        ],
        livenessProbe: { httpGet: { path: "/", port: 9090 } },
      },
      pods: [pod({ containers: [container({})] })],
    }),
    symptom: { kind: "LivenessKill", probe: "livenessProbe", message: "connection refused" },
    log: "listening for requests on :8080, metrics on :9100",
    finding: {
      summary: "The livenessProbe fails: connection refused.",
      ...log("listening for requests on :8080, metrics on :9100"),
    },
  };
}

/** A commit changed labels of a probe's tier and the environment; the log names the variable, and the rule's first tier is silent about it. */
export function changedEnvironment(): ModelWorld {
  const cart = workload({
    container: {
      env: [{ name: "CHECKOUT_MODE", value: "turbo" }],
      readinessProbe: { httpGet: { path: "/", port: 8080 }, periodSeconds: 5 },
    },
  });
  const mode = onWorkload(cart, [...APP, "env", { by: "name", value: "CHECKOUT_MODE" }, "value"], "turbo", "standard");
  return {
    workload: cart,
    symptom: { kind: "NotReady", message: "the readinessProbe fails" },
    registry: {},
    since: ago("20m"),
    // The cluster was changed by hand since: rules stop where live and Git differ in what the commit changed, too.
    previous: [commit([onWorkload(cart, [...APP, "readinessProbe", "periodSeconds"], 7, 10), mode])],
    log: "FATAL unknown CHECKOUT_MODE turbo, expected standard or express",
    finding: {
      summary: "Pods are running and not ready.",
      ...log("FATAL unknown CHECKOUT_MODE turbo, expected standard or express"),
    },
  };
}

/** A commit changed two values of a ConfigMap; one of them was changed by hand since, and the log is about the other. */
export function changedConfig(): ModelWorld {
  const cart = workload({ container: { envFrom: [{ configMapRef: { name: "settings" } }] } });
  const change = (key: string, from: string, to: string): Change => ({
    object: configRef("settings"),
    path: ["data", key],
    from,
    to,
  });
  const trace = "panic: LOG_LEVEL loud is not a level";
  return {
    workload: cart,
    symptom: crash,
    registry: {},
    live: [configMap("settings", { LOG_LEVEL: "loud", REGION: "north" })],
    since: ago("20m"),
    previous: [
      commit([change("LOG_LEVEL", "loud", "info"), change("REGION", "west", "east")], { subject: "Louder logs" }),
    ],
    log: trace,
    finding: { summary: "Container app ends with exit code 1.", ...log(trace) },
  };
}

/** Two ConfigMaps are near the name that is not there. */
export function twoConfigMaps(): ModelWorld {
  return {
    workload: workload({ container: { envFrom: [{ configMapRef: { name: "setings" } }] } }),
    symptom: { kind: "ConfigMissing", refKind: "ConfigMap", name: "setings", message: 'configmap "setings" not found' },
    snapshot: { configs: { shop: { configMaps: { settings: ["mode"], seatings: ["mode"] }, secrets: {} } } },
    finding: {
      summary: 'ConfigMap "setings" does not exist.',
      evidence: [{ id: "e1", kind: "event", text: 'configmap "setings" not found' }],
    },
  };
}

/** A bug of the program: nothing that changed explains it. */
export function programsBug(): ModelWorld {
  const trace =
    "TypeError: Cannot read properties of undefined (reading 'total')\n    at checkout (/app/cart.js:41:19)";
  return {
    workload: workload({ container: { image: "shop/cart:2" } }),
    symptom: crash,
    registry: { "shop/cart": ["2"] },
    previous: [],
    log: trace,
    finding: { summary: "Container app ends with exit code 1.", ...log(trace) },
  };
}

/** An older revision was healthy; the rule's newest one is not proved. */
export function olderRevision(): ModelWorld {
  const template = (image: string) => ({ spec: { containers: [{ name: "app", image }] } });
  return {
    workload: workload({
      container: { image: "shop/cart:3" },
      revisions: [
        revision("cart-c", 3, true),
        revision("cart-b", 2, false, { template: template("shop/cart:2"), readyReplicas: 1 }),
        revision("cart-a", 1, false, { template: template("shop/cart:1"), readyReplicas: 1 }),
      ],
    }),
    // The rule's choice, revision 2, is gone from the registry; revision 1 is there.
    registry: { "shop/cart": ["1", "3"] },
    symptom: crash,
    log: "fatal: schema 3 is newer than this program",
    finding: { summary: "Container app ends with exit code 1.", ...log("fatal: schema 3 is newer than this program") },
  };
}

/** The API server refuses a manifest, and a dry run of the smallest way back is not enough for the rule. */
export function refusedManifest(): ModelWorld {
  const made = workload({ container: { args: ["--bad"] } });
  const before = workload({ container: { args: ["--good"] } });
  return {
    workload: made,
    container: null,
    symptom: { kind: "ManifestRefused", message: 'Invalid value: "args"' },
    snapshot: {
      refused: [
        {
          ref: made.ref,
          object: made.object,
          before: before.object,
          commit: commit([]).commit,
          message: 'Invalid value: "args"',
        },
      ],
    },
    // What rules ask comes first, and is refused once: a webhook that was down.
    refusal: (() => {
      let asked = 0;
      return () => {
        asked += 1;
        return asked <= 2 ? "failed calling webhook" : null;
      };
    })(),
    finding: {
      summary: "The API server refuses the manifest.",
      evidence: [{ id: "e1", kind: "status", text: 'Invalid value: "args"' }],
    },
  };
}

/** A quota: nobody's commit, and nothing in the catalogue. */
export function quota(): ModelWorld {
  const text =
    'pods "cart-1" is forbidden: exceeded quota: compute, requested: limits.memory=2Gi, used: 7Gi, limited: 8Gi';
  return {
    workload: workload({}),
    container: null,
    symptom: { kind: "PodsRefused", message: text },
    previous: [],
    finding: { summary: "Pods cannot be made.", evidence: [{ id: "e1", kind: "event", text }] },
  };
}

export const KINDS: Readonly<Record<string, () => ModelWorld>> = {
  "two-tags": twoTags,
  "two-ports": twoPorts,
  "changed-environment": changedEnvironment,
  "changed-config": changedConfig,
  "two-config-maps": twoConfigMaps,
  "programs-bug": programsBug,
  "older-revision": olderRevision,
  "refused-manifest": refusedManifest,
  quota,
};

export function secretOf(name: string, data: Readonly<Record<string, string>>): KubeObject {
  const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")]);
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: "shop" }, data: Object.fromEntries(encoded) };
}
