import type { Redactor } from "../advice/redaction.ts";

/** One line of a file, as it stands there and as it is shown. */
export interface Line {
  /** Where it begins in the file's text. */
  readonly start: number;
  /** Without its ending. */
  readonly text: string;
  readonly ending: "\n" | "\r\n" | "";
  /** Redacted, and without what cannot be seen. */
  readonly shown: string;
}

/** How what was taken out is marked: a text that holds such a mark is not the file's own. */
export const MARKS = /‹(?:redacted|line of)/;
const LONG = 1000;
const CHUNK = 100;
const CONTEXT = 2;
const BLOCK = "‹redacted block›";

/** A line is shown as it is: nothing was taken out of it, and it holds nothing that cannot be seen. Only such lines can be changed. */
export const isPlain = (line: Line): boolean => line.shown === line.text && !MARKS.test(line.text);

/**
 * The lines of a text, each redacted in its surroundings. Work is bounded by the text's size whatever stands in it: redaction is asked about a
 * hundred lines at a time, and never about very long ones.
 */
export function viewOf(text: string, redactor: Redactor): readonly Line[] {
  const lines = linesOf(text);
  const prepared = withoutBlocks(
    lines.map((line) => (line.text.length > LONG ? `‹line of ${line.text.length} characters›` : line.text)),
  );
  const shown: string[] = [];
  for (let at = 0; at < prepared.length; at += CHUNK) {
    const from = Math.max(0, at - CONTEXT);
    const piece = prepared.slice(from, at + CHUNK + CONTEXT);
    const clean = redactor.clean(piece.join("\n")).split("\n");
    // A rule that took a line break out: line by line, no line is mistaken for another.
    const aligned = clean.length === piece.length ? clean : piece.map((line) => redactor.clean(line));
    shown.push(...aligned.slice(at - from, at - from + CHUNK));
  }
  return lines.map((line, index) => ({ ...line, shown: shown[index] ?? "" }));
}

/** Keys and certificates: each of their lines is taken out, so that the lines after them keep their numbers. */
function withoutBlocks(lines: readonly string[]): string[] {
  let within = false;
  return lines.map((line) => {
    if (!within && /-----BEGIN [A-Z0-9 ]{1,60}-----/.test(line)) {
      within = !line.includes("-----END ");
      return BLOCK;
    }
    if (!within) return line;
    within = !line.includes("-----END ");
    return BLOCK;
  });
}

/** A text that ends with a line break has no empty line after it. A byte order mark is part of no line. */
function linesOf(text: string): Omit<Line, "shown">[] {
  const out: Omit<Line, "shown">[] = [];
  for (let start = text.startsWith("\uFEFF") ? 1 : 0; start < text.length; ) {
    const feed = text.indexOf("\n", start);
    const end = feed < 0 ? text.length : feed;
    const crlf = feed > start && text[feed - 1] === "\r";
    out.push({
      start,
      text: text.slice(start, crlf ? end - 1 : end),
      ending: feed < 0 ? "" : crlf ? "\r\n" : "\n",
    });
    start = feed < 0 ? text.length : feed + 1;
  }
  return out;
}
