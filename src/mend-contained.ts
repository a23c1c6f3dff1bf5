import { type ToldOf, tellContained } from "./contain.ts";
import { findingOf, type Incident } from "./incident/incident.ts";
import { mend } from "./mend.ts";
import type { Run } from "./run.ts";
import { withSentence } from "./steps/report.ts";

/**
 * A fix in the program's own repository, where its fault is contained and told: what is stopped live is not healed by that. Only where the
 * program ends by itself with an error, as for one that is not contained. The incident stays Contained, whatever comes of it. `said`: its message
 * without what is said of a fix.
 */
export async function mendContained(
  incident: Incident,
  { app, image }: ToldOf,
  said: string,
  run: Run,
): Promise<Incident> {
  const { status } = incident;
  if (status === undefined || app === undefined || image === undefined || !endsByItself(incident)) return incident;
  const diagnosis = {
    finding: findingOf(incident),
    cause: status.cause ?? status.summary,
    by: "rule",
    choices: [],
    rejected: [],
  } as const;
  const before = status.code?.pullRequest?.url;
  const mended = await run.meter.time("advise", () => mend({ incident, diagnosis, image, app }, run));
  let current = mended.incident;
  // The report says where the fix is, as soon as there is one.
  if (current.status?.code?.pullRequest?.url !== before)
    await tellContained(current, current.status?.plan?.title ?? "", run);
  const message = withSentence(said, mended.sentence);
  if (current.status?.message !== message) current = await run.store.advance(current, "Contained", message);
  return current;
}

/** Is there still something to ask, or to propose, for a contained fault? Once people have a draft, or a model has found none, there is not. */
export function isUnmended(incident: Incident, run: Run): boolean {
  const { enabled, code: settings } = run.config.model;
  const code = incident.status?.code;
  if (!enabled || !settings.enabled || !endsByItself(incident) || incident.status?.issue?.closedAt !== undefined)
    return false;
  return code === undefined || code.fix !== undefined || (code.pullRequest === undefined && code.evidence === "");
}

function endsByItself({ status }: Incident): boolean {
  const symptom = status?.details;
  return symptom?.kind === "CrashLoop" && (symptom.exit === "application" || symptom.exit === "fault");
}
