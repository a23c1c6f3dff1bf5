import { doubtsOf, isRetired, retired } from "./after-merge.ts";
import { askForSync, heldBack, waitOf } from "./await-sync.ts";
import { IGNORE } from "./config/scope.ts";
import { messageOf, StanchError } from "./errors.ts";
import { heal } from "./heal.ts";
import { isContained, isUntold } from "./incident/containing.ts";
import { expiredHolds, isHeldForNothing, isStanding, standingHolds } from "./incident/holding.ts";
import { CLOSED, type Incident } from "./incident/incident.ts";
import { outcomeOf } from "./incident/outcome.ts";
import { planFrom } from "./incident/plan-of.ts";
import { getAt } from "./kube/field-path.ts";
import { sameValue } from "./kube/same-value.ts";
import { matchesRequirements, parseSelector } from "./kube/selectors.ts";
import type { Finding, Outcome, Workload } from "./model.ts";
import { loadWorkload } from "./observe/workloads.ts";
import { resolve } from "./resolve.ts";
import type { Run } from "./run.ts";
import { answerTo } from "./steps/inspect.ts";
import type { Observation } from "./steps/observe.ts";
import { letGo, stillHeld, takeBack } from "./take-back.ts";
import { settle } from "./treat.ts";
import { afterContained, release, whileContained, whyOver } from "./while-contained.ts";
import { expire, followPullRequest } from "./while-open.ts";

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
    // With a pull request, or a decision about the problem, that goes on; only a hotfix that was still watched ends here.
    const watched = status.phase === "Acting" || status.phase === "Hotfixed";
    const undone = await takeBack(incident, hotfix.undo.reason, watched ? "RolledBack" : status.phase, run);
    return [outcomeOf(undone.incident, "rolled-back")];
  }
  if (isHeldForNothing(incident)) {
    const freed = await letGo(incident, "An earlier run did not come to the end of a hold.", run);
    return freed.left === null ? [] : [outcomeOf(freed.incident, "failed", stillHeld(freed.left))];
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
  if (status.phase === "Verified" && hotfix?.undoneAt === undefined)
    return [await heal(incident, planFrom(incident), { live: true }, run)];
  // Its hold ended before Git could be reached.
  if (status.phase === "Verified")
    return [await heal(incident, planFrom(incident), { live: false, why: status.message }, run)];
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
  const over = await whyOver(incident, run);
  if (over !== null) return [await release(incident, over, run)];
  if (CLOSED.includes(status.phase)) return forget(incident, run);
  if (status.phase === "Proposed" || status.phase === "Merged") return withExpiry(incident, run);
  if (status.hotfix?.undoneAt === undefined && expiredHolds(incident, run.clock.now()).length > 0)
    return [outcomeOf(await expire(incident, run), "rolled-back")];
  if (status.phase === "Contained" && (isContained(incident) || isUntold(incident)))
    return [await whileContained(incident, run)];
  if (shows || seen.snapshot.gaps.length > 0 || !(await isLookedAt(incident, seen, run))) return [];
  if (status.phase === "Contained") return [await afterContained(incident, run)];
  // Without a pull request, what does not show any more is over. A scan with gaps may not say so.
  if (isStanding(incident)) return [await whileStanding(incident, run)];
  return [await resolve(incident, "The symptom is gone; nothing of Stanch's is left behind.", run)];
}

/**
 * A hold ends when its time is over, also while Git or the code host cannot be asked what became of the pull request. The live change is
 * left to its engine, which brings what Git says: it may be merged by now.
 */
async function withExpiry(incident: Incident, run: Run): Promise<Outcome[]> {
  try {
    return await followPullRequest(incident, run);
  } catch (error) {
    if (error instanceof StanchError && error.code === "lease") throw error;
    const { namespace, name } = incident.metadata;
    const known = (await run.store.get(namespace, name)) ?? incident;
    if (expiredHolds(known, run.clock.now()).length > 0)
      await letGo(known, `Its hold expired while the pull request could not be followed: ${messageOf(error)}`, run);
    throw error;
  }
}

const AFTER_COMMITS: ReadonlySet<string> = new Set(["Complains", "CutOff"]);

/** What a run leaves out (opted out, another selector, other kinds) shows no symptom and is not over for that. */
async function isLookedAt(incident: Incident, seen: Observation, run: Run): Promise<boolean> {
  const { kinds, selector } = run.config.scope;
  // What Git says may be older than the commits that are looked at, or out of reach: it is over when the API server takes it.
  if (incident.spec.symptom === "ManifestRefused") {
    const declared = await run.workbench.find(incident.spec.workload).catch(() => null);
    return declared !== null && (!declared.found || (await answerTo(declared.object, run)).kind === "taken");
  }
  // Only a run that looked into recent commits may say that what they broke is over.
  if (AFTER_COMMITS.has(incident.spec.symptom) && seen.inspected !== true) return false;
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
  let current = incident;
  const found = await run.workbench.find(incident.spec.workload);
  if (standingHolds(incident).length > 0 && found.found) {
    const wait = waitOf(incident, found.bench.checkout.revision, run);
    current = (await askForSync(incident, wait, run)).incident;
    const behind = await heldBack(current, wait, run);
    if (behind !== null) return outcomeOf(current, "waiting", `Git says it; waiting for its deployment: ${behind}`);
  }
  return resolve(current, "Healthy, and Git says what the cluster runs.", run);
}

/** Old resolved incidents go; a silence that is over ends with its incident. */
async function forget(incident: Incident, run: Run): Promise<Outcome[]> {
  const status = incident.status;
  // Without its incident nobody would know of it.
  if (standingHolds(incident).length > 0) return [];
  const now = run.clock.now().getTime();
  const over =
    status?.phase === "Silenced"
      ? Date.parse(status.silencedUntil ?? "") < now
      : Date.parse(status?.resolvedAt ?? "") + run.config.followUp.keepResolved < now;
  if (over) await run.store.remove(incident);
  return [];
}
