import type { Config, RemedyId } from "../config/schema.ts";
import { messageOf } from "../errors.ts";
import type { ModelUse } from "../incident/run-history.ts";
import type { Advisor, AdvisorFault, AdvisorReply, AdvisorRequest, AdvisorTurn, Clock } from "../ports.ts";
import { type Answer, answerJsonSchema, parseAnswer } from "./answer.ts";
import { type Book, enter, newBook } from "./book.ts";
import { type AnswerCheck, checkCitations } from "./citations.ts";
import { bounded, frame } from "./frame.ts";
import { costOf, type Price, worstCase } from "./prices.ts";
import { ground, INSTRUCTIONS } from "./prompt.ts";
import type { Redactor } from "./redaction.ts";
import { spendOf } from "./spend.ts";
import { readCall, TOOLS, type ToolName } from "./tools.ts";

/** One question, with everything fixed that the answer may not change. */
export interface Question {
  readonly allowed: readonly RemedyId[];
  /** What each remedy does, for the model. */
  readonly summaries: Readonly<Record<string, string>>;
  /** Drawn anew for each exchange. */
  readonly delimiter: string;
  /** The first message; enters into the book what it shows. */
  open(book: Book): string;
}

export interface Seen {
  readonly kind: string;
  readonly text: string;
}

/** What may be looked at; a sentence where there is nothing. May enter changes into the book. */
export type Look = (name: ToolName, input: Readonly<Record<string, unknown>>, book: Book) => Promise<Seen>;

export interface Account {
  /** Sets the most that a request can cost aside, and stores it; why it may not be made, or null. */
  reserve(worst: { readonly tokens: number; readonly dollars: number }): Promise<string | null>;
  /** Puts what it did cost in the place of the last reservation; null: the reservation stands. */
  settle(spend: ModelUse | null): Promise<void>;
}

