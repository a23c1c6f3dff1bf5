import { priceOf } from "./advice/prices.ts";
import { makeRedactor, type Redactor } from "./advice/redaction.ts";
import { add, spendIn } from "./advice/spend.ts";
import { type FailingProgram, versionOf } from "./code-evidence.ts";
import { formatFix } from "./code-fix/recording.ts";
import { type FixQuestion, type Sought, seekFix } from "./code-fix/seek.ts";
import { messageOf, StanchError } from "./errors.ts";
import type { Incident } from "./incident/incident.ts";
import type { IncidentCode } from "./incident/incident-code.ts";
import { packEdits } from "./incident/stored-fix.ts";
import { describeRef } from "./kube/ref.ts";
import type { Diagnosis, FileEdit } from "./model.ts";
import { openAccount } from "./model-account.ts";
import type { Checkout, CheckResult } from "./ports.ts";
import { redact } from "./redact.ts";
import type { ModelDoor, Run } from "./run.ts";
import { secretValues } from "./secret-values.ts";
import { type AppRepository, appEntryFor } from "./steps/app-repository.ts";

export interface CodeSearch {
  readonly incident: Incident;
  readonly diagnosis: Diagnosis;
  readonly app: Extract<AppRepository, { found: true }>;
  readonly program: FailingProgram;
  readonly evidence: string;
  readonly fault: string;
  /** Times that it was asked before. */
  readonly asked: number;
}

/** `code`: what the incident keeps; its fix is there when one was found, otherwise `reason` says why not. */
export interface CodeSought {
  readonly incident: Incident;
  readonly code?: IncidentCode;
  readonly reason: string;
}

/** Characters of a check's output that an incident keeps: its end. */
const OUTPUT = 4_000;

/**
 * Asks a model for a fix, within the budgets of its incident, of the run and of the day. That it is asked, and what each
 * request can cost, is stored before, and what it answers before anything is pushed. Throws StanchError; a lost lease among them.
 */
export async function seekCode(request: CodeSearch, run: Run): Promise<CodeSought> {
  const { program, evidence, fault, asked, diagnosis } = request;
  const { model: settings } = run.config;
  const door = run.model;
  const name = settings.code.model || settings.diagnosis;
  const price = priceOf(name, settings.prices);
  if (door === undefined || price === null) return { incident: request.incident, reason: "no model can be asked" };
  const checkout = await run.workbench.open(program.repository, undefined);
  const before = request.incident.status?.code;
  const begun: IncidentCode = {
    ...spendIn(before),
    evidence: "",
    fault,
    at: run.clock.now().toISOString(),
    model: name,
    repository: program.repository,
    image: versionOf(program),
    asked: asked + 1,
    outcome: "none",
    said: "the run that asked ended before the answer was kept",
  };
  let incident = await kept(request.incident, begun, run);
  run.tally.fixes = (run.tally.fixes ?? 0) + 1;
  run.log.progress(`asking ${name} for a fix of ${describeRef(program.finding.workload)} in ${program.repository}`);

  const redactor = makeRedactor([...door.secrets, ...(await secretValues(program.finding.workload.namespace, run))]);
  const account = openAccount(incident.status, run, async (own) => {
    incident = await kept(incident, { ...begun, ...add(spendIn(before), own) }, run);
  });
  const entry = entryOf(request, run);
  const check = checkOf(request, checkout, run);
  const question: FixQuestion = {
    diagnosis,
    image: program.image,
    repository: program.repository,
    folder: entry?.path ?? ".",
    delimiter: door.draw(),
  };
  const sought = await seekFix(question, {
    advisor: door.advisor,
    account,
    redactor,
    clock: run.clock,
    settings,
    price,
    tick: run.renew,
    // Half of the lease: another run must not take over while this one waits.
    mostMs: run.config.lease / 2,
    checkout,
    ...(check === undefined ? {} : { check }),
    ...(request.app.image?.revision === undefined ? {} : { deployed: request.app.image.revision }),
  });
  await run.renew();
  await record({ incident, question, sought, redactor }, run, door);
  const spent = add(spendIn(before), account.own());
  run.log.info("model asked for a fix", { model: name, found: sought.fixed, ...spent });

  const phase = incident.status?.phase ?? "Detected";
  if (!sought.fixed) {
    const said = sought.reason.slice(0, 900);
    // Nothing was learned where nothing was paid: the same may be asked again.
    const code = sought.paid
      ? { ...begun, ...spent, evidence, said }
      : { ...begun, ...spent, asked, said, evidence: before?.evidence ?? "" };
    incident = sought.paid
      ? await run.store.advance(incident, phase, `A model found no fix in ${program.repository}: ${said}.`, { code })
      : await run.store.keep(incident, { code });
    return { incident, code, reason: said };
  }
  const packed = packEdits(sought.edits);
  const answered: IncidentCode = { ...begun, ...spent, evidence, outcome: "fix", said: sought.summary.slice(0, 900) };
  if (packed === null) {
    const said = "what it wrote is larger than an incident can keep";
    const code: IncidentCode = { ...answered, outcome: "none", said };
    return { incident: await run.store.keep(incident, { code }), code, reason: said };
  }
  const { cause, summary, citations, checks, cautions, checked } = sought;
  const code: IncidentCode = {
    ...answered,
    fix: {
      base: checkout.revision,
      ...packed,
      cause: cause.slice(0, 2000),
      summary: summary.slice(0, 2000),
      citations: citations.slice(0, 20).map(({ id, quote }) => ({ id, quote: redactor.clean(quote).slice(0, 300) })),
      checks: checks.map((row) => ({ ...row, text: row.text.slice(0, 400) })),
      cautions: cautions.slice(0, 20).map((text) => text.slice(0, 400)),
      ...(checked === undefined ? {} : { checked: withoutSecrets(checked, redactor) }),
    },
  };
  const said = `A model wrote a fix of the program: ${code.said.replace(/\.$/, "")}.`;
  return { incident: await run.store.advance(incident, phase, said, { code }), code, reason: "" };
}

