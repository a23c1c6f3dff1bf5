import { endOf, HIDDEN, quotedAt, replaceAfter, SAYS, type Span } from "./span.ts";

/** Names of fields, variables, options and elements whose value is nobody's business. */
const SECRET =
  /passw(?:or)?d|pwd|passphrase|passcode|secret|token|api[_.-]?key|access[_.-]?key|private[_.-]?key|signing[_.-]?key|encryption[_.-]?key|account[_.-]?key|credential|dsn|connection[_.-]?string|^x-[\w-]*(?:key|auth)$/i;
/** `pass` as a word of a name: neither `bypass` nor `passed`, and no directive that passes a request on. */
const PASS = /(?<!proxy|fastcgi|uwsgi|scgi|grpc|memcached)[_.-]pass\d*$/i;
const CAMEL_PASS = /[a-z0-9]Pass\d*$/;
/** As an option of a command, every kind of key. */
const OPTION_KEY = /^--[a-z][\w.-]*-key\b/i;
/** `pass` alone says something else as well (`--- PASS: TestCart`, `pass=12 fail=0`). */
const BARE_PASS = /\\{0,8}["'][ \t]*(?:=>|[:=])|=(?!\d+\b)|:[ \t]+(?!\d+\b)/y;
/** What Kubernetes names in quotes: `secret "cart-db" not found`. */
const KIND = /^[a-z]*secrets?$/i;

const Q = "(?:\\\\{0,8}[\"'`])";
const SEPARATOR = new RegExp(`${Q}?\\]?[ \\t]*(?:=>|:=|={1,3}|:)[ \\t]*`, "y");
/** `password "x"`, as HCL and nginx write it. */
const BESIDE = /[ \t]+(?=\\{0,8}["'])/y;
/** `name: DB_PASSWORD` with its `value:` after it. */
const PAIR = new RegExp(`${Q}?[ \\t]*[\\s,;]{1,200}${Q}?value${Q}?[ \\t]*[:=][ \\t]*`, "iy");
/** `--password x`, and the next item of a list, in a line or in a block. */
const OPTION = new RegExp(
  `=|${Q}[ \\t]*,?\\s{0,200}(?=\\\\{0,8}["'])|${Q}?[ \\t]*\\r?\\n[ \\t]*-[ \\t]+(?!-)|[ \\t]+(?!-)`,
  "y",
);
const ELEMENT = /(?:[ \t][^<>\n]{0,200})?>[ \t]*/y;
const SAID = new RegExp(SAYS, "iy");
const ONLY_SAID = new RegExp(`^${SAYS}$`, "i");
const PLAIN = /(?:(?:bearer|basic|token|apikey)[ \t]+)?(?:[^\s"',;&\\<]|\\(?!["']))+/iy;
const TEXT = /[^<\n]+/y;
const BLOCK = /[|>][+-]?\d?[+-]?[ \t]*(?:#[^\n]*)?\r?\n/y;
/** YAML's value on the next line, alone there. */
const BELOW = /\r?\n[ \t]+(?=[^\s:#‹-][^\s:]{2,}[ \t]*(?:\r?\n|$))/y;

/** Takes out the values of all that is named like a secret, wherever names and values stand together. */
export function withoutNamed(text: string): string {
  const named = replaceAfter(text, (name, at, after) =>
    isSecretName(name, text, at, after) ? valueAfter(text, name, at, after) : null,
  );
  return withoutPairs(named);
}

function isSecretName(name: string, text: string, at: number, after: number): boolean {
  if (name === "pass") return endOf(BARE_PASS, text, after) >= 0 && /["'\s,;&?({]/.test(text[at - 1] ?? "\n");
  // The directory that a process is in.
  if (/^(?:OLD)?PWD$/.test(name) && text.startsWith("=/", after)) return false;
  return SECRET.test(name) || PASS.test(name) || CAMEL_PASS.test(name) || OPTION_KEY.test(name);
}

function valueAfter(text: string, name: string, at: number, after: number): Span | null {
  if (/<(?:\w{1,30}:)?$/.test(text.slice(Math.max(0, at - 32), at))) {
    const begins = endOf(ELEMENT, text, after);
    if (begins >= 0) return spanOf(text, begins, endOf(TEXT, text, begins));
  }
  const separated = endOf(SEPARATOR, text, after);
  if (separated >= 0) return valueAt(text, separated, { key: at });
  if (name.startsWith("-")) {
    const begins = endOf(OPTION, text, after);
    if (begins >= 0) return valueAt(text, begins, null);
  }
  const paired = endOf(PAIR, text, after);
  if (paired >= 0) return valueAt(text, paired, { key: at });
  const beside = endOf(BESIDE, text, after);
  if (beside < 0 || KIND.test(name) || /unexpected $/i.test(text.slice(Math.max(0, at - 11), at))) return null;
  return valueAt(text, beside, null);
}

/** The value that begins at `at`. `key`: where its key begins, where it may stand on the lines below. */
function valueAt(text: string, at: number, below: { readonly key: number } | null): Span | null {
  const letter = text[at];
  // The keys of a mapping are looked at by themselves.
  if (letter === "{" || letter === "‹") return null;
  const quoted = quotedAt(text, at);
  if (quoted !== null)
    return ONLY_SAID.test(text.slice(quoted.from, quoted.to)) ? null : spanOf(text, quoted.from, quoted.to);
  if (letter === "[") {
    const first = quotedAt(text, at + 1);
    if (first === null) return spanOf(text, at + 1, endOf(PLAIN, text, at + 1));
    let end = first.to;
    while (end < text.length && text[end] !== "]" && text[end] !== "\n") end += 1;
    return spanOf(text, first.from, text[end - 1] === '"' || text[end - 1] === "'" ? end - 1 : end);
  }
  if (below !== null) {
    const block = endOf(BLOCK, text, at);
    if (block >= 0) return blockAt(text, below.key, block);
    const line = endOf(BELOW, text, at);
    if (line >= 0) return spanOf(text, line, endOf(PLAIN, text, line));
  }
  return endOf(SAID, text, at) >= 0 ? null : spanOf(text, at, endOf(PLAIN, text, at));
}

/** Shorter ones are no secrets, and what is taken out already stays as it is. */
function spanOf(text: string, from: number, to: number): Span | null {
  return to - from < 3 || text[from] === "‹" ? null : { from, to, put: HIDDEN };
}

/** The lines of a YAML block: those that stand further to the right than their key. As many lines as before stay. */
function blockAt(text: string, key: number, from: number): Span | null {
  const column = key - (text.lastIndexOf("\n", key - 1) + 1);
  const lines: string[] = [];
  let to = from;
  while (to < text.length) {
    const feed = text.indexOf("\n", to);
    const end = feed < 0 ? text.length : feed;
    const line = text.slice(to, end);
    const blank = /^[ \t\r]*/.exec(line)?.[0].length ?? 0;
    if (blank < line.length && blank <= Math.max(0, column - (text[key - 1] === '"' ? 1 : 0))) break;
    lines.push(blank === line.length ? line : `${line.slice(0, blank)}${HIDDEN}`);
    to = feed < 0 ? end : feed + 1;
    if (feed < 0) break;
  }
  if (lines.length === 0) return null;
  return { from, to, put: lines.join("\n") + (text[to - 1] === "\n" ? "\n" : "") };
}

/** The value before its name: `{"value":"x1y2","name":"DB_PASSWORD"}`. */
const REVERSED = new RegExp(
  `((?<![\\w.-])value${Q}?[ \\t]*[:=][ \\t]*)(?=(\\\\{0,8}"[^"\\n]{3,4000}"|'[^'\\n]{3,4000}'|[^\\s"',;‹]{3,1000}))\\2(,?\\s{0,200}${Q}?name${Q}?[ \\t]*[:=][ \\t]*${Q}?)([\\w.-]{1,200})`,
  "gi",
);

function withoutPairs(text: string): string {
  return text.replaceAll(REVERSED, (all, head: string, value: string, between: string, name: string) => {
    if (!SECRET.test(name) && !PASS.test(name)) return all;
    const quoted = quotedAt(value, 0);
    const put = quoted === null ? HIDDEN : value.slice(0, quoted.from) + HIDDEN + value.slice(quoted.to);
    return head + put + between + name;
  });
}
