import { refOf } from "../kube/ref.ts";
import type { Change, FieldPath, Json, KubeObject, ObjectRef, PathStep } from "../model.ts";
import { isNothing, sameField } from "./field-equality.ts";

/** Keys by which the items of a list are told apart, tried in order; by the list's name. */
const MERGE_KEYS: Readonly<Record<string, readonly string[]>> = {
  containers: ["name"],
  initContainers: ["name"],
  ephemeralContainers: ["name"],
  env: ["name"],
  volumes: ["name"],
  imagePullSecrets: ["name"],
  ports: ["containerPort", "port"],
  volumeMounts: ["mountPath"],
  volumeDevices: ["devicePath"],
  hostAliases: ["ip"],
  topologySpreadConstraints: ["topologyKey"],
  items: ["key"],
  conditions: ["type"],
};

/** What the API server writes into metadata, and no manifest says. */
const SERVER_METADATA = new Set([
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "managedFields",
  "selfLink",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
]);

/**
 * The fields in which two versions of an object differ, as few and as small as possible: items of lists are matched by
 * their merge key, amounts are compared as amounts. Status and server-side metadata do not count. When one version is
 * missing, the whole object is one change at the path [].
 */
export function diffObjects(a: KubeObject | undefined, b: KubeObject | undefined): Change[] {
  if (a === undefined && b === undefined) return [];
  const object = refOf((a ?? b) as KubeObject);
  if (a === undefined || b === undefined) return [makeChange(object, [], a as Json | undefined, b as Json | undefined)];
  const out: Change[] = [];
  compare(object, [], declaredPart(a), declaredPart(b), out);
  return out;
}

/** The merge key of a list whose items all have one, all different; undefined when the list is compared by position. */
export function mergeKeyOf(list: string, ...versions: readonly (readonly Json[])[]): string | undefined {
  return (MERGE_KEYS[list] ?? []).find((key) =>
    versions.every((items) => {
      const values = items.map((item) => (isMap(item) ? item[key] : undefined));
      return (
        values.every((value) => typeof value === "string" || typeof value === "number") &&
        new Set(values).size === values.length
      );
    }),
  );
}

function compare(object: ObjectRef, path: FieldPath, a: Json | undefined, b: Json | undefined, out: Change[]): void {
  if (sameField(path, a, b)) return;
  if (isMap(a) && isMap(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)]))
      compare(object, [...path, key], a[key], b[key], out);
    return;
  }
  if (Array.isArray(a) && Array.isArray(b) && compareLists(object, path, a, b, out)) return;
  // The first init container that comes, and the last that goes, are one container and not a list: such lists are never
  // changed as a whole.
  if (
    path.at(-1) === "initContainers" &&
    (Array.isArray(a) || isNothing(path, a)) &&
    (Array.isArray(b) || isNothing(path, b))
  ) {
    if (compareLists(object, path, Array.isArray(a) ? a : [], Array.isArray(b) ? b : [], out)) return;
  }
  out.push(makeChange(object, path, isNothing(path, a) ? undefined : a, isNothing(path, b) ? undefined : b));
}

function compareLists(
  object: ObjectRef,
  path: FieldPath,
  a: readonly Json[],
  b: readonly Json[],
  out: Change[],
): boolean {
  const name = path.at(-1);
  const key = typeof name === "string" ? mergeKeyOf(name, a, b) : undefined;
  if (key === undefined) {
    if (a.length !== b.length) return false;
    for (const [index, item] of a.entries()) compare(object, [...path, index], item, b[index], out);
    return true;
  }
  const pick = (items: readonly Json[]): Map<string | number, Json> =>
    new Map(items.map((item) => [(item as { [key: string]: Json })[key] as string | number, item]));
  const [before, after] = [pick(a), pick(b)];
  for (const value of new Set([...before.keys(), ...after.keys()])) {
    const step: PathStep = { by: key, value };
    compare(object, [...path, step], before.get(value), after.get(value), out);
  }
  return true;
}

function declaredPart(object: KubeObject): Json {
  const { status: _status, metadata, ...rest } = object;
  const kept = Object.entries(metadata).filter(([key]) => !SERVER_METADATA.has(key));
  return { ...rest, metadata: Object.fromEntries(kept) } as unknown as Json;
}

function makeChange(object: ObjectRef, path: FieldPath, from: Json | undefined, to: Json | undefined): Change {
  return { object, path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

function isMap(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
