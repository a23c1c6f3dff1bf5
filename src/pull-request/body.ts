import { createTwoFilesPatch } from "diff";
import { describeRef } from "../kube/ref.ts";
import type { Check } from "../model.ts";
import { redactShapes } from "../redact.ts";
import { formatMarker, type Marker, parseMarker } from "./marker.ts";
import { formatPromise } from "./promise.ts";
import { code, fence, plain } from "./quote.ts";
import type { PullRequestReport } from "./report.ts";
import { andMore, evidenceBlock, field, hashOf, minute, withinBudget } from "./sections.ts";

/** What the parts that may be of any size may take, so that none of them pushes out all that follows. */
const PARTS = { diff: 16_000, fields: 40, roots: 12, objects: 8 } as const;

/**
 * The body: a page that a tired engineer understands in thirty seconds, then the incident report. Sections stand in order of
 * need, so that a cut takes the tail; it falls between sections and is said.
 */
export function formatBody(report: PullRequestReport, fingerprint: string): string {
  const promise = formatPromise(
    report.changes,
    report.edits.map(({ file }) => file),
    report.culprit?.sha,
  );
  const sections = [
    // Hidden, for whoever checks later commits of the pull request against what was proved.
    promise === "" ? summary(report) : `${summary(report)}\n\n${promise}`,
    diffSection(report),
    proofSection(report),
    blastSection(report),
    refuseSection(report),
    reportSection(report),
    footer(report),
  ];
  const kept = withinBudget(sections, report.incident);
  // A manifest may hold a password outright; the diff of the commit shows it, this page does not repeat it.
  const text = redactShapes(kept.join("\n\n").trimEnd());
  const marker: Marker = {
    fp: fingerprint,
    incident: `${report.incident.namespace}/${report.incident.name}`,
    body: hashOf(text),
  };
  return `${formatMarker(marker)}\n${text}\n`;
}

/** The marker of a body, and whether the text below it is still as Stanch wrote it. */
export function parseBody(body: string): { readonly marker: Marker | null; readonly untouched: boolean } {
  const marker = parseMarker(body);
  // The web interface saves with CRLF.
  const text = body.replaceAll("\r\n", "\n").split("\n").slice(1).join("\n").trimEnd();
  return { marker, untouched: marker !== null && hashOf(text) === marker.body };
}

/** The incident report as a file of its own. */
export function formatReportFile(report: PullRequestReport): string {
  return `# Incident ${report.incident.name}\n\n${summary(report)}\n\n${reportSection(report)}\n`;
}

function summary(report: PullRequestReport): string {
  const { finding, live } = report;
  const since = finding.since === "" ? "" : ` since ${minute(finding.since)}`;
  const broke = `**What broke:** ${code(describeRef(finding.workload))}${since}. ${plain(finding.summary)}${report.covers > 0 ? ` (and ${report.covers} more finding${report.covers === 1 ? "" : "s"} with the same cause)` : ""}`;
  const done =
    live === undefined
      ? `**Live:** nothing was changed${report.gitOnly === undefined ? "" : `: ${plain(report.gitOnly)}`}. The workload stays broken until this is merged and deployed.`
      : `**Live:** ${plain(report.title)}, applied ${minute(live.appliedAt)}${live.verification === undefined ? "" : `; ${plain(live.verification.result)}: ${plain(live.verification.seen)}`}.`;
  const held =
    report.held === undefined
      ? []
      : [
          `**Held:** ${plain(report.held.reason)}, until ${minute(report.held.until)} at the latest. Then the live change is taken back, and the fault is back until this is merged and deployed.`,
        ];
  const risk = report.held === undefined ? " Until then the next deployment from Git would bring the fault back." : "";
  const merging =
    live === undefined
      ? "**Merging** makes Git say the fix; the next deployment brings it live."
      : `**Merging** makes Git say what the cluster already runs: no restart, no drift.${risk}`;
  const mind = report.cautions.map((text) => `**Mind:** ${plain(text)}`);
  const rows = [broke, done, ...held, merging, ...mind].map((line) => `- ${line}`).join("\n");
  const { summary: words } = report.prose ?? {};
  return words === undefined ? rows : `${plain(words, 900)} <sub>(worded by a model)</sub>\n\n${rows}`;
}

function diffSection(report: PullRequestReport): string {
  const diffs = report.edits.map((edit) =>
    createTwoFilesPatch(edit.file, edit.file, edit.before, edit.after, undefined, undefined, { context: 2 })
      .split("\n")
      .filter((line) => !/^(Index: |={4}|\\ No newline)/.test(line))
      .join("\n")
      .trimEnd(),
  );
  const fields = report.changes.slice(0, PARTS.fields).map(field);
  const more = andMore(report.changes.length - PARTS.fields, "field");
  return `### The change\n\n${fence(diffs.join("\n"), "diff", PARTS.diff)}\n\n${[...fields, ...more].join("\n")}`;
}

