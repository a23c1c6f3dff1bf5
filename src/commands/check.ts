import { messageOf, StanchError } from "../errors.ts";

/** One line of the answer; a failed one says the fix. */
export interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly text: string;
  readonly fix?: string;
  /** Nothing that stops a run, and yet something to look at. */
  readonly warning?: true;
}

/** A fault as a failed line, with its own hint or a general one. */
export function failed(check: string, error: unknown): Finding {
  const hint = error instanceof StanchError ? error.hint : undefined;
  return { check, ok: false, text: messageOf(error), fix: hint ?? FIXES[check] ?? "correct what the message says" };
}

/** For faults that bring no hint of their own. */
const FIXES: Readonly<Record<string, string>> = {
  cluster: "check the server of the kubeconfig's context, and try `kubectl version` with it",
  source: "render the folder with the tool itself, and correct what it says",
  repository: "check the repository's name in `sources` and what the token may see",
};
