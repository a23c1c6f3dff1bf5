import { formatDuration } from "./config/duration.ts";
import { IGNORE } from "./config/scope.ts";
import { messageOf } from "./errors.ts";
import { heal } from "./heal.ts";
import { CLOSED, findingOf, type Incident } from "./incident/incident.ts";
import { outcomeOf } from "./incident/outcome.ts";
import { getAt } from "./kube/field-path.ts";
import { healthOf } from "./kube/health.ts";
import { describeRef } from "./kube/ref.ts";
import { sameValue } from "./kube/same-value.ts";
import { matchesRequirements, parseSelector } from "./kube/selectors.ts";
import type { Finding, Outcome, Plan, Workload } from "./model.ts";
import { loadWorkload } from "./observe/workloads.ts";
import type { PullRequest } from "./ports.ts";
import { formatWithdrawal } from "./pull-request/withdrawal.ts";
import type { Run } from "./run.ts";
import { answerTo } from "./steps/inspect.ts";
import type { Observation } from "./steps/observe.ts";
import { recordEvent } from "./steps/record.ts";
import { releaseOwnership } from "./steps/release.ts";
import { firstLost } from "./steps/verify.ts";
import { changedObjects, takeBack } from "./take-back.ts";
import { settle } from "./treat.ts";

/**
 * What a crash left half done, before anything else is looked at: an undo that was decided is finished, a write that may
 * or may not have happened is found out, a hotfix that nobody watched is watched.
 */
export async function repair(incident: Incident, run: Run): Promise<Outcome[]> {
  const status = incident.status;
  if (status === undefined) {
    // Made, but the crash came before its status: nothing was done yet, and the finding will be seen again.
    await run.store.remove(incident);
    return [];
  }
  const { hotfix } = status;
  if (hotfix?.undo !== undefined && hotfix.undoneAt === undefined) {
    const undone = await takeBack(incident, hotfix.undo.reason, "RolledBack", run);
    return [outcomeOf(undone.incident, "rolled-back")];
  }
  if (status.phase === "Acting" && hotfix !== undefined) {
    const standing = await Promise.all(
      hotfix.changes.map(async (change) => {
        const live = await run.cluster.get(change.object);
        return live !== null && sameValue(getAt(live, change.path), change.to);
      }),
    );
    if (standing.some((stands) => !stands) || hotfix.action !== undefined) {
      const undone = await takeBack(
        incident,
        "an earlier run ended in the middle of the live change",
        "RolledBack",
        run,
      );
      return [outcomeOf(undone.incident, "rolled-back")];
    }
    const next = await run.store.advance(
      incident,
      "Hotfixed",
      "An earlier run ended right after the live change; watching it now.",
    );
    return resume(next, run);
  }
  if (status.phase === "Hotfixed") return resume(incident, run);
  if (status.phase === "Verified") return [await heal(incident, planFrom(incident), { live: true }, run)];
  return [];
}

/** verify → heal for a hotfix of an earlier run. */
async function resume(incident: Incident, run: Run): Promise<Outcome[]> {
  const object = await run.cluster.get(incident.spec.workload);
  const before: Workload | null = object === null ? null : await loadWorkload(run.reading, object);
  const done = await settle(incident, planFrom(incident), run, before);
  if (done.outcome === "recovered") return [await heal(done.incident, planFrom(incident), { live: true }, run)];
  if (done.outcome === "lost")
    return [await heal(done.incident, planFrom(incident), { live: false, why: done.text }, run)];
  return [outcomeOf(done.incident, "rolled-back")];
}

/** An open incident against the cluster and GitHub as they are now. */
export async function followUp(
  incident: Incident,
  findings: readonly Finding[],
  seen: Observation,
  run: Run,
): Promise<Outcome[]> {
  const status = incident.status;
  if (status === undefined) return [];
  const shows = findings.some((finding) => finding.fingerprint === incident.spec.fingerprint);
  if (CLOSED.includes(status.phase)) return expire(incident, run);
  if (status.phase === "Proposed" || status.phase === "Merged") return followPullRequest(incident, run);
  if (shows || seen.snapshot.gaps.length > 0 || !(await isLookedAt(incident, seen, run))) return [];
  // Without a pull request, what does not show any more is over. A scan with gaps may not say so.
  if (status.hotfix !== undefined && status.hotfix.undoneAt === undefined) return [await whileStanding(incident, run)];
  const next = await run.store.advance(
    incident,
    "Resolved",
    "The symptom is gone; nothing of Stanch's is left behind.",
    { resolvedAt: run.clock.now().toISOString() },
  );
  return [outcomeOf(next, "resolved")];
}

