import { evidenceFingerprint } from "./advice/fingerprint.ts";
import { hide } from "./advice/object-text.ts";
import { priceOf } from "./advice/prices.ts";
import { wordIt } from "./advice/prose.ts";
import { makeRedactor } from "./advice/redaction.ts";
import { add, spendIn } from "./advice/spend.ts";
import { messageOf, StanchError } from "./errors.ts";
import type { Incident, IncidentProse } from "./incident/incident.ts";
import { formatPath } from "./kube/field-path.ts";
import { describeRef } from "./kube/ref.ts";
import type { Change, Json, Plan, Proof } from "./model.ts";
import { keepAsked, openAccount } from "./model-account.ts";
import type { Run } from "./run.ts";
import { secretValues } from "./secret-values.ts";

/**
 * Has a small model word what the pull request tells, once for each change; the words are kept in the incident. Whatever goes wrong, the
 * report stands as it is without them: a run never fails for its words.
 */
export async function word(incident: Incident, plan: Plan, proof: Proof, live: boolean, run: Run): Promise<Incident> {
  const { model } = run;
  const { prose: name, prices, timeout } = run.config.model;
  const { status } = incident;
  if (model === undefined || name === "" || run.dryRun || status === undefined) return incident;
  const key = evidenceFingerprint([plan.changes, plan.choice.remedy, live, name]);
  const before = status.prose;
  if (before?.key === key) return incident;
  let stored = incident;
  try {
    const price = priceOf(name, prices);
    if (price === null) return incident;
    await run.renew();
    const about = { key, at: run.clock.now().toISOString(), model: name };
    // A run that ends in between leaves the change without words, and what they can have cost.
    const account = openAccount(status, run, async (own) => {
      stored = await keepAsked(stored, { prose: { ...about, ...add(spendIn(before), own) } }, run);
    });
    const said = await wordIt(factsOf(incident, plan, proof, live), {
      advisor: model.advisor,
      account,
      redactor: makeRedactor([...model.secrets, ...(await secretValues(incident.metadata.namespace, run))]),
      model: name,
      price,
      delimiter: model.draw(),
      timeoutMs: Math.min(timeout, run.config.lease / 2),
    });
    await run.renew();
    const own = account.own();
    const spent = add(spendIn(before), own);
    if ("problem" in said) {
      run.log.info("the report was not worded by a model", { reason: said.problem, ...own });
      if (own.requests === 0) return stored;
      // Nothing was paid: the next run may ask again.
      if (!said.paid && own.dollars === 0)
        return await run.store.keep(stored, { prose: { ...about, key: "", ...before, ...spent } });
    }
    const prose: IncidentProse = { ...about, ...("prose" in said ? said.prose : {}), ...spent };
    return await run.store.advance(stored, status.phase, status.message, { prose });
  } catch (error) {
    if (error instanceof StanchError && (error.code === "lease" || error.code === "conflict")) throw error;
    run.log.warn("the report was not worded by a model", { error: messageOf(error) });
    return stored;
  }
}

/** What the words are made of, and all that they may repeat. */
function factsOf({ status }: Incident, { finding, title, choice, changes }: Plan, proof: Proof, live: boolean): string {
  const { culprit } = choice;
  const lines = [
    `What failed: ${describeRef(finding.workload)}, ${finding.symptom.kind}, since ${finding.since}. ${finding.summary}`,
    `Cause: ${status?.cause ?? finding.summary}`,
    `Chosen by: ${choice.by === "model" ? "a model, which proves nothing" : "a rule"}. ${choice.reason}`,
    `The change: ${title}`,
    ...changes
      .slice(0, 20)
      .map(
        (change) =>
          `- ${describeRef(change.object)} ${formatPath(change.path)}: ${shown(change, change.from)} → ${shown(change, change.to)}`,
      ),
    ...(culprit === undefined
      ? []
      : [`Brought in by commit ${culprit.sha.slice(0, 10)}, ${culprit.at}: ${culprit.subject}`]),
    live
      ? `Applied live ${status?.hotfix?.appliedAt ?? ""}; seen then: ${status?.verification?.seen ?? "nothing yet"}.`
      : "Nothing was changed live; merging this brings the change.",
    `Proof: ${proof.complete ? "complete" : "not complete, so that this is a draft"}.`,
    ...(status?.timeline ?? []).slice(-15).map((entry) => `${entry.at} ${entry.phase}: ${entry.text.slice(0, 300)}`),
  ];
  return lines.join("\n").slice(0, 12_000);
}

function shown({ path }: Change, value: Json | undefined): string {
  if (value === undefined) return "(not set)";
  const item = path.findLast((step) => typeof step === "object");
  const name = typeof item === "object" && path.at(-1) === "value" ? String(item.value) : String(path.at(-1));
  const hidden = hide(value, name);
  return (typeof hidden === "string" ? hidden : JSON.stringify(hidden)).slice(0, 200);
}
