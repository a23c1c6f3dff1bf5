import { priceOf } from "./advice/prices.ts";
import { findPlace, type Place, refOfPull } from "./branch-place.ts";
import { codeEvidence, type FailingProgram, faultOf, hasLog, programName, versionOf } from "./code-evidence.ts";
import { messageOf, StanchError } from "./errors.ts";
import type { Incident } from "./incident/incident.ts";
import type { IncidentCode } from "./incident/incident-code.ts";
import type { Diagnosis } from "./model.ts";
import { formatCodeBranch } from "./pull-request/branch-name.ts";
import { parseCodeMarker } from "./pull-request/code-marker.ts";
import type { Run } from "./run.ts";
import { seekCode } from "./seek-code.ts";
import { type AppRepository, appEntryFor } from "./steps/app-repository.ts";
import { type CodeProposal, proposeCode } from "./steps/propose-code.ts";

export interface Mending {
  readonly incident: Incident;
  /** Of a fault that is the program's own. */
  readonly diagnosis: Diagnosis;
  readonly image: string;
  readonly app: Extract<AppRepository, { found: true }>;
}

/** `sentence`: what is so of a fix of the program, for people; "" where none is wanted. */
export interface Mended {
  readonly incident: Incident;
  readonly sentence: string;
}

/** Times that a model is asked about one fault, or one version; and pull requests for one fault. */
const ROUNDS = 2;

/**
 * Has a model write a fix of a program's own code, where that is allowed, and proposes it as a draft. What was asked, answered or refused before
 * stands. Whatever goes wrong, the report of the fault is the result: only a lost lease is thrown.
 */
export async function mend(request: Mending, run: Run): Promise<Mended> {
  const { incident } = request;
  const { model } = run.config;
  try {
    const program = programOf(request);
    const known = incident.status?.code;
    const stands = known === undefined ? null : standing(known, program);
    if (stands !== null) return { incident, sentence: stands };
    if (!model.enabled || !model.code.enabled) return { incident, sentence: "" };
    return await mended(request, program, run);
  } catch (error) {
    if (error instanceof StanchError && error.code === "lease") throw error;
    const hint = error instanceof StanchError && error.hint !== undefined ? ` (${error.hint})` : "";
    run.log.warn("no fix of the program was proposed", {
      repository: request.app.repository,
      error: messageOf(error),
    });
    const { namespace, name } = incident.metadata;
    const current = await run.store.get(namespace, name).catch(() => null);
    const sentence = `No fix of it could be proposed: ${messageOf(error).slice(0, 300)}${hint}; the next run tries again.`;
    return { incident: current ?? incident, sentence };
  }
}

function programOf({ diagnosis, image, app }: Mending): FailingProgram {
  const digest = app.image?.digest;
  return { finding: diagnosis.finding, image, repository: app.repository, ...(digest === undefined ? {} : { digest }) };
}

/** What people have said, or have still to say, of a fix that was proposed. */
function standing(code: IncidentCode, program: FailingProgram): string | null {
  const { pullRequest, closedAt, mergedAt } = code;
  if (pullRequest === undefined) return null;
  const { url } = pullRequest;
  if (closedAt !== undefined)
    return code.fault === faultOf(program) ? `${url} was closed: no other fix of this fault is written.` : null;
  if (mergedAt === undefined) return `A draft fix of the program waits for people: ${url}.`;
  return code.image === versionOf(program)
    ? `${url} is merged; a version of the program that has it is awaited.`
    : null;
}

async function mended(request: Mending, program: FailingProgram, run: Run): Promise<Mended> {
  const { incident } = request;
  const { repository } = program;
  const known = incident.status?.code;
  // Written in an earlier run, and not known to be proposed: that costs nothing more.
  if (known?.fix !== undefined && known.image === versionOf(program)) return propose(request, program, known, run);
  const model = modelOf(run);
  const evidence = codeEvidence(program, model);
  if (known?.evidence === evidence)
    return { incident, sentence: `A model found no fix in ${repository}: ${known.said.slice(0, 300)}.` };
  const objection = objectionTo(request, program, model, run);
  if (objection !== null) return { incident, sentence: objection };

  const seen = await run.codeHost.check(repository);
  if (seen.archived) return { incident, sentence: `No fix of it is written: ${repository} is archived.` };
  if (!seen.push)
    return { incident, sentence: `No fix of it is written: ${seen.login} may not push to ${repository}.` };
  const fault = faultOf(program);
  const place = await placeOf(program, evidence, run);
  if (place.kind !== "new") return adopt(incident, place, { evidence, fault, model, program }, run);
  const crowd = later(run) ?? (await crowded(repository, run));
  if (crowd !== null) return { incident, sentence: crowd };

  const sought = await seekCode({ ...request, program, evidence, fault, asked: askedBefore(known, program) }, run);
  return sought.code?.fix === undefined
    ? { incident: sought.incident, sentence: `No fix of it is written: ${sought.reason}.` }
    : propose({ ...request, incident: sought.incident }, program, sought.code, run);
}

export const modelOf = ({ config }: Pick<Run, "config">): string => config.model.code.model || config.model.diagnosis;

/** Times that it was asked about this fault, in whatever version, or about this version. */
function askedBefore(known: IncidentCode | undefined, program: FailingProgram): number {
  if (known === undefined) return 0;
  return known.fault === faultOf(program) || known.image === versionOf(program) ? known.asked : 0;
}