/** What a run leaves out (opted out, another selector, other kinds) shows no symptom and is not over for that. */
async function isLookedAt(incident: Incident, seen: Observation, run: Run): Promise<boolean> {
  const { kinds, selector } = run.config.scope;
  // What Git says may be older than the commits that are looked at, or out of reach: it is over when the API server takes it.
  if (incident.spec.symptom === "ManifestRefused") {
    const declared = await run.workbench.find(incident.spec.workload).catch(() => null);
    return declared !== null && (!declared.found || (await answerTo(declared.object, run)).kind === "taken");
  }
  const live = await run.cluster.get(incident.spec.workload);
  if (live === null) return true;
  const { namespace = "", annotations, labels } = live.metadata;
  const asked = parseSelector(selector);
  return (
    seen.namespaces.has(namespace) &&
    annotations?.[IGNORE] !== "true" &&
    (kinds as readonly string[]).includes(live.kind) &&
    (!asked.ok || matchesRequirements(asked.requirements, labels))
  );
}

/**
 * A live change of ours stands without a pull request: the symptom is gone because of it. That is over only when somebody has
 * made Git say the same.
 */
async function whileStanding(incident: Incident, run: Run): Promise<Outcome> {
  if (await isRetired(incident, run).catch(() => false)) return retired(incident, run);
  const doubts = await doubtsOf(incident, run).catch((error: unknown) => [messageOf(error)]);
  if (doubts.length > 0) return outcomeOf(incident, "waiting");
  await releaseOwnership(changedObjects(incident), run);
  const next = await run.store.advance(incident, "Resolved", "Healthy, and Git says what the cluster runs.", {
    resolvedAt: run.clock.now().toISOString(),
  });
  return outcomeOf(next, "resolved");
}

async function followPullRequest(incident: Incident, run: Run): Promise<Outcome[]> {
  const known = incident.status?.pullRequest;
  if (known === undefined) return [];
  const pull = await run.codeHost.pullRequest(known.repository, known.number);
  if (pull.merged) return [await afterMerge(incident, pull, run)];
  if (pull.state === "closed") return [await afterRefusal(incident, pull, run)];
  return [await whileOpen(incident, pull, run)];
}

/** Merged: wait for the deployed result, confirm that it is healthy and that Git and the cluster agree, then let go. */
async function afterMerge(incident: Incident, pull: PullRequest, run: Run): Promise<Outcome> {
  const at = pull.mergedAt ?? run.clock.now().toISOString();
  const merged =
    incident.status?.phase === "Merged"
      ? incident
      : await run.store.advance(incident, "Merged", `#${pull.number} was merged.`, {
          mergedAt: at,
          ...(pull.mergeCommit === undefined ? {} : { mergeCommit: pull.mergeCommit }),
        });
  if (await isRetired(merged, run)) return retired(merged, run);
  const doubts = await doubtsOf(merged, run);
  if (doubts.length === 0) {
    const refs = changedObjects(merged);
    await releaseOwnership(refs, run);
    const next = await run.store.advance(merged, "Resolved", `Deployed, healthy, and Git says what the cluster runs.`, {
      resolvedAt: run.clock.now().toISOString(),
    });
    await recordEvent(
      incident.spec.workload,
      undefined,
      {
        type: "Normal",
        reason: "StanchResolved",
        message: `#${pull.number} is merged and deployed; the workload is healthy.`,
      },
      run,
    );
    return outcomeOf(next, "resolved");
  }
  const waited = run.clock.now().getTime() - Date.parse(at);
  if (waited < run.config.followUp.deployed)
    return outcomeOf(merged, "waiting", `#${pull.number} is merged; waiting for its deployment: ${doubts.join("; ")}`);
  const text = `#${pull.number} was merged ${formatDuration(waited)} ago, but ${doubts.join("; ")}. A person must look at the deployment.`;
  const next = await run.store.advance(merged, "Merged", text);
  return outcomeOf(next, "escalated");
}

/** Neither the cluster nor Git has the workload any more. */
async function isRetired(incident: Incident, run: Run): Promise<boolean> {
  const ref = incident.spec.workload;
  return (await run.cluster.get(ref)) === null && !(await run.workbench.find(ref)).found;
}

async function retired(incident: Incident, run: Run): Promise<Outcome> {
  const what = describeRef(incident.spec.workload);
  const next = await run.store.advance(incident, "Resolved", `${what} is gone, from the cluster and from Git.`, {
    resolvedAt: run.clock.now().toISOString(),
  });
  return outcomeOf(next, "resolved");
}

/** Why a merged incident is not over yet; empty: it is. */
async function doubtsOf(incident: Incident, run: Run): Promise<string[]> {
  const doubts: string[] = [];
  for (const change of incident.status?.plan?.changes ?? []) {
    const live = await run.cluster.get(change.object);
    if (live === null) {
      doubts.push(`${describeRef(change.object)} is not in the cluster`);
      continue;
    }
    const declared = await run.workbench.find(change.object);
    if (!declared.found) doubts.push(declared.reason);
    // Git is the measure, not our change: a person may have improved the fix before merging it.
    else if (!agree(getAt(declared.object, change.path), getAt(live, change.path)))
      doubts.push(`${describeRef(change.object)} does not run what Git says`);
  }
  const object = await run.cluster.get(incident.spec.workload);
  const workload = object === null ? null : await loadWorkload(run.reading, object, []);
  const health = healthOf(object, { pods: workload?.pods ?? [] });
  if (health.status !== "Current")
    doubts.push(`${describeRef(incident.spec.workload)} is not healthy: ${health.message}`);
  return [...new Set(doubts)];
}

