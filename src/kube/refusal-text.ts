/** Where the API server quotes what it does not like: as JSON, as a list, or in Go's own words. */
const QUOTED = /(?:Invalid|Unsupported|Duplicate) value: (?=(?:&?\w+\.\w+)?[{[]|map\[|\[\])/g;

/**
 * What the API server says of an object, without the parts of the object that it quotes: a template holds values that belong
 * into no incident and no pull request, and pushes what is wrong out of sight.
 */
export function withoutObjects(text: string): string {
  let out = "";
  let at = 0;
  for (const match of text.matchAll(QUOTED)) {
    const start = match.index + match[0].length;
    if (match.index < at) continue;
    out += `${text.slice(at, start)}…`;
    at = endOf(text, start);
  }
  return out + text.slice(at);
}

/** Behind the value that begins here; the end of the text where its brackets do not close. */
function endOf(text: string, start: number): number {
  let depth = 0;
  let quoted = false;
  for (let index = start; index < text.length; index += 1) {
    const letter = text[index];
    if (quoted) {
      if (letter === "\\") index += 1;
      else if (letter === '"') quoted = false;
    } else if (letter === '"') quoted = true;
    else if (letter === "{" || letter === "[") depth += 1;
    else if (letter === "}" || letter === "]") depth -= 1;
    // A value ends where its brackets are closed and its sentence goes on.
    if (!quoted && depth === 0 && (letter === "}" || letter === "]") && !/[\w{[]/.test(text[index + 1] ?? ""))
      return index + 1;
  }
  return text.length;
}
