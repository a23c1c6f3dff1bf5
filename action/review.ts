import type { Workspace } from "../src/adapters/git-workspace.ts";
import { hostsOf } from "../src/config/hosts.ts";
import type { Config } from "../src/config/schema.ts";
import { isHotfix } from "../src/drift/item.ts";
import type { DriftReport } from "../src/drift/model.ts";
import { messageOf, StanchError } from "../src/errors.ts";
import { parseMarker } from "../src/pull-request/marker.ts";
import { parsePromise } from "../src/pull-request/promise.ts";
import { annotationsOf } from "../src/review/annotations.ts";
import type { OpenPull } from "../src/review/carried.ts";
import { countOf, type Review, resultOf } from "../src/review/model.ts";
import { footer, reviewSections, saysNothing } from "../src/review/page.ts";
import { COMMENT_BUDGET, intoParts } from "../src/review/parts.ts";
import { type ReviewRequest, review } from "../src/review/review.ts";
import { shownReview } from "../src/review/show.ts";
import { stick } from "../src/review/sticky.ts";
import { version } from "../src/version.ts";
import { composeHosts, composeTools, composeWorkspace, type Hosts } from "./compose.ts";
import { baseConfig } from "./config.ts";
import { type PullRequestEvent, readPullRequest } from "./event.ts";
import type { Environment, Inputs, Runner } from "./inputs.ts";
import { clustersOf, readReport } from "./published.ts";
import { annotate, type End, keep, output, say, summarise } from "./report.ts";

/** Comments that one review may take. */
const MOST_PARTS = 5;

/** Reviews the pull request of the event: summary, annotations, comment, outputs. Answers how it ends. */
export async function reviewMode(inputs: Inputs, runner: Runner, env: Environment): Promise<End> {
  const event = await readPullRequest(runner);
  const hosts = await composeHosts(inputs);
  const workspace = await composeWorkspace(inputs, runner);
  try {
    const made = await review(await requestOf(event, inputs, runner, hosts, workspace));
    return await tell(made, event, inputs, runner, env, hosts);
  } finally {
    await workspace.close();
  }
}

async function requestOf(
  event: PullRequestEvent,
  inputs: Inputs,
  runner: Runner,
  { github, clock }: Hosts,
  workspace: Workspace,
): Promise<ReviewRequest> {
  const { before, after } = await commitsOf(event, runner, workspace);
  const branch = event.base.branch;
  const base = await workspace.at(before, branch);
  const head = await workspace.at(after, branch);
  const config = await baseConfig(inputs, base);
  const gaps: string[] = [];
  const prefix = `${config.pullRequest.branchPrefix}/`;
  const marker = isOurs(event, prefix, inputs, gaps) ? parseMarker(event.body) : null;
  const { renderer, registry } = composeTools(runner, config);
  const reports = await knownReports(event, inputs, config, { github, clock }, gaps);
  return {
    base,
    head,
    changed: await workspace.changed(before, after),
    repository: event.repository,
    number: event.number,
    branch,
    isDefault: branch === event.defaultBranch,
    config,
    hosts: hostsOf({ apiUrl: inputs.apiUrl, hosts: config.github.hosts }),
    renderer,
    ...(inputs.images ? { registry } : {}),
    reports,
    pulls: await openPulls(event.repository, prefix, github, gaps),
    ...(marker === null ? {} : { own: { incident: marker.incident, promise: parsePromise(event.body) } }),
    only: inputs.roots,
    gaps,
  };
}

/**
 * Is it a pull request of Stanch's? Whoever may push can name a branch and write a body as Stanch does, with a promise of their own; where
 * it is known under which login Stanch works, such a proof is not made.
 */
function isOurs(
  { fork, head, author, body }: PullRequestEvent,
  prefix: string,
  inputs: Inputs,
  gaps: string[],
): boolean {
  if (fork || !head.branch.startsWith(prefix)) return false;
  const { publisher } = inputs;
  if (publisher === "" || author.toLowerCase() === publisher.toLowerCase()) return true;
  if (parseMarker(body) !== null)
    gaps.push(
      `This pull request says that it is one of Stanch's, and ${author === "" ? "somebody else" : author} opened it, not ${publisher}: what it promises is not believed.`,
    );
  return false;
}

