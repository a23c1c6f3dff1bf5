import { type Base, composeBase, composeCluster, composeHosts } from "../compose.ts";
import { parseDuration } from "../config/duration.ts";
import { endOf } from "../drift/end.ts";
import type { DriftEnd, DriftReport } from "../drift/model.ts";
import type { Publishing } from "../drift/publishing.ts";
import type { DriftMode } from "../drift/request.ts";
import { StanchError } from "../errors.ts";
import type { Flags } from "./flags.ts";
import { printable } from "./printable.ts";
import { survey } from "./survey.ts";

const FORMATS = ["text", "json", "markdown", "sarif"] as const;
const MODES = ["auto", "server", "client"] as const;
const FAILS = ["drift", "error", "never"] as const;

/** `stanch drift`: is the cluster what Git says? Changes nothing there; with `--publish` the repositories are told. */
export async function main(flags: Flags): Promise<number> {
  const format = oneOf("output", flags.output === "table" ? "text" : flags.output, FORMATS) ?? "text";
  const failOn = oneOf("fail-on", flags["fail-on"], FAILS) ?? "drift";
  const { output: _, ...others } = flags;
  const base = await composeBase(others);
  const { config, log, clock } = base;
  const mode: DriftMode = oneOf("mode", flags.mode, MODES) ?? config.drift.mode;
  const wait = waitOf(flags.wait) ?? config.drift.wait;
  // Half a report would say that the rest is gone.
  const narrow = flags.root !== undefined ? "--root" : flags.namespace !== undefined ? "--namespace" : null;
  if (flags.publish === true && narrow !== null)
    throw new StanchError("config", `--publish tells of every source, and ${narrow} leaves some out`, {
      hint: "leave one of them out; what is watched stands in `scope.namespaces`",
    });
  const cluster = await composeCluster(flags, clock);
  try {
    const hosts = await composeHosts(base, flags, cluster);
    const report = await survey(base, cluster, hosts, {
      mode,
      wait,
      ...(flags.root === undefined ? {} : { roots: flags.root }),
    });
    log.progress("");
    process.stdout.write(await written(report, format));
    if (flags.publish === true && !(await published(report, { ...base, codeHost: hosts.codeHost }, flags))) return 1;
    return exitCode(endOf(report), failOn);
  } finally {
    log.progress("");
    cluster.close();
  }
}

/** 0 clean or pending, 3 drift, 1 what could not be compared: an error never looks like "no drift", unless that was asked for. */
export function exitCode(end: DriftEnd, failOn: (typeof FAILS)[number]): number {
  if (failOn === "never") return 0;
  if (end === "error") return 1;
  return end === "drift" && failOn === "drift" ? 3 : 0;
}

async function written(report: DriftReport, format: (typeof FORMATS)[number]): Promise<string> {
  if (format === "json") return `${JSON.stringify(report, null, 2)}\n`;
  if (format === "sarif")
    return `${JSON.stringify((await import("../drift/report-sarif.ts")).sarifReport(report), null, 2)}\n`;
  if (format === "markdown") return (await import("../drift/report-markdown.ts")).markdownReport(report);
  return printable((await import("../drift/report-text.ts")).textReport(report));
}

/** Tells the repositories; what came of each goes to the log, so that the output stays the report. False: one could not be told. */
async function published(
  report: DriftReport,
  context: Base & Pick<Publishing, "codeHost">,
  flags: Flags,
): Promise<boolean> {
  const { publishDrift } = await import("../drift/publish.ts");
  const notes = await publishDrift(report, { ...context, dryRun: flags["dry-run"] === true });
  for (const { repository, kind, text } of notes) {
    if (kind === "failed") context.log.error("drift not published", { repository, error: text });
    else context.log.info("drift report", { repository, result: kind, text });
  }
  return notes.every((note) => note.kind !== "failed");
}

function oneOf<T extends string>(flag: string, value: string | undefined, known: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const found = known.find((each) => each === value);
  if (found === undefined)
    throw new StanchError("config", `--${flag} ${value} is not known`, { hint: `use ${known.join(", ")}` });
  return found;
}

function waitOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms === null) throw new StanchError("config", `--wait ${text} is no duration`, { hint: "such as 30s or 1m" });
  return ms;
}
