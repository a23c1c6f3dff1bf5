import { followChat } from "./chat/follow.ts";
import { messageOf, StanchError } from "./errors.ts";
import type { Incident } from "./incident/incident.ts";
import type { IncidentCode } from "./incident/incident-code.ts";
import type { Outcome } from "./model.ts";
import { formatGone } from "./pull-request/code-gone.ts";
import type { Run } from "./run.ts";

/**
 * The draft fix of a program against the code host as it is now: what people made of it is written down, what they ask for in it is heard, and it
 * is told once when the symptom is gone. It is never closed and never pushed to from here. A host that is out of reach is tried again by the next run.
 */
export async function followCode(incident: Incident, run: Run): Promise<Outcome[]> {
  const code = incident.status?.code;
  if (code?.pullRequest === undefined || code.closedAt !== undefined || code.mergedAt !== undefined) return [];
  if (incident.status?.phase === "Silenced") return [];
  try {
    return await look(incident, code, code.pullRequest, run);
  } catch (error) {
    if (!(error instanceof StanchError) || error.code === "lease") throw error;
    const { repository, number } = code.pullRequest;
    run.log.warn("fix of a program not followed", { repository, number, error: messageOf(error) });
    return [];
  }
}

async function look(
  incident: Incident,
  code: IncidentCode,
  { repository, number }: NonNullable<IncidentCode["pullRequest"]>,
  run: Run,
): Promise<Outcome[]> {
  const pull = await run.codeHost.pullRequest(repository, number);
  const now = run.clock.now().toISOString();
  const { phase = "Detected", resolvedAt } = incident.status ?? {};
  if (pull.merged) {
    const text = `${pull.url}, the fix of the program, was merged.`;
    await run.store.advance(incident, phase, text, { code: { ...code, mergedAt: pull.mergedAt ?? now } });
    return [];
  }
  // Closed by a run that ended in the middle of what a comment asked for: that is finished, and its answer says so.
  const halfDone = code.chat?.pending?.verb === "ignore";
  if (pull.state === "closed" && !halfDone) {
    const who = pull.closedBy === undefined ? "" : ` by ${pull.closedBy}`;
    const text = `${pull.url}, the fix of the program, was closed unmerged${who}.`;
    await run.store.advance(incident, phase, text, { code: { ...code, closedAt: now } });
    return [];
  }
  if (phase !== "Resolved") {
    const { outcome } = await followChat(incident, { kind: "code", repository, number }, run);
    return outcome === null ? [] : [outcome];
  }
  if (code.goneAt !== undefined) return [];
  const body = formatGone(resolvedAt ?? now);
  const said = await run.codeHost.comments(repository, number);
  // A crash may have come between the comment and its record.
  if (!said.some((comment) => comment.body.trim() === body)) await run.codeHost.comment(repository, number, body);
  await run.store.keep(incident, { code: { ...code, goneAt: now } });
  return [];
}
