import { findPlace, handOver, isEdited, label, type Place, refOfPull } from "../branch-place.ts";
import { messageOf } from "../errors.ts";
import { blameOf } from "../gitops/blame.ts";
import type { Incident } from "../incident/incident.ts";
import { outcomeOf } from "../incident/outcome.ts";
import { markReady, NEEDS_PROOF } from "../mark-ready.ts";
import type { FileEdit, Located, Outcome, Plan, Proof } from "../model.ts";
import type { Checkout, PullRequest } from "../ports.ts";
import { formatBody, formatReportFile, parseBody } from "../pull-request/body.ts";
import { formatBranch, targetFingerprint } from "../pull-request/branch-name.ts";
import { CODEOWNERS, ownersOf, parseCodeowners } from "../pull-request/codeowners.ts";
import { formatCommitMessage } from "../pull-request/commit-message.ts";
import { parseMarker } from "../pull-request/marker.ts";
import { composeReport, type PullRequestReport } from "../pull-request/report.ts";
import { chooseReviewers } from "../pull-request/reviewers.ts";
import { formatTitle } from "../pull-request/title.ts";
import type { Run } from "../run.ts";

export interface ProposeRequest {
  readonly incident: Incident;
  readonly plan: Plan;
  readonly located: Extract<Located, { found: true }>;
  readonly proof: Proof;
  readonly checkout: Checkout;
  readonly live: boolean;
  readonly why?: string;
  /** Why a merge does not deploy by itself. */
  readonly cautions?: readonly string[];
}

/** Pull requests for one change: the first, and two follow-ups of a merged one that did not hold. */
const ROUNDS = 3;

/**
 * Opens the pull request, or finds the one that is there: the branch follows from what is changed, so the same problem
 * meets the same pull request. A person's commits are never overwritten, a refusal is respected, an empty change opens nothing.
 */
export async function propose(request: ProposeRequest, run: Run): Promise<Outcome> {
  const { incident, plan, located, proof } = request;
  const { repository, branch: base } = located.source;
  const fingerprint = targetFingerprint({
    repository,
    base,
    files: located.edits.map((edit) => edit.file),
    changes: plan.changes,
    remedy: plan.choice.remedy,
  });
  const place = await findPlace(
    repository,
    (round) =>
      formatBranch({
        prefix: run.config.pullRequest.branchPrefix,
        cluster: run.config.cluster,
        object: plan.finding.workload,
        fingerprint,
        round,
      }),
    ROUNDS,
    run,
  );
  if (place.kind === "refused") return refused(incident, place.pull, run);
  if (place.kind === "exhausted") {
    const next = await run.store.advance(
      incident,
      "Escalated",
      `${ROUNDS} pull requests for this change were merged (last #${place.pull.number}), and the problem is still there. A person must look.`,
    );
    return outcomeOf(next, "escalated");
  }
  const report = composeReport({
    ...request,
    blame: await blameOf(located.locations, request.checkout, run.log),
    config: run.config,
    version: run.version,
  });
  const body = formatBody(report, fingerprint);
  const title = formatTitle(plan.finding.workload, plan.title);
  const draft = !proof.complete;

  const open = place.kind === "open" ? place.pull : undefined;
  if (open !== undefined && (await isEdited(open, run))) return leave(incident, place, run);
  if (open === undefined) {
    run.tally.opened += 1;
    if (run.tally.opened > run.config.guard.newPullRequests) {
      const next = await run.store.advance(
        incident,
        incident.status?.phase ?? "Verified",
        `The pull request waits for the next run: ${run.config.guard.newPullRequests} were opened in this one.`,
      );
      return outcomeOf(next, "waiting");
    }
  }
  const edits = [...located.edits, ...(await reportFile(report, request.checkout, run))];
  const expected = await run.codeHost.branchHead(repository, place.branch);
  const published = await request.checkout.publish({
    branch: place.branch,
    message: formatCommitMessage({
      title,
      changes: plan.changes,
      incident: `${incident.metadata.namespace}/${incident.metadata.name}`,
      cluster: run.config.cluster,
      ...(plan.choice.culprit === undefined ? {} : { culprit: plan.choice.culprit.sha }),
    }),
    edits,
    expected,
  });
  if (!published.pushed && published.reason === "edited") return leave(incident, place, run);
  // "Unchanged" is well where the branch says it already, and nothing to propose where there is no branch.
  if (!published.pushed && (published.reason !== "unchanged" || expected === null)) {
    const next = await run.store.advance(
      incident,
      incident.status?.phase ?? "Verified",
      `The branch could not be pushed: ${published.message}. The next run tries again.`,
    );
    return { ...outcomeOf(next, "failed") };
  }
  const pull =
    open ?? (await run.codeHost.createPullRequest(repository, { title, body, head: place.branch, base, draft }));
  if (open !== undefined && isOutdated(open.body, body))
    await run.codeHost.updatePullRequest(repository, open.number, { title, body });
  const next = await run.store.advance(
    incident,
    "Proposed",
    `${open === undefined ? "Opened" : "Updated"} ${pull.url}${draft ? " as a draft: not everything is proved" : ""}.`,
    { pullRequest: refOfPull(pull) },
  );
  if (!draft) await markReady(pull, run);
  await label(pull, draft ? [...run.config.pullRequest.labels, NEEDS_PROOF] : run.config.pullRequest.labels, run);
  if (open === undefined) await askForReview(pull, request, run);
  return outcomeOf(next, open === undefined ? "proposed" : "updated");
}

