import type { CheckRun, ReviewHost } from "../ports.ts";
import { parseMark } from "./issue-mark.ts";
import type { DriftEnd, DriftReport } from "./model.ts";
import { checkName, externalId, parse } from "./published.ts";
import type { Counts } from "./standing.ts";
import { endOfCounts, sumOf } from "./standing.ts";
import type { Wire } from "./wire.ts";

/** Where a published report is looked for, and whose word counts. */
export interface PublishedAt {
  readonly repository: string;
  /** The branch that is deployed: the report is on its head, or on a commit before it. */
  readonly branch: string;
  /** Name of the cluster, as its configuration has it. */
  readonly cluster: string;
  /**
   * Login of who publishes, as it stands at comments: `my-stanch[bot]` for an App, `robot` for a token's user. Whoever may write to the
   * repository may write check runs and issues by other hands; those do not count.
   */
  readonly by: string;
  /** Commits of the branch that are looked at, from its head. */
  readonly commits?: number;
}

/** A report as it was published. */
export interface Published {
  readonly found: true;
  /** What was left off for length is missing in it: `counts` and `end` are of the whole. */
  readonly report: DriftReport;
  readonly end: DriftEnd;
  readonly counts: Counts;
  /** What was left off for length, in sentences. */
  readonly left: readonly string[];
  /** Commit on which it stands; absent for one that was read from an issue. */
  readonly sha?: string;
  /** Commits of the branch that came after it. */
  readonly behind: number;
  readonly url: string;
}

/**
 * The newest report that a cluster published to a repository, by check run or, where it wrote none, by issue. Never throws for what is
 * expected: `found: false` says why there is none, and must not be taken for "no drift". Throws StanchError `code-host` for faults.
 */
export async function readPublished(
  host: ReviewHost,
  at: PublishedAt,
): Promise<Published | { readonly found: false; readonly reason: string }> {
  const reasons: string[] = [];
  const check = await onCommits(host, at, reasons);
  if (check.found !== null) return check.found;
  // Whoever writes check runs keeps no report in an issue: what stands in one all the same was put there by others.
  const issue = check.any ? null : await inIssue(host, at, reasons);
  if (issue !== null) return issue;
  const why = reasons.length === 0 ? "" : ` (${reasons.join("; ")})`;
  return {
    found: false,
    reason: `${at.by} has published no drift report of cluster ${at.cluster} to ${at.repository}, branch ${at.branch}${why}`,
  };
}

interface OnCommits {
  readonly found: Published | null;
  /** There was a check run of the publisher's, whether it could be read or not. */
  readonly any: boolean;
}

async function onCommits(host: ReviewHost, at: PublishedAt, reasons: string[]): Promise<OnCommits> {
  // No user can write check runs.
  const app = /^(.+)\[bot\]$/.exec(at.by)?.[1];
  if (app === undefined) return { found: null, any: false };
  const asked = { name: checkName(at.cluster, at.branch), externalId: externalId(at.cluster, at.branch), app };
  const commits = await host.recentCommits(at.repository, at.branch, at.commits ?? 20);
  let any = false;
  for (const [behind, sha] of commits.entries()) {
    const check = await host.readCheck(at.repository, { ref: sha, ...asked });
    if (check === null) continue;
    any = true;
    const read = fromCheck(check, at);
    if ("no" in read) {
      reasons.push(`${check.url}: ${read.no}`);
      continue;
    }
    return { found: published(read, { behind, sha, url: check.url }), any };
  }
  return { found: null, any };
}

function fromCheck(check: CheckRun, at: PublishedAt): Wire | { readonly no: string } {
  const wire = parse(check.text);
  return "no" in wire ? wire : isOf(wire, at);
}

async function inIssue(host: ReviewHost, at: PublishedAt, reasons: string[]): Promise<Published | null> {
  const issue = await host.issueBy(at.repository, at.by, (body) => parseMark(body).mark?.cluster === at.cluster);
  if (issue === null) return null;
  const read = parse(issue.body);
  const wire = "no" in read ? read : isOf(read, at);
  if ("no" in wire) {
    // With an App the issue is for people alone.
    if (!at.by.endsWith("[bot]")) reasons.push(`${issue.url}: ${wire.no}`);
    return null;
  }
  // Its digest is anybody's to make, and whoever may triage may edit it.
  if (issue.writtenBy?.toLowerCase() !== at.by.toLowerCase()) {
    const last = issue.writtenBy === null ? "nobody can say who" : issue.writtenBy;
    reasons.push(`${issue.url}: ${last} wrote it last, and not ${at.by}`);
    return null;
  }
  const heads = await host.recentCommits(at.repository, at.branch, at.commits ?? 20);
  const own = onBranch(wire, at.branch);
  if (own.roots.length === 0 && wire.roots.length === wire.rootCount) {
    const branches = [...new Set(wire.roots.map(({ branch }) => branch))].join(", ");
    reasons.push(`${issue.url} tells of ${branches === "" ? "no source" : `the branches ${branches}`}`);
    return null;
  }
  const head = own.roots.find((root) => root.head !== undefined)?.head;
  const behind = head === undefined ? 0 : heads.indexOf(head);
  return published(own, { behind: behind < 0 ? heads.length : behind, url: issue.url });
}

/** An issue tells of all branches. Where roots were left off for length, nothing less than the counts of all is true. */
function onBranch(wire: Wire, branch: string): Wire {
  const roots = wire.roots.filter((root) => root.branch === branch || root.branch === "");
  if (wire.roots.length < wire.rootCount) return { ...wire, roots };
  const counts = sumOf(roots.map((root) => root.counts));
  return { ...wire, roots, counts, errors: roots.filter((root) => root.error !== undefined).length };
}

/** Is it of what was asked for? A report may have been copied from another cluster or repository. */
function isOf(wire: Wire, at: PublishedAt): Wire | { readonly no: string } {
  if (wire.cluster !== at.cluster) return { no: `it is of cluster ${wire.cluster.slice(0, 63)}` };
  const foreign = wire.roots.some((root) => root.repository.toLowerCase() !== at.repository.toLowerCase());
  return foreign ? { no: "it is of another repository" } : wire;
}

function published(wire: Wire, where: Pick<Published, "sha" | "behind" | "url">): Published {
  const { roots, counts, errors, left, rootCount: _rootCount, says: _says, ...rest } = wire;
  return {
    found: true,
    report: { ...rest, roots: roots.map(({ counts: _counts, ...root }) => root) },
    counts,
    end: endOfCounts({ counts, errors, gaps: rest.gaps.length }),
    left,
    ...where,
  };
}
