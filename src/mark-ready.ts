import { messageOf, StanchError } from "./errors.ts";
import type { PullRequest } from "./ports.ts";
import type { Run } from "./run.ts";

/** Label of a draft whose proof is not complete. A draft without it is a person's wish. */
export const NEEDS_PROOF = "needs-proof";

/**
 * Makes a draft of ours ready for review, now that its proof is complete. Whether it is ready; a fault is a line in the log, because the pull
 * request says what is proved in any case. The label goes last: what stands between is met again by the next run.
 */
export async function markReady(pull: PullRequest, run: Run): Promise<boolean> {
  if (!pull.labels.includes(NEEDS_PROOF)) return !pull.draft;
  const { repository, number, url } = pull;
  try {
    if (pull.draft) await run.codeHost.markReady(repository, number);
    await run.codeHost.removeLabel(repository, number, NEEDS_PROOF);
    return true;
  } catch (error) {
    if (error instanceof StanchError && error.code === "lease") throw error;
    run.log.warn("draft not marked ready for review", { pullRequest: url, error: messageOf(error) });
    return false;
  }
}