/** What is compared: what the branch is now with what it will be; where nobody merged it for a try, from where the head went its own way. */
async function commitsOf(
  event: PullRequestEvent,
  { sha, eventName }: Runner,
  workspace: Workspace,
): Promise<{ readonly before: string; readonly after: string }> {
  if (eventName === "pull_request" && /^[0-9a-f]{40}$/.test(sha)) {
    const [first, second] = await workspace.parents(sha);
    if (first !== undefined && second === event.head.sha) return { before: first, after: sha };
  }
  return { before: await workspace.mergeBase(event.base.sha, event.head.sha), after: event.head.sha };
}

/** The reports that clusters published, as far as they may be trusted. None is read where nobody says who publishes. */
async function knownReports(
  event: PullRequestEvent,
  inputs: Inputs,
  config: Config,
  hosts: Pick<Hosts, "github" | "clock">,
  gaps: string[],
): Promise<DriftReport[]> {
  if (inputs.publisher === "") return [];
  const out: DriftReport[] = [];
  for (const cluster of clustersOf(inputs, config)) {
    const read = await readReport({ repository: event.repository, branch: event.base.branch, cluster }, inputs, hosts);
    if ("reason" in read) {
      gaps.push(`Which hotfixes cluster ${cluster} carries is not known: ${read.reason}`);
      continue;
    }
    out.push(read.report);
    const all = read.counts.hotfix ?? 0;
    const listed = read.report.roots.flatMap(({ items }) => items).filter(isHotfix).length;
    if (listed < all)
      gaps.push(
        `Which hotfixes cluster ${cluster} carries is known in part: ${all - listed} of ${all} did not fit into its report (${read.left.join("; ")})`,
      );
  }
  return out;
}

async function openPulls(
  repository: string,
  prefix: string,
  github: Hosts["github"],
  gaps: string[],
): Promise<OpenPull[]> {
  try {
    const pulls = await github.openPullRequests(repository, prefix);
    return pulls.flatMap(({ number, body }): OpenPull[] => {
      const [marker, promise] = [parseMarker(body), parsePromise(body)];
      return marker === null || promise === null ? [] : [{ number, incident: marker.incident, promise }];
    });
  } catch (error) {
    if (!(error instanceof StanchError)) throw error;
    gaps.push(
      `Stanch's open pull requests cannot be listed: ${messageOf(error)}${error.hint === undefined ? "" : ` (${error.hint})`}`,
    );
    return [];
  }
}

async function tell(
  made: Review,
  event: PullRequestEvent,
  inputs: Inputs,
  runner: Runner,
  env: Environment,
  hosts: Hosts,
): Promise<End> {
  const result = resultOf(made);
  const count = countOf(made);
  const sections = reviewSections(made);
  const foot = footer(made, version);
  const file = await keep(runner.temp, "stanch-review.json", { version: 1, result, count, ...shownReview(made) });
  output({ result, count, drifted: false, report: file });
  if (inputs.summary) await summarise([...sections, foot], env);
  if (inputs.annotations) annotate(annotationsOf(made));
  const url = inputs.comment ? await comment(made, sections, foot, event, inputs, runner, hosts) : undefined;
  if (url !== undefined) output({ "comment-url": url });
  say(`Review of #${event.number}: ${result}, ${count} to look at, ${made.environments.length} environments touched.`);
  return result === "problems" ? "drift" : result;
}

/** Writes the comment. What keeps it from being written is said, and is never the review's result. */
async function comment(
  made: Review,
  sections: readonly string[],
  foot: string,
  event: PullRequestEvent,
  inputs: Inputs,
  { eventName }: Runner,
  { github }: Hosts,
): Promise<string | undefined> {
  const say = (message: string): void => annotate([{ level: "notice", title: "Stanch: no comment", message }]);
  if (event.fork && eventName === "pull_request") {
    say("A pull request from a fork runs with a token that may not comment; the summary of this step says everything.");
    return undefined;
  }
  const parts = saysNothing(made) ? [] : intoParts([...sections, foot], COMMENT_BUDGET, MOST_PARTS);
  const clean = `✅ Nothing that is rendered changes, and nothing is wrong with it, as of ${made.head.slice(0, 10)}.\n\n${foot}`;
  try {
    const { url } = await stick(github, {
      repository: event.repository,
      number: event.number,
      name: inputs.commentName,
      parts,
      clean,
    });
    return url;
  } catch (error) {
    if (!(error instanceof StanchError)) throw error;
    say(
      `The comment could not be written: ${messageOf(error)}. It needs \`permissions: pull-requests: write\`; the summary of this step says everything.`,
    );
    return undefined;
  }
}
