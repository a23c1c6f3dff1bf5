import { isTree } from "../shapes.ts";
import type { Schema } from "./kinds.ts";

/**
 * How lists are merged: by keys, as a set, or not at all. Built-in kinds follow the patchMergeKey and listMapKey
 * markers of k8s.io/api, found here by the names of the list and of what holds it; custom kinds follow their schema.
 */
export type ListRule = { readonly keys: readonly string[] } | "set" | "atomic";

const BY_NAME = { keys: ["name"] };
const RULES: Record<string, ListRule> = {
  containers: BY_NAME,
  initContainers: BY_NAME,
  ephemeralContainers: BY_NAME,
  env: BY_NAME,
  volumes: BY_NAME,
  imagePullSecrets: BY_NAME,
  secrets: BY_NAME,
  resourceClaims: BY_NAME,
  volumeMounts: { keys: ["mountPath"] },
  volumeDevices: { keys: ["devicePath"] },
  hostAliases: { keys: ["ip"] },
  conditions: { keys: ["type"] },
  ownerReferences: { keys: ["uid"] },
  topologySpreadConstraints: { keys: ["topologyKey", "whenUnsatisfiable"] },
  finalizers: "set",
};

const CONTAINER_PORTS: ListRule = { keys: ["containerPort", "protocol"] };
const SERVICE_PORTS: ListRule = { keys: ["port", "protocol"] };

/** Maps that are replaced as a whole. */
const ATOMIC_MAPS = new Set(["nodeSelector", "matchLabels", "selector", "configMapKeyRef", "secretKeyRef", "fieldRef"]);

/** Where in an object we stand: its names from the top, and the schema there when the kind has one. */
export interface Place {
  readonly path: readonly string[];
  /** Absent for built-in kinds. */
  readonly schema: Schema | undefined;
}

export function top(schema: Schema | undefined): Place {
  return { path: [], schema };
}

export function into(place: Place, name: string): Place {
  if (place.schema === undefined || (place.path.length === 0 && name === "metadata")) {
    return { path: [...place.path, name], schema: undefined };
  }
  const { properties, additionalProperties } = place.schema;
  const more = typeof additionalProperties === "object" ? additionalProperties : {};
  return { path: [...place.path, name], schema: properties?.[name] ?? more };
}

export function intoItem(place: Place): Place {
  return { path: place.path, schema: place.schema === undefined ? undefined : (place.schema.items ?? {}) };
}

export function listRule(place: Place, list: readonly unknown[]): ListRule {
  if (place.schema !== undefined) {
    const keys = place.schema["x-kubernetes-list-map-keys"];
    if (place.schema["x-kubernetes-list-type"] === "map" && keys !== undefined) return { keys };
    return place.schema["x-kubernetes-list-type"] === "set" ? "set" : "atomic";
  }
  const name = place.path.at(-1) ?? "";
  if (name === "ports") {
    if (list.every((item) => isTree(item) && "containerPort" in item)) return CONTAINER_PORTS;
    return place.path[0] === "spec" && list.every((item) => isTree(item) && "port" in item) ? SERVICE_PORTS : "atomic";
  }
  return Object.hasOwn(RULES, name) ? (RULES[name] ?? "atomic") : "atomic";
}

export function isAtomicMap(place: Place): boolean {
  return place.schema === undefined && ATOMIC_MAPS.has(place.path.at(-1) ?? "");
}

/** The value of an item's key, with the default that the API gives it. */
export function keyValue(item: unknown, key: string): unknown {
  const value = isTree(item) ? item[key] : undefined;
  return value === undefined && key === "protocol" ? "TCP" : value;
}

export function sameItem(a: unknown, b: unknown, keys: readonly string[]): boolean {
  return keys.every((key) => keyValue(a, key) === keyValue(b, key));
}
