import { AsyncLocalStorage } from "node:async_hooks";
import type { Log } from "./ports.ts";
import { redact, redactShapes } from "./redact.ts";

export interface LogOptions {
  readonly format: "text" | "json";
  readonly level: "debug" | "info" | "warn" | "error";
  /** A terminal that may be drawn on. */
  readonly interactive: boolean;
  readonly write: (text: string) => void;
  readonly now: () => Date;
  /** Facts of every line, such as the run's id. Not shown as text: a terminal shows one run. */
  readonly always?: Readonly<Record<string, unknown>>;
  /** Values that stand in no line, whatever brings them there: tokens, passwords, keys. */
  readonly secrets?: readonly string[];
}

const LEVELS = ["debug", "info", "warn", "error"] as const;

/** Texts that others wrote in full: programs, servers, exceptions. Of other facts only what surely is a credential goes. */
const FOREIGN = new Set(["error", "stack", "hint", "gap", "stderr", "message"]);

/** What bounds a line: letters of one text, entries of a list or map, and levels. */
const TEXT = 4000;
const ENTRIES = 100;
const DEPTH = 6;

const context = new AsyncLocalStorage<Readonly<Record<string, unknown>>>();

/** Everything that is logged by `work`, and by what it starts, has these facts: the incident, the workload, the step. */
export function inContext<T>(facts: Readonly<Record<string, unknown>>, work: () => T): T {
  return context.run({ ...context.getStore(), ...facts }, work);
}

/**
 * Lines on standard error: JSON in a pipe, plain text with a progress line on a terminal. Standard output is the result's.
 * A line is one line whatever its facts hold, bounded, and without credentials.
 */
export function createLog(options: LogOptions): Log {
  let shown = "";
  const clear = (): void => {
    if (shown !== "") options.write(`\r${" ".repeat(shown.length)}\r`);
    shown = "";
  };
  const secrets = (options.secrets ?? []).filter((secret) => secret.length >= 6);
  const say = (level: (typeof LEVELS)[number], message: string, facts: Record<string, unknown> = {}): void => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(options.level)) return;
    clear();
    const clean = (text: string, key: string): string => cleaned(text, key, secrets);
    const own = plain({ ...context.getStore(), ...facts }, "", clean, 0) as Record<string, unknown>;
    const msg = clean(message, "message");
    if (options.format === "json") {
      const head = { time: options.now().toISOString(), level, msg };
      // The head's keys come first and are nobody else's.
      options.write(`${visible(JSON.stringify({ ...head, ...options.always, ...own, ...head }))}\n`);
      return;
    }
    const tail = Object.entries(own).map(([key, value]) => `${word(key)}=${word(value)}`);
    const line = `${level === "info" ? "" : `${level}: `}${oneLine(msg)}`;
    options.write(`${line}${tail.length > 0 ? `  ${tail.join(" ")}` : ""}\n`);
  };
  return {
    debug: (message, facts) => say("debug", message, facts),
    info: (message, facts) => say("info", message, facts),
    warn: (message, facts) => say("warn", message, facts),
    error: (message, facts) => say("error", message, facts),
    progress: (text) => {
      if (!options.interactive) return;
      clear();
      if (text === "") return;
      shown = `… ${oneLine(cleaned(text, "", secrets))}`.slice(0, 100);
      options.write(shown);
    },
  };
}

/** Names under which the environment holds what nobody may read. */
const SECRET_NAMES = /TOKEN|KEY|SECRET|PASSW|CREDENTIAL|HEADERS|WEBHOOK/i;

/** The secrets of an environment, for `LogOptions.secrets`; of a list of headers each value as well. */
export function secretsOf(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(env).flatMap(([name, value = ""]) => {
    if (!SECRET_NAMES.test(name)) return [];
    const parts = name.endsWith("HEADERS") ? value.split(",").map((pair) => pair.replace(/^[^=]*=/, "")) : [];
    return [value, ...parts].map((text) => text.trim()).filter((text) => text !== "");
  });
}

function cleaned(text: string, key: string, secrets: readonly string[]): string {
  let out = text;
  for (const secret of secrets) out = out.replaceAll(secret, "‹redacted›");
  out = FOREIGN.has(key) ? redact(out) : redactShapes(out);
  return out.length > TEXT ? `${out.slice(0, TEXT)}…` : out;
}

/** A fact as JSON can hold it, bounded. Nothing in it makes logging fail. */
function plain(value: unknown, key: string, clean: (text: string, key: string) => string, depth: number): unknown {
  if (typeof value === "string") return clean(value, key);
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (value === null || typeof value === "boolean") return value;
  if (value instanceof Error) return clean(value.message, "error");
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "invalid date" : value.toISOString();
  if (typeof value !== "object") return undefined;
  if (depth >= DEPTH) return "…";
  if (Array.isArray(value)) return value.slice(0, ENTRIES).map((item) => plain(item, key, clean, depth + 1) ?? null);
  const entries = Object.entries(value).slice(0, ENTRIES);
  return Object.fromEntries(entries.map(([name, item]) => [name, plain(item, name, clean, depth + 1)]));
}

/** What moves a terminal's cursor or the reading direction, and what some readers take for a line's end. */
const UNSEEN = /[\p{Cc}\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

const escaped = (letter: string): string => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** JSON escapes control characters up to 0x1f and leaves the others. */
function visible(json: string): string {
  return json.replaceAll(UNSEEN, escaped);
}

function oneLine(text: string): string {
  return text.replaceAll(UNSEEN, (letter) =>
    letter === "\n" ? "\\n" : letter === "\t" ? "\\t" : letter === "\r" ? "\\r" : escaped(letter),
  );
}

/** A value as it stands in a line of text: quoted where it would not be told from what is beside it. */
function word(value: unknown): string {
  if (typeof value !== "string") return visible(JSON.stringify(value) ?? "");
  return value === "" || /[\s"=\p{Cc}]/u.test(value) ? visible(JSON.stringify(value)) : oneLine(value);
}
