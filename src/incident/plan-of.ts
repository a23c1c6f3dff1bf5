import type { Plan } from "../model.ts";
import { findingOf, type Incident } from "./incident.ts";

/** The plan of an incident, as a later run goes on with it. */
export function planFrom(incident: Incident): Plan {
  const plan = incident.status?.plan;
  return {
    finding: findingOf(incident),
    choice: {
      remedy: plan?.remedy ?? "",
      params: plan?.params ?? {},
      reason: plan?.reason ?? "",
      evidence: [],
      ...(incident.status?.culprit === undefined ? {} : { culprit: incident.status.culprit }),
      ...(plan?.by === undefined ? {} : { by: plan.by }),
    },
    risk: (plan?.risk ?? "medium") as Plan["risk"],
    changes: plan?.changes ?? [],
    ...(plan?.action === undefined ? {} : { action: plan.action }),
    ...(plan?.gitOnly === undefined ? {} : { gitOnly: plan.gitOnly }),
    ...(plan?.contains === undefined ? {} : { contains: plan.contains }),
    title: plan?.title ?? "",
  };
}
