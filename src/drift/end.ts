import type { DriftEnd, DriftReport } from "./model.ts";

/** How a report ends, worst first. A hotfix that an incident explains and a conflict need nobody now; what could not be compared does. */
export function endOf(report: DriftReport): DriftEnd {
  const { roots, gaps } = report;
  const has = (...classes: readonly string[]): boolean =>
    roots.some(({ items }) => items.some((item) => classes.includes(item.class)));
  if (gaps.length > 0 || roots.some(({ error }) => error !== undefined) || has("unknown")) return "error";
  if (has("drift", "missing", "extra")) return "drift";
  return has("pending", "hotfix") ? "pending" : "clean";
}
