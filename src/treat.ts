import { guardContext, remedyContext } from "./context.ts";
import { StanchError } from "./errors.ts";
import { escalate } from "./escalate.ts";
import { aheadOf, waitForGit } from "./git-ahead.ts";
import { heal } from "./heal.ts";
import type { Incident } from "./incident/incident.ts";
import { raisesOf } from "./incident/raises.ts";
import { HELD_BY_OWN } from "./kube/own-pods.ts";
import { describeRef } from "./kube/ref.ts";
import type { Diagnosis, Finding, Hold, Outcome, Plan, Workload } from "./model.ts";
import type { Run } from "./run.ts";
import { act, planOf, tryAct } from "./steps/act.ts";
import { guard } from "./steps/guard.ts";
import type { Observation } from "./steps/observe.ts";
import { plan as draft } from "./steps/plan.ts";
import { verify } from "./steps/verify.ts";
import { takeBack } from "./take-back.ts";

/** One cause, from diagnosis to pull request: plan → guard → act → verify → locate → edit → prove → propose → record. */
export async function treat(
  diagnosis: Diagnosis,
  covers: readonly Finding[],
  seen: Observation,
  run: Run,
  known: Incident | undefined,
): Promise<Outcome> {
  const { finding } = diagnosis;
  if (run.config.mode === "observe") return report(diagnosis);
  const context = await remedyContext(finding, seen, run, known);
  let incident = run.dryRun ? null : await run.store.open(finding);
  if (incident !== null && known?.status?.phase === "Resolved") incident = await reopen(incident, finding, run);
  const tried = triedOf(incident);
  const refusals = diagnosis.rejected.map((row) => `${row.remedy}: ${row.reason}`);

  for (const choice of diagnosis.choices) {
    if (tried.has(choice.remedy)) continue;
    const planned = await run.meter.time("plan", () => draft(diagnosis, choice, context));
    if ("refused" in planned) {
      refusals.push(`${choice.remedy}: ${planned.refused}`);
      continue;
    }
    const current: Incident | null = incident;
    const knows = await run.meter.time("plan", () => guardContext(planned, seen, run, current));
    const verdict = guard(planned, knows);
    if (verdict.decision !== "live")
      run.meter.count("stanch_guard_objections_total", { guard: verdict.rule, decision: verdict.decision });
    const holds = [...knows.holds.values()].flatMap((held) => (held.possible ? [held.hold] : []));
    if (verdict.decision === "refuse") {
      refusals.push(`${choice.remedy}: ${verdict.reason} (${verdict.rule})`);
      continue;
    }
    if (planned.contains !== undefined && verdict.decision === "git-only") {
      refusals.push(`${choice.remedy}: ${verdict.reason} (${verdict.rule}), and it is nothing for Git`);
      continue;
    }
    const gitOnly = verdict.decision === "git-only" ? verdict.reason : planned.gitOnly;
    if (incident === null) return rehearse(planned, gitOnly, holds, run);

    incident = await run.store.advance(incident, "Diagnosed", `${diagnosis.cause} Remedy: ${planned.title}.`, {
      cause: diagnosis.cause,
      covers: covers.map((other) => other.fingerprint),
      plan: planOf(gitOnly === undefined ? planned : { ...planned, gitOnly }),
      evidence: [...finding.evidence, ...choice.evidence].slice(0, 20),
      ...(choice.culprit === undefined ? {} : { culprit: choice.culprit }),
    });
    // What stops the harm waits for nothing that Git says.
    const ahead = planned.contains === undefined ? await aheadOf(planned, run) : null;
    const waiting = ahead === null ? null : await waitForGit(incident, ahead, run);
    if (waiting !== null) return waiting;
    if (gitOnly !== undefined) return heal(incident, planned, { live: false, why: gitOnly }, run);
    if (run.config.guard.requireProof && planned.contains === undefined) {
      const proved = await heal(
        incident,
        planned,
        { live: false, why: "the proof comes before the live change", rehearsal: true },
        run,
      );
      if (proved.kind === "failed" || proved.kind === "escalated") return proved;
    }
    const done = await hotfix(incident, planned, run, { before: context.workload ?? null, holds });
    incident = done.incident;
    if (done.outcome === "recovered") return heal(incident, planned, { live: true }, run);
    const left = done.outcome === "not-applied-git-only" || done.outcome === "lost";
    if (left && planned.contains === undefined) return heal(incident, planned, { live: false, why: done.text }, run);
    refusals.push(`${choice.remedy}: ${done.text}`);
    if (done.outcome === "not-applied") break;
  }

  if (incident === null) return { ...report(diagnosis), kind: "escalated", message: needed(diagnosis, refusals) };
  return escalate({ incident, diagnosis, context, refusals, text: needed(diagnosis, refusals) }, run);
}

type Hotfixed = {
  readonly incident: Incident;
  readonly text: string;
  readonly outcome: "recovered" | "failed" | "lost" | "not-applied" | "not-applied-git-only";
};