/**
 * A person said no to this very change before. A live change that stands now is taken back, or kept, as after any refusal: by the
 * follow-up of the next run, which finds the closed pull request in the incident.
 */
async function refused(incident: Incident, pull: PullRequest, run: Run): Promise<Outcome> {
  const { hotfix } = incident.status ?? {};
  const text = `#${pull.number} for the same change was closed unmerged before: a person said no.`;
  if (hotfix !== undefined && hotfix.undoneAt === undefined) {
    const next = await run.store.advance(incident, "Proposed", `${text} The next run deals with the live change.`, {
      pullRequest: refOfPull(pull),
    });
    return outcomeOf(next, "closed");
  }
  const silencedUntil = new Date(run.clock.now().getTime() + run.config.followUp.silence).toISOString();
  const next = await run.store.advance(incident, "Silenced", text, { silencedUntil, pullRequest: refOfPull(pull) });
  return outcomeOf(next, "closed");
}

/** A person has committed to the branch: it is theirs. */
async function leave(incident: Incident, place: Place, run: Run): Promise<Outcome> {
  if (place.kind === "open") {
    const { pull } = place;
    await handOver(pull, run);
    const text = `#${pull.number} has commits of a person; it is left as it is.`;
    return outcomeOf(await run.store.advance(incident, "Proposed", text, { pullRequest: refOfPull(pull) }), "waiting");
  }
  const text = `Branch ${place.branch} has commits of a person and no open pull request; it is left as it is. Open one, or delete the branch.`;
  return outcomeOf(await run.store.advance(incident, incident.status?.phase ?? "Verified", text), "waiting");
}

/** Would the description say something else, and is it still ours to write? A person's words stay. */
function isOutdated(now: string, next: string): boolean {
  const { marker, untouched } = parseBody(now);
  return untouched && marker?.body !== parseMarker(next)?.body;
}

/** Asks the owners of the edited files and the author of the bad commit to look; once, and never worth failing for. */
async function askForReview(pull: PullRequest, { plan, located, checkout }: ProposeRequest, run: Run): Promise<void> {
  const { repository, number } = pull;
  const ask = async (users: readonly string[], teams: readonly string[]): Promise<boolean> => {
    try {
      await run.codeHost.requestReviewers(repository, number, { users, teams });
      return true;
    } catch (error) {
      run.log.warn("review not asked for", { pullRequest: pull.url, users, teams, error: messageOf(error) });
      return false;
    }
  };
  const unread = (error: unknown): null => {
    run.log.warn("reviewers not known", { pullRequest: pull.url, error: messageOf(error) });
    return null;
  };
  let text: string | null = null;
  for (const file of CODEOWNERS) text ??= await checkout.read(file).catch(unread);
  const files = located.edits.map((edit) => edit.file);
  const { culprit } = plan.choice;
  const { users, teams } = chooseReviewers({
    repository,
    owners: ownersOf(files, parseCodeowners(text ?? "")),
    culprit: culprit === undefined ? null : await run.codeHost.authorOf(repository, culprit.sha).catch(unread),
    self: pull.author,
  });
  const count = users.length + teams.length;
  if (count === 0 || (await ask(users, teams)) || count === 1) return;
  // GitHub refuses all of them for one who is no collaborator: each is asked alone then.
  for (const user of users) await ask([user], []);
  for (const team of teams) await ask([], [team]);
}

async function reportFile(report: PullRequestReport, checkout: Checkout, run: Run): Promise<FileEdit[]> {
  const folder = run.config.pullRequest.report.replace(/^\/+|\/+$/g, "");
  if (folder === "") return [];
  const file = `${folder}/${report.incident.name}.md`;
  // An earlier round of the same incident may have been merged with its report.
  return [{ file, before: (await checkout.read(file)) ?? "", after: formatReportFile(report) }];
}
