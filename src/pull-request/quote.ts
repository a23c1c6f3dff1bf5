/** Characters that change how a line reads without being seen: bidirectional overrides, zero width, controls. */
const INVISIBLE = /(?![\n\t])[\p{Cc}\p{Cf}]/gu;

/**
 * Text from outside for titles and commit messages, where Markdown does nothing but mentions and closing keywords still work: on one
 * line, and nobody is pinged and no issue closed by it.
 */
export function quiet(text: string): string {
  return flat(text)
    .replaceAll(/(?<!\w)@(?=\w)/g, "@\u200b")
    .replaceAll(/#(?=\d)/g, "#\u200b")
    .replaceAll(/\b(GH)-(?=\d)/gi, "$1\u200b-")
    .replaceAll(/\b(github)\.com\b/gi, "$1\u200b.com");
}

/**
 * Text from outside for use inside Markdown prose: no markup, no link, no mention, no reference to an issue, no workflow command, on
 * one line.
 */
export function plain(text: string, most = 600): string {
  return cut(quiet(text), most)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll(/[\\`*_{}[\]|~!]/g, String.raw`\$&`)
    .replaceAll(/@(?!\u200b)/g, "@\u200b")
    .replaceAll("://", ":\u200b//")
    .replaceAll(/\bwww\./gi, "$&\u200b")
    .replaceAll("::", ":\u200b:");
}

/** Text from outside as a code span. */
export function code(text: string, most = 300): string {
  const shown = cut(flat(text), most);
  const ticks = "`".repeat(longestRun(shown) + 1);
  return shown === ""
    ? "(empty)"
    : `${ticks}${shown.startsWith("`") || shown.endsWith("`") ? ` ${shown} ` : shown}${ticks}`;
}

/**
 * Text from outside as a fenced block of at most `most` characters; the fence is longer than any run of backticks in it, and what
 * is left out is counted.
 */
export function fence(text: string, language = "", most = 20_000): string {
  const clean = text
    .replaceAll(/\r\n?/g, "\n")
    .replaceAll(INVISIBLE, "")
    .replaceAll(/^::/gm, ":\u200b:")
    .replace(/\n+$/, "");
  const shown = clip(clean, most);
  const ticks = "`".repeat(Math.max(3, longestRun(shown) + 1));
  return `${ticks}${language}\n${shown}\n${ticks}`;
}

/** Whole lines as long as they fit, then how many are left out. */
function clip(text: string, most: number): string {
  if ([...text].length <= most) return text;
  const lines = text.split("\n");
  const kept: string[] = [];
  let size = 0;
  for (const line of lines) {
    size += [...line].length + 1;
    if (size > most - 40) break;
    kept.push(line);
  }
  const left = lines.length - kept.length;
  return [
    ...kept,
    ...(kept.length === 0 ? [cut(text, most - 40)] : []),
    `… ${left} more line${left === 1 ? "" : "s"}`,
  ].join("\n");
}

function cut(text: string, most: number): string {
  const letters = [...text];
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : text;
}

const flat = (text: string): string => text.replaceAll(/\s+/g, " ").replaceAll(INVISIBLE, "").trim();

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map((match) => match[0].length));
}
