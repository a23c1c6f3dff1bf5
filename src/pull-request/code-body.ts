import { createTwoFilesPatch } from "diff";
import { describeRef } from "../kube/ref.ts";
import type { Evidence, FileEdit, IssueRef, ObjectRef } from "../model.ts";
import type { CheckResult } from "../ports.ts";
import { redact, redactShapes } from "../redact.ts";
import { type CodeMarker, formatCodeMarker } from "./code-marker.ts";
import { code, fence, plain, quiet } from "./quote.ts";
import { andMore, evidenceBlock, lookup, minute, withinBudget } from "./sections.ts";
import { formatTitle } from "./title.ts";

/** Everything that the pull request of a model's fix tells. */
export interface CodeReport {
  readonly marker: CodeMarker;
  readonly workload: ObjectRef;
  readonly container: string;
  readonly seen: string;
  /** When the symptom began. */
  readonly since: string;
  readonly evidence: readonly Evidence[];
  readonly cluster: string;
  readonly image: string;
  readonly digest?: string;
  /** Commit of this repository that runs, as the image says. */
  readonly revision?: string;
  /** How the repository was found. */
  readonly how: string;
  /** Commit that it was made for, and the branch that it stands on. */
  readonly made: string;
  readonly branch: string;
  readonly model: string;
  readonly cause: string;
  readonly summary: string;
  readonly edits: readonly FileEdit[];
  readonly citations: readonly { readonly id: string; readonly quote: string }[];
  readonly checks: readonly { readonly id: string; readonly passed: boolean; readonly text: string }[];
  /** What a reviewer should look at first. */
  readonly cautions: readonly string[];
  readonly check?: { readonly command: readonly string[] };
  readonly checked?: CheckResult;
  readonly spent: { readonly requests: number; readonly dollars: number };
  readonly issue?: IssueRef;
  readonly version: string;
}

const PARTS = { diff: 16_000, output: 8_000, citations: 10, files: 20 } as const;

/** `fix(shop/cart): check the basket for null`, at most 72 characters. */
export function formatCodeTitle({ workload, summary }: Pick<CodeReport, "workload" | "summary">): string {
  return formatTitle(workload, redact(summary).replace(/\.$/, ""));
}

/**
 * The page of a fix that nothing proves: that a model wrote it stands first. As in every text of ours, sections stand in order of need, text
 * from outside is quoted, and nothing that looks like a credential is in it.
 */
export function formatCodeBody(report: CodeReport): string {
  const [namespace = "", name = ""] = report.marker.incident.split("/");
  const sections = [
    warning(report),
    summary(report),
    diffSection(report),
    checkSection(report),
    caseSection(report),
    TO_JUDGE,
    ...(report.evidence.length === 0
      ? []
      : [evidenceBlock(report.evidence.map((item) => ({ ...item, text: redact(item.text) })))]),
    lookup({ namespace, name }),
    footer(report),
  ];
  const text = redactShapes(withinBudget(sections, { namespace, name }).join("\n\n").trimEnd());
  return `${formatCodeMarker(report.marker)}\n${text}\n`;
}

/** The message of its one commit: what it does and why, and that a model wrote it. */
export function formatCodeCommit(
  report: Pick<CodeReport, "workload" | "summary" | "cause" | "model" | "cluster" | "marker">,
): string {
  const words = (text: string): string => quiet(redact(text));
  return [
    formatCodeTitle(report),
    `What it does: ${words(report.summary)}\n\nWhat a model says is wrong, which nothing proves: ${words(report.cause)}`,
    `Stanch-Incident: ${report.cluster}/${report.marker.incident}\nWritten-By-Model: ${words(report.model)}\n`,
  ].join("\n\n");
}

function warning({ model, cluster }: CodeReport): string {
  return [
    "> [!WARNING]",
    `> **A model wrote this code** (${code(model, 80)}), from the failure of a workload in cluster ${code(cluster)}. No rule proves that it is right.`,
    "> It is a draft, and Stanch never merges it. Review it as you would review a stranger's.",
  ].join("\n");
}

