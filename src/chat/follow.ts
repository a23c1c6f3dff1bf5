import { messageOf, StanchError } from "../errors.ts";
import type { ChatState, Incident, IncidentStatus } from "../incident/incident.ts";
import { outcomeOf } from "../incident/outcome.ts";
import type { Outcome } from "../model.ts";
import type { Comment } from "../ports.ts";
import { plain } from "../pull-request/quote.ts";
import type { Run } from "../run.ts";
import { answeredBy, formatAnswer } from "./answer.ts";
import { type Command, parseCommand } from "./command.ts";
import { type Asked, type ChatPlace, type Performed, perform } from "./perform.ts";

/** Commands of one talk that one run looks at, commands that one talk may hold, strangers who are told why not, and how long a fault may last. */
const MOST = { run: 5, all: 200, refusals: 3, ignoreMs: 90 * 86_400_000, pendingMs: 6 * 3_600_000 } as const;
const WRITERS: readonly string[] = ["admin", "maintain", "write"];

export interface Talked {
  readonly incident: Incident;
  /** What a person's word made of the incident; null: the follow-up goes on. */
  readonly outcome: Outcome | null;
}

/**
 * What people asked for in a pull request or issue since the last look, and our answers: one call where nobody said anything. A command counts
 * once, from those who may write to the repository. It stands in the incident before it is carried out, and is carried out so that doing it
 * again changes nothing: a crash in between is finished by the next run, answer included. A fault of the code host never stops the follow-up.
 */
export async function followChat(incident: Incident, place: ChatPlace, run: Run): Promise<Talked> {
  if (!run.config.chat.enabled || incident.status === undefined) return { incident, outcome: null };
  try {
    return await listen(incident, place, run);
  } catch (error) {
    if (!(error instanceof StanchError) || error.code === "lease") throw error;
    const { repository, number } = place;
    run.log.warn("chat not followed", { repository, number, error: messageOf(error) });
    const { namespace, name } = incident.metadata;
    return { incident: (await run.store.get(namespace, name)) ?? incident, outcome: null };
  }
}

async function listen(given: Incident, place: ChatPlace, run: Run): Promise<Talked> {
  const known = stateOf(given, place);
  const comments = await run.codeHost.allComments(place.repository, place.number, known.since);
  if (comments.length === 0 && known.pending === undefined) return { incident: given, outcome: null };
  const self = await run.codeHost.login(place.repository);
  const answered = new Set(
    comments.filter((comment) => isBy(comment, self)).map((comment) => answeredBy(comment.body)),
  );
  let talked: Talked = { incident: given, outcome: null };
  if (known.pending !== undefined)
    talked = await carryOut(talked.incident, known.pending, place, run, answered.has(known.pending.comment));

  const roles = new Map<string, string>();
  let looked = 0;
  for (const comment of comments) {
    if (isOver(talked)) return talked;
    const { handled } = stateOf(talked.incident, place);
    if (comment.bot || isBy(comment, self) || handled.includes(comment.id) || answered.has(comment.id)) continue;
    const command = parseCommand(comment.body);
    if (command === null) continue;
    const author = comment.author.toLowerCase();
    const role = roles.get(author) ?? (await run.codeHost.permissionOf(place.repository, comment.author));
    roles.set(author, role);
    // However many strangers ask, they use up nothing of what those may ask who may.
    if (!WRITERS.includes(role)) {
      talked = await refuse(talked, comment, command, role, place, run);
      continue;
    }
    // The rest is the next run's: `since` stays where it is.
    if (looked >= MOST.run || handled.length >= MOST.all) return talked;
    looked += 1;
    talked = await obey(talked, comment, command, place, run);
  }
  if (isOver(talked)) return talked;
  const since = comments
    .map((comment) => comment.updatedAt)
    .toSorted()
    .at(-1);
  if (since === undefined || since === stateOf(talked.incident, place).since) return talked;
  return { ...talked, incident: await note(talked.incident, { since }, place, run) };
}

const isOver = ({ incident }: Talked): boolean => incident.status?.phase === "Silenced";
/** GitHub's logins know no case. */
const isBy = (comment: Comment, login: string): boolean => comment.author.toLowerCase() === login.toLowerCase();

/** A fix of the program is talked about beside the issue that reports the fault: what was read in one says nothing about the other. */
const stateOf = ({ status }: Incident, { kind }: ChatPlace): ChatState =>
  (kind === "code" ? status?.code?.chat : status?.chat) ?? { handled: [] };

/** What of an incident's status a talk's state is. */
function withState({ status }: Incident, { kind }: ChatPlace, chat: ChatState): Partial<IncidentStatus> {
  if (kind !== "code") return { chat };
  return status?.code === undefined ? {} : { code: { ...status.code, chat } };
}

const answerTo = ({ id, author }: Comment, { verb }: Command) => ({
  id,
  by: author,
  verb: verb === "unclear" ? "" : verb,
});

