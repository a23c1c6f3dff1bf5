import { formatDuration } from "../config/duration.ts";
import type { RemedyId } from "../config/schema.ts";
import { timeOf } from "../kube/fields.ts";
import type { PlanContext } from "./remedy.ts";

/**
 * What was done to contain an incident is not done for ever: a clause that says that a remedy's tries are spent; null: they are not. What was
 * begun counts, whatever came of it.
 */
export function spentOn(
  remedy: RemedyId,
  { contained, settings, snapshot }: Pick<PlanContext, "contained" | "settings" | "snapshot">,
): string | null {
  const { tries, within } = settings.remedies.contain;
  const since = Date.parse(snapshot.takenAt) - within;
  const rows = contained.filter(
    (row) => row.remedy === remedy && (timeOf(row.at) ?? Number.POSITIVE_INFINITY) >= since,
  );
  return rows.length < tries
    ? null
    : `it was done ${rows.length} time${rows.length === 1 ? "" : "s"} within ${formatDuration(within)} (remedies.contain)`;
}
