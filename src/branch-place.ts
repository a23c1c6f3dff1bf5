import { messageOf, StanchError } from "./errors.ts";
import type { PullRequestRef } from "./model.ts";
import type { PullRequest } from "./ports.ts";
import { EDITED, HANDOVER } from "./pull-request/handover.ts";
import { isWithdrawal } from "./pull-request/withdrawal.ts";
import type { Run } from "./run.ts";

/** What of a run is needed to find out whose a branch is, and to say so. */
type Hosted = Pick<Run, "codeHost" | "config" | "log">;

export type Place =
  | { readonly kind: "new"; readonly branch: string }
  | { readonly kind: "open"; readonly branch: string; readonly pull: PullRequest }
  | { readonly kind: "refused" | "exhausted"; readonly branch: string; readonly pull: PullRequest };

/**
 * The branch to use, by what became of earlier pull requests for the same: `name` says the branch of a round, of which there are `rounds`.
 * `isMeant`: a merged pull request that still stands for this, so that no further round is due (`exhausted`).
 */
export async function findPlace(
  repository: string,
  name: (round: number) => string,
  rounds: number,
  run: Hosted,
  isMeant: (merged: PullRequest) => boolean = () => false,
): Promise<Place> {
  let last: PullRequest | undefined;
  for (let round = 1; round <= rounds; round += 1) {
    const branch = name(round);
    const pulls = await run.codeHost.pullRequests(repository, branch);
    const open = pulls.find((pull) => pull.state === "open");
    if (open !== undefined) return { kind: "open", branch, pull: open };
    const [newest] = pulls;
    if (newest === undefined) return { kind: "new", branch };
    if (!newest.merged)
      return (await isWithdrawn(newest, run)) ? { kind: "new", branch } : { kind: "refused", branch, pull: newest };
    if (isMeant(newest)) return { kind: "exhausted", branch, pull: newest };
    last = newest;
  }
  if (last === undefined) throw new StanchError("internal", "no place for a pull request");
  return { kind: "exhausted", branch: last.branch, pull: last };
}

/** Was it closed by Stanch itself, because Git had been corrected in another way? */
async function isWithdrawn(pull: PullRequest, run: Hosted): Promise<boolean> {
  const { closedBy } = await run.codeHost.pullRequest(pull.repository, pull.number);
  const comments = await run.codeHost.comments(pull.repository, pull.number);
  return comments.some((comment) => comment.author === closedBy && isWithdrawal(comment.body));
}

/** Has anybody but Stanch committed to the pull request? */
export async function isEdited(pull: PullRequest, run: Hosted): Promise<boolean> {
  const commits = await run.codeHost.commitsOf(pull.repository, pull.number);
  const { authorEmail } = run.config.github;
  return commits.some((commit) => commit.author !== authorEmail || commit.committer !== authorEmail);
}

/** Says once that the pull request is theirs now. Worth a line in the log, not a fault, when it cannot be said. */
export async function handOver(pull: PullRequest, run: Hosted): Promise<void> {
  if (pull.labels.includes(EDITED)) return;
  try {
    const said = await run.codeHost.comments(pull.repository, pull.number);
    if (!said.some((comment) => comment.body === HANDOVER))
      await run.codeHost.comment(pull.repository, pull.number, HANDOVER);
  } catch (error) {
    run.log.warn("handover not said", { pullRequest: pull.url, error: messageOf(error) });
  }
  await label(pull, [EDITED], run);
}

/** Sets labels that are not there yet; never worth failing for. */
export async function label(
  pull: PullRequest,
  labels: readonly string[],
  run: Pick<Hosted, "codeHost" | "log">,
): Promise<void> {
  if (labels.length === 0 || labels.every((name) => pull.labels.includes(name))) return;
  await run.codeHost
    .addLabels(pull.repository, pull.number, labels)
    .catch((error: unknown) => run.log.warn("labels not set", { pullRequest: pull.url, error: messageOf(error) }));
}

/** What an incident keeps of a pull request. */
export function refOfPull({ repository, number, url, branch, base, head, draft }: PullRequest): PullRequestRef {
  return { repository, number, url, branch, base, head, draft };
}
