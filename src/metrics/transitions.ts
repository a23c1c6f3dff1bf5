import type { Incident } from "../incident/incident.ts";
import type { Phase } from "../model.ts";
import { VERIFICATIONS } from "./labels.ts";
import type { Meter } from "./meter.ts";

/** Counts what a step of an incident says: its phase, a hotfix's life, a remedy's result, a pull request's. */
export function countStep(before: Incident | null, after: Incident, meter: Pick<Meter, "count">): void {
  const now = after.status;
  const then = before?.status;
  if (now === undefined) return;
  const came = (phase: Phase): boolean => now.phase === phase && then?.phase !== phase;
  const symptom = after.spec.symptom;
  if (then?.phase !== now.phase) meter.count("stanch_incident_transitions_total", { symptom, phase: now.phase });
  if (then?.phase === "Acting" && came("Hotfixed")) meter.count("stanch_hotfixes_total", { event: "applied" });
  // What contains a fault ends as it was meant to, and what the cluster refused was never applied.
  const isUndone = now.hotfix?.undoneAt !== undefined && then?.hotfix?.undoneAt === undefined;
  if (isUndone && now.hotfix?.contains === undefined && then?.phase !== "Acting")
    meter.count("stanch_hotfixes_total", { event: "undone" });
  // A problem that came back has tried nothing yet.
  for (const { remedy, result } of now.tried.slice(then?.tried.length ?? 0))
    meter.count("stanch_remedies_total", { remedy, result: resultOf(result) });
  const number = now.pullRequest?.number;
  if (came("Proposed") && number !== undefined && number !== then?.pullRequest?.number)
    meter.count("stanch_pull_requests_total", { event: "opened" });
  const [fix, fixBefore] = [now.code, then?.code];
  // One that was found is counted by the incident that opened it.
  if (fix?.proposedAt !== undefined) {
    const isNew = fix.pullRequest?.url !== fixBefore?.pullRequest?.url;
    if (isNew) meter.count("stanch_code_fixes_total", { event: "opened" });
    if (fix.mergedAt !== undefined && fixBefore?.mergedAt === undefined)
      meter.count("stanch_code_fixes_total", { event: "merged" });
    if (fix.closedAt !== undefined && fixBefore?.closedAt === undefined)
      meter.count("stanch_code_fixes_total", { event: "closed" });
  }
  if (came("Merged")) meter.count("stanch_pull_requests_total", { event: "merged" });
  if (came("Silenced") && then?.phase === "Proposed") meter.count("stanch_pull_requests_total", { event: "closed" });
}

/** A row says `recovered: all pods are ready`. */
function resultOf(text: string): string {
  return VERIFICATIONS.find((result) => text.startsWith(`${result}:`)) ?? "other";
}
