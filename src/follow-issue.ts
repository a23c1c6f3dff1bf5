import { followChat } from "./chat/follow.ts";
import { messageOf, StanchError } from "./errors.ts";
import { isStanding } from "./incident/holding.ts";
import type { Incident, IncidentIssue } from "./incident/incident.ts";
import { outcomeOf } from "./incident/outcome.ts";
import type { Outcome } from "./model.ts";
import { isOwnClosing } from "./pull-request/closing.ts";
import type { Run } from "./run.ts";
import { closeIssue } from "./steps/close-issue.ts";
import { reportIssue } from "./steps/report.ts";
import { takeBack } from "./take-back.ts";

/**
 * The issue of an incident against the code host as it is now: closed when the incident is over, a person's closing taken for a no, and one
 * that could not be opened tried again while a live change stands without Git. A host that is out of reach is tried again by the next run.
 */
export async function followIssue(incident: Incident, run: Run): Promise<Outcome[]> {
  const { status } = incident;
  const issue = status?.issue;
  if (status === undefined || issue === undefined || issue.closedAt !== undefined) return [];
  try {
    if (status.phase === "Resolved") await closeIssue(incident, run);
    if (status.phase !== "Escalated" && status.phase !== "Contained") return [];
    return issue.number === undefined
      ? await openNow(incident, issue, run)
      : await look(incident, issue, issue.number, run);
  } catch (error) {
    if (!(error instanceof StanchError) || error.code === "lease") throw error;
    run.log.warn("issue not followed", { repository: issue.repository, number: issue.number, error: messageOf(error) });
    return [];
  }
}

/** Where the symptom still shows, treating it opens the issue; where a live change has healed it, nobody else would. */
async function openNow(incident: Incident, issue: IncidentIssue, run: Run): Promise<Outcome[]> {
  if (!isStanding(incident) || issue.about !== "git") return [];
  const said = await reportIssue(
    { incident, repository: issue.repository, matter: { kind: "git", reason: issue.reason }, live: true },
    run,
  );
  const message = incident.status?.message ?? "";
  await run.store.advance(
    incident,
    said.phase,
    said.more.issue?.number === undefined ? message : said.sentence,
    said.more,
  );
  return [];
}

async function look(incident: Incident, known: IncidentIssue, number: number, run: Run): Promise<Outcome[]> {
  const issue = await run.codeHost.issue(known.repository, number);
  if (issue?.state === "open") {
    const { outcome } = await followChat(incident, { kind: "issue", repository: known.repository, number }, run);
    return outcome === null ? [] : [outcome];
  }
  if (issue !== null && isOwnClosing(issue, await run.codeHost.comments(known.repository, number))) return [];
  const who = issue?.closedBy === undefined ? "" : ` by ${issue.closedBy}`;
  let text = issue === null ? `#${number} was deleted.` : `#${number} was closed${who}.`;
  const closed = { issue: { ...known, closedAt: run.clock.now().toISOString() } };
  let current = incident;
  const contained = incident.status?.phase === "Contained";
  // Closed as done, or gone: it stands until Git is seen to say the same. Only a plain no takes it back.
  const isDone = issue === null || issue.reason === "completed";
  if (contained && isDone) {
    const kept = `${text} It stays contained until another version is deployed.`;
    return [outcomeOf(await run.store.advance(incident, "Contained", kept, closed), "waiting")];
  }
  if (isStanding(incident)) {
    if (isDone || run.config.pullRequest.onClose === "keep") {
      const kept = `${text} The live change stands until Git says the same.`;
      return [
        outcomeOf(await run.store.advance(incident, contained ? "Contained" : "Escalated", kept, closed), "waiting"),
      ];
    }
    const undone = await takeBack(incident, `#${number} was closed${who} as not planned`, "Escalated", run);
    current = undone.incident;
    text = `${text} ${undone.text}`;
  }
  const silencedUntil = new Date(run.clock.now().getTime() + run.config.followUp.silence).toISOString();
  const said = `${text} The problem is left alone until ${silencedUntil.slice(0, 10)}.`;
  return [outcomeOf(await run.store.advance(current, "Silenced", said, { ...closed, silencedUntil }), "closed")];
}
