import type { Config } from "../config/schema.ts";
import { messageOf, StanchError } from "../errors.ts";
import type { ModelUse } from "../incident/run-history.ts";
import type { Advisor, AdvisorFault, AdvisorReply, AdvisorRequest, AdvisorTool, AdvisorTurn, Clock } from "../ports.ts";
import { type Book, enter } from "./book.ts";
import { cleanBounded, frame, withoutMarks } from "./frame.ts";
import { costOf, type Price, worstCase } from "./prices.ts";
import type { Redactor } from "./redaction.ts";
import { spendOf } from "./spend.ts";

export interface Account {
  /** Sets the most that a request can cost aside, and stores it; why it may not be made, or null. */
  reserve(worst: { readonly tokens: number; readonly dollars: number }): Promise<string | null>;
  /** Puts what it did cost in the place of the last reservation; null: the reservation stands. */
  settle(spend: ModelUse | null): Promise<void>;
}

/** What a conversation needs of the outside. */
export interface TalkDoors {
  readonly advisor: Advisor;
  readonly account: Account;
  readonly redactor: Redactor;
  readonly clock: Clock;
  readonly settings: Config["model"];
  readonly price: Price;
  /** Called before each request; what it throws ends everything (a lost lease). */
  readonly tick: () => Promise<void>;
  /** Longest time of one request beside `settings.timeout`. */
  readonly mostMs: number;
}

/** What a look brought: text of strangers. */
export interface Seen {
  readonly kind: string;
  readonly text: string;
  /** The call was wrong, and nothing was looked at. */
  readonly failed?: boolean;
  /** What of it may be quoted, where that is not all of it. */
  readonly quotable?: string;
}

/** What one conversation is about, and what bounds it. */
export interface Talk<T> {
  readonly model: string;
  readonly maxTokens: number;
  readonly system: readonly string[];
  /** What of `system` is not the same for everybody. */
  readonly configured?: readonly string[];
  readonly tools: readonly AdvisorTool[];
  /** Of the answer, as JSON Schema. */
  readonly form: Record<string, unknown>;
  readonly delimiter: string;
  readonly book: Book;
  /** The first message. */
  readonly first: string;
  readonly turns: number;
  readonly calls: number;
  /** Characters of looks, all together. */
  readonly shown: number;
  /** Milliseconds, all requests and pauses included. */
  readonly patience: number;
  /** Where `turns`, `patience` and `maxTokens` are set. */
  readonly section: "model" | "model.code";
  /** Is what the model itself said looked through again before it goes back to where it came from? */
  readonly checksReplies: boolean;
  /** What a call asks for. What it throws is told to the model, but for a lost lease. */
  look(name: string, input: unknown, until: number): Promise<Seen>;
  /** The answer's text as an answer; a sentence where it is none. */
  read(text: string, until: number): Promise<{ readonly answer: T } | { readonly problem: string }>;
}

/** All that went over the wire, as it went. */
export interface Exchange {
  readonly system: readonly string[];
  readonly turns: readonly AdvisorTurn[];
  readonly replies: readonly ({ readonly reply: AdvisorReply } | { readonly fault: AdvisorFault })[];
  /** Characters of the largest request. */
  readonly characters: number;
}

/** `paid`: there was an answer, and asking the same again would bring the same. */
export type Unanswered = { readonly problem: string; readonly paid: boolean };

const RESULT = 12_000;
const RETRIES = 2;
const LONGEST_WAIT_MS = 20_000;

/**
 * Asks, shows what is asked for, and reads the answer: a bounded loop. Whatever happens to the network, the money or the answer ends in a
 * sentence; only a lost lease and what `tick` throws are thrown.
 */
export async function converse<T>(
  talk: Talk<T>,
  doors: TalkDoors,
): Promise<{ readonly exchange: Exchange; readonly said: { readonly answer: T } | Unanswered }> {
  const { settings, redactor, clock, price } = doors;
  const { model, maxTokens, system, tools, section } = talk;
  const replies: Exchange["replies"][number][] = [];
  const turns: AdvisorTurn[] = [{ role: "user", text: talk.first }];
  const until = clock.now().getTime() + talk.patience;
  const count = { looks: 0, shown: 0 };
  let characters = 0;
  const end = (said: { readonly answer: T } | Unanswered) => ({
    exchange: { system, turns, replies, characters },
    said,
  });
  const no = (problem: string, paid = false) => end({ problem, paid });

  for (let turn = 1; turn <= talk.turns; turn += 1) {
    const request: AdvisorRequest = {
      model,
      maxTokens,
      ...(settings.effort === "" ? {} : { effort: settings.effort }),
      system,
      tools,
      turns,
      answer: talk.form,
    };
    const leak = leakOf(request, redactor, talk);
    if (leak !== null) return no(`redaction is not sure of what would be sent (${leak}); nothing was sent`);
    const size = JSON.stringify(request);
    characters = Math.max(characters, size.length);
    const worst = worstCase(Buffer.byteLength(size), maxTokens, price);
    const said = await askWithPatience(request, worst, { until, section }, doors, replies);
    if ("problem" in said) return no(said.problem, said.paid);
    const { reply } = said;
    if (reply.stop === "refusal") return no("the model refused to answer", true);
    if (reply.stop === "length") return no(`the answer was cut off at ${section}.maxTokens`, true);
    turns.push({ role: "model", content: reply.content });
    if (reply.stop === "pause") continue;
    if (reply.stop === "end") {
      const answer = await talk.read(reply.text, until);
      return "problem" in answer ? no(answer.problem, true) : end(answer);
    }
    const results: { call: string; text: string; failed?: boolean }[] = [];
    for (const call of reply.calls)
      results.push({ call: call.id, ...(await resultOf(call, talk, until, count, redactor)) });
    turns.push({ role: "results", results });
  }
  return no(`there was no answer within ${talk.turns} requests (${section}.turns)`, true);
}

