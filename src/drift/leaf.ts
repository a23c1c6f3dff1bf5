import { isNothing, sameField } from "../gitops/field-equality.ts";
import { compareQuantities, parseQuantity } from "../kube/quantity.ts";
import type { FieldPath, Json } from "../model.ts";

/** Text that means what it says: nothing in it is an amount or a duration. */
const FREE_TEXT = new Set(["data", "stringData", "binaryData", "labels", "annotations", "args", "command", "env"]);
const AMOUNTS = new Set([
  "memory",
  "cpu",
  "storage",
  "ephemeral-storage",
  "nominalQuota",
  "borrowingLimit",
  "lendingLimit",
]);
const MAPS_OF_AMOUNTS = new Set(["minAllowed", "maxAllowed", "maxLimitRequestRatio", "defaultRequest", "podFixed"]);
/** Booleans and numbers that Kubernetes' types leave out when they are false or zero (`omitempty` without a pointer). */
const OMITTED_ZERO = new Set(
  (
    "hostNetwork hostPID hostIPC stdin stdinOnce tty readOnly paused publishNotReadyAddresses minReadySeconds initialDelaySeconds " +
    "preserveUnknownFields unschedulable timeoutSeconds periodSeconds successThreshold failureThreshold nodePort healthCheckNodePort hostPort"
  ).split(" "),
);
/** Empty says something else here than absent. */
const EMPTY_SAYS = new Set(["storageClassName", "ingressClassName", "loadBalancerClass", "volumeAttributesClassName"]);
const EMPTY_MAP_SAYS = new Set(["emptyDir", "podSelector", "namespaceSelector", "selector", "ipBlock", "selfSigned"]);
/** Maps whose keys are free: an empty text is an entry of its own (`node-role.kubernetes.io/infra: ""`). */
const MAPS_OF_TEXT = new Set([
  "data",
  "stringData",
  "binaryData",
  "labels",
  "annotations",
  "nodeSelector",
  "matchLabels",
  "selector",
]);
/** What the API server or a controller gives where a manifest leaves it open, by an empty value too. */
const GIVEN = new Set([
  "clusterIP",
  "clusterIPs",
  "nodePort",
  "healthCheckNodePort",
  "nodeName",
  "volumeName",
  "externalName",
]);
const PROBE_DEFAULTS: Readonly<Record<string, number>> = {
  timeoutSeconds: 1,
  periodSeconds: 10,
  successThreshold: 1,
  failureThreshold: 3,
};

/** Do a declared leaf and the live one mean the same to Kubernetes? Neither is null or absent. */
export function sameLeaf(path: FieldPath, git: Json, live: Json): boolean {
  if (sameField(path, git, live)) return true;
  const name = nameOf(path);
  if ((git === "" || git === 0) && GIVEN.has(name) && !isFreeText(path)) return true;
  if (git === 0 && PROBE_DEFAULTS[name] === live) return true;
  if (typeof git === "object" || typeof live === "object") return false;
  if (isFreeText(path)) return false;
  // IntOrString, also of kinds that nobody knows.
  if (typeof git !== typeof live && String(git) === String(live)) return true;
  return (isAmount(path) && sameAmount(git, live)) || sameDuration(git, live);
}

/** Does the API server leave a declared value out, so that its absence means the same? */
export function isOmitted(path: FieldPath, git: Json): boolean {
  const name = nameOf(path);
  if (git === null || isNothing(path, git)) return true;
  if (git === "") return !EMPTY_SAYS.has(name) && !MAPS_OF_TEXT.has(nameOf(path.slice(0, -1)));
  if (git === false || git === 0) return OMITTED_ZERO.has(name);
  if (Array.isArray(git)) return git.length === 0;
  return typeof git === "object" && Object.keys(git).length === 0 && !EMPTY_MAP_SAYS.has(name);
}

/** The name of the field that a path ends in; of a list item none. */
export function nameOf(path: FieldPath): string {
  const step = path.at(-1);
  return typeof step === "string" ? step : "";
}

export function isMap(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isFreeText(path: FieldPath): boolean {
  return path.some((step) => typeof step === "string" && FREE_TEXT.has(step));
}

function isAmount(path: FieldPath): boolean {
  const name = nameOf(path);
  return (
    AMOUNTS.has(name) ||
    MAPS_OF_AMOUNTS.has(nameOf(path.slice(0, -1))) ||
    (["value", "averageValue"].includes(name) && path.includes("target"))
  );
}

export function sameAmount(a: Json, b: Json): boolean {
  const [left, right] = [parseQuantity(a), parseQuantity(b)];
  return left !== null && right !== null && compareQuantities(left, right) === 0;
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Durations as Go writes them: `60s` is `1m0s`. */
export function sameDuration(a: Json, b: Json): boolean {
  const [left, right] = [milliseconds(a), milliseconds(b)];
  return left !== null && right !== null && Math.abs(left - right) < 1e-6;
}

function milliseconds(value: Json): number | null {
  if (typeof value !== "string" || value.length > 40 || !/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(value)) return null;
  let sum = 0;
  for (const [, amount, , unit = ""] of value.matchAll(/(\d+(\.\d+)?)(ns|us|µs|ms|s|m|h)/g))
    sum += Number(amount) * (UNITS[unit] ?? 0);
  return sum;
}
