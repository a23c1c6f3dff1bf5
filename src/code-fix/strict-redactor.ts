import { visible } from "../advice/frame.ts";
import type { Redactor } from "../advice/redaction.ts";

const WORDS = /([\s"'`,;:(){}[\]<>|\\‹›…]+)/;
const MARK = "‹redacted›";

/**
 * Takes out as well what the second opinion finds. Names in code can look as random as keys: without this, one of them would end the whole
 * exchange. The second opinion still looks through every request.
 */
export function strictRedactor(redactor: Redactor): Redactor {
  return {
    clean: (text) => masked(redactor.clean(visible(text)), redactor),
    leak: (text, ours) => redactor.leak(text, ours),
  };
}

/** As many lines as before. A fault of the second opinion leaves the text to the check of the request, which fails then. */
function masked(text: string, redactor: Redactor): string {
  try {
    if (redactor.leak(text) === null) return text;
    const lines = text.split("\n").map((line) => (redactor.leak(line) === null ? line : maskedLine(line, redactor)));
    const out = lines.join("\n");
    // It needs several lines to be seen, or begins where a line ends.
    return redactor.leak(out) === null ? out : lines.map(() => MARK).join("\n");
  } catch {
    return text;
  }
}

function maskedLine(line: string, redactor: Redactor): string {
  const out = line
    .split(WORDS)
    .map((word, index) => (index % 2 === 0 && redactor.leak(word) !== null ? MARK : word))
    .join("");
  return redactor.leak(out) === null ? out : MARK;
}
