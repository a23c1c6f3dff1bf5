import type { Incident } from "../incident/incident.ts";
import { CLOSING, isOwnClosing } from "../pull-request/closing.ts";
import type { Run } from "../run.ts";

/** Closes the issue of a resolved incident with a sentence, and records it. One that a person closed meanwhile is left as it is. */
export async function closeIssue(incident: Incident, run: Run): Promise<Incident> {
  const { status } = incident;
  const known = status?.issue;
  if (status === undefined || known === undefined || known.closedAt !== undefined) return incident;
  const { repository, number } = known;
  if (number !== undefined) {
    const issue = await run.codeHost.issue(repository, number);
    if (issue?.state === "open") {
      const comments = await run.codeHost.comments(repository, number);
      // A crash may have come between the sentence and the closing.
      if (!isOwnClosing({ author: issue.author, closedBy: issue.author }, comments))
        await run.codeHost.comment(repository, number, CLOSING);
      await run.codeHost.updateIssue(repository, number, { state: "closed" });
    }
  }
  // The same phase and sentence: it is a note, and no step.
  return run.store.advance(incident, status.phase, status.message, {
    issue: { ...known, closedAt: run.clock.now().toISOString() },
  });
}
