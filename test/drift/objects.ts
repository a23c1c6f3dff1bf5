import { parse } from "yaml";
import type { Json, KubeObject, ManagedFields } from "../../src/model.ts";

/** An object from YAML as a person reads it. */
export function object(text: string): KubeObject {
  return parse(text) as KubeObject;
}

/** `metadata.managedFields` of one manager, from a tree of what it set: lists of maps by these keys, other lists as a whole. */
export function managed(
  manager: string,
  operation: "Apply" | "Update",
  said: Record<string, unknown>,
  more: { readonly time?: string; readonly subresource?: string } = {},
): ManagedFields {
  const { metadata, ...rest } = said;
  const { name: _, namespace: __, managedFields: ___, ...kept } = (metadata ?? {}) as Record<string, unknown>;
  const { apiVersion: ____, kind: _____, ...fields } = rest;
  return {
    manager,
    operation,
    time: more.time ?? "2026-01-01T00:00:00Z",
    ...(more.subresource === undefined ? {} : { subresource: more.subresource }),
    fieldsV1: fieldsOf({ ...(Object.keys(kept).length === 0 ? {} : { metadata: kept }), ...fields }, []) as Json,
  };
}

const KEYS: Readonly<Record<string, readonly string[]>> = {
  containers: ["name"],
  initContainers: ["name"],
  env: ["name"],
  volumes: ["name"],
  imagePullSecrets: ["name"],
  volumeMounts: ["mountPath"],
  hostAliases: ["ip"],
  webhooks: ["name"],
  topologySpreadConstraints: ["topologyKey", "whenUnsatisfiable"],
};
const SETS = new Set(["finalizers"]);

function fieldsOf(value: unknown, path: readonly string[]): unknown {
  if (Array.isArray(value)) return listFields(value, path);
  if (typeof value !== "object" || value === null || Object.keys(value).length === 0) return {};
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [`f:${key}`, fieldsOf(child, [...path, key])]));
}

function listFields(list: readonly unknown[], path: readonly string[]): unknown {
  const name = path.at(-1) ?? "";
  if (SETS.has(name)) return Object.fromEntries(list.map((item) => [`v:${JSON.stringify(item)}`, {}]));
  const isPorts = name === "ports" && list.every((item) => typeof item === "object" && item !== null);
  const port = list.some((item) => (item as Record<string, unknown>)["containerPort"] !== undefined)
    ? "containerPort"
    : "port";
  const keys = isPorts ? [port, "protocol"] : KEYS[name];
  if (keys === undefined) return {};
  return Object.fromEntries(
    list.map((item) => {
      const map = item as Record<string, unknown>;
      const key = Object.fromEntries(
        keys.map((each) => [each, map[each] ?? (each === "protocol" ? "TCP" : undefined)]),
      );
      return [`k:${JSON.stringify(key)}`, { ".": {}, ...(fieldsOf(map, path) as object) }];
    }),
  );
}
