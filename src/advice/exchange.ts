import { z } from "zod";
import type { RemedyId } from "../config/schema.ts";
import { StanchError } from "../errors.ts";
import type { Change, Commit, Json } from "../model.ts";
import type { Advisor, AdvisorReply } from "../ports.ts";
import type { Book } from "./book.ts";
import type { Consulted, Look, Question } from "./consult.ts";
import { hide } from "./object-text.ts";
import type { Redactor } from "./redaction.ts";

const Usage = z.strictObject({
  inputTokens: z.number(),
  outputTokens: z.number(),
  cacheReadTokens: z.number(),
  cacheWriteTokens: z.number(),
});
const Reply = z.strictObject({
  stop: z.enum(["end", "calls", "length", "refusal", "pause"]),
  text: z.string(),
  calls: z.array(z.strictObject({ id: z.string(), name: z.string(), input: z.json() })),
  usage: Usage,
});
const Fault = z.strictObject({
  kind: z.enum(["rate-limit", "overloaded", "unreachable", "timeout", "cut", "refused", "unreadable"]),
  message: z.string(),
  retryAfterMs: z.number().optional(),
  billed: z.enum(["nothing", "unknown"]),
});

const Check = z.union([
  z.strictObject({
    ran: z.literal(true),
    exit: z.number().nullable(),
    timedOut: z.boolean(),
    output: z.string(),
    ms: z.number(),
  }),
  z.strictObject({ ran: z.literal(false), reason: z.string() }),
]);
/** What an exchange about a program's code has beside: with it the edits can be made again without the repository. */
const Code = z.strictObject({
  repository: z.string(),
  folder: z.string(),
  /** The commit that the image was built from, where it was known. */
  deployed: z.string().optional(),
  /** Was there a check command? */
  checked: z.boolean(),
  limits: z.strictObject({
    files: z.number(),
    lines: z.number(),
    fileBytes: z.number(),
    edit: z.array(z.string()),
    lockfiles: z.boolean(),
    turns: z.number(),
    calls: z.number(),
    checks: z.number(),
  }),
  looks: z.array(z.strictObject({ kind: z.string(), text: z.string(), quotable: z.string().optional() })),
  files: z.array(z.strictObject({ path: z.string(), mode: z.string(), text: z.string() })),
  checks: z.array(Check),
});

/** A recorded exchange: what was shown, what was answered, and what became of it. Redacted as it was sent. */
export const Recording = z.strictObject({
  version: z.literal(1),
  stanch: z.string(),
  at: z.string(),
  incident: z.string(),
  model: z.string(),
  allowed: z.array(z.string()),
  delimiter: z.string(),
  /** The first message as it was sent, and the pieces in it that may be cited. */
  question: z.string(),
  shown: z.array(z.strictObject({ id: z.string(), kind: z.string(), text: z.string() })),
  changes: z.array(z.strictObject({ id: z.string(), commit: z.json().optional(), change: z.json() })),
  replies: z.array(z.union([z.strictObject({ reply: Reply }), z.strictObject({ fault: Fault })])),
  /** Characters of the largest request. */
  characters: z.number(),
  outcome: z.string(),
  /** Of an exchange about a program's code alone. */
  code: Code.optional(),
});
export type Recording = z.output<typeof Recording>;

/** A megabyte: what is larger is no exchange that anybody reads. */
const MOST = 1_000_000;
/** Ids of what was looked at. */
const LOOK = /^t\d+$/;

