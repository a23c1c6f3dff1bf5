import { describeRef } from "../kube/ref.ts";
import { endOf } from "./end.ts";
import { who } from "./item.ts";
import type { DriftField, DriftItem, DriftReport, RootReport, Shown } from "./model.ts";

/** A report for a terminal. What others wrote is in it as they wrote it: whoever prints it makes it printable. */
export function textReport(report: DriftReport): string {
  const lines = report.roots.flatMap(rootLines);
  for (const gap of report.gaps) lines.push(`NOT SEEN  ${gap}`);
  if (report.hidden.length > 0) {
    lines.push("", "Left out by rule:");
    for (const { rule, count } of report.hidden) lines.push(`  ${String(count).padStart(4)}  ${rule}`);
  }
  lines.push("", summaryLine(report));
  return `${lines.join("\n").replace(/^\n+/, "")}\n`;
}

/** `3 of 120 objects drift, 1 is missing; …`: one sentence. */
export function summaryLine(report: DriftReport): string {
  const compared = report.roots.reduce((sum, root) => sum + root.compared, 0);
  const count = (kind: string): number =>
    report.roots.reduce((sum, root) => sum + root.items.filter((item) => item.class === kind).length, 0);
  const said = (["drift", "missing", "extra", "hotfix", "pending", "conflict", "suspended", "unknown"] as const)
    .map((kind) => ({ kind, n: count(kind) }))
    .filter(({ n }) => n > 0)
    .map(({ kind, n }) => `${n} ${kind}`);
  const broken = report.roots.filter(({ error }) => error !== undefined).length;
  const roots = `${report.roots.length} ${report.roots.length === 1 ? "source" : "sources"}`;
  const head = `${compared} objects of ${roots} compared (${report.mode} mode)`;
  const errors = [
    ...(broken > 0 ? [`${broken} ${broken === 1 ? "source" : "sources"} could not be compared`] : []),
    ...(report.gaps.length > 0 ? [`${report.gaps.length} parts were not seen`] : []),
  ];
  if (said.length === 0 && errors.length === 0)
    return compared === 0 && report.roots.length === 0
      ? "Nothing was compared: no source is known."
      : `${head}: all as Git says.`;
  return `${[head, [...said, ...errors].join(", ")].join(": ")}${endOf(report) === "clean" ? ": nothing drifted" : ""}.`;
}

function rootLines(root: RootReport): string[] {
  const at = [
    ...(root.deployed === undefined ? [] : [`deployed ${root.deployed.slice(0, 7)}`]),
    ...(root.head === undefined ? [] : [`head ${root.head.slice(0, 7)}`]),
  ];
  const head = `${root.id}${at.length === 0 ? "" : `  ${at.join(", ")}`}`;
  const body =
    root.error === undefined
      ? [`  ${root.inSync} of ${root.compared} objects are as Git says`, ...root.items.flatMap(itemLines)]
      : [`  NOT COMPARED  ${root.error}`];
  return ["", head, ...body];
}

function itemLines(item: DriftItem): string[] {
  const more = item.more > 0 ? [`      … and ${item.more} more`] : [];
  const links = item.pullRequest === undefined ? [] : [`      ${item.pullRequest.url}`];
  return [
    `  ${item.class.toUpperCase().padEnd(9)} ${describeRef(item.object)}: ${item.text}`,
    ...item.fields.map(fieldLine),
    ...more,
    ...links,
  ];
}

function fieldLine({ text, git, live, by, location }: DriftField): string {
  const at = location === undefined ? "" : `  ${location.file}:${location.line}`;
  return `      ${text}: Git ${shownText(git)}, live ${shownText(live)}; ${who(by)}${by.at === undefined ? "" : ` at ${by.at}`}${at}`;
}

/** A value in a line. */
export function shownText(shown: Shown | undefined): string {
  if (shown === undefined) return "(not set)";
  if ("hash" in shown) return `‹sealed ${shown.hash.slice(0, 8)}›`;
  return "cut" in shown ? shown.cut : JSON.stringify(shown.value);
}
