import { IGNORE, inScope } from "./config/scope.ts";
import { messageOf } from "./errors.ts";
import type { Incident } from "./incident/incident.ts";
import { outcomeOf } from "./incident/outcome.ts";
import { containerOf } from "./kube/template.ts";
import { mend } from "./mend.ts";
import type { Commit, Diagnosis, Outcome, PullRequestRef } from "./model.ts";
import type { RemedyContext } from "./remedies/remedy.ts";
import type { Run } from "./run.ts";
import { type AppRepository, findAppRepository } from "./steps/app-repository.ts";
import { type Reported, reportIssue, withSentence } from "./steps/report.ts";

export interface Escalation {
  readonly incident: Incident;
  readonly diagnosis: Diagnosis;
  readonly context: RemedyContext;
  /** Why no remedy was of use. */
  readonly refusals: readonly string[];
  /** What a person must do. */
  readonly text: string;
}

/** A person is needed: the incident says for what, once. A fault of the program itself is told where its code is. */
export async function escalate(request: Escalation, run: Run): Promise<Outcome> {
  if (isPrograms(request, run)) return escalateProgram(request, run);
  return outcomeOf(await store(request, NOT_TOLD, "", run), "escalated");
}

/** Told first, and only then mended: a model may take minutes. */
async function escalateProgram(request: Escalation, run: Run): Promise<Outcome> {
  const told = await tellProgram(request, run);
  const { app, image } = told;
  if (app === undefined || image === undefined || told.phase === "Silenced")
    return outcomeOf(await store(request, told, "", run), told.phase === "Silenced" ? "closed" : "escalated");
  let { incident } = request;
  if (incident.status?.phase !== told.phase || told.more.issue?.number !== incident.status.issue?.number)
    incident = await store({ ...request, incident }, told, "", run);
  const before = fixIn(incident);
  const { diagnosis } = request;
  const mended = await run.meter.time("advise", () => mend({ incident, diagnosis, image, app }, run));
  incident = mended.incident;
  // The report says where the fix is, as soon as there is one.
  const after =
    fixIn(incident)?.url === before?.url ? told : await tellProgram({ ...request, incident }, run, told.arrived);
  return outcomeOf(await store({ ...request, incident }, { ...told, ...after }, mended.sentence, run), "escalated");
}

const NOT_TOLD: Reported = { phase: "Escalated", sentence: "", more: {} };

/** The incident as it is told now; written only when that is something else. */
async function store(
  { incident, diagnosis, text }: Pick<Escalation, "incident" | "diagnosis" | "text">,
  said: Reported,
  also: string,
  run: Run,
): Promise<Incident> {
  const message = withSentence(text, `${said.sentence} ${also}`.trim());
  if (incident.status?.phase === said.phase && incident.status.message === message.slice(0, 1000)) return incident;
  return run.store.advance(incident, said.phase, message, { cause: diagnosis.cause, ...said.more });
}

/** A draft fix of the program that people may still look at, or have merged. */
function fixIn({ status }: Incident): PullRequestRef | undefined {
  return status?.code?.closedAt === undefined ? status?.code?.pullRequest : undefined;
}

/**
 * Does the cause lie in the program? It ends by itself with an error, and every remedy that was proposed was tried and did not help. What a
 * guard stopped, and what could not be tried, says nothing about the program.
 */
function isPrograms({ incident, diagnosis, context }: Escalation, run: Run): boolean {
  const { issues, guard } = run.config;
  const { symptom, workload } = diagnosis.finding;
  if (!issues.enabled || !issues.apps || run.tally.ripe > guard.storm) return false;
  if (symptom.kind !== "CrashLoop" || (symptom.exit !== "application" && symptom.exit !== "fault")) return false;
  const tried = new Set(incident.status?.tried.map((row) => row.remedy) ?? []);
  return (
    inScope(workload.namespace, run.config) &&
    context.workload?.object.metadata.annotations?.[IGNORE] !== "true" &&
    diagnosis.choices.every((choice) => tried.has(choice.remedy))
  );
}

interface Told extends Reported {
  /** Where its code is, when that is known. */
  readonly app?: Extract<AppRepository, { found: true }>;
  readonly image?: string;
  readonly arrived?: Commit | null;
}

/** `known`: the commit with which the image came; null where nobody knows. */
async function tellProgram(
  { incident, diagnosis, context, refusals }: Escalation,
  run: Run,
  known?: Commit | null,
): Promise<Told> {
  const { finding } = diagnosis;
  const object = context.workload?.object;
  const container = object === undefined ? null : containerOf(object, finding.container ?? "");
  const image = container?.spec["image"];
  if (object === undefined || container === null || typeof image !== "string") return NOT_TOLD;
  const app = await findAppRepository(
    {
      object,
      image,
      known: incident.status?.image,
      home: await homeOf(finding.workload, run),
      credentials: () => context.credentials(image),
    },
    run,
  );
  const more = app.image === undefined ? {} : { image: app.image };
  if (!app.found) return { phase: "Escalated", sentence: `It is not reported to its developers: ${app.reason}.`, more };
  const arrived = known ?? (await arrivalOf(finding.container ?? "", { diagnosis, context }, run));
  const fix = fixIn(incident);
  const told = await reportIssue(
    {
      incident: { ...incident, status: withEvidence(incident, diagnosis) },
      repository: app.repository,
      matter: {
        kind: "program",
        image,
        ...(app.image === undefined ? {} : { digest: app.image.digest }),
        ...(app.image?.revision === undefined ? {} : { revision: app.image.revision }),
        how: app.how,
        ...(arrived === null ? {} : { arrived }),
        ...(fix === undefined ? {} : { fix }),
        refusals,
      },
      live: false,
      since: finding.since,
    },
    run,
  );
  return { ...told, more: { ...more, ...told.more }, app, image, arrived };
}

/** The incident keeps what was seen first; what is told is what was seen last, with the end of the log. */
function withEvidence({ status }: Incident, { finding, cause }: Diagnosis): NonNullable<Incident["status"]> {
  if (status === undefined) throw new Error("an incident without status is not escalated");
  return { ...status, cause, summary: finding.summary, evidence: finding.evidence.slice(0, 20) };
}

/** The repository that the workload is deployed from, as far as that is known. */
async function homeOf(workload: Incident["spec"]["workload"], run: Run): Promise<string | undefined> {
  const found = await run.workbench.find(workload).catch(() => null);
  return found === null ? undefined : found.found ? found.bench.source.repository : found.repository;
}

/** The commit with which the image came: the last one that changed it in what is deployed. Never worth failing for. */
async function arrivalOf(
  container: string,
  { diagnosis, context }: Pick<Escalation, "diagnosis" | "context">,
  run: Run,
): Promise<Commit | null> {
  try {
    const versions = await context.previous(diagnosis.finding.workload);
    const isImage = ({ path }: { path: readonly unknown[] }): boolean => {
      const owner = path.at(-2);
      const name = typeof owner === "object" && owner !== null && "value" in owner ? owner.value : undefined;
      return path.at(-1) === "image" && name === container;
    };
    return versions.find((version) => version.changes.some(isImage))?.commit ?? null;
  } catch (error) {
    run.log.debug("no history", { error: messageOf(error) });
    return null;
  }
}
