import { isDeepStrictEqual } from "node:util";
import { compareQuantities, parseQuantity } from "../kube/quantity.ts";
import type { FieldPath, Json, PathStep } from "../model.ts";

/** Fields that hold a port, a count or a percentage as a number or as text. */
const INT_OR_STRING = new Set(["port", "targetPort", "maxSurge", "maxUnavailable", "minAvailable", "nodePort"]);
const QUANTITY_MAPS = new Set([
  "limits",
  "requests",
  "capacity",
  "allocatable",
  "hard",
  "min",
  "max",
  "default",
  "defaultRequest",
  "overhead",
]);
const QUANTITY_KEYS = new Set(["sizeLimit", "averageValue", "divisor"]);

/** Maps and lists that mean the same empty as absent. Elsewhere an empty map says something (`emptyDir: {}`). */
const EMPTY_IS_ABSENT = new Set(
  (
    "resources limits requests labels annotations matchLabels nodeSelector securityContext affinity tolerations env envFrom volumes volumeMounts " +
    "imagePullSecrets ports args command initContainers strategy updateStrategy status data binaryData hostAliases topologySpreadConstraints finalizers"
  ).split(" "),
);

/** What the API server fills in where a manifest says nothing, by the last key of the path. */
const DEFAULTS: Readonly<Record<string, Json>> = {
  replicas: 1,
  imagePullPolicy: "IfNotPresent",
  restartPolicy: "Always",
  dnsPolicy: "ClusterFirst",
  schedulerName: "default-scheduler",
  terminationGracePeriodSeconds: 30,
  terminationMessagePath: "/dev/termination-log",
  terminationMessagePolicy: "File",
  initialDelaySeconds: 0,
  timeoutSeconds: 1,
  periodSeconds: 10,
  successThreshold: 1,
  failureThreshold: 3,
  scheme: "HTTP",
  protocol: "TCP",
  progressDeadlineSeconds: 600,
  revisionHistoryLimit: 10,
  minReadySeconds: 0,
  backoffLimit: 6,
  completions: 1,
  parallelism: 1,
  type: "ClusterIP",
  sessionAffinity: "None",
  defaultMode: 420,
  maxSurge: "25%",
  maxUnavailable: "25%",
};

/** Whether two values of one field mean the same to Kubernetes: amounts, ports as text, null and absent, empty and absent. */
export function sameField(path: FieldPath, a: Json | undefined, b: Json | undefined): boolean {
  if (isDeepStrictEqual(a, b)) return true;
  if (isNothing(path, a) && isNothing(path, b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => sameField([...path, index], item, b[index]));
  }
  if (isMap(a) && isMap(b)) {
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) =>
      sameField([...path, key], a[key], b[key]),
    );
  }
  if (isMap(a) || isMap(b) || Array.isArray(a) || Array.isArray(b)) return false;
  if (isQuantityPath(path)) {
    const [left, right] = [parseQuantity(a), parseQuantity(b)];
    return left !== null && right !== null && compareQuantities(left, right) === 0;
  }
  return INT_OR_STRING.has(lastKey(path)) && a !== undefined && b !== undefined && String(a) === String(b);
}

/** The same, where the one comes from a manifest and the other from the API server, which fills in what is not said. */
export function sameAsLive(path: FieldPath, declared: Json | undefined, live: Json | undefined): boolean {
  if (sameField(path, declared, live)) return true;
  if (declared === undefined || declared === null) return live !== undefined && isDefault(path, live);
  if (live === undefined || live === null) return isDefault(path, declared);
  if (Array.isArray(declared) && Array.isArray(live)) {
    return (
      declared.length === live.length &&
      declared.every((item, index) => sameAsLive([...path, index], item, live[index]))
    );
  }
  if (!isMap(declared) || !isMap(live)) return false;
  return [...new Set([...Object.keys(declared), ...Object.keys(live)])].every((key) =>
    sameAsLive([...path, key], declared[key], live[key]),
  );
}

/** Whether a field is compared by amount. */
export function isQuantityPath(path: FieldPath): boolean {
  return QUANTITY_KEYS.has(lastKey(path)) || QUANTITY_MAPS.has(lastKey(path.slice(0, -1)));
}

/** Null, or an empty map or list in a field where empty says no more than absent. */
export function isNothing(path: FieldPath, value: Json | undefined): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value !== "object" || !EMPTY_IS_ABSENT.has(lastKey(path))) return false;
  return Object.entries(value).every(([key, child]) => isNothing([...path, key], child));
}

function isDefault(path: FieldPath, value: Json): boolean {
  const expected = DEFAULTS[lastKey(path)];
  if (expected !== undefined && isDeepStrictEqual(expected, value)) return true;
  return lastKey(path) === "imagePullPolicy" && value === "Always";
}

function lastKey(path: FieldPath): string {
  const step: PathStep | undefined = path.at(-1);
  return typeof step === "string" ? step : "";
}

function isMap(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
