import { formatPath } from "../kube/field-path.ts";
import { describeRef } from "../kube/ref.ts";
import type { Outcome } from "../model.ts";
import type { RunReport } from "../run.ts";
import { countsLine } from "./counts-line.ts";
import { printable } from "./printable.ts";

/** What a run did, for a person or a program. */
export function showReport(report: RunReport, output: "table" | "json"): string {
  if (output === "json") return `${JSON.stringify(report, null, 2)}\n`;
  const { scanned } = report;
  const head = `Read ${countsLine(scanned)} (${scanned.calls} call${scanned.calls === 1 ? "" : "s"}).\n`;
  if (report.outcomes.length === 0) return `${head}Nothing fails, and nothing is open.\n`;
  return printable(`${head}\n${report.outcomes.map(showOutcome).join("\n")}`);
}

function showOutcome(outcome: Outcome): string {
  const lines = [
    `${outcome.kind.toUpperCase()}  ${describeRef(outcome.workload)}  ${outcome.symptom}`,
    `  ${outcome.message}`,
  ];
  for (const change of outcome.changes ?? [])
    lines.push(`  ${formatPath(change.path)}: ${show(change.from)} → ${show(change.to)}`);
  if (outcome.pullRequest !== undefined) lines.push(`  ${outcome.pullRequest}`);
  if (outcome.codeFix !== undefined) lines.push(`  draft fix of the program, by a model: ${outcome.codeFix}`);
  if (outcome.incident !== undefined) lines.push(`  incident ${outcome.incident}`);
  return `${lines.join("\n")}\n`;
}

function show(value: unknown): string {
  return value === undefined ? "(not set)" : typeof value === "string" ? value : JSON.stringify(value);
}
