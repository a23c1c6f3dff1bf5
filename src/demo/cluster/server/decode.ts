import type { KubeObject } from "../../../model.ts";
import { isTree } from "../shapes.ts";
import { NOT_A_QUANTITY, parseQuantity } from "./quantity.ts";

const INTEGERS = new Set(
  "replicas containerPort hostPort port targetPortNumber initialDelaySeconds periodSeconds timeoutSeconds failureThreshold successThreshold progressDeadlineSeconds minReadySeconds revisionHistoryLimit terminationGracePeriodSeconds backoffLimit completions parallelism activeDeadlineSeconds minReplicas maxReplicas".split(
    " ",
  ),
);
const LISTS = new Set(
  "containers initContainers env envFrom ports volumes volumeMounts args command imagePullSecrets tolerations".split(
    " ",
  ),
);
const STRINGS = new Set("image imagePullPolicy restartPolicy serviceAccountName nodeName name".split(" "));

/**
 * What would make the Go decoder of a built-in kind stumble, in its words; undefined when nothing would. Checks the
 * fields that are commonly got wrong, not all there are.
 */
export function decodeFault(object: KubeObject): string | undefined {
  if (!/^(v1|apps\/v1|batch\/v1|autoscaling\/v2)$/.test(object.apiVersion)) return undefined;
  if (object.kind === "ConfigMap" || object.kind === "Secret") return dataFault(object);
  return walk(object.spec, "spec", object.kind);
}

function dataFault(object: KubeObject): string | undefined {
  for (const [key, value] of Object.entries(isTree(object.data) ? object.data : {})) {
    if (value !== null && typeof value !== "string") return unmarshal(value, `${object.kind}.data.${key}`, "string");
  }
  return undefined;
}

function walk(value: unknown, path: string, struct: string): string | undefined {
  if (Array.isArray(value)) {
    for (const item of value) {
      const fault = walk(item, path, struct);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
  if (!isTree(value)) return undefined;
  for (const [key, item] of Object.entries(value)) {
    if (item === null || item === undefined) continue;
    const at = `${path}.${key}`;
    let fault: string | undefined;
    if ((key === "limits" || key === "requests") && isTree(item)) {
      fault = Object.values(item).every((quantity) => parseQuantity(quantity) !== undefined)
        ? undefined
        : NOT_A_QUANTITY;
    } else if (key === "labels" || key === "annotations" || key === "matchLabels" || key === "nodeSelector") {
      const wrong = isTree(item) ? Object.values(item).find((each) => typeof each !== "string") : undefined;
      fault = wrong === undefined ? undefined : unmarshal(wrong, `${struct}Spec.${at}`, "string");
    } else if (INTEGERS.has(key) && key !== "port" && typeof item !== "number")
      fault = unmarshal(item, `${struct}Spec.${at}`, "int32");
    else if (LISTS.has(key) && !Array.isArray(item)) fault = unmarshal(item, `${struct}Spec.${at}`, `[]v1.${key}`);
    else if (STRINGS.has(key) && typeof item !== "string") fault = unmarshal(item, `${struct}Spec.${at}`, "string");
    else if (key === "value" && path.endsWith(".env") && typeof item !== "string")
      fault = unmarshal(item, `EnvVar.${at}`, "string");
    else fault = walk(item, at, struct);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function unmarshal(value: unknown, field: string, type: string): string {
  const got = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  return `json: cannot unmarshal ${got} into Go struct field ${field} of type ${type}`;
}
