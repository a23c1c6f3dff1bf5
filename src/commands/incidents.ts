import { composeBase, composeCluster } from "../compose.ts";
import { inScope, namedNamespaces } from "../config/scope.ts";
import { StanchError } from "../errors.ts";
import { isStanding } from "../incident/holding.ts";
import type { Incident } from "../incident/incident.ts";
import { createIncidentStore } from "../incident/store.ts";
import { formatPath } from "../kube/field-path.ts";
import { describeRef } from "../kube/ref.ts";
import type { LiveAction } from "../model.ts";
import type { Flags } from "./flags.ts";
import { printable } from "./printable.ts";
import { age, table } from "./table.ts";

/** `stanch incidents [NAME]`: all of them, or one with its timeline. */
export async function main(flags: Flags, words: string[]): Promise<number> {
  const base = await composeBase(flags);
  const cluster = await composeCluster(flags, base.clock);
  try {
    const store = createIncidentStore(cluster, base.clock);
    const incidents = (await store.list(namedNamespaces(base.config)))
      // Without -n all are shown, also of a namespace that has been left out of the scope since.
      .filter((incident) => flags.namespace === undefined || inScope(incident.metadata.namespace, base.config))
      .toSorted((a, b) => (b.metadata.creationTimestamp ?? "").localeCompare(a.metadata.creationTimestamp ?? ""));
    const now = base.clock.now();
    if (words[0] !== undefined) {
      const incident = pick(incidents, words[0]);
      process.stdout.write(base.output === "json" ? `${JSON.stringify(incident, null, 2)}\n` : show(incident, now));
      return 0;
    }
    if (base.output === "json") process.stdout.write(`${JSON.stringify(incidents, null, 2)}\n`);
    else if (incidents.length === 0) process.stdout.write("No incidents.\n");
    else
      process.stdout.write(
        table(
          ["NAMESPACE", "NAME", "PHASE", "WORKLOAD", "FIX", "LIVE", "PULL REQUEST", "AGE"],
          incidents.map((incident) => row(incident, now)),
        ),
      );
    return 0;
  } finally {
    cluster.close();
  }
}

/** The incident of a name, or of NAMESPACE/NAME. Throws StanchError `config` when there is none, or more than one. */
export function pick(incidents: readonly Incident[], word: string): Incident {
  const hits = incidents.filter(
    (incident) =>
      incident.metadata.name === word || `${incident.metadata.namespace}/${incident.metadata.name}` === word,
  );
  const [hit, other] = hits;
  if (hit === undefined)
    throw new StanchError("config", `there is no incident "${word}"`, { hint: "`stanch incidents -A` lists them" });
  if (other !== undefined)
    throw new StanchError("config", `"${word}" names ${hits.length} incidents`, {
      hint: `write NAMESPACE/NAME: ${hits.map((incident) => `${incident.metadata.namespace}/${incident.metadata.name}`).join(", ")}`,
    });
  return hit;
}

function row(incident: Incident, now: Date): string[] {
  const { metadata, spec, status } = incident;
  return [
    metadata.namespace,
    metadata.name,
    status?.phase ?? "-",
    `${spec.workload.kind.toLowerCase()}/${spec.workload.name}`,
    status?.plan?.title ?? "-",
    // What stands live, and what `stanch undo` would take back.
    isStanding(incident) ? "stands" : status?.hotfix?.undoneAt === undefined ? "-" : "undone",
    status?.pullRequest?.url ?? "-",
    age(metadata.creationTimestamp ?? "", now),
  ];
}

function show(incident: Incident, now: Date): string {
  const { metadata, spec, status } = incident;
  const lines = [
    `Incident:      ${metadata.namespace}/${metadata.name}`,
    `Workload:      ${describeRef(spec.workload)}${spec.container === undefined ? "" : `, container ${spec.container}`}`,
    `Symptom:       ${spec.symptom}: ${status?.summary ?? ""}`,
    `Phase:         ${status?.phase ?? "-"}: ${status?.message ?? ""}`,
    ...(status?.cause === undefined ? [] : [`Cause:         ${status.cause}`]),
    ...(status?.culprit === undefined
      ? []
      : [
          `Brought in by: ${status.culprit.sha.slice(0, 7)} "${status.culprit.subject}" of ${status.culprit.author}, ${status.culprit.at}`,
        ]),
    ...(status?.plan === undefined ? [] : [`Remedy:        ${status.plan.title}`]),
    ...(status?.plan?.changes ?? []).map(
      (change) =>
        `               ${describeRef(change.object)} ${formatPath(change.path)}: ${JSON.stringify(change.from) ?? "(not set)"} → ${JSON.stringify(change.to) ?? "(not set)"}`,
    ),
    ...(status?.hotfix?.action === undefined ? [] : [`Live action:   ${describeAction(status.hotfix.action)}`]),
    ...(status?.hotfix === undefined
      ? []
      : [
          `Live change:   ${status.hotfix.undoneAt === undefined ? `applied ${age(status.hotfix.appliedAt, now)} ago` : `taken back ${age(status.hotfix.undoneAt, now)} ago`}`,
        ]),
    ...(status?.pullRequest === undefined ? [] : [`Pull request:  ${status.pullRequest.url}`]),
    ...(status?.code?.pullRequest === undefined
      ? []
      : [`Fix of program: ${status.code.pullRequest.url} (a draft that a model wrote)`]),
    "",
    "Timeline:",
    ...(status?.timeline ?? []).map((entry) => `  ${entry.at}  ${entry.phase.padEnd(10)}  ${entry.text}`),
    ...((status?.evidence.length ?? 0) === 0
      ? []
      : [
          "",
          "Evidence:",
          ...(status?.evidence ?? []).map(
            (item) => `  ${item.id} [${item.kind}] ${item.text.split("\n").join("\n       ")}`,
          ),
        ]),
  ];
  return printable(`${lines.join("\n")}\n`);
}

/** What was done that is no change of a field, word by word. */
function describeAction(action: LiveAction): string {
  const pods = `pod${action.pods.length === 1 ? "" : "s"} ${action.pods.join(", ")}`;
  return action.kind === "evict"
    ? `evicted ${pods}`
    : `ran ${JSON.stringify(action.command)} in container ${action.container} of ${pods}`;
}
