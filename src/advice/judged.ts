import type { IncidentAdvice } from "../incident/incident.ts";
import type { ModelUse } from "../incident/run-history.ts";
import type { Evidence, Proposal } from "../model.ts";
import { type AnswerCheck, type Citation, confidenceOf } from "./citations.ts";

/** What an answer is worth. */
export interface Judged {
  /** Absent: there was no answer, and it may be asked again. */
  readonly outcome?: IncidentAdvice["outcome"];
  readonly said: string;
  readonly proposal?: Proposal;
  readonly cause?: string;
  readonly checks?: readonly AnswerCheck[];
  readonly citations?: readonly Citation[];
}

/** As the incident keeps it. */
export function adviceOf(
  judged: Judged,
  about: Pick<IncidentAdvice, "evidence" | "at" | "model">,
  spent: ModelUse,
): IncidentAdvice {
  const { outcome = "none", said, proposal, cause, checks, citations } = judged;
  return {
    ...about,
    outcome,
    said: said.slice(0, 900),
    ...(cause === undefined ? {} : { cause }),
    ...(proposal === undefined ? {} : { choice: { remedy: proposal.remedy, params: proposal.params } }),
    ...(proposal?.culprit === undefined ? {} : { culprit: proposal.culprit }),
    ...(checks === undefined ? {} : { confidence: confidenceOf(checks), checks }),
    ...(citations === undefined ? {} : { citations }),
    ...spent,
  };
}

/** Why it is proposed, for people. */
export function reasonOf(checks: readonly AnswerCheck[], citations: readonly Citation[]): string {
  const passed = checks.filter((check) => check.passed).length;
  return `No rule could prove a remedy; a model chose this one (confidence ${confidenceOf(checks)}: ${passed} of ${checks.length} checks of its answer passed). It cites ${[...new Set(citations.map(({ id }) => id))].slice(0, 10).join(", ")}.`;
}

/** What a model cited, as evidence of its choice. */
export function cited(citations: readonly Citation[]): Evidence[] {
  return citations.slice(0, 5).map(({ id, quote }, index) => ({
    id: `model${index + 1}`,
    kind: "status",
    text: `cited from ${id}: ${quote}`,
  }));
}
