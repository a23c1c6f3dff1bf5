import { advise } from "./advise.ts";
import { inScope, namedNamespaces } from "./config/scope.ts";
import { remedyContext } from "./context.ts";
import { messageOf, StanchError } from "./errors.ts";
import { followCode } from "./follow-code.ts";
import { followIssue } from "./follow-issue.ts";
import { followUp, repair } from "./follow-up.ts";
import { originOf } from "./gitops/configured-source.ts";
import { isContained } from "./incident/containing.ts";
import { isEcho } from "./incident/echo.ts";
import { CLOSED, type Incident, incidentName } from "./incident/incident.ts";
import { takeLease } from "./incident/lease.ts";
import { describeRef, sameRef } from "./kube/ref.ts";
import { inContext } from "./log.ts";
import type { Diagnosis, Finding, ObjectRef, Outcome } from "./model.ts";
import { createTeller, type Teller } from "./notify/tell.ts";
import { entryOf, remember, resultOf } from "./remember.ts";
import type { Run, RunReport } from "./run.ts";
import { cutOffs as findCutOffs } from "./steps/cut-off.ts";
import { detect } from "./steps/detect.ts";
import { diagnose } from "./steps/diagnose.ts";
import { gather } from "./steps/gather.ts";
import { group } from "./steps/group.ts";
import { inspect } from "./steps/inspect.ts";
import { listen } from "./steps/listen.ts";
import { type Observation, observe } from "./steps/observe.ts";
import { treat } from "./treat.ts";

/**
 * One cycle: what earlier runs left half done, what the cluster shows, open incidents, then what is new. The findings of
 * a scan are handled one after the other and independently: a fault of one never stops the others.
 */
export async function cycle(run: Omit<Run, "renew">, holder: string): Promise<RunReport> {
  const writes = run.config.mode !== "observe" && !run.dryRun;
  const lease = writes
    ? await takeLease(run.cluster, run.clock, { namespace: run.config.namespace, holder, durationMs: run.config.lease })
    : null;
  let renewed = run.clock.now().getTime();
  const renew = async (): Promise<void> => {
    // A third of the duration leaves two more chances before another run may take over.
    if (lease === null || run.clock.now().getTime() - renewed < run.config.lease / 3) return;
    await lease.renew();
    renewed = run.clock.now().getTime();
  };
  const teller = createTeller(run, writes);
  try {
    const report = await everything({ ...run, renew }, teller);
    await run.meter.time("notify", () => teller.over({ report }));
    if (lease !== null) await remember(entryOf(report, resultOf(report), run), run);
    return report;
  } catch (error) {
    await teller.over({ error });
    throw error;
  } finally {
    await lease?.release().catch((error: unknown) => run.log.warn("lease not released", { error: messageOf(error) }));
  }
}

async function everything(run: Run, teller: Teller): Promise<RunReport> {
  const outcomes: Outcome[] = [];
  const writes = run.config.mode !== "observe" && !run.dryRun;
  let incidents = writes || run.config.mode === "observe" ? await readIncidents(run) : [];
  if (writes)
    for (const incident of incidents)
      outcomes.push(
        ...(await guarded(run, subjectOf(incident), () => run.meter.time("repair", () => repair(incident, run)))),
      );

  run.log.progress("reading the cluster");
  // Git is fetched meanwhile where it is little.
  if (run.config.sources.length <= FEW_SOURCES)
    for (const entry of run.config.sources) run.workbench.bench(originOf(entry)).catch(() => undefined);
  let seen = await run.meter.time("observe", () => observe(run.cluster, run.config, run.clock));
  let findings = await run.meter.time("detect", () => detect(seen.snapshot, run.config.detect));
  // What fails in the cluster does not wait for what only Git says.
  const inspectFirst = !findings.some((finding) => finding.unripe === undefined);
  if (inspectFirst) {
    seen = await inspected(seen, run);
    findings = detect(seen.snapshot, run.config.detect);
  }
  const ripe = findings.filter((finding) => finding.unripe === undefined);
  run.tally.ripe = ripe.length;
  run.workbench.prefetch(ripe.map((finding) => finding.workload));
  run.log.debug("cluster read", {
    ...seen.snapshot.counts,
    findings: findings.length,
    ripe: ripe.length,
    gaps: seen.snapshot.gaps.length,
  });

  if (writes) {
    incidents = await readIncidents(run);
    for (const incident of incidents)
      outcomes.push(
        ...(await guarded(run, subjectOf(incident), () =>
          run.meter.time("follow-up", () => followUp(incident, findings, seen, run)),
        )),
      );
    incidents = await readIncidents(run);
    for (const incident of incidents)
      outcomes.push(
        ...(await guarded(run, subjectOf(incident), () => run.meter.time("report", () => followIssue(incident, run)))),
      );
    if (incidents.some((incident) => incident.status?.issue !== undefined)) incidents = await readIncidents(run);
    const proposed = incidents.filter((incident) => incident.status?.code?.pullRequest !== undefined);
    for (const incident of proposed)
      outcomes.push(
        ...(await guarded(run, subjectOf(incident), () => run.meter.time("report", () => followCode(incident, run)))),
      );
    if (proposed.length > 0) incidents = await readIncidents(run);
    // What became of open incidents does not wait until new ones are treated, which takes minutes.
    await run.meter.time("notify", () => teller.all());
  }

  const first = findings.filter((finding) => !isAtWork(finding, seen, busyWith(outcomes, findings)));
  outcomes.push(...(await treatAll(first, seen, incidents, run, teller)));
  if (!inspectFirst) {
    const later = await inspected(seen, run);
    const refused = detect(later.snapshot, run.config.detect).filter(
      (finding) => AFTER_COMMITS.has(finding.symptom.kind) && !isAtWork(finding, later, busyWith(outcomes, [])),
    );
    run.tally.ripe += refused.length;
    findings = [...findings, ...refused];
    outcomes.push(...(await treatAll(refused, later, incidents, run, teller)));
  }
  await run.meter.time("notify", () => teller.all({ last: true }));
  const now = run.clock.now().getTime();
  return {
    outcomes,
    scanned: seen.snapshot.counts,
    gaps: seen.snapshot.gaps,
    findings: countFindings(findings),
    seconds: Math.round((now - run.startedAt) / 100) / 10,
    ...(run.tally.firstHotfixMs === undefined ? {} : { firstHotfixSeconds: run.tally.firstHotfixMs / 1000 }),
    ...(run.tally.firstPullRequestMs === undefined
      ? {}
      : { firstPullRequestSeconds: run.tally.firstPullRequestMs / 1000 }),
    ...(run.tally.model === undefined ? {} : { model: run.tally.model }),
  };
}

