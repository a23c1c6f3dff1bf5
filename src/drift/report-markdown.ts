import { describeRef } from "../kube/ref.ts";
import { code, plain } from "../pull-request/quote.ts";
import { endOf } from "./end.ts";
import { who } from "./item.ts";
import type { DriftField, DriftItem, DriftReport, RootReport } from "./model.ts";
import { shownText, summaryLine } from "./report-text.ts";

/** Code points; GitHub takes 65,536 characters of a comment, and what stands around it needs room. */
const BUDGET = 60_000;
/** What an item is called in a report for people. */
const TITLES: Readonly<Record<string, string>> = {
  drift: "drift",
  missing: "missing",
  extra: "extra",
  hotfix: "hotfix",
  pending: "pending sync",
  conflict: "conflict",
  suspended: "suspended",
  unknown: "not compared",
};
const SIGNS = { error: "⚠️", drift: "❌", pending: "🕓", clean: "✅" } as const;

/**
 * A report in Markdown of at most `budget` code points, worst first: what does not fit is left out object by object and counted. Names and
 * values are a stranger's: they stand in code spans, and nobody is pinged by them.
 */
export function markdownReport(report: DriftReport, budget = BUDGET): string {
  const head = [
    `### ${SIGNS[endOf(report)]} Drift of cluster ${code(report.cluster)}`,
    "",
    `${plain(summaryLine(report), 2000)} Taken at ${plain(report.takenAt)} by Stanch ${plain(report.stanch)}.`,
    "",
  ].join("\n");
  const parts: string[] = [];
  for (const gap of report.gaps) parts.push(`- **not seen** ${plain(gap)}\n`);
  for (const root of report.roots) parts.push(...rootParts(root));
  if (report.hidden.length > 0)
    parts.push(
      `\n<details><summary>Left out by rule</summary>\n\n${report.hidden
        .map(({ rule, count }) => `- ${count} × ${code(rule)}`)
        .slice(0, 100)
        .join("\n")}\n\n</details>\n`,
    );
  return `${fitted(head, parts, budget)}\n`;
}

function fitted(head: string, parts: readonly string[], budget: number): string {
  const kept = [head];
  let size = [...head].length;
  for (const [index, part] of parts.entries()) {
    size += [...part].length + 1;
    if (size > budget - 120) {
      const left = parts.length - index;
      kept.push(
        `\n*${left} more ${left === 1 ? "entry" : "entries"} left out for length; \`stanch drift\` shows everything.*`,
      );
      break;
    }
    kept.push(part);
  }
  return kept.join("\n").trimEnd();
}

function rootParts(root: RootReport): string[] {
  const at = [
    ...(root.deployed === undefined ? [] : [`deployed ${code(root.deployed.slice(0, 7))}`]),
    ...(root.head === undefined ? [] : [`head ${code(root.head.slice(0, 7))}`]),
  ].join(", ");
  const title = `\n**${plain(root.id)}**${at === "" ? "" : ` (${at})`}`;
  if (root.error !== undefined) return [`${title}: **not compared**: ${plain(root.error)}\n`];
  if (root.items.length === 0) return [`${title}: ${root.inSync} objects as Git says\n`];
  const [first, ...rest] = root.items.map(itemPart);
  return [`${title}: ${root.inSync} of ${root.compared} objects as Git says\n\n${first ?? ""}`, ...rest];
}

function itemPart(item: DriftItem): string {
  const link =
    item.pullRequest === undefined || !/^https?:\/\/[^\s()<>"]+$/.test(item.pullRequest.url)
      ? ""
      : ` ([pull request #${item.pullRequest.number}](${item.pullRequest.url}))`;
  const lines = [
    `- **${TITLES[item.class] ?? item.class}** ${code(describeRef(item.object))}: ${plain(item.text)}${link}`,
    ...item.fields.map(fieldLine),
    ...(item.more > 0 ? [`  - … and ${item.more} more`] : []),
  ];
  return lines.join("\n");
}

function fieldLine({ text, git, live, by, location }: DriftField): string {
  const at = location === undefined ? "" : ` at ${code(`${location.file}:${location.line}`)}`;
  return `  - ${code(text)}: Git ${code(shownText(git), 160)}, live ${code(shownText(live), 160)} by ${plain(who(by))}${at}`;
}
