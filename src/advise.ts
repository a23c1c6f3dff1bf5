import { choiceOf } from "./advice/answer.ts";
import type { AnswerCheck } from "./advice/citations.ts";
import { type Consulted, consult } from "./advice/consult.ts";
import { formatExchange } from "./advice/exchange.ts";
import { evidenceFingerprint } from "./advice/fingerprint.ts";
import { adviceOf, cited, type Judged, reasonOf } from "./advice/judged.ts";
import { priceOf } from "./advice/prices.ts";
import { question } from "./advice/prompt.ts";
import { proseProblem } from "./advice/prose-check.ts";
import { makeRedactor, type Redactor } from "./advice/redaction.ts";
import { add, spendIn } from "./advice/spend.ts";
import type { RemedyId } from "./config/schema.ts";
import { messageOf, StanchError } from "./errors.ts";
import type { Incident, IncidentAdvice } from "./incident/incident.ts";
import { getAt } from "./kube/field-path.ts";
import type { Diagnosis, Proposal } from "./model.ts";
import { keepAsked, openAccount } from "./model-account.ts";
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
  let incident = await run.store.open(finding);
  const before = incident.status?.advice;
  const asked = before?.evidence === evidence ? before.asked : 0;
  // What a run left without an end is asked once more: whatever ended it may end the next one, too.
  if (before !== undefined && (asked === undefined || asked >= TWICE)) return fromAdvice(diagnosis, before, context);
  if ((run.tally.asked ?? 0) >= settings.perRun)
    return noted(diagnosis, `it waits for the next run: ${settings.perRun} incidents were asked about in this one`);
  const price = priceOf(settings.diagnosis, settings.prices);
  if (price === null)
    return noted(diagnosis, `what ${settings.diagnosis} costs is not known; set model.prices, or it is not asked`);
  run.tally.asked = (run.tally.asked ?? 0) + 1;
  run.log.progress(`asking ${settings.diagnosis} about ${finding.workload.kind} ${finding.workload.name}`);

  const redactor = makeRedactor([...door.secrets, ...(await secretValues(finding.workload.namespace, run))]);
  const about = { evidence, at: run.clock.now().toISOString(), model: settings.diagnosis };
  const account = openAccount(incident.status, run, async (own) => {
    const advice = { ...UNSEEN, ...about, asked: (asked ?? 0) + 1, ...add(spendIn(before), own) };
    incident = await keepAsked(incident, { advice }, run);
  });
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
  const phase = incident.status?.phase ?? "Detected";
  if (judged.outcome !== undefined) {
    const advice = adviceOf(judged, { ...about, at: run.clock.now().toISOString() }, spent);
    await run.store.advance(incident, phase, `A model was asked: ${advice.said}`, { advice });
    return fromAdvice(diagnosis, advice, context);
  }
  if (account.own().requests > 0) {
    // Nothing was learned: the same may be asked again.
    const advice = { ...NO_ANSWER, ...about, evidence: "", ...before, ...spent };
    await (account.own().dollars > 0
      ? run.store.advance(incident, phase, `A model was asked without an answer: ${judged.said}.`, { advice })
      : run.store.keep(incident, { advice }));
  }
  return noted(diagnosis, judged.said);
}

/** Times that the same is asked where no end of it was seen. */
const TWICE = 2;
const NO_ANSWER = { outcome: "none", said: "it has not answered yet" } as const;
const UNSEEN = { outcome: "none", said: "the run that asked ended before the answer was kept" } as const;

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
