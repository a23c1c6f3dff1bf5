import type { RemedyId } from "../config/schema.ts";
import { type Answer, answerJsonSchema, parseAnswer } from "./answer.ts";
import { type Book, newBook } from "./book.ts";
import { type AnswerCheck, type Citation, checkCitations } from "./citations.ts";
import { converse, type Exchange, type Seen, type TalkDoors, type Unanswered } from "./converse.ts";
import { ground, INSTRUCTIONS } from "./prompt.ts";
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

/** What may be looked at; a sentence where there is nothing. May enter changes into the book. */
export type Look = (name: ToolName, input: Readonly<Record<string, unknown>>, book: Book) => Promise<Seen>;

export type Doors = TalkDoors & { readonly look: Look };

/** `citations`: those of the answer's that were found to be true. */
interface Checked {
  readonly answer: Answer;
  readonly checks: readonly AnswerCheck[];
  readonly citations: readonly Citation[];
}

export type Consulted = { readonly book: Book; readonly exchange: Exchange } & (Checked | Unanswered);

const SHOWN = 160_000;

/** Asks which remedy is right, and checks what the answer rests on. What `tick` throws is thrown; nothing else is. */
export async function consult(question: Question, doors: Doors): Promise<Consulted> {
  const { settings, look } = doors;
  const { allowed, delimiter } = question;
  const book = newBook();
  const { exchange, said } = await converse<Checked>(
    {
      model: settings.diagnosis,
      maxTokens: settings.maxTokens,
      system: [INSTRUCTIONS, ground(delimiter, allowed, question.summaries)],
      tools: TOOLS,
      form: answerJsonSchema(allowed),
      delimiter,
      book,
      first: question.open(book),
      turns: settings.turns,
      calls: settings.calls,
      shown: SHOWN,
      patience: settings.patience,
      section: "model",
      checksReplies: true,
      async look(name, input) {
        const known = readCall(name, input);
        return "problem" in known
          ? { kind: "none", text: known.problem, failed: true }
          : look(known.name, known.input, book);
      },
      async read(text) {
        const answer = parseAnswer(text, allowed);
        if ("problem" in answer) return answer;
        if (answer.choice.remedy === "none") return { answer: { answer, checks: [], citations: [] } };
        const cited = checkCitations(answer.citations, book);
        return "problem" in cited ? cited : { answer: { answer, checks: cited.checks, citations: cited.true } };
      },
    },
    doors,
  );
  return "problem" in said ? { book, exchange, ...said } : { book, exchange, ...said.answer };
}
