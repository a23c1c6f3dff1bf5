import type { IncidentStatus } from "./incident.ts";

const REMEDY = "raise-memory-limit";
/** More are never counted: after a few a person is asked. */
const KEPT = 20;

/**
 * Raises of the memory limit that held, oldest first, as RFC 3339 times: those before it came back (`raised`), and what was done since. Of an
 * incident that is over a raise in Git alone counts, too, from its merge; when it is opened again, all of this is what goes into `raised`.
 */
export function raisesOf(
  status: Pick<IncidentStatus, "tried" | "raised" | "plan" | "mergedAt" | "phase">,
): readonly string[] {
  const { tried, raised = [], plan, mergedAt, phase } = status;
  const live = tried.filter(({ remedy, result }) => remedy === REMEDY && result.startsWith("recovered"));
  const inGit = phase === "Resolved" && live.length === 0 && plan?.remedy === REMEDY && mergedAt !== undefined;
  return [...raised, ...live.map(({ at }) => at), ...(inGit ? [mergedAt] : [])].slice(-KEPT);
}