/** Stores that it is asked. Throws StanchError `config` where the cluster's definition is older and drops it: then it would be asked in each run. */
async function kept(incident: Incident, code: IncidentCode, run: Run): Promise<Incident> {
  const next = await run.store.keep(incident, { code });
  if (next.status?.code?.asked !== code.asked)
    throw new StanchError(
      "config",
      "incidents.stanch.dev is older than this program and does not keep what a model was asked",
      {
        hint: "kubectl apply --server-side -f deploy/crd.yaml",
      },
    );
  return next;
}

/** What `apps` says of the image, where it means this repository. */
function entryOf({ program }: CodeSearch, run: Run) {
  const entry = appEntryFor(program.image, run.config);
  return entry?.repository.toLowerCase() === program.repository.toLowerCase() ? entry : undefined;
}

/** Writes the exchange where that is wanted (`model.record`); a failure is logged and stops nothing. */
async function record(
  about: {
    readonly incident: Incident;
    readonly question: FixQuestion;
    readonly sought: Sought;
    readonly redactor: Redactor;
  },
  run: Run,
  door: ModelDoor,
): Promise<void> {
  if (door.save === undefined) return;
  const { namespace, name } = about.incident.metadata;
  const at = run.clock.now().toISOString();
  try {
    const { question, sought, redactor } = about;
    const text = formatFix({
      at,
      incident: `${namespace}/${name}`,
      version: run.version,
      question,
      sought,
      settings: run.config.model,
      redactor,
    });
    await door.save(`${namespace}.${name}.code.${at.replaceAll(/[:.]/g, "-")}.json`, text);
  } catch (error) {
    run.log.warn("exchange not recorded", { error: messageOf(error) });
  }
}

/** The check command on edits; undefined where there is none. */
function checkOf(request: CodeSearch, checkout: Checkout, run: Run) {
  const entry = entryOf(request, run);
  if (entry?.check === undefined || run.config.model.code.checks === 0) return undefined;
  const { command, timeout } = entry.check;
  return async (edits: readonly FileEdit[], mostMs: number): Promise<CheckResult> => {
    if (run.checks === undefined) return { ran: false, reason: "no sandbox is configured" };
    return run.checks.run({
      directory: checkout.directory,
      edits,
      folder: entry.path,
      command,
      timeoutMs: Math.max(1, Math.min(timeout, mostMs)),
      everyMs: run.config.lease / 4,
      tick: run.renew,
    });
  };
}

function withoutSecrets(checked: CheckResult, redactor: Redactor): CheckResult {
  const clean = (text: string): string => redact(redactor.clean(text));
  return checked.ran
    ? { ...checked, output: clean(checked.output).slice(-OUTPUT) }
    : { ran: false, reason: clean(checked.reason).slice(0, 400) };
}
