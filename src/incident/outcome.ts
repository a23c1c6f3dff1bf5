import type { Outcome } from "../model.ts";
import type { Incident } from "./incident.ts";

/** What is said of an incident after a step. */
export function outcomeOf(
  incident: Incident,
  kind: Outcome["kind"],
  message = incident.status?.message ?? "",
): Outcome {
  const { spec, status, metadata } = incident;
  return {
    kind,
    workload: spec.workload,
    symptom: spec.symptom,
    incident: `${metadata.namespace}/${metadata.name}`,
    message,
    ...(status?.pullRequest === undefined ? {} : { pullRequest: status.pullRequest.url }),
    ...(status?.code?.pullRequest === undefined ? {} : { codeFix: status.code.pullRequest.url }),
    ...(status?.plan === undefined || status.plan.changes.length === 0 ? {} : { changes: status.plan.changes }),
  };
}