/** Told why not; a talk with many strangers is not made longer, and nothing more is kept of them, for each. */
async function refuse(
  talked: Talked,
  comment: Comment,
  command: Command,
  role: string,
  place: ChatPlace,
  run: Run,
): Promise<Talked> {
  const { repository, number } = place;
  const { handled, refusals = 0 } = stateOf(talked.incident, place);
  run.log.info("chat command refused", { repository, number, by: comment.author, role });
  if (refusals >= MOST.refusals) return talked;
  const change = { handled: [...handled, comment.id], refusals: refusals + 1 };
  const incident = await note(talked.incident, change, place, run);
  const text = formatAnswer(answerTo(comment, command), "only those who may write to this repository can ask that.");
  await run.codeHost.createComment(repository, number, text);
  return { ...talked, incident };
}

async function obey(talked: Talked, comment: Comment, command: Command, place: ChatPlace, run: Run): Promise<Talked> {
  const { repository, number } = place;
  const { incident } = talked;
  const heard = { handled: [...stateOf(incident, place).handled, comment.id] };
  const to = answerTo(comment, command);
  if (command.verb === "unclear") {
    const next = await note(incident, heard, place, run);
    await run.codeHost.createComment(repository, number, formatAnswer(to, `${command.reason}. Try \`/stanch help\`.`));
    return { ...talked, incident: next };
  }
  const now = run.clock.now();
  const until =
    "ms" in command && command.ms !== undefined
      ? { until: new Date(now.getTime() + Math.min(command.ms, MOST.ignoreMs)).toISOString() }
      : {};
  const asked: Asked = { comment: comment.id, by: comment.author, verb: command.verb, at: now.toISOString(), ...until };
  const next = await note(incident, { ...heard, pending: asked }, place, run);
  run.log.info("chat command", { repository, number, by: comment.author, verb: command.verb });
  return carryOut(next, asked, place, run, false);
}

/** perform → answer → end. Each is done once: a run that ended in between left `pending`, and its answer says whether it came that far. */
async function carryOut(
  incident: Incident,
  asked: Asked,
  place: ChatPlace,
  run: Run,
  isAnswered: boolean,
): Promise<Talked> {
  const done = await perform(incident, asked, place, run).catch((error: unknown): Performed => {
    if (!(error instanceof StanchError) || error.code === "lease") throw error;
    if (TRANSIENT.includes(error.code) && !isStale(asked, run)) throw error;
    const hint = error.hint === undefined ? "" : ` (${error.hint})`;
    return { incident, text: `it could not be done: ${plain(`${messageOf(error)}${hint}`, 1000)}` };
  });
  const current = await fresh(done.incident, run);
  if (!isAnswered)
    await run.codeHost.createComment(
      place.repository,
      place.number,
      formatAnswer({ id: asked.comment, by: asked.by, verb: asked.verb }, done.text),
    );
  if (done.silence !== undefined) return silence(current, { ...done, asked }, done.silence, place, run);
  const next = await note(current, { pending: undefined }, place, run);
  return { incident: next, outcome: done.outcome === undefined ? null : outcomeOf(next, done.outcome) };
}

/** Faults that pass: the next run tries again, because what was asked is still pending. */
const TRANSIENT: readonly string[] = ["code-host", "git", "cluster", "conflict"];

/** What does not pass must not keep later words from being heard. */
const isStale = ({ at }: Asked, run: Run): boolean => run.clock.now().getTime() - Date.parse(at) > MOST.pendingMs;

async function silence(
  incident: Incident,
  done: Performed & { readonly asked: Asked },
  until: string,
  place: ChatPlace,
  run: Run,
): Promise<Talked> {
  const { repository, number } = place;
  if (place.kind !== "issue")
    await run.codeHost.updatePullRequest(repository, number, { state: "closed" }).catch((error: unknown) => {
      if (!isStale(done.asked, run)) throw error;
      run.log.warn("pull request not closed", { repository, number, error: messageOf(error) });
    });
  const { pending: _, ...chat } = stateOf(incident, place);
  const text = `${incident.status?.message ?? ""} Asked for in #${place.number}; the problem is left alone until ${until.slice(0, 10)}.`;
  const next = await run.store.advance(incident, "Silenced", text, {
    silencedUntil: until,
    ...withState(incident, place, chat),
  });
  return { incident: next, outcome: outcomeOf(next, done.outcome === "rolled-back" ? "rolled-back" : "closed") };
}

/** A change of the talk's state is a note, and no step. */
async function note(
  incident: Incident,
  change: Partial<Omit<ChatState, "pending">> & { readonly pending?: Asked | undefined },
  place: ChatPlace,
  run: Run,
): Promise<Incident> {
  const { pending, ...rest } = { ...stateOf(incident, place), ...change };
  const chat: ChatState = { ...rest, ...(pending === undefined ? {} : { pending }) };
  const { phase, message } = incident.status as IncidentStatus;
  return run.store.advance(incident, phase, message, withState(incident, place, chat));
}

/** What was done wrote the incident itself, perhaps more than once. */
async function fresh(incident: Incident, run: Run): Promise<Incident> {
  return (await run.store.get(incident.metadata.namespace, incident.metadata.name)) ?? incident;
}