/** One look, redacted, bounded, entered into the book and framed. */
async function resultOf<T>(
  call: { readonly name: string; readonly input: unknown },
  talk: Talk<T>,
  until: number,
  count: { looks: number; shown: number },
  redactor: Redactor,
): Promise<{ text: string; failed?: boolean }> {
  count.looks += 1;
  if (count.looks > talk.calls || count.shown > talk.shown)
    return { text: "No more looks are possible. Answer now.", failed: true };
  const seen = await talk.look(call.name, call.input, until).catch((error: unknown): Seen => {
    if (isLost(error)) throw error;
    return { kind: "none", text: `It cannot be read: ${messageOf(error)}` };
  });
  if (seen.failed === true) return { text: redactor.clean(seen.text), failed: true };
  const id = `t${count.looks}`;
  const keep = seen.kind === "log" ? "end" : "start";
  const clean = cleanBounded(seen.text, RESULT, keep, (text) => redactor.clean(text));
  enter(talk.book, id, seen.kind, seen.quotable === undefined ? clean : redactor.clean(seen.quotable));
  count.shown += clean.length;
  return { text: frame(talk.delimiter, id, seen.kind, clean) };
}

/** Another run has the lease: everything ends, and nothing makes a sentence of it. */
export const isLost = (error: unknown): boolean => error instanceof StanchError && error.code === "lease";

/** One request, again where the API asks for a little patience, within the time and the money. */
async function askWithPatience(
  request: AdvisorRequest,
  worst: { readonly tokens: number; readonly dollars: number },
  { until, section }: { readonly until: number; readonly section: string },
  { advisor, account, clock, settings, price, tick, mostMs }: TalkDoors,
  replies: Exchange["replies"][number][],
): Promise<{ readonly reply: AdvisorReply } | Unanswered> {
  for (let attempt = 0; ; attempt += 1) {
    await tick();
    const left = until - clock.now().getTime();
    if (left <= 0) return { problem: `there was no answer in time (${section}.patience)`, paid: false };
    const objection = await account.reserve(worst);
    if (objection !== null) return { problem: objection, paid: false };
    const said = await advisor.ask(request, { timeoutMs: Math.min(settings.timeout, left, mostMs) });
    replies.push(said);
    if ("reply" in said) {
      await account.settle(spendOf(said.reply.usage, costOf(said.reply.usage, price)));
      return said;
    }
    const { kind, message, retryAfterMs, billed } = said.fault;
    await account.settle(
      billed === "nothing" ? { requests: 1, inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, dollars: 0 } : null,
    );
    const wait = retryAfterMs ?? 1000 * 2 ** attempt;
    // What may have been billed is not asked for again at once: each time would stand as spent.
    const passes = billed === "nothing" && (kind === "rate-limit" || kind === "overloaded" || kind === "unreachable");
    if (!passes || attempt >= RETRIES || wait > LONGEST_WAIT_MS || wait >= until - clock.now().getTime())
      return { problem: message, paid: false };
    await clock.sleep(wait);
  }
}

/**
 * What the second opinion finds in anything that would be sent; a fault of its own counts as a find. Our own instructions say the same to
 * everybody: words of theirs may be values of Secrets by chance, in them and where the model repeats them.
 */
function leakOf(
  { system, tools, answer, turns }: AdvisorRequest,
  redactor: Redactor,
  talk: Pick<Talk<unknown>, "delimiter" | "checksReplies" | "configured">,
): string | null {
  try {
    const ours = JSON.stringify([system, tools, answer]);
    // Signatures of thinking are random by nature, and the API's own.
    const own = (key: string, value: unknown) =>
      key === "signature" || key === "id" || key === "data" ? undefined : value;
    const said = turns.flatMap((turn) => (turn.role === "model" ? [JSON.stringify(turn.content, own)] : []));
    const shown = turns.flatMap((turn) => {
      if (turn.role === "user") return [turn.text];
      return turn.role === "results" ? turn.results.map((result) => result.text) : [];
    });
    const found = [
      ...system.map((text) => () => redactor.leak(text, ours)),
      ...(talk.checksReplies ? said : []).map((text) => () => redactor.leak(text, ours)),
      ...shown.map((text) => () => redactor.leak(withoutMarks(text, talk.delimiter))),
      ...(talk.configured ?? []).map((text) => () => redactor.leak(text)),
    ];
    for (const find of found) {
      const leak = find();
      if (leak !== null) return leak;
    }
    return null;
  } catch (error) {
    return `it failed: ${error instanceof Error ? error.name : "unknown"}`;
  }
}
