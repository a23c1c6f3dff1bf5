import { plain, quiet } from "../pull-request/quote.ts";
import { withMark } from "./issue-mark.ts";
import type { PublishedRepository } from "./published.ts";
import { headline, summaryOf } from "./published-text.ts";
import { cut } from "./sanitise.ts";
import { encode } from "./wire.ts";

/** Bytes for people, beside the block for machines. */
const MOST = 20_000;

/** `Drift in cluster prod: 2 drifted, 1 missing`; `No drift in cluster prod`. */
export function formatDriftTitle(of: PublishedRepository): string {
  const { cluster } = of.report;
  if (isClean(of)) return `No drift in cluster ${quiet(cluster)}`;
  const { "in-sync": _, pending: __, ...counts } = of.counts;
  const errors = of.report.roots.filter((root) => root.error !== undefined).length;
  return cut(`Drift in cluster ${quiet(cluster)}: ${headline({ counts, errors, gaps: of.report.gaps })}`, 200);
}

/** Nothing drifts: a hotfix has its incident and pull request, and what waits for a deployment has its deployer. */
export function isClean({ end }: Pick<PublishedRepository, "end">): boolean {
  return end === "clean" || end === "pending";
}

/**
 * The body of a drift issue. `block`: the report for machines is in it, because no check run holds it. `settled`: it is closed because
 * nothing drifts, and not by a person over what drifts.
 */
export function formatDriftIssue(
  of: PublishedRepository,
  options: { readonly block: boolean; readonly settled: boolean },
): string {
  const { wire } = encode(of.report, MOST * 2);
  const what = isClean(of)
    ? "Nothing is left to do here. Stanch opens this issue again when something drifts."
    : "Make Git say what the cluster should be, or let the deployer put back what Git says. Stanch closes this issue when both agree. Closed by hand it stays closed until something else drifts; closed as not planned it stays closed.";
  const sections = [summaryOf(of.report, wire, { most: MOST }), plain(what), ...(options.block ? [of.block] : [])];
  const { cluster, takenAt } = of.report;
  return withMark({ cluster, says: of.says, closed: options.settled, at: takenAt }, sections.join("\n\n"));
}
