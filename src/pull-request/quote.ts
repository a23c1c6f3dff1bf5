/** Characters that change how a line reads without being seen: bidirectional overrides, zero width, controls. */
const INVISIBLE = /(?![\n\t])[\p{Cc}\p{Cf}]/gu;

/**
 * Text from outside for use inside Markdown prose: no markup, no mention, no reference to an issue, no workflow command, on
 * one line.
 */
export function plain(text: string, most = 600): string {
  const flat = text.replaceAll(INVISIBLE, "").replaceAll(/\s+/g, " ").trim();
  const cut = [...flat].length > most ? `${[...flat].slice(0, most - 1).join("")}…` : flat;
  return cut
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll(/[\\`*_{}[\]|~!]/g, String.raw`\$&`)
    .replaceAll("@", "@\u200b")
    .replaceAll(/#(?=\d)/g, "#\u200b")
    .replaceAll(/\bgithub\.com\b/gi, "github\u200b.com")
    .replaceAll("::", ":\u200b:");
}

/** Text from outside as a code span. */
export function code(text: string, most = 300): string {
  const flat = text.replaceAll(INVISIBLE, "").replaceAll(/\s+/g, " ").trim();
  const cut = [...flat].length > most ? `${[...flat].slice(0, most - 1).join("")}…` : flat;
  const ticks = "`".repeat(longestRun(cut) + 1);
  return cut === "" ? "(empty)" : `${ticks}${cut.startsWith("`") || cut.endsWith("`") ? ` ${cut} ` : cut}${ticks}`;
}

/** Text from outside as a fenced block; the fence is longer than any run of backticks in it. */
export function fence(text: string, language = ""): string {
  const shown = text
    .replaceAll(INVISIBLE, "")
    .replaceAll("\r\n", "\n")
    .replaceAll(/^::/gm, ":\u200b:")
    .replace(/\n+$/, "");
  const ticks = "`".repeat(Math.max(3, longestRun(shown) + 1));
  return `${ticks}${language}\n${shown}\n${ticks}`;
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map((match) => match[0].length));
}