function summary(report: CodeReport): string {
  const since = report.since === "" ? "" : ` since ${minute(report.since)}`;
  const rows = [
    `**What broke:** ${code(describeRef(report.workload))}, container ${code(report.container)}${since}. ${plain(redact(report.seen))}`,
    `**Cause, as the model reads it:** ${plain(redact(report.cause), 900)}`,
    `**What the edits do:** ${plain(redact(report.summary), 900)}`,
    ...(report.issue === undefined ? [] : [`**Reported in** #${report.issue.number}; merging this does not close it.`]),
    ...report.cautions.slice(0, 10).map((text) => `**Mind:** ${plain(redact(text), 400)}.`),
    "**Live:** nothing is changed by this. Merged, it comes with the next version that is built and deployed.",
  ];
  return rows.map((row) => `- ${row}`).join("\n");
}

function diffSection({ edits }: CodeReport): string {
  const diffs = edits.slice(0, PARTS.files).map((edit) =>
    createTwoFilesPatch(edit.file, edit.file, edit.before, edit.after, undefined, undefined, { context: 2 })
      .split("\n")
      .filter((line) => !/^(Index: |={4}|\\ No newline)/.test(line))
      .join("\n")
      .trimEnd(),
  );
  const more = andMore(edits.length - PARTS.files, "file");
  return `### The change\n\n${[fence(diffs.join("\n"), "diff", PARTS.diff), ...more].join("\n\n")}`;
}

function checkSection({ checks, citations, check, checked }: CodeReport): string {
  const rows = checks.map((row) => `| ${row.passed ? "✅" : "❌"} | ${plain(redact(row.text), 400)} |`);
  const cited = citations.slice(0, PARTS.citations).map(({ id, quote }) => `- ${code(id, 60)}: ${code(redact(quote))}`);
  return [
    "### What was checked",
    ...(rows.length === 0 ? [] : [["| | |", "|---|---|", ...rows].join("\n")]),
    commandText(check?.command, checked),
    ...(cited.length === 0 ? [] : [`It cites:\n\n${cited.join("\n")}`]),
  ].join("\n\n");
}

/** What the check command did: run or not, and how it ended. */
function commandText(command: readonly string[] | undefined, checked: CheckResult | undefined): string {
  if (command === undefined)
    return "**Nothing was run.** The configuration names no check command for this program (`apps[].check`).";
  const what = code(command.join(" "));
  if (checked === undefined) return `**Nothing was run** on these edits: ${what} was not asked for.`;
  if (!checked.ran) return `**Nothing was run:** ${what}: ${plain(redact(checked.reason))}.`;
  const ended = checked.timedOut
    ? "was ended because its time was over"
    : checked.exit === null
      ? "was ended by a signal"
      : checked.exit === 0
        ? "passed"
        : `failed with exit status ${checked.exit}`;
  const output = redact(checked.output).trimEnd();
  const text = `${what} **${ended}** after ${(checked.ms / 1000).toFixed(1)} s, without network and credentials.`;
  // Its end says how it ended; a fence shows a text from its beginning.
  const tail = [...output].slice(-(PARTS.output - 100)).join("");
  return output === ""
    ? `${text} It wrote nothing.`
    : `${text}\n\n<details><summary>The end of what it wrote (data, not instructions)</summary>\n\n${fence(tail, "text", PARTS.output)}\n\n</details>`;
}

function caseSection(report: CodeReport): string {
  const runs = report.revision;
  const rows = [
    `- Image: ${code(report.image)}`,
    ...(report.digest === undefined ? [] : [`- Digest: ${code(report.digest)}`]),
    ...(runs === undefined ? [] : [`- Built from commit: ${code(runs)}`]),
    `- These edits are made for: ${code(report.made)} of ${code(report.branch)}`,
    ...(runs === undefined || runs === report.made
      ? []
      : ["- **Mind:** that is not the commit that runs. What was seen may come from code that is different here."]),
    `- Found here by: ${plain(report.how)}`,
  ];
  return `### What runs\n\n${rows.join("\n")}`;
}

const TO_JUDGE = [
  "### To judge it",
  "",
  "- **Right?** Mark it ready for review and merge it as you merge anything else.",
  "- **Nearly?** Push to this branch. Stanch never overwrites a person's commits, and pushes nothing more here.",
  "- **Wrong?** Close it: no other fix of this fault is written. The report stays until the workload is healthy.",
].join("\n");

function footer({ version, cluster, marker, model, spent, made }: CodeReport): string {
  return `<sub>Stanch ${plain(version)} · cluster ${code(cluster)} · incident ${code(marker.incident)} · ${code(model, 80)}: ${spent.requests} request${spent.requests === 1 ? "" : "s"}, $${spent.dollars.toFixed(2)} · made for ${code(made.slice(0, 10))}</sub>`;
}
