import { choiceOf } from "./advice/answer.ts";
import { type AnswerCheck, confidenceOf } from "./advice/citations.ts";
import { type Consulted, consult } from "./advice/consult.ts";
import { formatExchange } from "./advice/exchange.ts";
import { evidenceFingerprint } from "./advice/fingerprint.ts";
import { priceOf } from "./advice/prices.ts";
import { question } from "./advice/prompt.ts";
import { proseProblem } from "./advice/prose-check.ts";
import { makeRedactor, type Redactor } from "./advice/redaction.ts";
import { add, NOTHING } from "./advice/spend.ts";
import type { RemedyId } from "./config/schema.ts";
import { messageOf, StanchError } from "./errors.ts";
import type { Incident, IncidentAdvice } from "./incident/incident.ts";
import type { ModelUse } from "./incident/run-history.ts";
import { getAt } from "./kube/field-path.ts";
import type { Diagnosis, Evidence, Proposal } from "./model.ts";
import { openAccount } from "./model-account.ts";
import { causesOf } from "./remedies/git-history.ts";
import { remedies, remediesFor } from "./remedies/index.ts";
import type { RemedyContext } from "./remedies/remedy.ts";
import { subjectsOf } from "./remedies/restore-from-git.ts";
import type { ModelDoor, Run } from "./run.ts";
import { secretValues } from "./secret-values.ts";
import { sightOf } from "./sight.ts";
import { plan } from "./steps/plan.ts";

/**
 * Asks a model where rules end without a remedy that is left to try. What it may choose is fixed before it is asked; what it answers is
 * checked as if nobody had said it. Whatever goes wrong, the rules' diagnosis is the answer: a run never fails for a model's sake, but for a
 * lost lease.
 */
export async function advise(
  diagnosis: Diagnosis,
  context: RemedyContext,
  run: Run,
  known: Incident | undefined,
): Promise<Diagnosis> {
  const { model } = run;
  const { mode, guard } = run.config;
  if (model === undefined || mode === "observe" || run.dryRun || run.tally.ripe > guard.storm) return diagnosis;
  const status = known?.status;
  // What was tried before the incident was resolved may be tried again.
  const tried = new Set(status?.phase === "Resolved" ? [] : status?.tried.map((row) => row.remedy));
  if (diagnosis.choices.some((choice) => !tried.has(choice.remedy))) return diagnosis;
  const allowed = allowedFor(diagnosis, tried, run);
  if (allowed.length === 0) return diagnosis;
  try {
    return await asked(diagnosis, allowed, context, run, model);
  } catch (error) {
    if (error instanceof StanchError && error.code === "lease") throw error;
    run.log.warn("the model was not asked", { error: messageOf(error) });
    return noted(diagnosis, "it could not be asked because of a fault of our own");
  }
}

/** The remedies that a model may choose for a finding: enabled, allowed to it, of no higher risk, and not tried yet. */
export function allowedFor(diagnosis: Diagnosis, tried: ReadonlySet<string>, run: Pick<Run, "config">): RemedyId[] {
  const { model, remedies: own } = run.config;
  return remediesFor[diagnosis.finding.symptom.kind].filter((id) => {
    const risk = remedies.find((remedy) => remedy.id === id)?.risk;
    return (
      own.enabled.includes(id) &&
      (model.remedies as readonly string[]).includes(id) &&
      (risk === "low" || risk === model.risk) &&
      !tried.has(id)
    );
  });
}

