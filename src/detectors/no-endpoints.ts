import { formatDuration } from "../config/duration.ts";
import { numberAt, textAt, textsAt, timeOf } from "../kube/fields.ts";
import { matchesLabels } from "../kube/selectors.ts";
import { templateOf } from "../kube/template.ts";
import type { Finding, ServiceState, Workload } from "../model.ts";
import type { Detector } from "./detector.ts";
import { makeFinding } from "./finding.ts";

/**
 * A Service whose selector matches no pod at all: the selector or the pods' labels are wrong. Where pods match but are not
 * ready, the fault is the workload's; where the workload behind it is scaled to zero or gets no pods, too.
 */
export const noEndpoints: Detector = {
  id: "no-endpoints",
  summary: "A Service's selector matches no pod.",
  detect(snapshot, settings) {
    const now = Date.parse(snapshot.takenAt);
    return snapshot.services
      .filter(
        (service) =>
          service.matching === 0 &&
          isServing(service) &&
          !snapshot.workloads.some((workload) => isBehind(workload, service)),
      )
      .map((service) =>
        finding(service, snapshot.workloads, { now, patience: settings.noEndpoints, takenAt: snapshot.takenAt }),
      );
  },
};

/** Would pods of this workload's template be behind the Service? */
export function isBehind(workload: Workload, service: ServiceState): boolean {
  const selector = textsAt(service.object, "spec", "selector");
  if (workload.ref.namespace !== service.ref.namespace || Object.keys(selector).length === 0) return false;
  return matchesLabels(selector, textsAt(templateOf(workload.object), "metadata", "labels"));
}

/** Headless and external Services, and those that another program fills (no selector), may be empty. */
function isServing({ object }: ServiceState): boolean {
  if (object.metadata.deletionTimestamp !== undefined) return false;
  if (textAt(object, "spec", "type") === "ExternalName" || textAt(object, "spec", "clusterIP") === "None") return false;
  return Object.keys(textsAt(object, "spec", "selector")).length > 0;
}

function finding(
  service: ServiceState,
  workloads: readonly Workload[],
  look: { now: number; patience: number; takenAt: string },
): Finding {
  const selector = Object.entries(textsAt(service.object, "spec", "selector"))
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  const changed = changedAt(service);
  const waited = changed === undefined ? look.patience : look.now - changed;
  const message = `Its selector (${selector}) matches no pod of namespace ${service.ref.namespace}.`;
  const scaled = workloads
    .filter(
      (workload) =>
        workload.ref.namespace === service.ref.namespace && numberAt(workload.object, "spec", "replicas") === 0,
    )
    .map((workload) => workload.ref.name);
  return makeFinding(
    {
      detector: noEndpoints.id,
      workload: service.ref,
      symptom: { kind: "NoEndpoints", message },
      summary: `Service ${service.ref.name} has no endpoints: its selector (${selector}) matches no pod.`,
      facts: [
        { kind: "spec", text: `Service ${service.ref.name} selects ${selector}.` },
        { kind: "status", text: `No pod of namespace ${service.ref.namespace} has these labels.` },
        ...(scaled.length === 0
          ? []
          : [{ kind: "status" as const, text: `Scaled to zero in the namespace: ${scaled.slice(0, 5).join(", ")}.` }]),
      ],
      since: [changed === undefined ? undefined : new Date(changed).toISOString()],
      pods: 0,
      unripe:
        waited >= look.patience
          ? undefined
          : `The Service was made or changed ${formatDuration(waited)} ago; it counts after ${formatDuration(look.patience)}.`,
    },
    look.takenAt,
  );
}

/** When the Service was last written, as far as it says so itself. */
function changedAt({ object }: ServiceState): number | undefined {
  const writes = (object.metadata.managedFields ?? [])
    .filter((entry) => entry.subresource === undefined || entry.subresource === "")
    .map((entry) => timeOf(entry.time));
  const times = [timeOf(object.metadata.creationTimestamp), ...writes].filter(
    (time): time is number => time !== undefined,
  );
  return times.length === 0 ? undefined : Math.max(...times);
}
