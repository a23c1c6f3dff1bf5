import { messageOf, StanchError } from "../errors.ts";
import { secretsOf } from "../log.ts";
import { redactShapes } from "../redact.ts";
import { printable } from "./printable.ts";

/** What was thrown, for a person: its sentence, what to do, and of what nobody expected where it came from. Without credentials. */
export function showFault(error: unknown, env: Readonly<Record<string, string | undefined>>): string {
  const known = error instanceof StanchError;
  const lines = [
    `stanch: ${known ? error.message : messageOf(error)}`,
    ...(known && error.hint !== undefined ? [`        ${error.hint}`] : []),
    ...(!known && error instanceof Error && error.stack !== undefined ? [error.stack] : []),
  ];
  let text = redactShapes(lines.join("\n"));
  for (const secret of secretsOf(env)) if (secret.length >= 6) text = text.replaceAll(secret, "‹redacted›");
  return printable(`${text}\n`);
}
