import type { Book } from "./book.ts";

export interface Citation {
  readonly id: string;
  readonly quote: string;
}

/** What was checked of an answer, and whether it held. Confidence is counted from these, and from nothing that the model says of itself. */
export interface AnswerCheck {
  readonly id: "cites" | "quotes" | "sources" | "origin" | "limits" | "check";
  readonly passed: boolean;
  readonly text: string;
}

const MOST = 20;

export interface CheckedCitations {
  readonly checks: readonly AnswerCheck[];
  /** Of what the true quotes are from. */
  readonly kinds: ReadonlySet<string>;
  /** Those whose quote stands where it is said to stand. Nothing else of what was cited may be kept or told: it may be anybody's words. */
  readonly true: readonly Citation[];
}

/**
 * Is everything that is cited something that was shown, and does it say what is quoted? A citation of what was not shown makes the whole
 * answer worthless; so does one without a single true quote.
 */
export function checkCitations(
  citations: readonly Citation[],
  book: Book,
): CheckedCitations | { readonly problem: string } {
  if (citations.length === 0) return { problem: "it cites nothing" };
  if (citations.length > MOST) return { problem: `it cites more than ${MOST} things` };
  const stray = citations.find(({ id }) => !book.shown.has(id));
  if (stray !== undefined) return { problem: "it cites something that was not shown" };
  const held = citations.filter(({ id, quote }) => isIn(quote, book.shown.get(id)?.text ?? ""));
  if (held.length === 0) return { problem: "nothing that it quotes was shown" };
  const kinds = new Set(held.map(({ id }) => book.shown.get(id)?.kind ?? ""));
  return {
    kinds,
    true: held.map(({ id, quote }) => ({ id, quote: flat(quote) })),
    checks: [
      { id: "cites", passed: true, text: `${citations.length} cited, all of them shown` },
      {
        id: "quotes",
        passed: held.length === citations.length,
        text: `${held.length} of ${citations.length} quoted to the letter`,
      },
      { id: "sources", passed: kinds.size > 1, text: `rests on ${[...kinds].toSorted().join(", ")}` },
    ],
  };
}

/** The share of checks that held, as a word. */
export function confidenceOf(checks: readonly AnswerCheck[]): "low" | "medium" | "high" {
  const failed = checks.filter((check) => !check.passed).length;
  return failed === 0 ? "high" : failed === 1 ? "medium" : "low";
}

/** Words of the text, white space aside; at least eight characters, or nearly everything would be in everything. */
function isIn(quote: string, text: string): boolean {
  const wanted = flat(quote);
  return wanted.length >= 8 && wanted.length <= 500 && flat(text).includes(wanted);
}

const flat = (words: string): string => words.replaceAll(/\s+/g, " ").trim();
