/**
 * Text of strangers, between marks that it cannot contain: the delimiter is drawn for each exchange. Whatever stands between them is data.
 */
export function frame(delimiter: string, id: string, kind: string, text: string): string {
  const inside = visible(text).replaceAll(delimiter, "");
  return `<data ${delimiter} id="${id}" kind="${kind}">\n${inside}\n</data ${delimiter}>`;
}

/** A text without the marks of its own exchange, which say nothing of strangers. */
export function withoutMarks(text: string, delimiter: string): string {
  const isMark = (line: string): boolean =>
    (line.startsWith(`<data ${delimiter} id="`) && line.endsWith('">')) || line === `</data ${delimiter}>`;
  return text
    .split("\n")
    .filter((line) => !isMark(line))
    .join("\n");
}

/** Without characters that are read and not seen: controls, zero width, bidirectional overrides, and the letters of Unicode's tag block. */
export function visible(text: string): string {
  return text.replaceAll(/(?![\n\t])[\p{Cc}\p{Cf}\p{Co}\p{Cn}]/gu, "");
}

/** At most so many characters, with a word on what is left out: the end of a log says more than its beginning. `beyond`: what was left out before. */
export function bounded(text: string, most: number, keep: "start" | "end" = "start", beyond = 0): string {
  const left = Math.max(0, text.length - most) + beyond;
  if (left === 0) return text;
  return keep === "start"
    ? `${text.slice(0, most)}\n… (${left} more characters)`
    : `(${left} characters before) …\n${text.slice(-most)}`;
}

/** Read beyond what is shown, and kept away from where it was cut: a secret that was cut in two is not known by its shape. */
const READ = 4;
const EDGE = 4000;

/** A text cleaned and bounded, whatever its length: cut generously first, so that the work is bounded as well. */
export function cleanBounded(
  text: string,
  most: number,
  keep: "start" | "end",
  clean: (text: string) => string,
): string {
  const read = most * READ + EDGE;
  if (text.length <= read) return bounded(clean(text), most, keep);
  const cleaned = clean(keep === "start" ? text.slice(0, read) : text.slice(-read));
  const inner = keep === "start" ? cleaned.slice(0, -EDGE) : cleaned.slice(EDGE);
  return bounded(inner, most, keep, text.length - read + EDGE);
}