/** An exchange as a file. Throws StanchError `model` when it is too large, or when redaction is not sure of it. */
export function formatExchange(facts: {
  readonly at: string;
  readonly incident: string;
  readonly model: string;
  readonly version: string;
  readonly allowed: readonly RemedyId[];
  readonly delimiter: string;
  readonly judged: string;
  readonly consulted: Pick<Consulted, "book" | "exchange">;
  readonly redactor: Redactor;
  readonly code?: Recording["code"];
  /** A call's parameters as they are kept; absent: redacted. */
  readonly input?: (name: string, input: Json) => Json;
}): string {
  const { consulted, redactor } = facts;
  const { book, exchange } = consulted;
  const [first] = exchange.turns;
  const recording: Recording = {
    version: 1,
    stanch: facts.version,
    at: facts.at,
    incident: facts.incident,
    model: facts.model,
    allowed: [...facts.allowed],
    delimiter: facts.delimiter,
    question: first?.role === "user" ? first.text : "",
    shown: [...book.shown]
      // What was looked at in a repository stands in `code`.
      .filter(([id]) => facts.code === undefined || !LOOK.test(id))
      .map(([id, { kind, text }]) => ({ id, kind, text })),
    changes: [...book.changes].map(([id, { commit, change }]) => ({
      id,
      ...(commit === undefined ? {} : { commit: cleaned({ ...commit, author: "", email: "" }, redactor) }),
      change: cleaned(change as unknown as Json, redactor),
    })),
    replies: exchange.replies.map((said) =>
      "fault" in said ? { fault: said.fault } : { reply: withoutContent(said.reply, redactor, facts.input) },
    ),
    characters: exchange.characters,
    outcome: redactor.clean(facts.judged),
    ...(facts.code === undefined ? {} : { code: facts.code }),
  };
  const text = `${JSON.stringify(recording, null, 2)}\n`;
  if (text.length > MOST) throw new StanchError("model", "the exchange is too large to be kept");
  if (redactor.leak(text) !== null) throw new StanchError("model", "redaction is not sure of the exchange");
  return text;
}

/** What was thought is left out: nobody but the API can read it, and it is not needed. */
function withoutContent(
  { stop, text, calls, usage }: AdvisorReply,
  redactor: Redactor,
  keep: (name: string, input: Json) => Json = (_, input) => cleaned(input, redactor),
) {
  return {
    stop,
    text: answerText(text, redactor),
    calls: calls.map(({ id, name, input }) => ({ id, name, input: keep(name, input as Json) })),
    usage,
  };
}

/** An answer stays one: each of its texts is redacted by itself. */
function answerText(text: string, redactor: Redactor): string {
  try {
    return JSON.stringify(cleaned(JSON.parse(text) as Json, redactor));
  } catch {
    return redactor.clean(text);
  }
}

function cleaned(value: Json, redactor: Redactor): Json {
  const walk = (inner: Json): Json => {
    if (typeof inner === "string") return redactor.clean(inner);
    if (Array.isArray(inner)) return inner.map(walk);
    if (typeof inner !== "object" || inner === null) return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, item]) => [key, walk(item)]));
  };
  return walk(hide(value));
}

/** A file as a recorded exchange. Throws StanchError `config` where it is none. */
export function parseExchange(text: string): Recording {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new StanchError("config", "the recorded exchange is no JSON", { hint: "use a file that model.record wrote" });
  }
  const parsed = Recording.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new StanchError("config", `the recorded exchange is wrong: ${issue?.path.join(".")} ${issue?.message}`, {
    hint: "use a file that model.record wrote",
  });
}

/** A recorded exchange in the place of a model, of the question and of what was looked at: the same loop runs, and no call is made. */
export function replay(recording: Recording): { advisor: Advisor; look: Look; open: Question["open"] } {
  const replies = [...recording.replies];
  const looked = recording.shown.filter(({ id }) => LOOK.test(id));
  const fill = (book: Book): void => {
    for (const { id, commit, change } of recording.changes)
      book.changes.set(id, {
        ...(commit === undefined ? {} : { commit: commit as unknown as Commit }),
        change: change as unknown as Change,
      });
  };
  return {
    open(book) {
      for (const { id, kind, text } of recording.shown) if (!LOOK.test(id)) book.shown.set(id, { kind, text });
      return recording.question;
    },
    async look(_name, _input, book) {
      fill(book);
      return looked.shift() ?? { kind: "none", text: "Nothing was recorded here." };
    },
    advisor: {
      async ask() {
        const next = replies.shift();
        if (next === undefined)
          return { fault: { kind: "cut", message: "the recording ends here", billed: "nothing" } };
        if ("fault" in next) {
          const { retryAfterMs, ...fault } = next.fault;
          return { fault: { ...fault, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) } };
        }
        const content = [
          ...(next.reply.text === "" ? [] : [{ type: "text", text: next.reply.text }]),
          ...next.reply.calls.map(({ id, name, input }) => ({ type: "tool_use", id, name, input })),
        ] as Json[];
        return { reply: { ...next.reply, content } };
      },
    },
  };
}
