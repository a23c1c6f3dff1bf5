import { listTypeOf } from "../kube/field-managers.ts";
import type { FieldPath, Json, KubeObject, PathStep } from "../model.ts";
import { isMap, nameOf } from "./leaf.ts";

/** Items of a declared and a live list that stand for each other. */
export interface Pair {
  readonly step: PathStep;
  readonly git?: Json;
  readonly live?: Json;
}

/**
 * - `items`: matched by their merge keys, in any order.
 * - `positions`: lists of one length that are replaced as a whole, item by item.
 * - `whole`: one value; `same` when only the order of a set differs.
 */
export type Matched =
  | { readonly by: "items" | "positions"; readonly pairs: readonly Pair[] }
  | { readonly by: "whole"; readonly same: boolean };

/** Merge keys of Kubernetes' own types by the name of the list (markers `listMapKey` and `patchMergeKey` of k8s.io/api). */
const KEYS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  containers: [["name"]],
  initContainers: [["name"]],
  ephemeralContainers: [["name"]],
  env: [["name"]],
  volumes: [["name"]],
  imagePullSecrets: [["name"]],
  secrets: [["name"]],
  resourceClaims: [["name"]],
  schedulingGates: [["name"]],
  ports: [
    ["containerPort", "protocol"],
    ["port", "protocol"],
  ],
  volumeMounts: [["mountPath"]],
  volumeDevices: [["devicePath"]],
  hostAliases: [["ip"]],
  topologySpreadConstraints: [["topologyKey", "whenUnsatisfiable"]],
  webhooks: [["name"]],
  // No associative lists, but what stands for one thing has one name, and no order.
  volumeClaimTemplates: [["metadata.name"]],
  subjects: [["kind", "namespace", "name"]],
  metrics: [
    [
      "type",
      "resource.name",
      "pods.metric.name",
      "object.metric.name",
      "external.metric.name",
      "containerResource.name",
    ],
  ],
};
/** Lists of texts whose order says nothing. */
const SETS = new Set(
  "finalizers accessModes verbs apiGroups resources resourceNames nonResourceURLs policyTypes externalIPs loadBalancerSourceRanges ipFamilies clusterIPs mountOptions".split(
    " ",
  ),
);
const DEFAULT_OF_KEY: Readonly<Record<string, string>> = { protocol: "TCP" };

/** Which items of two lists at one path mean each other: as managedFields say that the API server merges them, or by the type's markers. */
export function matchItems(path: FieldPath, git: readonly Json[], live: readonly Json[], object: KubeObject): Matched {
  const name = nameOf(path);
  const said = listTypeOf(object, path);
  const candidates = typeof said === "object" && said !== null ? [said.keys] : (KEYS[name] ?? []);
  for (const keys of candidates) {
    const pairs = byKeys(keys, git, live);
    if (pairs !== null) return { by: "items", pairs };
  }
  const texts = [...git, ...live].every((item) => typeof item === "string" || typeof item === "number");
  if (texts) {
    const unordered = said === "set" || SETS.has(name);
    return { by: "whole", same: unordered ? sameSet(git, live) : JSON.stringify(git) === JSON.stringify(live) };
  }
  if (git.length !== live.length) return { by: "whole", same: false };
  return { by: "positions", pairs: git.map((item, index) => ({ step: index, git: item, live: live[index] as Json })) };
}

/** Items of one list with the steps that lead to them, for a list that has no counterpart. */
export function stepsOf(path: FieldPath, items: readonly Json[], object: KubeObject): readonly Pair[] | null {
  const matched = matchItems(path, [], items, object);
  return matched.by === "items" ? matched.pairs : null;
}

function byKeys(keys: readonly string[], git: readonly Json[], live: readonly Json[]): Pair[] | null {
  const [left, right] = [indexed(keys, git), indexed(keys, live)];
  if (left === null || right === null) return null;
  const step = stepFor(keys, git, live);
  const out: Pair[] = [];
  for (const [key, item] of left) {
    const other = right.get(key);
    out.push({ step: step(item, git.indexOf(item)), git: item, ...(other === undefined ? {} : { live: other }) });
  }
  for (const [key, item] of right) if (!left.has(key)) out.push({ step: step(item, live.indexOf(item)), live: item });
  return out;
}

/** Null when an item is no map, has none of the keys, or stands twice. */
function indexed(keys: readonly string[], items: readonly Json[]): Map<string, Json> | null {
  const out = new Map<string, Json>();
  for (const item of items) {
    const values = keys.map((key) => keyValue(item, key));
    // The first key is what an item is called: protocols alone tell nothing apart.
    if (values[0] === undefined) return null;
    const key = JSON.stringify(values.map((value) => value ?? null));
    if (out.has(key)) return null;
    out.set(key, item);
  }
  return out;
}

/** The step that leads to an item: by its first key or its name where all have one and all are different, or by position. */
function stepFor(
  keys: readonly string[],
  git: readonly Json[],
  live: readonly Json[],
): (item: Json, index: number) => PathStep {
  const by = [...keys.slice(0, 1), "name"].find(
    (key) =>
      !key.includes(".") &&
      [git, live].every((items) => {
        const values = items.map((item) => (isMap(item) ? item[key] : undefined));
        const named = values.every((value) => typeof value === "string" || typeof value === "number");
        return named && new Set(values).size === values.length;
      }),
  );
  return (item, index) => {
    const value = by !== undefined && isMap(item) ? item[by] : undefined;
    return by !== undefined && (typeof value === "string" || typeof value === "number") ? { by, value } : index;
  };
}

function keyValue(item: Json, key: string): Json | undefined {
  let at: Json | undefined = item;
  for (const step of key.split(".")) at = isMap(at) ? at[step] : undefined;
  return at ?? DEFAULT_OF_KEY[key];
}

function sameSet(a: readonly Json[], b: readonly Json[]): boolean {
  return JSON.stringify([...new Set(a)].sort()) === JSON.stringify([...new Set(b)].sort());
}