async function asked(
  diagnosis: Diagnosis,
  allowed: readonly RemedyId[],
  context: RemedyContext,
  run: Run,
  door: ModelDoor,
): Promise<Diagnosis> {
  const { finding } = diagnosis;
  const settings = run.config.model;
  const evidence = await fingerprintOf(diagnosis, allowed, context, settings.diagnosis);
  const incident = await run.store.open(finding);
  const before = incident.status?.advice;
  if (before?.evidence === evidence) return fromAdvice(diagnosis, before, context);
  if ((run.tally.asked ?? 0) >= settings.perRun)
    return noted(diagnosis, `it waits for the next run: ${settings.perRun} incidents were asked about in this one`);
  const price = priceOf(settings.diagnosis, settings.prices);
  if (price === null)
    return noted(diagnosis, `what ${settings.diagnosis} costs is not known; set model.prices, or it is not asked`);
  run.tally.asked = (run.tally.asked ?? 0) + 1;
  run.log.progress(`asking ${settings.diagnosis} about ${finding.workload.kind} ${finding.workload.name}`);

  const redactor = makeRedactor([...door.secrets, ...(await secretValues(finding.workload.namespace, run))]);
  const account = openAccount(add(before ?? NOTHING, incident.status?.prose ?? NOTHING), run);
  const delimiter = door.draw();
  const consulted = await consult(
    {
      allowed,
      summaries: Object.fromEntries(remedies.map(({ id, summary }) => [id, summary])),
      delimiter,
      open: (book) => question(diagnosis, delimiter, book, redactor),
    },
    {
      advisor: door.advisor,
      look: sightOf(finding, context, run),
      account,
      redactor,
      clock: run.clock,
      settings,
      price,
      tick: run.renew,
      // Half of the lease: another run must not take over while this one waits.
      mostMs: run.config.lease / 2,
    },
  );
  await run.renew();
  const judged = await judge(consulted, diagnosis, context, redactor);
  await keep(consulted, { incident, delimiter, allowed, judged: judged.said }, redactor, run, door);
  const spent = add(spendIn(before), account.own());
  run.log.info("model asked", { model: settings.diagnosis, outcome: judged.outcome ?? "failed", ...spent });
  const told = judged.outcome === undefined ? undefined : adviceOf(judged, evidence, settings.diagnosis, spent, run);
  if (told !== undefined)
    await run.store.advance(incident, incident.status?.phase ?? "Detected", `A model was asked: ${told.said}`, {
      advice: told,
    });
  else if (spent.dollars > (before?.dollars ?? 0))
    await run.store.advance(
      incident,
      incident.status?.phase ?? "Detected",
      `A model was asked without an answer: ${judged.said}.`,
      {
        // Nothing was learned: the same may be asked again.
        advice: {
          ...NO_ANSWER,
          ...before,
          evidence: before?.evidence ?? "",
          ...spent,
          at: run.clock.now().toISOString(),
          model: settings.diagnosis,
        },
      },
    );
  return told === undefined ? noted(diagnosis, judged.said) : fromAdvice(diagnosis, told, context);
}

const NO_ANSWER = { outcome: "none", said: "it has not answered yet" } as const;

/** Of what an incident keeps, the spend alone. */
function spendIn(advice: IncidentAdvice | undefined): ModelUse {
  if (advice === undefined) return NOTHING;
  const { requests, inputTokens, outputTokens, cacheReadTokens, dollars } = advice;
  return { requests, inputTokens, outputTokens, cacheReadTokens, dollars };
}

interface Judged {
  /** Absent: there was no answer, and it may be asked again. */
  readonly outcome?: IncidentAdvice["outcome"];
  readonly said: string;
  readonly proposal?: Proposal;
  readonly cause?: string;
  readonly checks?: readonly AnswerCheck[];
  readonly citations?: readonly { readonly id: string; readonly quote: string }[];
}

/** What an answer is worth: citations were checked, ids become values of Git, and the plan's own checks have the last word. */
export async function judge(
  consulted: Consulted,
  diagnosis: Diagnosis,
  context: RemedyContext,
  redactor: Redactor,
): Promise<Judged> {
  if ("problem" in consulted)
    return consulted.paid ? { outcome: "rejected", said: consulted.problem } : { said: consulted.problem };
  const { answer, book, checks } = consulted;
  const facts = [...book.shown.values()].map(({ text }) => text).join("\n");
  const words = (text: string): string | undefined => {
    const clean = redactor.clean(text).replaceAll(/\s+/g, " ").trim();
    return proseProblem(clean, facts) === null ? clean : undefined;
  };
  const cause = words(answer.cause);
  const said = cause === undefined ? {} : { cause };
  if (answer.choice.remedy === "none") {
    const needs = words(answer.choice.needs);
    return { outcome: "none", said: `it found no remedy either${needs === undefined ? "" : `: ${needs}`}`, ...said };
  }
  const chosen = choiceOf(answer, book, ({ object, path }) => {
    const live = context.live(object);
    return live === null ? undefined : getAt(live, path);
  });
  if (chosen === null || "problem" in chosen)
    return { outcome: "rejected", said: chosen === null ? "it chose nothing" : chosen.problem, ...said };
  const { choice, culprit } = chosen;
  const citations = consulted.citations.map(({ id, quote }) => ({ id, quote: redactor.clean(quote).slice(0, 300) }));
  const origin: AnswerCheck = { id: "origin", passed: true, text: "its values come from where the remedy takes them" };
  const proposal: Proposal = {
    ...choice,
    by: "model",
    reason: reasonOf([...checks, origin], citations),
    evidence: cited(citations),
    ...(culprit === undefined ? {} : { culprit }),
  };
  const planned = await plan({ ...diagnosis, by: "model", choices: [proposal] }, proposal, context);
  if ("refused" in planned)
    return { outcome: "rejected", said: `its choice, ${choice.remedy}, does not pass: ${planned.refused}`, ...said };
  return {
    outcome: "choice",
    said: `it chose ${choice.remedy}: ${planned.title}`,
    proposal,
    checks: [...checks, origin],
    citations,
    ...said,
  };
}