function proofSection(report: PullRequestReport): string {
  const mark: Record<Check["result"], string> = { passed: "✅", failed: "❌", "not-run": "➖" };
  const rows = report.proof.checks.map(
    (check) => `| ${check.id} | ${mark[check.result]} ${check.result} | ${plain(check.text, 400)} |`,
  );
  const draft = report.proof.complete
    ? ""
    : "\n\n**Not everything is proved: this is a draft. Look at the rows above before merging.**";
  return `### Proof\n\n| | | |\n|---|---|---|\n${rows.join("\n")}${draft}`;
}

function blastSection(report: PullRequestReport): string {
  const { blast, rootsChecked } = report.proof;
  if (blast.length === 0)
    return `### Blast radius\n\nOnly this object of this source. ${rootsChecked} render root${rootsChecked === 1 ? "" : "s"} of the repository ${rootsChecked === 1 ? "was" : "were"} rendered before and after; no other output changes.`;
  const rows = blast.slice(0, PARTS.roots).map((row) => {
    const more = row.objects.length > PARTS.objects ? ` and ${row.objects.length - PARTS.objects} more` : "";
    return `- ${code(row.root)}: ${row.objects
      .slice(0, PARTS.objects)
      .map((object) => code(object, 120))
      .join(", ")}${more}`;
  });
  return `### Blast radius\n\n**Other environments change as well**, because the edited file is shared:\n\n${[...rows, ...andMore(blast.length - PARTS.roots, "root")].join("\n")}`;
}

function refuseSection(report: PullRequestReport): string {
  const close =
    report.live === undefined
      ? "nothing is changed"
      : report.onClose === "undo"
        ? "the live change is taken back by the next run"
        : "the live change stays, and Git and the cluster differ";
  return `### To refuse\n\nClose this pull request: ${close}, and the problem is left alone for ${report.silenceDays} days. To take only the live change back: ${report.asks === true ? "comment `/stanch undo` (`/stanch help` says what else can be asked), or " : ""}\`stanch undo ${report.incident.namespace}/${report.incident.name}\`. Commits that you push here are never overwritten. To have Stanch leave the object alone for good, annotate it with \`stanch.dev/ignore: "true"\`.`;
}

function reportSection(report: PullRequestReport): string {
  const lines = [
    "### Incident report",
    "",
    `**Cause.** ${plain(report.cause, 1500)}`,
    "",
    `**Why this remedy** (${code(report.remedy)}). ${plain(report.reason, 1500)}`,
  ];
  const { rootCause, course } = report.prose ?? {};
  if (rootCause !== undefined)
    lines.push("", `**In other words** <sub>(a model's, from these facts)</sub>. ${plain(rootCause, 900)}`);
  if (course !== undefined) lines.push("", `**What happened** <sub>(a model's words)</sub>. ${plain(course, 900)}`);
  if (report.culprit !== undefined) {
    const { sha, subject, author, at } = report.culprit;
    lines.push(
      "",
      `**Brought in by** ${code(sha.slice(0, 10))} ${plain(subject, 200)} of ${plain(author, 80)}, ${minute(at)}.`,
    );
    if (report.way !== undefined) lines.push("", `**How Git is corrected.** ${WAYS[report.way]}`);
  }
  for (const { location, commit } of report.blame.slice(0, 5))
    lines.push(
      "",
      `Line ${code(`${location.file}:${location.line}`)} was last written by ${plain(commit.author, 80)} in ${code(commit.sha.slice(0, 10))} ${plain(commit.subject, 200)}, ${minute(commit.at)}.`,
    );
  lines.push(
    "",
    "**Timeline**",
    "",
    "| when | what |",
    "|---|---|",
    ...report.timeline
      .slice(-30)
      .map((entry) => `| ${minute(entry.at)} | ${plain(`${entry.phase}: ${entry.text}`, 400)} |`),
  );
  if (report.evidence.length > 0) lines.push("", evidenceBlock(report.evidence));
  return lines.join("\n");
}

/** Both ways make the same change of the cluster; what differs is what else would go back with it. */
const WAYS: Record<NonNullable<PullRequestReport["way"]>, string> = {
  revert:
    "The lines of that commit that cause the fault are taken back. The rest of it stays: taking those lines back makes exactly this change, and nothing else changes in what Git renders.",
  forward:
    "By a patch forward, and not by a revert: taking lines of that commit back does not make exactly this change (they were changed since, or more goes with them), or not by as small an edit. Only the fields named above are set.",
  both: "In part by taking lines of that commit back, and by a patch forward where that would have changed more, or less, than the fields named above.",
};

function footer(report: PullRequestReport): string {
  return `<sub>Stanch ${plain(report.version)} · cluster ${code(report.cluster)} · incident ${code(`${report.incident.namespace}/${report.incident.name}`)}${report.incident.recurrences > 0 ? `, came back ${report.incident.recurrences} time${report.incident.recurrences === 1 ? "" : "s"}` : ""} · made for ${code(report.revision.slice(0, 10))} · ${plain(report.proof.tools.join(", "))}</sub>`;
}
