import { createHash } from "node:crypto";
import type { DriftReport } from "./model.ts";
import type { CountedReport, CountedRoot } from "./sanitise.ts";
import { STEPS } from "./shorten.ts";
import { type Counts, sumOf } from "./standing.ts";

/** The machine-readable half of a published report. */
export interface Wire extends Omit<DriftReport, "roots"> {
  readonly roots: readonly CountedRoot[];
  /** Of all roots, whether they are listed or not. */
  readonly counts: Counts;
  readonly rootCount: number;
  /** Roots that could not be compared. */
  readonly errors: number;
  /** What was left off for length, in the order in which it went. */
  readonly left: readonly string[];
  /** Of what the report says, without times and revisions. */
  readonly says: string;
}

/** The report as one line of JSON of at most so many bytes. What is left off is named in `left`; counts stay those of the whole. */
export function encode(report: CountedReport, most: number): { readonly json: string; readonly wire: Wire } {
  let roots: readonly CountedRoot[] = report.roots;
  const whole = {
    counts: sumOf(report.roots.map((root) => root.counts)),
    rootCount: report.roots.length,
    errors: report.roots.filter((root) => root.error !== undefined).length,
    says: saysOf(report),
  };
  let left: readonly string[] = roots.some((root) => unlisted(root) > 0)
    ? ["of very many objects the worst of each source are listed"]
    : [];
  for (const step of [null, ...STEPS]) {
    if (step !== null) {
      roots = step.cut(roots);
      left = [...left, step.says];
    }
    const wire: Wire = { ...report, roots, ...whole, left };
    const json = inert(wire);
    if (Buffer.byteLength(json) <= most) return { json, wire };
  }
  const bare: Wire = { ...report, roots: [], gaps: report.gaps.slice(0, 1), hidden: [], ...whole, left };
  return { json: inert(bare), wire: bare };
}

/** Objects that are counted and not listed. */
export function unlisted({ counts, items }: CountedRoot): number {
  const all = Object.entries(counts).reduce((sum, [one, count]) => sum + (one === "in-sync" ? 0 : count), 0);
  return Math.max(0, all - items.length);
}

/** JSON in which nothing can be taken for markup, and nothing is invisible. */
function inert(wire: Wire): string {
  return JSON.stringify(wire).replaceAll(/[<>&`@]|[\p{Cc}\p{Cf}\u2028\u2029]/gu, (letter) =>
    [...Array(letter.length).keys()]
      .map((index) => `\\u${letter.charCodeAt(index).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

/**
 * Two reports of one value say the same: the same objects, fields and values, whenever and at whichever commit. What controllers may do by
 * right (`folded`, and how much a rule hid) changes from one look to the next and is no news.
 */
function saysOf({ roots, gaps, hidden, mode }: CountedReport): string {
  const items = roots.map(({ id, path, error, compared, counts, items: list }) => [
    id,
    path,
    error,
    compared,
    counts,
    list.map(({ fields, folded: _, ...item }) => ({
      ...item,
      fields: fields.map(({ by, ...field }) => [field, by.writer]),
    })),
  ]);
  const rules = hidden.map(({ rule }) => rule).toSorted();
  return createHash("sha256")
    .update(JSON.stringify([mode, items, gaps, rules]))
    .digest("hex")
    .slice(0, 16);
}
