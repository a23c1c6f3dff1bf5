import { ORDER } from "./item.ts";
import type { DriftClass, DriftEnd, DriftReport } from "./model.ts";

export type Counts = Readonly<Partial<Record<DriftClass, number>>>;

/** How many objects there are of each class. */
export function countsOf(roots: DriftReport["roots"]): Counts {
  const counts: Partial<Record<DriftClass, number>> = {};
  const add = (one: DriftClass, count: number): void => {
    if (count > 0) counts[one] = (counts[one] ?? 0) + count;
  };
  for (const root of roots) {
    add("in-sync", root.inSync);
    for (const item of root.items) add(item.class, 1);
  }
  return counts;
}

/** `endOf` of a report whose lists may be shortened. */
export function endOfCounts(facts: {
  readonly counts: Counts;
  readonly errors: number;
  readonly gaps: number;
}): DriftEnd {
  const { counts, errors, gaps } = facts;
  if (errors > 0 || gaps > 0 || has(counts, "unknown")) return "error";
  if (has(counts, "drift") || has(counts, "missing") || has(counts, "extra")) return "drift";
  return has(counts, "pending") || has(counts, "hotfix") ? "pending" : "clean";
}

const has = (counts: Counts, one: DriftClass): boolean => (counts[one] ?? 0) > 0;

/** Counts of several together. */
export function sumOf(all: readonly Counts[]): Counts {
  const sum: Partial<Record<DriftClass, number>> = {};
  for (const one of ORDER) {
    const count = all.reduce((total, counts) => total + (counts[one] ?? 0), 0);
    if (count > 0) sum[one] = count;
  }
  return sum;
}
