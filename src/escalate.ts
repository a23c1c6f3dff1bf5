import type { Incident } from "./incident/incident.ts";
import { outcomeOf } from "./incident/outcome.ts";
import type { Diagnosis, Outcome } from "./model.ts";
import { spentOn } from "./remedies/containing.ts";
import type { RemedyContext } from "./remedies/remedy.ts";
import type { Run } from "./run.ts";
import { type Reported, withSentence } from "./steps/report.ts";
import { mayTell, tellProgram } from "./tell-program.ts";

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
  const { diagnosis, text } = request;
  const { cause } = diagnosis;
  let { incident } = request;
  const said = isPrograms(request, run)
    ? await tell(request, run)
    : { phase: "Escalated" as const, sentence: "", more: {} };
  const message = withSentence(text, said.sentence);
  if (incident.status?.phase !== said.phase || incident.status.message !== message.slice(0, 1000)) {
    incident = await run.store.advance(incident, said.phase, message, { cause, ...said.more });
  }
  return outcomeOf(incident, said.phase === "Silenced" ? "closed" : "escalated");
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

function tell({ incident, diagnosis, context, refusals }: Escalation, run: Run): Promise<Reported> {
  const { finding } = diagnosis;
  const contained = incident.status?.contained ?? [];
  const [last] = contained.slice(-1);
  return tellProgram(
    {
      incident: { ...incident, status: withEvidence(incident, diagnosis) },
      object: context.workload?.object,
      refusals,
      since: finding.since,
      previous: context.previous,
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
