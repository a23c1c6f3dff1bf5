/** What kind of fault it is; the command line turns it into an exit code. */
export type FaultCode =
  | "config" // configuration, flags or files of the user's are wrong: exit 2
  | "cluster" // the API server is unreachable or answered with an error
  | "forbidden" // rights are missing
  | "conflict" // somebody else changed the object in between
  | "not-found"
  | "invalid" // the API server refused the content
  | "git"
  | "code-host"
  | "registry"
  | "render"
  | "model" // the model's API, or what it answered
  | "lease" // another run is at work
  | "internal";

/**
 * A fault, as opposed to an expected "no" (which is a value). Carries a hint: the next thing a person should do.
 * Thrown by adapters and configuration only, caught per finding in the pipeline and in the entries.
 */
export class StanchError extends Error {
  override readonly name = "StanchError";
  readonly code: FaultCode;
  readonly hint: string | undefined;

  constructor(code: FaultCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}

/** The message of anything that was thrown, in one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s*\n\s*/g, " ").trim();
}
