import type { Log } from "./ports.ts";

export interface LogOptions {
  readonly format: "text" | "json";
  readonly level: "debug" | "info" | "warn" | "error";
  /** A terminal that may be drawn on. */
  readonly interactive: boolean;
  readonly write: (text: string) => void;
  readonly now: () => Date;
}

const LEVELS = ["debug", "info", "warn", "error"] as const;

/** Lines on standard error: JSON in a pipe, plain text with a progress line on a terminal. Standard output is the result's. */
export function createLog(options: LogOptions): Log {
  let shown = "";
  const clear = (): void => {
    if (shown !== "") options.write(`\r${" ".repeat(shown.length)}\r`);
    shown = "";
  };
  const say = (level: (typeof LEVELS)[number], message: string, facts: Record<string, unknown> = {}): void => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(options.level)) return;
    clear();
    if (options.format === "json") {
      options.write(`${JSON.stringify({ time: options.now().toISOString(), level, msg: message, ...facts })}\n`);
      return;
    }
    const tail = Object.entries(facts).map(
      ([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
    );
    options.write(`${level === "info" ? "" : `${level}: `}${message}${tail.length > 0 ? `  ${tail.join(" ")}` : ""}\n`);
  };
  return {
    debug: (message, facts) => say("debug", message, facts),
    info: (message, facts) => say("info", message, facts),
    warn: (message, facts) => say("warn", message, facts),
    error: (message, facts) => say("error", message, facts),
    progress: (text) => {
      if (!options.interactive) return;
      clear();
      shown = `… ${text}`.slice(0, 100);
      options.write(shown);
    },
  };
}
