import { isContained } from "./incident/containing.ts";
import type { Incident } from "./incident/incident.ts";
import { outcomeOf } from "./incident/outcome.ts";
import type { Outcome, Phase } from "./model.ts";
import type { Run } from "./run.ts";
import { letGo, stillHeld, takeBack } from "./take-back.ts";

/** The only way to call an incident resolved: nothing of Stanch's may be left behind, or it is not. */
export async function resolve(given: Incident, text: string, run: Run): Promise<Outcome> {
  // What only contained says nothing that anybody wants to keep.
  const incident = isContained(given) ? (await takeBack(given, text, phaseOf(given), run)).incident : given;
  const freed = await letGo(incident, text, run);
  if (freed.left !== null) return outcomeOf(freed.incident, "failed", stillHeld(freed.left));
  const next = await run.store.advance(freed.incident, "Resolved", text, {
    resolvedAt: run.clock.now().toISOString(),
  });
  return outcomeOf(next, "resolved");
}

function phaseOf({ status }: Incident): Phase {
  return status?.phase ?? "Contained";
}