function countFindings(findings: readonly Finding[]): RunReport["findings"] {
  const counts: Record<string, { readonly ripe: number; readonly unripe: number }> = {};
  for (const { symptom, unripe } of findings) {
    const { ripe = 0, unripe: watched = 0 } = counts[symptom.kind] ?? {};
    counts[symptom.kind] = unripe === undefined ? { ripe: ripe + 1, unripe: watched } : { ripe, unripe: watched + 1 };
  }
  return counts;
}

const AFTER_COMMITS: ReadonlySet<string> = new Set(["ManifestRefused", "Complains", "CutOff"]);

/**
 * Is something done, or waited for, about what a recent commit may have to do with: the object itself, or those that ask for what was
 * taken? Two answers to one fault would be one too many.
 */
function isAtWork({ workload, symptom }: Finding, { snapshot }: Observation, busy: readonly ObjectRef[]): boolean {
  if (symptom.kind !== "Complains" && symptom.kind !== "CutOff") return false;
  const state = snapshot.cutOffs.find(({ ref }) => sameRef(ref, workload));
  const near = [workload, ...(state?.clients ?? [])];
  return busy.some((other) => near.some((ref) => sameRef(ref, other)));
}

/** Objects about which something is done, or waited for. */
function busyWith(outcomes: readonly Outcome[], findings: readonly Finding[]): ObjectRef[] {
  return [
    ...outcomes.filter(({ kind }) => !DONE_WITH.has(kind)).map(({ workload }) => workload),
    ...findings
      .filter(({ symptom, unripe }) => unripe !== undefined && !AFTER_COMMITS.has(symptom.kind))
      .map(({ workload }) => workload),
  ];
}

/** Nothing was found to do about it. */
const DONE_WITH: ReadonlySet<Outcome["kind"]> = new Set(["escalated", "reported", "resolved"]);

/** Repositories that are few enough to be fetched before anything is known to need them. */
const FEW_SOURCES = 4;

async function inspected(seen: Observation, run: Run): Promise<Observation> {
  const refused = await run.meter.time("inspect", () => inspect(run, seen));
  const complaints = await run.meter.time("inspect", () => listen(run, seen));
  const cutOffs = await run.meter.time("inspect", () => findCutOffs(run, seen));
  return { ...seen, snapshot: { ...seen.snapshot, refused, complaints, cutOffs }, inspected: true };
}

