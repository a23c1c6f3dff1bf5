export const HIDDEN = "‹redacted›";

/** What of a text is put in the place of what. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly put: string;
}

/** Reads text with a sticky pattern: where it ends when begun at `at`; -1: it does not begin there. */
export function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

const NAMES = /[A-Za-z0-9_.-]+/g;

/** Goes once through the words of a text and puts something else in the place of what follows some of them. */
export function replaceAfter(text: string, spanOf: (name: string, at: number, after: number) => Span | null): string {
  const names = new RegExp(NAMES);
  let out = "";
  let done = 0;
  for (let found = names.exec(text); found !== null; found = names.exec(text)) {
    const span = spanOf(found[0], found.index, names.lastIndex);
    if (span === null) continue;
    out += text.slice(done, span.from) + span.put;
    done = span.to;
    names.lastIndex = span.to;
  }
  return done === 0 ? text : out + text.slice(done);
}

const OPENS = /(\\{0,8})(["'`])/y;

/** The inside of a quotation that begins at `at`, escaped as often as its own mark is; null: none begins there. It ends with its line at the latest. */
export function quotedAt(text: string, at: number): { readonly from: number; readonly to: number } | null {
  OPENS.lastIndex = at;
  const opens = OPENS.exec(text);
  if (opens === null) return null;
  const [, escapes = "", mark = ""] = opens;
  const from = OPENS.lastIndex;
  let before = 0;
  for (let to = from; to < text.length; to += 1) {
    const letter = text[to];
    if (letter === "\n") return { from, to };
    // YAML and SQL write a quote in quotes twice.
    if (letter === "'" && mark === "'" && escapes === "" && to > from && text[to + 1] === "'") {
      to += 1;
      continue;
    }
    if (letter === mark && (escapes === "" ? before % 2 === 0 : before <= escapes.length))
      return { from, to: to - (escapes === "" ? 0 : before) };
    before = letter === "\\" ? before + 1 : 0;
  }
  return { from, to: text.length };
}

/** Sentences about a secret, and not the secret: `password: NO`, `DB_PASSWORD: required variable is missing`. */
export const SAYS =
  "(?:yes|no|not|none|null|nil|true|false|missing|required|empty|invalid|valid|expired|wrong|incorrect|unset|undefined|unknown|absent|optional|mandatory|denied|refused|rejected|revoked|must|cannot|could|should|too|is|was|are|has|failed)(?![\\w@$!#%&*+/=-])";