export interface Doors {
  readonly advisor: Advisor;
  readonly look: Look;
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

/** All that went over the wire, as it went. */
export interface Exchange {
  readonly system: readonly string[];
  readonly turns: readonly AdvisorTurn[];
  readonly replies: readonly ({ readonly reply: AdvisorReply } | { readonly fault: AdvisorFault })[];
  /** Characters of the largest request. */
  readonly characters: number;
}

export type Consulted = { readonly book: Book; readonly exchange: Exchange } & (
  | { readonly answer: Answer; readonly checks: readonly AnswerCheck[] }
  /** `paid`: there was an answer, and asking the same again would bring the same. */
  | { readonly problem: string; readonly paid: boolean }
);

const RESULT = 12_000;
const SHOWN = 160_000;
const RETRIES = 2;
const LONGEST_WAIT_MS = 20_000;

/**
 * Asks, shows what is asked for, and reads the answer: a bounded loop. Whatever happens to the network, the money or the answer ends in a
 * sentence; only what `tick` throws is thrown.
 */
export async function consult(question: Question, doors: Doors): Promise<Consulted> {
  const { settings, redactor, clock, price } = doors;
  const book = newBook();
  const system = [INSTRUCTIONS, ground(question.delimiter, question.allowed, question.summaries)];
  const replies: Exchange["replies"][number][] = [];
  const turns: AdvisorTurn[] = [{ role: "user", text: question.open(book) }];
  const until = clock.now().getTime() + settings.patience;
  let looks = 0;
  let shown = 0;
  let characters = 0;
  const end = (problem: string, paid = false): Consulted => ({
    book,
    exchange: { system, turns, replies, characters },
    problem,
    paid,
  });

  for (let turn = 1; turn <= settings.turns; turn += 1) {
    const request: AdvisorRequest = {
      model: settings.diagnosis,
      maxTokens: settings.maxTokens,
      ...(settings.effort === "" ? {} : { effort: settings.effort }),
      system,
      tools: TOOLS,
      turns,
      answer: answerJsonSchema(question.allowed),
    };
    const leak = leakOf(request, redactor);
    if (leak !== null) return end(`redaction is not sure of what would be sent (${leak}); nothing was sent`);
    const size = JSON.stringify(request);
    characters = Math.max(characters, size.length);
    const worst = worstCase(Buffer.byteLength(size), settings.maxTokens, price);
    const said = await askWithPatience(request, worst, until, doors, replies);
    if ("problem" in said) return end(said.problem, said.paid);
    const { reply } = said;
    if (reply.stop === "refusal") return end("the model refused to answer", true);
    if (reply.stop === "length") return end("the answer was cut off at model.maxTokens", true);
    turns.push({ role: "model", content: reply.content });
    if (reply.stop === "pause") continue;
    if (reply.stop === "end") {
      const answer = parseAnswer(reply.text, question.allowed);
      if ("problem" in answer) return end(answer.problem, true);
      if (answer.choice.remedy === "none")
        return { book, exchange: { system, turns, replies, characters }, answer, checks: [] };
      const cited = checkCitations(answer.citations, book);
      if ("problem" in cited) return end(cited.problem, true);
      return { book, exchange: { system, turns, replies, characters }, answer, checks: cited.checks };
    }
    const results: { call: string; text: string; failed?: boolean }[] = [];
    for (const call of reply.calls) {
      looks += 1;
      const known = readCall(call.name, call.input);
      if (looks > settings.calls || shown > SHOWN)
        results.push({ call: call.id, text: "No more looks are possible. Answer now.", failed: true });
      else if ("problem" in known) results.push({ call: call.id, text: known.problem, failed: true });
      else {
        const seen = await doors
          .look(known.name, known.input, book)
          .catch((error: unknown): Seen => ({ kind: "none", text: `It cannot be read: ${messageOf(error)}` }));
        const id = `t${looks}`;
        const clean = bounded(redactor.clean(seen.text), RESULT, seen.kind === "log" ? "end" : "start");
        enter(book, id, seen.kind, clean);
        shown += clean.length;
        results.push({ call: call.id, text: frame(question.delimiter, id, seen.kind, clean) });
      }
    }
    turns.push({ role: "results", results });
  }
  return end(`there was no answer within ${settings.turns} requests (model.turns)`, true);
}

/** One request, again where the API asks for a little patience, within the time and the money. */
async function askWithPatience(
  request: AdvisorRequest,
  worst: { readonly tokens: number; readonly dollars: number },
  until: number,
  { advisor, account, clock, settings, price, tick, mostMs }: Doors,
  replies: Exchange["replies"][number][],
): Promise<{ readonly reply: AdvisorReply } | { readonly problem: string; readonly paid: boolean }> {
  for (let attempt = 0; ; attempt += 1) {
    await tick();
    const left = until - clock.now().getTime();
    if (left <= 0) return { problem: "there was no answer in time (model.patience)", paid: false };
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
    const passes = kind === "rate-limit" || kind === "overloaded" || (kind === "unreachable" && billed === "nothing");
    if (!passes || attempt >= RETRIES || wait > LONGEST_WAIT_MS || wait >= until - clock.now().getTime())
      return { problem: message, paid: false };
    await clock.sleep(wait);
  }
}

/** What the second opinion finds in anything that would be sent; a fault of its own counts as a find. */
function leakOf(request: AdvisorRequest, redactor: Redactor): string | null {
  try {
    const texts = [
      ...request.system,
      ...request.turns.flatMap((turn) => {
        if (turn.role === "user") return [turn.text];
        if (turn.role === "results") return turn.results.map((result) => result.text);
        // Signatures of thinking are random by nature, and the API's own.
        return [
          JSON.stringify(turn.content, (key, value: unknown) =>
            key === "signature" || key === "id" || key === "data" ? undefined : value,
          ),
        ];
      }),
    ];
    for (const text of texts) {
      const found = redactor.leak(text);
      if (found !== null) return found;
    }
    return null;
  } catch (error) {
    return `it failed: ${error instanceof Error ? error.name : "unknown"}`;
  }
}
