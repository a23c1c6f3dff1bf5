import { composeBase, composeCluster, composeHosts, composeReceivers } from "../compose.ts";
import type { Config } from "../config/schema.ts";
import { incidentCrd } from "../incident/crd.ts";
import { fieldAt } from "../kube/fields.ts";
import { RESOURCES } from "../kube/resources.ts";
import { fieldsOfSchema } from "../kube/schema-fields.ts";
import type { Clock, Cluster, Renderer } from "../ports.ts";
import { type Finding, failed } from "./check.ts";
import { checkCode, checkModel } from "./check-model.ts";
import { checkReceivers } from "./check-receivers.ts";
import { checkExcess, checkRights } from "./check-rights.ts";
import { checkSources } from "./check-sources.ts";
import { checkStanding } from "./check-standing.ts";
import type { Flags } from "./flags.ts";
import { printable } from "./printable.ts";

/** `stanch doctor`: everything that a run needs, checked the way a run would use it. */
export async function main(flags: Flags): Promise<number> {
  const base = await composeBase(flags);
  const lines: Finding[] = [
    {
      check: "configuration",
      ok: true,
      text: `${base.configFile ?? "none given, defaults"}; mode ${base.config.mode}`,
    },
  ];
  const cluster = await attempt(lines, "cluster", () => composeCluster(flags, base.clock));
  if (cluster !== null) lines.push(...(await checkCluster(cluster, base.config, base.clock, flags.strict === true)));
  const hosts = await attempt(lines, "code host", () => composeHosts(base, flags, cluster));
  if (hosts !== null) {
    lines.push(...(await checkRenderers(hosts.renderer, base.config)));
    // A cluster that does not answer tells no sources either.
    const answers = lines.some((line) => line.check === "cluster" && line.ok);
    lines.push(...(await checkSources(base, hosts, answers ? cluster : null)));
  }
  lines.push(...checkModel(base.config, flags));
  if (hosts !== null) lines.push(...(await checkCode(base.config, hosts)));
  // Not through the hosts: a code host that cannot be made must not hide them.
  lines.push(...(await checkReceivers(base.config, await composeReceivers(base, flags))));
  cluster?.close();
  process.stdout.write(base.output === "json" ? `${JSON.stringify(lines, null, 2)}\n` : show(lines));
  return lines.every((line) => line.ok) ? 0 : 3;
}

async function attempt<T>(lines: Finding[], check: string, step: () => Promise<T>): Promise<T | null> {
  try {
    return await step();
  } catch (error) {
    lines.push(failed(check, error));
    return null;
  }
}

/** Reachable, custom resource there, rights held against rights that the enabled remedies need. */
export async function checkCluster(cluster: Cluster, config: Config, clock: Clock, strict = false): Promise<Finding[]> {
  const lines: Finding[] = [];
  let serves = false;
  try {
    lines.push({
      check: "cluster",
      ok: true,
      text: `${cluster.server} (context ${cluster.context || "in-cluster"}), ${await cluster.version()}`,
    });
  } catch (error) {
    return [failed("cluster", error)];
  }
  try {
    // Discovery tells it to every account; to read definitions is a right that nothing else needs.
    serves = await cluster.serves(RESOURCES.Incident);
    if (serves) lines.push(await checkDefinition(cluster));
    else
      lines.push({
        check: "incidents",
        ok: config.mode === "observe",
        text: "the CustomResourceDefinition incidents.stanch.dev is not installed",
        fix: "kubectl apply --server-side -f deploy/crd.yaml",
      });
    if (keepsRun(config) && !(await cluster.serves(RESOURCES.Run)))
      lines.push({
        check: "runs",
        ok: false,
        text: "the CustomResourceDefinition runs.stanch.dev is not installed: nothing remembers totals, nor what was told",
        fix: "kubectl apply --server-side -f deploy/crd.yaml",
      });
  } catch (error) {
    lines.push(failed("incidents", error));
  }
  if (config.mode !== "observe") {
    const namespace = await cluster
      .get({ apiVersion: "v1", kind: "Namespace", namespace: "", name: config.namespace })
      .catch(() => undefined);
    if (namespace === null)
      lines.push({
        check: "namespace",
        ok: false,
        text: `Stanch's own namespace ${config.namespace} does not exist`,
        fix: `kubectl create namespace ${config.namespace}, or set \`namespace\` in the configuration`,
      });
  }
  lines.push(...(await checkRights(cluster, config)));
  if (serves) lines.push(...(await checkStanding(cluster, config, clock)));
  lines.push(...(await checkExcess(cluster, config, strict)));
  return lines;
}

const INCIDENT = fieldAt(incidentCrd, "spec", "versions", 0, "schema", "openAPIV3Schema");

/** An older definition takes everything and drops what it does not know: what was written ahead of a change would be half. */
async function checkDefinition(cluster: Cluster): Promise<Finding> {
  const kept = new Set(fieldsOfSchema(await cluster.schema(RESOURCES.Incident)));
  const lost = kept.size === 0 ? [] : fieldsOfSchema(INCIDENT).filter((field) => !kept.has(field));
  // What lies within a field that is missing says nothing more.
  const [first, ...others] = lost.filter((field) => !lost.some((other) => field.startsWith(`${other}.`)));
  if (first === undefined) return { check: "incidents", ok: true, text: "incidents.stanch.dev is installed" };
  return {
    check: "incidents",
    ok: false,
    text: `incidents.stanch.dev is of another version and drops what this one writes: ${[first, ...others].slice(0, 3).join(", ")}${others.length > 2 ? `, and ${others.length - 2} more` : ""}`,
    fix: "kubectl apply --server-side -f deploy/crd.yaml",
  };
}

/** Is there anything that stands in the `Run` object? */
function keepsRun({ mode, notify, drift }: Config): boolean {
  return mode !== "observe" || notify.observe || drift.publish;
}

async function checkRenderers(renderer: Renderer, config: Config): Promise<Finding[]> {
  // Where the tool is found out by itself, rendering the source (below) tells what is missing.
  const wanted = (tool: string): boolean =>
    config.sources.some((entry) =>
      tool === "helm" ? entry.tool === "helm" : entry.tool === "kustomize" || entry.tool === "auto",
    );
  return (await renderer.versions()).map((row) => {
    if (row.version !== undefined) return { check: "renderer", ok: true, text: `${row.tool} ${row.version}` };
    return {
      check: "renderer",
      ok: !wanted(row.tool),
      text: `${row.tool}: ${row.missing ?? "not found"}`,
      fix: `put ${row.tool === "helm" ? "helm" : "kustomize (or kubectl)"} on the PATH; plain YAML needs neither`,
    };
  });
}

function show(lines: readonly Finding[]): string {
  const width = Math.max(...lines.map((line) => line.check.length));
  const out = lines.map(
    (line) =>
      `${line.warning === true ? "warn" : line.ok ? "ok  " : "FAIL"}  ${line.check.padEnd(width)}  ${line.text}${(line.ok && line.warning !== true) || line.fix === undefined ? "" : `\n      ${" ".repeat(width)}  fix: ${line.fix}`}`,
  );
  const bad = lines.filter((line) => !line.ok).length;
  return `${printable(out.join("\n"))}\n\n${bad === 0 ? "Everything that a run needs is there." : `${bad} check${bad === 1 ? "" : "s"} failed.`}\n`;
}
