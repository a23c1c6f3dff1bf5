import { afterMerge, agree } from "./after-merge.ts";
import { askForSync, heldBack, waitOf } from "./await-sync.ts";
import { followChat } from "./chat/follow.ts";
import { expiredHolds, standingHolds } from "./incident/holding.ts";
import type { Incident } from "./incident/incident.ts";
import { outcomeOf } from "./incident/outcome.ts";
import { getAt } from "./kube/field-path.ts";
import type { Outcome } from "./model.ts";
import type { PullRequest } from "./ports.ts";
import { formatWithdrawal } from "./pull-request/withdrawal.ts";
import { resolve } from "./resolve.ts";
import type { Run } from "./run.ts";
import { firstLost } from "./steps/verify.ts";
import { letGo, stillHeld, takeBack } from "./take-back.ts";

/** An incident with a pull request, by what became of it. */
export async function followPullRequest(incident: Incident, run: Run): Promise<Outcome[]> {
  const known = incident.status?.pullRequest;
  if (known === undefined) return [];
  const pull = await run.codeHost.pullRequest(known.repository, known.number);
  if (pull.merged) return [await afterMerge(incident, pull, run)];
  const head = await fixedAt(incident, run);
  if (head !== null) return [await fixedByOthers(incident, pull, head, run)];
  // Closed by a run that ended in the middle of what a comment asked for: that is finished, and is no refusal of the pull request.
  const halfDone = incident.status?.chat?.pending?.verb === "ignore";
  if (pull.state === "closed" && !halfDone) return [await afterRefusal(incident, pull, run)];
  const talked = await followChat(incident, { kind: "pull", repository: known.repository, number: known.number }, run);
  if (talked.outcome !== null) return [talked.outcome];
  if (pull.state === "closed") return [await afterRefusal(talked.incident, pull, run)];
  return [await whileOpen(talked.incident, pull, run)];
}

/** The commit at which Git says all of the change without our pull request; null: it does not. */
async function fixedAt(incident: Incident, run: Run): Promise<string | null> {
  const changes = incident.status?.plan?.changes ?? [];
  let head: string | null = null;
  for (const change of changes) {
    const declared = await run.workbench.find(change.object);
    if (!declared.found || change.to === undefined || !agree(change.to, getAt(declared.object, change.path)))
      return null;
    head = declared.bench.checkout.revision;
  }
  return head;
}

/**
 * Git has been corrected in another way: once that is deployed, nothing is held any more and our pull request is closed. Closed already: by a
 * run that ended in the middle of this, or by whoever fixed it.
 */
async function fixedByOthers(incident: Incident, pull: PullRequest, head: string, run: Run): Promise<Outcome> {
  let current = incident;
  if (standingHolds(current).some((hold) => hold.kind !== "none")) {
    const wait = waitOf(current, head, run);
    const asked = await askForSync(current, wait, run);
    current = asked.incident;
    const behind = await heldBack(current, wait, run);
    if (behind !== null)
      return outcomeOf(
        current,
        "waiting",
        `Git says it without #${pull.number}; waiting for its deployment: ${behind}`,
      );
    const freed = await letGo(current, "Fixed in Git by somebody else, and deployed.", run);
    if (freed.left !== null) return outcomeOf(freed.incident, "failed", stillHeld(freed.left));
    current = (await askForSync(freed.incident, wait, run, { again: true })).incident;
  }
  if (pull.state === "open") {
    await run.codeHost.comment(pull.repository, pull.number, formatWithdrawal(pull.base));
    await run.codeHost.updatePullRequest(pull.repository, pull.number, { state: "closed" });
    await run.codeHost.deleteBranch(pull.repository, pull.branch).catch(() => undefined);
  }
  return resolve(current, `Fixed in Git by somebody else; #${pull.number} was closed.`, run);
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
  } else if (current.status?.hotfix !== undefined) {
    const held = standingHolds(current).some((hold) => hold.kind !== "none");
    const kept = held
      ? "is not held any more: what Git says comes back"
      : "is kept, as configured; Git says something else";
    text = `${text} The live change ${kept}.`;
  }
  const freed = await letGo(current, text, run);
  // What a comment asked of this pull request must not be done to the next one.
  const { pending: _, ...chat } = freed.incident.status?.chat ?? { handled: [] };
  const next = await run.store.advance(
    freed.incident,
    "Silenced",
    `${text}${freed.left === null ? "" : ` ${stillHeld(freed.left)}`} The problem is left alone until ${silencedUntil.slice(0, 10)}.`,
    { silencedUntil, ...(freed.incident.status?.chat === undefined ? {} : { chat }) },
  );
  return outcomeOf(next, "closed");
}

/** Still open. A live change that somebody took back, or whose hold is over, ends here; the pull request stays. */
async function whileOpen(incident: Incident, pull: PullRequest, run: Run): Promise<Outcome> {
  const { hotfix } = incident.status ?? {};
  const standing = hotfix !== undefined && hotfix.undoneAt === undefined;
  const lost = standing ? await firstLost(hotfix.changes, run.cluster.get) : null;
  const back = "the fault is back until it is merged and deployed";
  if (standing && expiredHolds(incident, run.clock.now()).length > 0) return endHold(incident, pull, run);
  if (lost === null) return outcomeOf(incident, "waiting", `#${pull.number} waits for review.`);
  if (lost.byPerson && standingHolds(incident).length > 0) {
    // Let go of now, the engine would put Git's value over theirs: it ends with the merge, or when its time is over.
    const held = "it is left as it is, and stays held until the pull request is merged or the hold expires";
    return outcomeOf(incident, "waiting", `#${pull.number} waits for review. Meanwhile ${lost.text}: ${held}.`);
  }
  const text = `#${pull.number} waits for review. Meanwhile ${lost.text}: ${back}.`;
  if (standingHolds(incident).length === 0) return outcomeOf(incident, "waiting", text);
  // Held, and lost all the same: it is not fought for, and nothing stays held.
  const undone = await takeBack(incident, `${lost.text} though it was held; ${back}`, "Proposed", run);
  return outcomeOf(undone.incident, "waiting", text);
}

async function endHold(incident: Incident, pull: PullRequest, run: Run): Promise<Outcome> {
  const undone = await expire(incident, run);
  return outcomeOf(undone, "rolled-back", `#${pull.number} waits for review. ${undone.status?.message ?? ""}`);
}

/** A hold is over, and nothing has come of Git: the live change goes, and the incident stays where it is. */
export async function expire(incident: Incident, run: Run): Promise<Incident> {
  const [hold] = expiredHolds(incident, run.clock.now());
  const reason = `its hold expired at ${hold?.expiresAt.slice(0, 16) ?? ""}Z before Git said the same; the fault is back until Git is corrected and deployed`;
  const undone = await takeBack(incident, reason, incident.status?.phase ?? "Proposed", run);
  return undone.incident;
}