/** Diagnoses and treats what is ripe, says what is not. */
async function treatAll(
  findings: readonly Finding[],
  seen: Observation,
  incidents: readonly Incident[],
  run: Run,
  teller: Teller,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const ripe = findings.filter((finding) => finding.unripe === undefined);
  const open = new Map(incidents.map((incident) => [incident.spec.fingerprint, incident]));
  const covered = new Set(
    incidents
      .filter((incident) => !CLOSED.includes(incident.status?.phase ?? "Detected"))
      .flatMap((incident) => incident.status?.covers ?? []),
  );
  for (const finding of findings) {
    if (finding.unripe !== undefined)
      outcomes.push({
        kind: "watching",
        workload: finding.workload,
        symptom: finding.symptom.kind,
        message: `${finding.summary} Not acted on yet: ${finding.unripe}`,
      });
  }

  // Diagnose all first: findings that one commit brought in are one incident and one pull request.
  const diagnoses: Diagnosis[] = [];
  for (const finding of ripe) {
    if (covered.has(finding.fingerprint) || !mayTreat(open.get(finding.fingerprint), run)) continue;
    const echoed = incidents.find((incident) => isEcho(finding, incident, run.clock.now(), run.config.detect.recent));
    if (echoed !== undefined) {
      const message = `${finding.summary} Not acted on yet: it began before ${echoed.metadata.name} was resolved, and may be what is left of it.`;
      outcomes.push({ kind: "watching", workload: finding.workload, symptom: finding.symptom.kind, message });
      continue;
    }
    await run.renew();
    run.log.progress(`looking into ${describeRef(finding.workload)}`);
    const fault = await guarded(run, subjectOf(finding), () =>
      run.meter.time("diagnose", async () => {
        const gathered = await gather(finding, seen.snapshot, run.reading);
        const known = open.get(finding.fingerprint);
        const context = await remedyContext(gathered, seen, run, known);
        const byRules = await diagnose(gathered, context);
        diagnoses.push(await run.meter.time("advise", () => advise(byRules, context, run, known)));
        return [];
      }),
    );
    outcomes.push(...fault);
  }
  for (const cause of group(diagnoses)) {
    await run.renew();
    const done = await guarded(run, subjectOf(cause.primary.finding), async () => [
      await treat(cause.primary, cause.covers, seen, run, open.get(cause.primary.finding.fingerprint)),
    ]);
    outcomes.push(...done);
    for (const { incident } of done) await run.meter.time("notify", () => teller.about(incident));
  }
  return outcomes;
}

/** What an incident or a finding is about; stands in every log line of what is done about it. */
interface Subject {
  readonly workload: Finding["workload"];
  readonly symptom: Finding["symptom"]["kind"];
  /** `namespace/name`, of a finding the one that it has or will have. */
  readonly incident: string;
}

function subjectOf(of: Incident | Finding): Subject {
  if ("spec" in of) {
    const { namespace, name } = of.metadata;
    return { workload: of.spec.workload, symptom: of.spec.symptom, incident: `${namespace}/${name}` };
  }
  const { workload, symptom } = of;
  return { workload, symptom: symptom.kind, incident: `${workload.namespace}/${incidentName(of)}` };
}

/** A fault of one finding becomes its outcome. Losing the lease ends the run: somebody else writes now. */
async function guarded(run: Run, subject: Subject, step: () => Promise<Outcome[]>): Promise<Outcome[]> {
  const { workload, symptom, incident } = subject;
  return inContext({ incident, workload: describeRef(workload), symptom }, () => stepOrFault(run, subject, step));
}

async function stepOrFault(run: Run, subject: Subject, step: () => Promise<Outcome[]>): Promise<Outcome[]> {
  const { workload, symptom } = subject;
  try {
    return await step();
  } catch (error) {
    if (error instanceof StanchError && error.code === "lease") throw error;
    const hint = error instanceof StanchError ? error.hint : undefined;
    run.log.error("finding failed", { error: messageOf(error), ...(hint === undefined ? {} : { hint }) });
    if (!(error instanceof StanchError))
      run.log.debug("stack", { stack: error instanceof Error ? (error.stack ?? "") : "" });
    return [
      { kind: "failed", workload, symptom, message: `${messageOf(error)}${hint === undefined ? "" : ` (${hint})`}` },
    ];
  }
}

async function readIncidents(run: Run): Promise<Incident[]> {
  try {
    const found = await run.store.list(namedNamespaces(run.config));
    // Others may be another run's: nothing that this one sees says anything about them.
    return found.filter((incident) => inScope(incident.spec.workload.namespace, run.config));
  } catch (error) {
    // Looking needs no custom resource; acting does.
    if (run.config.mode === "observe" || run.dryRun) return [];
    throw error;
  }
}

/** May a finding with this incident be treated anew? Follow-up has dealt with every other phase. */
function mayTreat(incident: Incident | undefined, run: Run): boolean {
  const status = incident?.status;
  if (status === undefined) return true;
  if (status.phase === "Silenced") return Date.parse(status.silencedUntil ?? "") < run.clock.now().getTime();
  // Contained by something that stands, it is followed; by something that was done, it may have to be done again.
  if (status.phase === "Contained") return incident === undefined || !isContained(incident);
  return ["Detected", "Diagnosed", "RolledBack", "Escalated", "Resolved"].includes(status.phase);
}
