import { isPlain, type Line } from "./view.ts";

export type Spliced = { readonly text: string; readonly line: number } | { readonly problem: string };

const PLACES = 3;
const AROUND = 12;

/**
 * Replaces the one place in a text where `old` stands. It is looked for only in lines that are shown as they are, so that neither a change nor
 * the answer to one that fails tells anything of the others. Line endings, the byte order mark and whatever `old` and `fresh` have in common
 * stay as they were.
 */
export function splice(text: string, lines: readonly Line[], old: string, fresh: string): Spliced {
  const wanted = unified(old);
  const wish = unified(fresh);
  if (wanted === "") return { problem: "`old` is empty: give the text that is to be replaced" };
  if (wanted === wish) return { problem: "`old` and `new` are the same" };
  const found = placesOf(lines, wanted);
  const [only] = found;
  if (only === undefined) return { problem: missing(lines, wanted) };
  if (found.length > 1)
    return {
      problem: `\`old\` occurs ${found.length} times, in lines ${found
        .slice(0, 10)
        .map((place) => place.line + 1)
        .join(", ")}: take more of the lines around the one that is meant`,
    };
  if (joins(lines, only, wanted, wish))
    return {
      problem: "it would join a line with the next one, which cannot be changed: keep the line break between them",
    };
  // What both have in common is left alone, with its line endings.
  const head = common(wanted, wish, (whole, at) => whole[at]);
  const tail = Math.min(
    common(wanted, wish, (whole, at) => whole[whole.length - 1 - at]),
    Math.min(wanted.length, wish.length) - head,
  );
  const from = offsetOf(lines, only, head);
  const to = offsetOf(lines, only, wanted.length - tail);
  const ending = lines[only.line]?.ending || lines[0]?.ending || "\n";
  const middle = wish.slice(head, wish.length - tail).replaceAll("\n", ending);
  return { text: text.slice(0, from) + middle + text.slice(to), line: only.line + 1 };
}

const unified = (text: string): string => text.replaceAll("\r\n", "\n");

/** Where a text begins: a line and a place in it. */
interface Place {
  readonly line: number;
  readonly column: number;
}

/** Every run of plain lines is looked through by itself: what reaches into another line is no match. */
function placesOf(lines: readonly Line[], wanted: string): Place[] {
  const out: Place[] = [];
  for (let first = 0; first < lines.length; ) {
    let last = first;
    while (last < lines.length && isPlain(lines[last] as Line)) last += 1;
    if (last === first) {
      first += 1;
      continue;
    }
    const run = lines.slice(first, last);
    const starts: number[] = [];
    let length = 0;
    const joined = run
      .map((line) => {
        starts.push(length);
        const piece = line.ending === "" ? line.text : `${line.text}\n`;
        length += piece.length;
        return piece;
      })
      .join("");
    let row = 0;
    for (let at = joined.indexOf(wanted); at >= 0; at = joined.indexOf(wanted, at + 1)) {
      while (row + 1 < starts.length && (starts[row + 1] ?? 0) <= at) row += 1;
      out.push({ line: first + row, column: at - (starts[row] ?? 0) });
      if (out.length > 1000) return out;
    }
    first = last;
  }
  return out;
}

/** Would the line after the match, which is not plain, become a part of another one? */
function joins(lines: readonly Line[], { line, column }: Place, wanted: string, wish: string): boolean {
  if (!wanted.endsWith("\n") || wish.endsWith("\n") || (wish === "" && column === 0)) return false;
  const next = lines[line + wanted.split("\n").length - 1];
  return next !== undefined && !isPlain(next);
}

/** The offset in the file of what is `ahead` characters after a place, where every line ending counts as one. */
function offsetOf(lines: readonly Line[], { line, column }: Place, ahead: number): number {
  let left = column + ahead;
  for (let row = line; row < lines.length; row += 1) {
    const { start, text, ending } = lines[row] as Line;
    if (left <= text.length) return start + left;
    left -= text.length + 1;
    if (row === lines.length - 1) return start + text.length + ending.length;
  }
  return 0;
}

function common(a: string, b: string, at: (whole: string, index: number) => string | undefined): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && at(a, length) === at(b, length)) length += 1;
  return length;
}

/** Why there is no match, with the places that come near. */
function missing(lines: readonly Line[], wanted: string): string {
  const rows = wanted.split("\n");
  const anchor = rows.find((row) => bare(row).length >= 4);
  const near =
    anchor === undefined
      ? []
      : lines.flatMap((line, index) => (bare(line.shown).includes(bare(anchor)) ? [index] : [])).slice(0, PLACES);
  const numbered = /^\s*\d+\t/.test(wanted) ? " Leave the line numbers out." : "";
  const hint =
    near.length === 0
      ? " Nothing near it was found either: read the file again."
      : ` White space or a letter differs. Similar lines:\n${near.map((index) => around(lines, index, rows.length)).join("\n…\n")}`;
  return `\`old\` does not occur in the lines that are shown as they are (those with ‹redacted› in them, or with characters that cannot be seen, cannot be changed).${numbered}${hint}`;
}

const bare = (row: string): string => row.replaceAll(/\s+/g, "");

function around(lines: readonly Line[], index: number, count: number): string {
  return lines
    .slice(index, index + Math.min(count, AROUND))
    .map((line, offset) => `${index + offset + 1}\t${line.shown}`)
    .join("\n");
}
