import { describeRef } from "../kube/ref.ts";
import { code, plain } from "../pull-request/quote.ts";
import { minute } from "../pull-request/sections.ts";
import type { DriftClass, DriftField, DriftItem } from "./model.ts";
import { type CountedReport, type CountedRoot, cut } from "./sanitise.ts";
import { unlisted, type Wire } from "./wire.ts";

const WORDS: readonly (readonly [DriftClass, string])[] = [
  ["unknown", "not compared"],
  ["drift", "drifted"],
  ["missing", "missing"],
  ["extra", "not in Git"],
  ["hotfix", "under a hotfix"],
  ["conflict", "claimed twice"],
  ["suspended", "suspended"],
  ["pending", "waiting for a deployment"],
  ["in-sync", "in sync"],
];

/** `2 drifted, 1 missing, 117 in sync` */
export function headline({ counts, errors, gaps }: Pick<Wire, "counts" | "errors" | "gaps">): string {
  const failed = [
    ...(errors > 0 ? [`${errors} source${errors === 1 ? "" : "s"} could not be compared`] : []),
    ...(gaps.length > 0 ? [`${gaps.length} part${gaps.length === 1 ? "" : "s"} could not be read`] : []),
  ];
  const words = WORDS.flatMap(([one, word]) => ((counts[one] ?? 0) > 0 ? [`${counts[one]} ${word}`] : []));
  return [...failed, ...words].join(", ") || "Nothing to compare";
}

/**
 * A report for people, within so many bytes: sources worst first, objects with their fields. What is left out is counted. `unmarked`: lines
 * of the source that are not marked for their number.
 */
export function summaryOf(
  report: CountedReport,
  wire: Wire,
  options: { readonly most: number; readonly unmarked?: number },
): string {
  const head = [
    `**${plain(headline(wire), 400)}** in cluster ${code(report.cluster)}, compared ${minute(report.takenAt)} (${modeText(report)}).`,
    ...report.gaps.slice(0, 20).map((gap) => `- Could not be read: ${plain(gap)}`),
  ];
  const foot = [
    ...report.hidden.slice(0, 20).map(({ rule, count }) => `- ${count} hidden by ${plain(rule)}`),
    ...((options.unmarked ?? 0) > 0 ? [`- ${options.unmarked} more lines of the source are not marked`] : []),
    ...(wire.left.length > 0 ? [`- The report for machines was too long: ${plain(wire.left.join("; "))}`] : []),
    `<sub>Stanch ${plain(report.stanch)}</sub>`,
  ];
  const sections = report.roots
    .toSorted((a, b) => weight(b) - weight(a))
    .map((root) => ({ lines: section(root), more: unlisted(root) }));
  let left = options.most - bytes([...head, ...foot].join("\n")) - 500;
  const shown: string[] = [];
  let skipped = 0;
  for (const { lines, more } of sections) {
    const [title = "", ...items] = lines;
    if (bytes(title) > left) {
      skipped += 1;
      continue;
    }
    left -= bytes(title) + 2;
    const kept: string[] = [];
    for (const item of items) {
      if (bytes(item) + 60 > left) break;
      left -= bytes(item) + 1;
      kept.push(item);
    }
    const rest = items.length - kept.length + more;
    shown.push([title, "", ...kept, ...(rest > 0 ? [`- *and ${rest} more objects*`] : [])].join("\n").trimEnd());
  }
  if (skipped > 0) shown.push(`*and ${skipped} more sources*`);
  return [head.join("\n"), ...shown, foot.join("\n")].join("\n\n");
}

const bytes = (text: string): number => Buffer.byteLength(text);

function modeText({ mode }: CountedReport): string {
  if (mode === "server") return "by the API server's own defaults";
  return mode === "client" ? "by Stanch's own defaults" : "partly by the API server's own defaults";
}

function weight(root: CountedRoot): number {
  return (root.error === undefined ? 0 : 1_000_000) + root.items.length + unlisted(root);
}

function section(root: CountedRoot): string[] {
  const { owner } = root;
  const who = owner.name === undefined ? owner.kind : `${owner.kind} ${[owner.namespace, owner.name].join("/")}`;
  const title = `### ${code(root.path === "" ? "." : root.path)} of ${code(root.branch)}, by ${plain(who, 200)}`;
  const at = [
    ...(root.deployed === undefined ? [] : [`deployed ${code(root.deployed.slice(0, 10))}`]),
    ...(root.head === undefined ? [] : [`head ${code(root.head.slice(0, 10))}`]),
  ];
  const line = `${plain(headline({ counts: root.counts, errors: 0, gaps: [] }))}${at.length === 0 ? "" : ` (${at.join(", ")})`}`;
  return [
    `${title}\n\n${root.error === undefined ? line : `**Could not be compared:** ${plain(root.error)}`}`,
    ...root.items.map(item),
  ];
}

const SHOWN_FIELDS = 8;

function item(one: DriftItem): string {
  const links = [
    ...(one.incident === undefined ? [] : [`incident ${code(`${one.incident.namespace}/${one.incident.name}`)}`]),
    // Its number and no link: the pull request may be of another repository.
    ...(one.pullRequest === undefined ? [] : [`pull request ${one.pullRequest.number}`]),
  ];
  const more = one.more + Math.max(0, one.fields.length - SHOWN_FIELDS);
  return [
    `- **${one.class}** ${code(describeRef(one.object))}: ${plain(one.text, 300)}${links.length === 0 ? "" : ` (${links.join(", ")})`}`,
    ...one.fields.slice(0, SHOWN_FIELDS).map(field),
    ...(more > 0 ? [`  - *and ${more} more field${more === 1 ? "" : "s"}*`] : []),
  ].join("\n");
}

function field({ text, git, live, by, location }: DriftField): string {
  const who = by.writer === "unknown" ? "" : `, by ${plain(by.manager ?? by.writer, 80)}`;
  const where =
    location === undefined || location.file.includes("\0") ? "" : ` (${code(`${location.file}:${location.line}`)})`;
  return `  - ${code(text, 200)}: ${shown(git)} → ${shown(live)}${who}${where}`;
}

function shown(side: DriftField["git"]): string {
  if (side === undefined) return "*(not set)*";
  if ("hash" in side) return "*(secret)*";
  const text = "cut" in side ? side.cut : typeof side.value === "string" ? side.value : JSON.stringify(side.value);
  return code(cut(text, 160), 160);
}