/** Remedies that are not tried again: a fix that stood once and does not help now; what contains may help again, unless it failed. */
function triedOf(incident: Incident | null): ReadonlySet<string> {
  const rows = incident?.status?.tried ?? [];
  const contained = new Set(incident?.status?.contained?.map((row) => row.remedy) ?? []);
  return new Set(
    rows.filter((row) => !contained.has(row.remedy) || !row.result.startsWith("recovered")).map((row) => row.remedy),
  );
}

/** act → verify, and undo when it does not verify. */
async function hotfix(
  incident: Incident,
  planned: Plan,
  run: Run,
  { before, holds }: { readonly before: Workload | null; readonly holds: readonly Hold[] },
): Promise<Hotfixed> {
  run.tally.hotfixes += 1;
  const acted = await run.meter.time("act", () => act(planned, incident, run, holds));
  if (!acted.applied) {
    const undone =
      acted.incident.status?.hotfix?.undo === undefined
        ? { incident: acted.incident }
        : await takeBack(acted.incident, acted.reason, "RolledBack", run);
    return {
      incident: undone.incident,
      text: acted.reason,
      outcome: acted.gitOnly ? "not-applied-git-only" : "not-applied",
    };
  }
  run.tally.firstHotfixMs ??= run.clock.now().getTime() - run.startedAt;
  return settle(acted.incident, planned, run, before);
}

/** Watches an applied hotfix and takes it back unless it heals. Also where a run after a crash goes on. */
export async function settle(incident: Incident, planned: Plan, run: Run, before: Workload | null): Promise<Hotfixed> {
  const { finding } = planned;
  const hotfixed = incident.status?.hotfix;
  if (hotfixed === undefined) throw new StanchError("internal", "there is no hotfix to watch");
  const tick = async (text: string): Promise<void> => {
    run.log.progress(`watching ${describeRef(finding.workload)}: ${text}`);
    await run.renew();
  };
  const verification = await run.meter.time("verify", () =>
    verify({ finding, hotfix: hotfixed, before, tick }, run.reading),
  );
  const row = {
    remedy: planned.choice.remedy,
    title: planned.title,
    result: `${verification.result}: ${verification.seen}`.slice(0, 500),
    at: run.clock.now().toISOString(),
  };
  const tried = [...(incident.status?.tried ?? []), row];
  if (verification.result === "recovered") {
    const next = await run.store.advance(incident, "Verified", `Recovered: ${verification.seen}.`, {
      verification,
      tried,
    });
    return { incident: next, text: verification.seen, outcome: "recovered" };
  }
  // Neither says anything against the change: Git may be right.
  const lost = ["the change was undone by", HELD_BY_OWN].some((words) => verification.seen.startsWith(words));
  const marked = await run.store.advance(incident, "Hotfixed", `Not healed: ${verification.seen}.`, {
    verification,
    tried,
  });
  const undone = await takeBack(marked, `${verification.result}: ${verification.seen}`, "RolledBack", run);
  return { incident: undone.incident, text: verification.seen, outcome: lost ? "lost" : "failed" };
}

async function reopen(incident: Incident, finding: Finding, run: Run): Promise<Incident> {
  const recurrences = (incident.status?.recurrences ?? 0) + 1;
  return run.store.advance(incident, "Detected", `Came back: ${finding.summary}`, {
    recurrences,
    tried: [],
    ...(incident.status === undefined ? {} : { raised: raisesOf(incident.status) }),
    details: finding.symptom,
    summary: finding.summary,
    lastSeenAt: run.clock.now().toISOString(),
    // What was awaited then is not what is awaited now.
    ...(incident.status?.sync === undefined ? {} : { sync: { since: run.clock.now().toISOString() } }),
  });
}

async function rehearse(
  planned: Plan,
  gitOnly: string | undefined,
  holds: readonly Hold[],
  run: Run,
): Promise<Outcome> {
  const said = gitOnly ?? (await tryAct(planned, run, holds));
  const live =
    said === null ? "would be applied live (accepted by server-side dry run)" : `would not be applied live: ${said}`;
  return {
    kind: "reported",
    workload: planned.finding.workload,
    symptom: planned.finding.symptom.kind,
    message: `${planned.title}: ${live}. ${planned.choice.reason}`,
    changes: planned.changes,
  };
}

function report(diagnosis: Diagnosis): Outcome {
  const best = diagnosis.choices[0];
  const advice =
    best === undefined
      ? needed(
          diagnosis,
          diagnosis.rejected.map((row) => `${row.remedy}: ${row.reason}`),
        )
      : `${diagnosis.cause} Would try ${best.remedy}: ${best.reason}`;
  return {
    kind: "reported",
    workload: diagnosis.finding.workload,
    symptom: diagnosis.finding.symptom.kind,
    message: advice,
  };
}

/** What a person must decide comes first; why the other remedies were of no use follows. */
function needed(diagnosis: Diagnosis, refusals: readonly string[]): string {
  const decides = (text: string): number => (/a person must/i.test(text) ? 0 : 1);
  const sorted = refusals.toSorted((a, b) => decides(a) - decides(b));
  return `${diagnosis.cause} A person is needed${sorted.length === 0 ? "." : `: ${sorted.join("; ")}`}`;
}
