/**
 * Text of strangers, between marks that it cannot contain: the delimiter is drawn for each exchange. Whatever stands between them is data.
 */
export function frame(delimiter: string, id: string, kind: string, text: string): string {
  const inside = visible(text).replaceAll(delimiter, "");
  return `<data ${delimiter} id="${id}" kind="${kind}">\n${inside}\n</data ${delimiter}>`;
}

/** Without characters that are read and not seen: controls, zero width, bidirectional overrides, and the letters of Unicode's tag block. */
export function visible(text: string): string {
  return text.replaceAll(/(?![\n\t])[\p{Cc}\p{Cf}\p{Co}\p{Cn}]/gu, "");
}

/** At most so many characters, with a word on what is left out: the end of a log says more than its beginning. */
export function bounded(text: string, most: number, keep: "start" | "end" = "start"): string {
  if (text.length <= most) return text;
  const left = text.length - most;
  return keep === "start"
    ? `${text.slice(0, most)}\n… (${left} more characters)`
    : `(${left} characters before) …\n${text.slice(-most)}`;
}
