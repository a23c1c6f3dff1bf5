import { StanchError } from "../errors.ts";

/** Exit codes; documented in the help and the README. */
export const EXIT = { done: 0, fault: 1, config: 2, attention: 3, lease: 4, terminated: 143 } as const;

/** The exit code of what was thrown. */
export function exitOf(error: unknown): number {
  const code = error instanceof StanchError ? error.code : "internal";
  return code === "config" || code === "lease" ? EXIT[code] : EXIT.fault;
}
