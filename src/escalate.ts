import type { Incident } from "./incident/incident.ts";
import { outcomeOf } from "./incident/outcome.ts";
import { mend } from "./mend.ts";
import type { Commit, Diagnosis, Outcome, PullRequestRef } from "./model.ts";
import { spentOn } from "./remedies/containing.ts";
import type { RemedyContext } from "./remedies/remedy.ts";
import type { Run } from "./run.ts";
import { type Reported, withSentence } from "./steps/report.ts";
import { mayTell, type Told, tellProgram } from "./tell-program.ts";

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
  const told = await tell(request, run);
  const { app, image } = told;
  // Of a program that hangs no line tells where.
  const ends = request.diagnosis.finding.symptom.kind === "CrashLoop";
  if (!ends || app === undefined || image === undefined || told.phase === "Silenced")
    return outcomeOf(await store(request, told, "", run), told.phase === "Silenced" ? "closed" : "escalated");
  let { incident } = request;
  if (incident.status?.phase !== told.phase || told.more.issue?.number !== incident.status.issue?.number)
    incident = await store({ ...request, incident }, told, "", run);
  const before = fixIn(incident);
  const { diagnosis } = request;
  const mended = await run.meter.time("advise", () => mend({ incident, diagnosis, image, app }, run));
  incident = mended.incident;
  // The report says where the fix is, as soon as there is one.
  const after = fixIn(incident)?.url === before?.url ? told : await tell({ ...request, incident }, run, told.arrived);
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
 * Does the cause lie in the program? It ends by itself with an error, or hangs again and again, and every remedy that was proposed was tried
 * and did not help. What a guard stopped, and what could not be tried, says nothing about the program.
 */
function isPrograms({ incident, diagnosis, context }: Escalation, run: Run): boolean {
  const { symptom, workload } = diagnosis.finding;
  const ends = symptom.kind === "CrashLoop" && (symptom.exit === "application" || symptom.exit === "fault");
  // It hung, a new pod did not hang, and that came again and again.
  const hangs = symptom.kind === "NotReady" && spentOn("restart", context) !== null;
  if (!ends && !hangs) return false;
  const tried = new Set(incident.status?.tried.map((row) => row.remedy) ?? []);
  return (
    mayTell(workload, context.workload?.object, run) && diagnosis.choices.every((choice) => tried.has(choice.remedy))
  );
}

/** `arrived`: the commit with which the image came; null where nobody knows. */
function tell(
  { incident, diagnosis, context, refusals }: Escalation,
  run: Run,
  arrived?: Commit | null,
): Promise<Told> {
  const { finding } = diagnosis;
  const fix = fixIn(incident);
  const contained = incident.status?.contained ?? [];
  const [last] = contained.slice(-1);
  return tellProgram(
    {
      incident: { ...incident, status: withEvidence(incident, diagnosis) },
      object: context.workload?.object,
      refusals,
      since: finding.since,
      previous: context.previous,
      ...(arrived === undefined ? {} : { arrived }),
      ...(fix === undefined ? {} : { fix }),
      ...(last === undefined
        ? {}
        : {
            contained: `${last.title} (${contained.length} times, the last ${last.at.slice(0, 16)}Z); it did not last`,
          }),
    },
    run,
  );
}

/** The incident keeps what was seen first; what is told is what was seen last, with the end of the log. */
function withEvidence({ status }: Incident, { finding, cause }: Diagnosis): NonNullable<Incident["status"]> {
  if (status === undefined) throw new Error("an incident without status is not escalated");
  return { ...status, cause, summary: finding.summary, evidence: finding.evidence.slice(0, 20) };
}