/** Why a model is not asked, as far as that is known without asking anybody; null: it may be. */
function objectionTo(
  { incident, diagnosis, app }: Mending,
  program: FailingProgram,
  model: string,
  run: Run,
): string | null {
  const { config } = run;
  const { repository, finding } = program;
  const no = (reason: string): string => `No fix of it is written: ${reason}.`;
  if (run.model === undefined) return no("ANTHROPIC_API_KEY is not set");
  if (!isNamed(repository, run))
    return no(`${repository} is known by ${app.how}; name it in \`apps\` to have a model write there`);
  if (!hasLog(finding)) return no("its log says nothing");
  if (diagnosis.rejected.some(({ remedy, reason }) => remedy === "model" && reason.startsWith("it waits")))
    return no("first a model is asked for a remedy, by the next run");
  const asked = askedBefore(incident.status?.code, program);
  if (asked >= ROUNDS) return no(`a model was asked for one ${asked} times; a person must write it`);
  if (priceOf(model, config.model.prices) === null)
    return no(`what ${model} costs is not known; set model.prices, or it is not asked`);
  return null;
}

/**
 * May a model write there? An issue may be told where others lead, within bounds; code is written only where the configuration names the
 * repository itself.
 */
function isNamed(repository: string, { config }: Pick<Run, "config">): boolean {
  return [...config.apps, ...config.sources].some(
    (entry) => entry.repository.toLowerCase() === repository.toLowerCase(),
  );
}

function placeOf(program: FailingProgram, evidence: string, run: Run): Promise<Place> {
  const { cluster, pullRequest } = run.config;
  const name = (round: number): string =>
    formatCodeBranch({
      prefix: pullRequest.branchPrefix,
      cluster,
      program: programName(program.image),
      fingerprint: faultOf(program),
      round,
    });
  return findPlace(program.repository, name, ROUNDS, run, ({ body }) => parseCodeMarker(body)?.evidence === evidence);
}

/** Another workload's pull request for the same fault, or what is left of one that this incident does not know any more. Nothing is asked. */
async function adopt(
  incident: Incident,
  place: Exclude<Place, { kind: "new" }>,
  facts: {
    readonly evidence: string;
    readonly fault: string;
    readonly model: string;
    readonly program: FailingProgram;
  },
  run: Run,
): Promise<Mended> {
  const { pull } = place;
  const { program, evidence, fault, model } = facts;
  const at = run.clock.now().toISOString();
  const same = parseCodeMarker(pull.body)?.evidence === evidence;
  if (place.kind === "exhausted" && !same)
    return {
      incident,
      sentence: `${ROUNDS} fixes of it were merged (last ${pull.url}), and it still fails. A person must look.`,
    };
  const before = incident.status?.code;
  const code: IncidentCode = {
    ...spendOf(before),
    evidence,
    fault,
    at,
    model,
    repository: program.repository,
    image: versionOf(program),
    asked: askedBefore(before, program),
    outcome: "fix",
    said: `${pull.url} is for the same fault`,
    pullRequest: refOfPull(pull),
    ...(place.kind === "refused" ? { closedAt: at } : {}),
    ...(place.kind === "exhausted" ? { mergedAt: pull.mergedAt ?? at } : {}),
  };
  const { phase = "Detected" } = incident.status ?? {};
  const next = await run.store.advance(incident, phase, `Found ${pull.url}: a fix for the same fault.`, { code });
  return { incident: next, sentence: standing(code, program) ?? "" };
}

export function spendOf(code: IncidentCode | undefined) {
  const { requests = 0, inputTokens = 0, outputTokens = 0, cacheReadTokens = 0, dollars = 0 } = code ?? {};
  return { requests, inputTokens, outputTokens, cacheReadTokens, dollars };
}

/** What this run has done already is enough. */
function later({ config, tally }: Run): string | null {
  const no = (reason: string): string => `No fix of it is written: it waits for the next run: ${reason} in this one.`;
  if ((tally.fixes ?? 0) >= config.model.code.perRun) return no(`a model was asked for ${config.model.code.perRun}`);
  if (tally.opened >= config.guard.newPullRequests)
    return no(`${config.guard.newPullRequests} pull requests were opened`);
  return null;
}

/** Fixes that wait for people already are no reason to write more of them. */
async function crowded(repository: string, run: Run): Promise<string | null> {
  const { openPullRequests: most } = run.config.guard;
  const open = await run.codeHost.openPullRequests(repository, `${run.config.pullRequest.branchPrefix}/`);
  const fixes = open.filter(({ body }) => parseCodeMarker(body) !== null).length;
  return fixes < most
    ? null
    : `No fix of it is written yet: ${fixes} wait for people in ${repository} (guard.openPullRequests).`;
}

async function propose(request: Mending, program: FailingProgram, code: IncidentCode, run: Run): Promise<Mended> {
  const { diagnosis, image, app } = request;
  const found = await placeOf(program, code.evidence, run);
  const { namespace, name } = request.incident.metadata;
  // Of this incident: a run opened it, and ended before it wrote that down.
  const isOurs = found.kind === "open" && parseCodeMarker(found.pull.body)?.incident === `${namespace}/${name}`;
  if (found.kind !== "new" && !(found.kind === "open" && isOurs)) {
    const { evidence, fault, model } = code;
    return adopt(request.incident, found, { evidence, fault, model, program }, run);
  }
  const place: CodeProposal["place"] = found;
  const checkout = await run.workbench.open(program.repository, undefined);
  const command = commandOf(request, run);
  return proposeCode(
    {
      incident: request.incident,
      code,
      place,
      checkout,
      finding: diagnosis.finding,
      image,
      how: app.how,
      ...(app.image === undefined ? {} : { origin: app.image }),
      ...(command === undefined ? {} : { command }),
    },
    run,
  );
}

/** The check command that the configuration names for this image, in this repository. */
function commandOf({ image, app }: Mending, { config }: Pick<Run, "config">): readonly string[] | undefined {
  const entry = appEntryFor(image, config);
  return entry?.repository.toLowerCase() === app.repository.toLowerCase() ? entry.check?.command : undefined;
}
