import { templatePath } from "../kube/template.ts";
import type { FieldPath } from "../model.ts";

/** Where in a pod template a path points, whatever the kind of the object around it. */
export interface Place {
  /** The container, for a path into one. */
  readonly container?: string;
  readonly init?: boolean;
  /** The field of the container or of the pod spec; "" for a container as a whole. */
  readonly field: string;
  /** What follows below the field. */
  readonly rest: FieldPath;
}

/** Null for a path outside the pod spec of such an object: replicas, labels, annotations, strategy. */
export function placeOf(kind: string, path: FieldPath): Place | null {
  const template = templatePath(kind);
  if (template === null) return null;
  const spec = [...template, "spec"];
  if (path.length <= spec.length || spec.some((step, index) => path[index] !== step)) return null;
  const [field, item, inner, ...rest] = path.slice(spec.length);
  if (typeof field !== "string") return null;
  if (field !== "containers" && field !== "initContainers") return { field, rest: path.slice(spec.length + 1) };
  // A list of containers is never taken as a whole, and its items never by count.
  if (typeof item !== "object" || item.by !== "name" || typeof item.value !== "string") return null;
  const of = { container: item.value, init: field === "initContainers" };
  if (inner === undefined) return { ...of, field: "", rest: [] };
  return typeof inner === "string" ? { ...of, field: inner, rest } : null;
}
