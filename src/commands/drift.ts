import { clusterSide, composeBase, composeCluster, composeHosts } from "../compose.ts";
import { parseDuration } from "../config/duration.ts";
import { namedNamespaces } from "../config/scope.ts";
import { endOf } from "../drift/end.ts";
import type { DriftEnd, DriftReport } from "../drift/model.ts";
import type { DriftMode } from "../drift/request.ts";
import { surveyDrift } from "../drift/survey.ts";
import { StanchError } from "../errors.ts";
import { createIncidentStore, type IncidentStore } from "../incident/store.ts";
import { version } from "../version.ts";
import { createWorkbench } from "../workbench.ts";
import type { Flags } from "./flags.ts";
import { locateLine } from "./locate-line.ts";
import { printable } from "./printable.ts";

const FORMATS = ["text", "json", "markdown", "sarif"] as const;
const MODES = ["auto", "server", "client"] as const;
const FAILS = ["drift", "error", "never"] as const;

/** `stanch drift`: is the cluster what Git says? Reads only. */
export async function main(flags: Flags): Promise<number> {
  const format = oneOf("output", flags.output === "table" ? "text" : flags.output, FORMATS) ?? "text";
  const failOn = oneOf("fail-on", flags["fail-on"], FAILS) ?? "drift";
  const { output: _, ...others } = flags;
  const base = await composeBase(others);
  const { config, log, clock } = base;
  const mode: DriftMode = oneOf("mode", flags.mode, MODES) ?? config.drift.mode;
  const wait = waitOf(flags.wait) ?? config.drift.wait;
  const cluster = await composeCluster(flags, clock);
  try {
    const hosts = await composeHosts(base, flags, cluster);
    const workbench = createWorkbench(config, { ...hosts, ...clusterSide(base, cluster) });
    try {
      const report = await surveyDrift({
        config,
        cluster,
        workbench,
        renderer: hosts.renderer,
        locate: (bench, change) => locateLine(bench, change, hosts.renderer),
        incidents: () => openIncidents(createIncidentStore(cluster, clock), namedNamespaces(config)),
        clock,
        log,
        version,
        mode,
        wait,
        ...(flags.root === undefined ? {} : { roots: flags.root }),
      });
      log.progress("");
      process.stdout.write(await written(report, format));
      return exitCode(endOf(report), failOn);
    } finally {
      await workbench.close();
    }
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

/** A cluster without the custom resource has no incidents. */
async function openIncidents(store: IncidentStore, namespaces: readonly string[] | null) {
  try {
    return await store.list(namespaces);
  } catch (error) {
    if (error instanceof StanchError && error.code === "config") return [];
    throw error;
  }
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
