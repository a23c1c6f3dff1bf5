import type { Issue } from "../ports.ts";
import { parseMark } from "./issue-mark.ts";
import type { PublishedRepository } from "./published.ts";
import { formatDriftIssue, formatDriftTitle, isClean } from "./published-issue.ts";
import { isFresh, type Publishing } from "./publishing.ts";

interface Options {
  /** It also holds the report for machines, which no check run does: then it is kept up to date though it is closed. */
  readonly block: boolean;
}

/**
 * The drift issue of a repository and cluster: opened when something drifts, written anew when it would say something else, closed when
 * nothing drifts, opened again when it does. Text that a person changed is theirs. A person's closing holds until something else drifts, and
 * as "not planned" for good. Its state and its text are written at once, so that whose closing it was can be told. Null: nothing was written.
 */
export async function followDriftIssue(
  of: PublishedRepository,
  options: Options,
  context: Publishing,
): Promise<string | null> {
  const { codeHost } = context;
  const { cluster } = of.report;
  const found = await codeHost.findIssue(of.repository, (body) => parseMark(body).mark?.cluster === cluster);
  if (found === null) return options.block || of.end === "drift" ? open(of, options, context) : null;
  const { mark, untouched } = parseMark(found.body);
  if (mark === null || !untouched) {
    context.log.info("drift issue left to a person who changed it", { url: found.url });
    return null;
  }
  const same = mark.says === of.says;
  const due = !same || (options.block && !isFresh(mark.at, of.report.takenAt, context.config));
  if (found.state === "open") {
    if (isClean(of) && !mark.closed) return write(found, of, options, context, "closed");
    return due ? write(found, of, options, context) : null;
  }
  // Ours says that nothing drifts; a person's was closed over what it says.
  const byPerson = !mark.closed;
  const refused = byPerson && (same || found.reason === "not_planned");
  if (of.end === "drift" && !refused) return write(found, of, options, context, "open");
  // A person closed it, and now it is clean: what drifts next is something else.
  if (byPerson && isClean(of) && found.reason !== "not_planned") return write(found, of, options, context, "closed");
  return options.block && due ? write(found, of, options, context) : null;
}

async function open(of: PublishedRepository, options: Options, context: Publishing): Promise<string> {
  const issue = await context.codeHost.createIssue(of.repository, {
    title: formatDriftTitle(of),
    body: formatDriftIssue(of, { ...options, settled: false }),
    labels: context.config.drift.labels,
  });
  return isClean(of) ? write(issue, of, options, context, "closed") : issue.url;
}

/** Text and, where it is given, state. Whose closing it was stays as it was otherwise. */
async function write(
  issue: Issue,
  of: PublishedRepository,
  options: Options,
  context: Publishing,
  state?: "open" | "closed",
): Promise<string> {
  const settled = state === undefined ? parseMark(issue.body).mark?.closed === true : state === "closed";
  await context.codeHost.updateIssue(of.repository, issue.number, {
    title: formatDriftTitle(of),
    body: formatDriftIssue(of, { block: options.block, settled }),
    ...(state === undefined || state === issue.state ? {} : { state }),
  });
  return issue.url;
}
