import type { Incident } from "./incident/incident.ts";
import { outcomeOf } from "./incident/outcome.ts";
import type { Outcome } from "./model.ts";
import type { Run } from "./run.ts";
import { letGo, stillHeld } from "./take-back.ts";

/** The only way to call an incident resolved: nothing of Stanch's may be left behind, or it is not. */
export async function resolve(incident: Incident, text: string, run: Run): Promise<Outcome> {
  const freed = await letGo(incident, text, run);
  if (freed.left !== null) return outcomeOf(freed.incident, "failed", stillHeld(freed.left));
  const next = await run.store.advance(freed.incident, "Resolved", text, {
    resolvedAt: run.clock.now().toISOString(),
  });
  return outcomeOf(next, "resolved");
}
