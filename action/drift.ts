import { matchesGlob } from "../src/config/scope.ts";
import { annotationsOf } from "../src/drift/annotations.ts";
import { endOf } from "../src/drift/end.ts";
import type { DriftEnd, DriftReport, RootReport } from "../src/drift/model.ts";
import { headline } from "../src/drift/published-text.ts";
import { markdownReport } from "../src/drift/report-markdown.ts";
import type { CountedRoot } from "../src/drift/sanitise.ts";
import { type Counts, countsOf, sumOf } from "../src/drift/standing.ts";
import { StanchError } from "../src/errors.ts";
import { plain } from "../src/pull-request/quote.ts";
import type { Annotation } from "../src/review/annotations.ts";
import { SUMMARY_BUDGET } from "../src/review/parts.ts";
import { composeHosts } from "./compose.ts";
import { ownConfig } from "./config.ts";
import type { Environment, Inputs, Runner } from "./inputs.ts";
import { clustersOf, readReport } from "./published.ts";
import { annotate, type End, keep, output, say, summarise } from "./report.ts";

/** What is known of one cluster; without a report, why. */
interface Known {
  readonly cluster: string;
  readonly report?: DriftReport;
  readonly end: DriftEnd;
  readonly counts: Counts;
  /** Why the report is not all, or not there. */
  readonly reasons: readonly string[];
}

/** Classes that `drifted` and `count` are about. */
const DRIFTED = ["drift", "missing", "extra"] as const;

/** Says what drifted: by what the clusters published, or by asking one with a read-only kubeconfig. Answers how it ends. */
export async function driftMode(inputs: Inputs, runner: Runner, env: Environment): Promise<End> {
  const known = inputs.kubeconfig === "" ? await published(inputs, runner) : await asked(inputs, runner, env);
  const shown = known.map((one) => narrowed(one, inputs.roots));
  const count = shown.reduce((sum, { counts }) => sum + DRIFTED.reduce((all, kind) => all + (counts[kind] ?? 0), 0), 0);
  const end = worst(shown.map((one) => one.end));
  const file = await keep(runner.temp, "stanch-drift.json", { version: 1, result: end, count, clusters: shown });
  output({ result: end, drifted: count > 0, count, report: file });
  if (inputs.summary) await summarise(shown.map(page), env);
  if (inputs.annotations) annotate(shown.flatMap(marks));
  for (const { cluster, counts, reasons, report } of shown)
    say(`${cluster}: ${report === undefined ? reasons.join("; ") : headline({ counts, errors: 0, gaps: [] })}`);
  return end === "error" ? "error" : end === "drift" ? "drift" : "clean";
}

async function published(inputs: Inputs, runner: Runner): Promise<Known[]> {
  if (inputs.publisher === "")
    throw new StanchError("config", "input `publisher` is not set", {
      hint: "set it to the login that publishes the report, such as my-stanch[bot], or give `kubeconfig` on a self-hosted runner",
    });
  const branch = inputs.branch || runner.branch;
  if (branch === "")
    throw new StanchError("config", "input `branch` is not set, and the workflow runs for none", {
      hint: "set it to the branch that is deployed",
    });
  const hosts = await composeHosts(inputs);
  const config = await ownConfig(inputs, runner);
  const out: Known[] = [];
  for (const cluster of clustersOf(inputs, config)) {
    const read = await readReport({ repository: runner.repository, branch, cluster }, inputs, hosts);
    if ("reason" in read) out.push({ cluster, end: "error", counts: {}, reasons: [read.reason] });
    else out.push({ cluster, report: read.report, end: read.end, counts: read.counts, reasons: read.left });
  }
  return out;
}

async function asked(inputs: Inputs, runner: Runner, env: Environment): Promise<Known[]> {
  const { surveyLive } = await import("./live.ts");
  const report = await surveyLive(inputs, runner, env);
  return [known(report)];
}

function known(report: DriftReport, reasons: readonly string[] = []): Known {
  return { cluster: report.cluster, report, end: endOf(report), counts: sumOf(report.roots.map(countsIn)), reasons };
}

/** A list of objects may be shortened, and its counts are not. */
function countsIn(root: RootReport | CountedRoot): Counts {
  return "counts" in root ? root.counts : countsOf([root]);
}

/** Only what the input names. A name that means nothing is an error: its drift would never be seen. */
function narrowed(one: Known, only: readonly string[]): Known {
  const { report } = one;
  if (only.length === 0 || report === undefined) return one;
  const unknown = only.filter((glob) => !report.roots.some(({ path }) => matchesGlob(glob, path)));
  const roots = report.roots.filter(({ path }) => only.some((glob) => matchesGlob(glob, path)));
  const made = known({ ...report, roots }, one.reasons);
  if (unknown.length === 0 && one.reasons.length === 0) return made;
  // What was left off for length may have been of these roots.
  const reasons = [
    ...one.reasons,
    ...unknown.map((glob) => `the report has no source in a folder "${glob}" (input \`roots\`)`),
  ];
  return { ...made, end: "error", reasons };
}

function worst(ends: readonly DriftEnd[]): DriftEnd {
  return (["error", "drift", "pending"] as const).find((end) => ends.includes(end)) ?? "clean";
}

function page({ cluster, report, reasons }: Known): string {
  const title = `## Drift of cluster ${plain(cluster, 60)}`;
  const why = reasons.map((reason) => `- ❌ ${plain(reason, 1000)}`).join("\n");
  if (report === undefined) return `${title}\n\n**It is not known whether the cluster is what Git says.**\n\n${why}`;
  return [title, ...(why === "" ? [] : [why]), markdownReport(report, SUMMARY_BUDGET / 8)].join("\n\n");
}

function marks({ cluster, report, reasons, end }: Known): Annotation[] {
  const gaps = [...(report === undefined ? reasons : end === "error" ? reasons : []), ...(report?.gaps ?? [])];
  const faults = (report?.roots ?? []).flatMap(({ id, error }) => (error === undefined ? [] : [`${id}: ${error}`]));
  return [
    ...[...gaps, ...faults].map(
      (message): Annotation => ({ level: "failure", title: `Stanch: drift of ${cluster} is not known`, message }),
    ),
    ...annotationsOf(report?.roots ?? []).annotations.map(
      ({ path, startLine, level, title, message }): Annotation => ({
        level,
        title,
        message,
        file: path,
        line: startLine,
      }),
    ),
  ];
}