/** Git and the cluster agree where everything that Git says stands live; defaults that the API server adds do not count. */
function agree(declared: unknown, live: unknown): boolean {
  if (declared === null || declared === undefined) return declared === live || live === undefined;
  if (Array.isArray(declared))
    return (
      Array.isArray(live) &&
      declared.length === live.length &&
      declared.every((item, index) => agree(item, live[index]))
    );
  if (typeof declared === "object")
    return (
      typeof live === "object" &&
      live !== null &&
      Object.entries(declared).every(([key, value]) => agree(value, (live as Record<string, unknown>)[key]))
    );
  return String(declared) === String(live);
}

/** Closed without merging: a person said no. */
async function afterRefusal(incident: Incident, pull: PullRequest, run: Run): Promise<Outcome> {
  const silencedUntil = new Date(run.clock.now().getTime() + run.config.followUp.silence).toISOString();
  const who = pull.closedBy === undefined ? "" : ` by ${pull.closedBy}`;
  let current = incident;
  let text = `#${pull.number} was closed unmerged${who}.`;
  if (run.config.pullRequest.onClose === "undo" && current.status?.hotfix !== undefined) {
    const undone = await takeBack(current, `#${pull.number} was closed unmerged${who}`, "Proposed", run);
    current = undone.incident;
    text = `${text} ${undone.text}`;
  } else if (current.status?.hotfix !== undefined)
    text = `${text} The live change is kept, as configured; Git says something else.`;
  await releaseOwnership(changedObjects(current), run);
  const next = await run.store.advance(
    current,
    "Silenced",
    `${text} The problem is left alone until ${silencedUntil.slice(0, 10)}.`,
    { silencedUntil },
  );
  return outcomeOf(next, "closed");
}

/** Still open: closed by Stanch when Git has been corrected in another way. */
async function whileOpen(incident: Incident, pull: PullRequest, run: Run): Promise<Outcome> {
  const changes = incident.status?.plan?.changes ?? [];
  const fixed = await Promise.all(
    changes.map(async (change) => {
      const declared = await run.workbench.find(change.object);
      return declared.found && agree(change.to, getAt(declared.object, change.path)) && change.to !== undefined;
    }),
  );
  if (fixed.length > 0 && fixed.every(Boolean)) {
    await run.codeHost.comment(pull.repository, pull.number, formatWithdrawal(pull.base));
    await run.codeHost.updatePullRequest(pull.repository, pull.number, { state: "closed" });
    await run.codeHost.deleteBranch(pull.repository, pull.branch).catch(() => undefined);
    await releaseOwnership(changedObjects(incident), run);
    const next = await run.store.advance(
      incident,
      "Resolved",
      `Fixed in Git by somebody else; #${pull.number} was closed.`,
      { resolvedAt: run.clock.now().toISOString() },
    );
    return outcomeOf(next, "resolved");
  }
  const hotfix = incident.status?.hotfix;
  const lost =
    hotfix === undefined || hotfix.undoneAt !== undefined ? null : await firstLost(hotfix.changes, run.cluster.get);
  return outcomeOf(
    incident,
    "waiting",
    lost === null
      ? `#${pull.number} waits for review.`
      : `#${pull.number} waits for review. Meanwhile ${lost}: the fault is back until it is merged and deployed.`,
  );
}

/** Old resolved incidents go; a silence that is over ends with its incident. */
async function expire(incident: Incident, run: Run): Promise<Outcome[]> {
  const status = incident.status;
  const now = run.clock.now().getTime();
  const over =
    status?.phase === "Silenced"
      ? Date.parse(status.silencedUntil ?? "") < now
      : Date.parse(status?.resolvedAt ?? "") + run.config.followUp.keepResolved < now;
  if (over) await run.store.remove(incident);
  return [];
}

export function planFrom(incident: Incident): Plan {
  const plan = incident.status?.plan;
  return {
    finding: findingOf(incident),
    choice: {
      remedy: plan?.remedy ?? "",
      params: plan?.params ?? {},
      reason: plan?.reason ?? "",
      evidence: [],
      ...(incident.status?.culprit === undefined ? {} : { culprit: incident.status.culprit }),
    },
    risk: (plan?.risk ?? "medium") as Plan["risk"],
    changes: plan?.changes ?? [],
    ...(plan?.action === undefined ? {} : { action: plan.action }),
    ...(plan?.gitOnly === undefined ? {} : { gitOnly: plan.gitOnly }),
    title: plan?.title ?? "",
  };
}
