import { parseDuration } from "../config/duration.ts";
import { nearest } from "../config/nearest.ts";

/** What a comment asks for. `ms`: milliseconds. */
export type Command =
  | { readonly verb: "undo" | "retry" | "explain" | "help" }
  | { readonly verb: "hold"; readonly ms: number }
  | { readonly verb: "ignore"; readonly ms?: number }
  /** It begins as a command and is none; a sentence that says what to write. */
  | { readonly verb: "unclear"; readonly reason: string };

const VERBS = ["undo", "hold", "retry", "ignore", "explain", "help"] as const;
/** A comment may be as long as a book; a command stands near its beginning. */
const MOST_LINES = 200;

/**
 * The first command of a comment; null when there is none. It begins a line, as `/stanch VERB [DURATION]` and nothing else on it. What is
 * quoted, in a code block, indented as one, or hidden in an HTML comment is not said by who wrote the comment, or not seen by who reads it.
 */
export function parseCommand(comment: string): Command | null {
  for (const line of spoken(comment)) {
    const match = /^\/stanch(?:[ \t]+(.*))?$/i.exec(line.trimEnd());
    if (match !== null) return commandOf((match[1] ?? "").trim().split(/[ \t]+/));
  }
  return null;
}

/** The lines that are neither quoted nor code nor hidden. */
function spoken(comment: string): string[] {
  const visible = comment.replaceAll(/\r\n?/g, "\n").replaceAll(/<!--[\s\S]*?(-->|$)/g, "");
  const out: string[] = [];
  let fence: string | null = null;
  let raw = false;
  for (const line of visible.split("\n").slice(0, MOST_LINES)) {
    const mark = /^ {0,3}(`{3,}|~{3,})([^\n]*)$/.exec(line);
    if (fence !== null) {
      if (mark?.[1]?.startsWith(fence) === true && mark[2]?.trim() === "") fence = null;
      continue;
    }
    // What stands behind backticks must hold none, or it is a code span.
    if (mark?.[1] !== undefined && !(mark[1].startsWith("`") && mark[2]?.includes("`") === true)) {
      fence = mark[1];
      continue;
    }
    if (/<(pre|code|script|style|textarea)\b/i.test(line)) raw = true;
    const wasRaw = raw;
    if (/<\/(pre|code|script|style|textarea)>/i.test(line)) raw = false;
    if (!wasRaw) out.push(line);
  }
  return out;
}

function commandOf([word = "", ...rest]: readonly string[]): Command {
  const verb = VERBS.find((known) => known === word.toLowerCase());
  if (verb === undefined) {
    const near = nearest(word.toLowerCase().slice(0, 40), VERBS);
    return unclear(near === null ? "that is no command of mine" : `did you mean \`/stanch ${near}\`?`);
  }
  const [text, more] = rest;
  if (more !== undefined) return unclear(`write \`/stanch ${verb}\` on a line of its own`);
  if (verb === "hold" || verb === "ignore") {
    if (text === undefined) return verb === "ignore" ? { verb } : unclear("say for how long: `/stanch hold 4h`");
    const ms = text.length > 20 ? null : parseDuration(text.toLowerCase());
    if (ms === null || ms < 60_000 || !Number.isSafeInteger(ms))
      return unclear(`write a duration of at least a minute, such as \`/stanch ${verb} 4h\` or \`/stanch ${verb} 2d\``);
    return { verb, ms };
  }
  return text === undefined ? { verb } : unclear(`\`/stanch ${verb}\` takes nothing behind it`);
}

const unclear = (reason: string): Command => ({ verb: "unclear", reason });