function reasonOf(checks: readonly AnswerCheck[], citations: readonly { readonly id: string }[]): string {
  const passed = checks.filter((check) => check.passed).length;
  return `No rule could prove a remedy; a model chose this one (confidence ${confidenceOf(checks)}: ${passed} of ${checks.length} checks of its answer passed). It cites ${[...new Set(citations.map(({ id }) => id))].slice(0, 10).join(", ")}.`;
}

function adviceOf(judged: Judged, evidence: string, model: string, spent: ModelUse, run: Run): IncidentAdvice {
  const { outcome = "none", said, proposal, cause, checks, citations } = judged;
  return {
    evidence,
    at: run.clock.now().toISOString(),
    model,
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

/** A diagnosis from what the incident keeps of an answer. Its choice is planned again: the cluster may have moved on. */
async function fromAdvice(diagnosis: Diagnosis, advice: IncidentAdvice, context: RemedyContext): Promise<Diagnosis> {
  const { choice, culprit, cause, said } = advice;
  if (choice === undefined) return noted(diagnosis, said);
  const proposal: Proposal = {
    ...choice,
    by: "model",
    reason: reasonOf((advice.checks ?? []) as readonly AnswerCheck[], advice.citations ?? []),
    evidence: cited(advice.citations ?? []),
    ...(culprit === undefined ? {} : { culprit }),
  };
  const planned = await plan({ ...diagnosis, by: "model", choices: [proposal] }, proposal, context);
  if ("refused" in planned)
    return noted(diagnosis, `its choice, ${choice.remedy}, does not pass any more: ${planned.refused}`);
  const seen = /[.!?]$/.test(diagnosis.finding.summary) ? diagnosis.finding.summary : `${diagnosis.finding.summary}.`;
  return {
    ...diagnosis,
    by: "model",
    cause:
      cause === undefined
        ? `${seen} ${proposal.reason}`
        : `${seen} A model reads it so, which nothing proves: ${cause}`,
    choices: [...diagnosis.choices, proposal],
  };
}

/** The rules' diagnosis, with a word on why no model's is there. */
function noted(diagnosis: Diagnosis, reason: string): Diagnosis {
  return { ...diagnosis, rejected: [...diagnosis.rejected, { remedy: "model", reason }] };
}

/** Of everything that the model would be shown at first, and of the commits that it could be shown. */
async function fingerprintOf(
  { finding, rejected }: Diagnosis,
  allowed: readonly RemedyId[],
  context: RemedyContext,
  model: string,
): Promise<string> {
  const commits: string[] = [];
  for (const ref of subjectsOf(finding, context))
    for (const { commit } of await causesOf(ref, finding, context)) commits.push(commit.sha);
  const spec = context.live(finding.workload)?.["spec"] ?? null;
  const log = finding.evidence.map(({ kind, text }) => [
    kind,
    kind === "log" ? [...new Set(text.split("\n"))].toSorted() : text,
  ]);
  return evidenceFingerprint([model, allowed, finding.symptom, finding.container ?? "", log, rejected, spec, commits]);
}

/** Writes the exchange where that is wanted; a failure is logged and stops nothing. */
async function keep(
  consulted: Consulted,
  about: {
    readonly incident: Incident;
    readonly delimiter: string;
    readonly allowed: readonly RemedyId[];
    readonly judged: string;
  },
  redactor: Redactor,
  run: Run,
  door: ModelDoor,
): Promise<void> {
  if (door.save === undefined) return;
  const { namespace, name } = about.incident.metadata;
  const at = run.clock.now().toISOString();
  try {
    const text = formatExchange({
      ...about,
      at,
      incident: `${namespace}/${name}`,
      model: run.config.model.diagnosis,
      version: run.version,
      consulted,
      redactor,
    });
    await door.save(`${namespace}.${name}.${at.replaceAll(/[:.]/g, "-")}.json`, text);
  } catch (error) {
    run.log.warn("exchange not recorded", { error: messageOf(error) });
  }
}

/** What a model cited, as evidence of its choice. */
function cited(citations: readonly { readonly id: string; readonly quote: string }[]): Evidence[] {
  return citations.slice(0, 5).map(({ id, quote }, index) => ({
    id: `model${index + 1}`,
    kind: "status",
    text: `cited from ${id}: ${quote}`,
  }));
}
