import type { Change, Json } from "../model.ts";

/** A line in which a program says that something went wrong. */
const SIGN =
  /\b(?:err(?:or)?|fatal|crit(?:ical)?|fail(?:ed|ure|s|ing)?|exception|panic|refused|unreachable|time(?:d ?|-)?out|no such host|not found|not set|missing|invalid|malformed|unknown|cannot|can't|could ?n[o']t|unable|denied|forbidden|ENOTFOUND|EAI_AGAIN|ECONN\w+)\b/i;
/** What is too short or too common to name anything. */
const LEAST = 4;
const COMMON = new Set([
  "true",
  "false",
  "none",
  "null",
  "info",
  "debug",
  "warn",
  "error",
  "http",
  "https",
  "localhost",
  "default",
  "value",
]);

/**
 * Lines of a log that complain of what a change brought: of the variable or the key that it changed by name, or of a word of its new
 * value that the old one did not have. A line that names the old value as well may speak of both.
 */
export function complaintsOf(change: Change, lines: readonly string[]): string[] {
  const names = namesOf(change);
  const [now, then] = [textOf(change.from), textOf(change.to)];
  const old = new Set(wordsIn(then));
  const words = wordsIn(now).filter((word) => !old.has(word));
  return lines.filter((line) => {
    if (!SIGN.test(line)) return false;
    if (names.some((name) => hasWord(line, name))) return true;
    const told = words.some((word) => hasWord(line, word));
    return told && ![...old].some((word) => !wordsIn(now).includes(word) && hasWord(line, word));
  });
}

/** The variable of a container, or the key of a ConfigMap. */
function namesOf({ object, path }: Change): string[] {
  const at = path.indexOf("env");
  const step = at < 0 ? undefined : path[at + 1];
  if (typeof step === "object") return [String(step.value)].filter((name) => name.length >= LEAST);
  const key = object.kind === "ConfigMap" && path[0] === "data" ? path[1] : undefined;
  return typeof key === "string" && key.length >= LEAST ? [key] : [];
}

/** A literal of one line; what stands elsewhere, or is a whole file, names nothing. */
function textOf(value: Json | undefined): string {
  const text = typeof value === "object" && value !== null && !Array.isArray(value) ? literalIn(value) : value;
  const plain = typeof text === "string" || typeof text === "number" ? String(text) : "";
  return plain.includes("\n") ? "" : plain;
}

/** The literal of a variable that came or went as a whole. */
function literalIn(item: { readonly [key: string]: Json }): Json | undefined {
  return item["value"];
}

function wordsIn(text: string): string[] {
  return text.split(/[^A-Za-z0-9_.-]+/).filter((word) => word.length >= LEAST && !COMMON.has(word.toLowerCase()));
}

function hasWord(line: string, word: string): boolean {
  const at = line.indexOf(word);
  const beside = (letter: string | undefined): boolean => letter === undefined || !/[A-Za-z0-9_]/.test(letter);
  return at >= 0 && beside(line[at - 1]) && beside(line[at + word.length]);
}
