import { Config } from "../../src/config/schema.ts";
import type { GuardContext } from "../../src/guards/guard.ts";
import { keyOf } from "../../src/kube/ref.ts";
import type { Change, FieldPath, Json, KubeObject, ManagedFields, Plan } from "../../src/model.ts";
import { NOW } from "../detectors/snapshot-builder.ts";

/** A plan that no guard objects to, and what guards know of it; each test takes away one thing. */

export const CART = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "cart" };
export const MEMORY: FieldPath = [
  "spec",
  "template",
  "spec",
  "containers",
  { by: "name", value: "app" },
  "resources",
  "limits",
  "memory",
];

export function live(over: Partial<KubeObject["metadata"]> = {}, spec: { readonly [field: string]: Json } = {}) {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "cart", namespace: "shop", ...over },
    spec: {
      replicas: 1,
      template: {
        spec: { containers: [{ name: "app", image: "app:1", resources: { limits: { memory: "64Mi" } } }] },
      },
      ...spec,
    },
  } satisfies KubeObject;
}

export function change(over: Partial<Change> = {}): Change {
  return { object: CART, path: MEMORY, from: "64Mi", to: "128Mi", ...over };
}

export function plan(over: Partial<Plan> = {}): Plan {
  return {
    finding: {
      detector: "oom-killed",
      workload: CART,
      container: "app",
      symptom: { kind: "OOMKilled", limit: "64Mi" },
      summary: "killed",
      evidence: [],
      since: NOW,
      pods: 1,
      fingerprint: "0123456789abcdef",
    },
    choice: { remedy: "raise-memory-limit", params: {}, reason: "", evidence: [] },
    risk: "medium",
    changes: [change()],
    title: "raise memory limit of app 64Mi → 128Mi",
    ...over,
  };
}

export function context(over: Partial<GuardContext> = {}, object: KubeObject | null = live()): GuardContext {
  return {
    settings: Config.parse({ mode: "remediate" }),
    now: new Date(NOW),
    live: new Map([[keyOf(CART), object]]),
    holds: new Map(),
    namespaces: new Map([["shop", {}]]),
    ripe: 1,
    hotfixes: 0,
    opened: 0,
    open: 0,
    lastChange: new Map(),
    failedAttempts: 0,
    missingRights: [],
    ...over,
  };
}

/** An entry of managedFields that owns the memory limit. */
export function ownerOfMemory(manager: string, operation: string): ManagedFields {
  return {
    manager,
    operation,
    fieldsV1: {
      "f:spec": {
        "f:template": {
          "f:spec": {
            "f:containers": { 'k:{"name":"app"}': { "f:resources": { "f:limits": { "f:memory": {} } } } },
          },
        },
      },
    },
  };
}
