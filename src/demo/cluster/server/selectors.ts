import type { KubeObject } from "../../../model.ts";
import type { LabelSelector } from "../shapes.ts";
import { isTree } from "../shapes.ts";
import { badRequest } from "./api-error.ts";

export type Predicate = (object: KubeObject) => boolean;

/** Label selector syntax of list requests: `a=b,c!=d,e in (f,g),h notin (i),j,!k`. Throws ApiError 400. */
export function labelSelector(text: string): Predicate {
  if (text.trim() === "") return () => true;
  const tests = splitOutsideParentheses(text).map(labelRequirement);
  return (object) => {
    const labels = object.metadata.labels ?? {};
    return tests.every((test) => test(labels));
  };
}

function labelRequirement(text: string): (labels: Record<string, string>) => boolean {
  const set = /^\s*([\w./-]+)\s+(in|notin)\s+\(([^()]*)\)\s*$/.exec(text);
  if (set !== null) {
    const [, key = "", operator, list = ""] = set;
    const values = list.split(",").map((value) => value.trim());
    return (labels) => {
      const value = labels[key];
      const within = value !== undefined && values.includes(value);
      return operator === "in" ? within : !within;
    };
  }
  const equality = /^\s*([\w./-]+)\s*(==|=|!=)\s*([\w.-]*)\s*$/.exec(text);
  if (equality !== null) {
    const [, key = "", operator, value = ""] = equality;
    return operator === "!=" ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const exists = /^\s*(!?)\s*([\w./-]+)\s*$/.exec(text);
  if (exists !== null) {
    const [, not, key = ""] = exists;
    return (labels) => Object.hasOwn(labels, key) === (not === "");
  }
  if (/^[^=]*=+[^=]*=/.test(text)) throw badRequest("found '=', expected: ',' or 'end of string'");
  throw badRequest(`unable to parse requirement: ${text.trim()}`);
}

function splitOutsideParentheses(text: string): string[] {
  return text.split(/,(?![^(]*\))/);
}

/** metav1.LabelSelector over labels: an empty selector matches everything. */
export function matchesSelector(
  selector: LabelSelector | undefined,
  labels: Record<string, string> | undefined,
): boolean {
  const has = labels ?? {};
  for (const [key, value] of Object.entries(selector?.matchLabels ?? {})) if (has[key] !== value) return false;
  for (const { key, operator, values = [] } of selector?.matchExpressions ?? []) {
    const value = has[key];
    const within = value !== undefined && values.includes(value);
    if (operator === "In" && !within) return false;
    if (operator === "NotIn" && within) return false;
    if (operator === "Exists" && value === undefined) return false;
    if (operator === "DoesNotExist" && value !== undefined) return false;
  }
  return true;
}

const ALWAYS = ["metadata.name", "metadata.namespace"];
const BY_KIND: Record<string, readonly string[]> = {
  Pod: [
    "metadata.name",
    "metadata.namespace",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
    "spec.hostNetwork",
  ],
  Event: [
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
    ...ALWAYS,
  ],
  Namespace: ["metadata.name", "status.phase"],
  Node: ["metadata.name", "spec.unschedulable"],
  Job: [...ALWAYS, "status.successful"],
  ReplicaSet: [...ALWAYS, "status.replicas"],
  Secret: ["type", ...ALWAYS],
};

/** Field selector of list requests, with the fields the real server knows for each kind. Throws ApiError 400. */
export function fieldSelector(text: string, kind: string): Predicate {
  const known = BY_KIND[kind] ?? ALWAYS;
  const tests = text
    .split(",")
    .filter((part) => part !== "")
    .map((part) => {
      const found = /^(.*?)(!=|==|=)(.*)$/.exec(part);
      if (found === null) throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
      const [, path = "", operator, value = ""] = found;
      if (!known.includes(path)) {
        const list = known.map((name) => JSON.stringify(name)).join(", ");
        throw badRequest(`${JSON.stringify(path)} is not a known field selector: only ${list}`);
      }
      const steps = path === "source" ? ["source", "component"] : path.split(".");
      return (object: KubeObject): boolean => (textAt(object, steps) === value) === (operator !== "!=");
    });
  return (object) => tests.every((test) => test(object));
}

function textAt(object: unknown, steps: readonly string[]): string {
  let at = object;
  for (const step of steps) at = isTree(at) ? at[step] : undefined;
  return at === undefined || at === null ? "" : String(at);
}
