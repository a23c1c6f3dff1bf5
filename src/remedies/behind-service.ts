import { textsAt } from "../kube/fields.ts";
import { templatePath } from "../kube/template.ts";
import type { Change, Finding, KubeObject } from "../model.ts";
import { placeOf } from "./place.ts";

/** Workloads whose pods a Service may send to. */
export const BEHIND = ["Deployment", "StatefulSet", "DaemonSet"] as const;

/**
 * Does a change of a workload give its pods back what a failing Service looks for: the very label of its selector, or the name of the port
 * that it sends to? Nothing else of a workload is the Service's business.
 */
export function isForService({ object, path, to }: Change, { symptom }: Finding, service: KubeObject | null): boolean {
  if (service?.kind !== "Service" || !(BEHIND as readonly string[]).includes(object.kind)) return false;
  if (symptom.kind === "NoEndpoints") {
    const labels = [...(templatePath(object.kind) ?? []), "metadata", "labels"];
    const key = path.at(-1);
    const isLabel = path.length === labels.length + 1 && labels.every((step, index) => path[index] === step);
    return isLabel && typeof key === "string" && textsAt(service, "spec", "selector")[key] === to;
  }
  if (symptom.kind !== "WrongPort" || typeof to !== "string") return false;
  const place = placeOf(object.kind, path);
  return place?.field === "ports" && place.rest.at(-1) === "name" && symptom.targets.includes(to);
}

/** Might the workload's pods be meant by a Service that finds none? Those that have any of the labels that it selects by. */
export function mayBeMeant(workload: KubeObject, service: KubeObject): boolean {
  const selector = textsAt(service, "spec", "selector");
  const labels = textsAt(workload, "spec", "template", "metadata", "labels");
  return Object.keys(selector).some((key) => Object.hasOwn(labels, key));
}
