import { endOf, HIDDEN, quotedAt, replaceAfter, SAYS, type Span } from "./span.ts";

const SEPARATOR = /\\{0,8}["'`]?[ \t]*(?:=>|:=|[:=])[ \t]*|\\{0,8}["'][ \t]*,[ \t]*/y;
const LIST = /\[\s{0,200}/y;
const SAID = new RegExp(`${SAYS}`, "iy");
/** Digest and its like: what follows the scheme has quotes of its own. */
const PARAMETERS = /[\w-]+[ \t]+[\w-]+=\\{0,8}"/y;
const LINE = /[^\n]*/y;
const PLAIN = /(?:[^"'`\]}\n\\]|\\(?!["'`]))*/y;

/**
 * Takes out what headers of these names hold, whatever the scheme: up to the bracket or quote that closes it, or the line's end. Also where a
 * program prints them as lists (`map[Authorization:[Bearer x]]`) or pairs.
 */
export function withoutHeaders(text: string, names: RegExp): string {
  return replaceAfter(text, (name, _, after) => (names.test(name) ? headerAfter(text, after) : null));
}

function headerAfter(text: string, after: number): Span | null {
  const at = endOf(SEPARATOR, text, after);
  if (at < 0 || endOf(SAID, text, at) >= 0) return null;
  const list = endOf(LIST, text, at);
  const begins = list < 0 ? at : list;
  const quoted = quotedAt(text, begins);
  const span =
    list >= 0
      ? { from: quoted?.from ?? begins, to: listEnd(text, begins) }
      : (quoted ?? { from: at, to: endOf(endOf(PARAMETERS, text, at) < 0 ? PLAIN : LINE, text, at) });
  const inside = text.slice(span.from, span.to);
  return inside.trim().length < 3 || inside.startsWith("‹") ? null : { ...span, put: HIDDEN };
}

/** Where a list's bracket closes, without the quote before it; the line's end where it does not. */
function listEnd(text: string, at: number): number {
  let end = at;
  while (end < text.length && text[end] !== "]" && text[end] !== "\n") end += 1;
  while (end > at && /["'`\\\s]/.test(text[end - 1] ?? "")) end -= 1;
  return end;
}
