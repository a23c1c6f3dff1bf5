import { createHash } from "node:crypto";
import type { CheckConclusion, CheckRunRequest } from "../ports.ts";
import { annotationsOf } from "./annotations.ts";
import type { DriftEnd, DriftReport } from "./model.ts";
import { ofRepository } from "./of-repository.ts";
import { headline, summaryOf } from "./published-text.ts";
import { type CountedReport, sanitised } from "./sanitise.ts";
import { type Counts, endOfCounts } from "./standing.ts";
import { encode, type Wire } from "./wire.ts";
import { decode } from "./wire-shape.ts";

/** Bytes, not letters, so that whatever GitHub counts is kept: it takes 65,535. */
const MOST = { check: 60_000, issue: 38_000 } as const;

/** What one branch of one repository is told. */
export interface PublishedBranch {
  readonly repository: string;
  readonly branch: string;
  /** Commit that was compared; absent when the branch could not be read. */
  readonly head?: string;
  readonly end: DriftEnd;
  readonly counts: Counts;
  readonly says: string;
  /** All of it but the commit: the branch's head at which it is published. */
  readonly check: Omit<CheckRunRequest, "sha">;
}

/** What one repository is told about one cluster. */
export interface PublishedRepository {
  readonly repository: string;
  readonly branches: readonly PublishedBranch[];
  readonly report: CountedReport;
  readonly end: DriftEnd;
  readonly counts: Counts;
  readonly says: string;
  /** The report for machines, as an issue holds it where no check run may be written. */
  readonly block: string;
}

/** `Stanch drift (prod, main)`: clusters and branches of one repository stand side by side. */
export function checkName(cluster: string, branch: string): string {
  return `Stanch drift (${cluster}, ${branch})`;
}

export function externalId(cluster: string, branch: string): string {
  return `stanch-drift/${cluster}/${branch}`;
}

/**
 * A report as its repositories are told of it, each only of its own sources. What could not be read of the cluster is said to each.
 * A root without a branch is told on every branch of its repository. `values`: for each repository, whether values of fields may be shown there.
 */
export function format(report: DriftReport, values: (repository: string) => boolean): PublishedRepository[] {
  const repositories = groups(report.roots, (root) => root.repository);
  return repositories.map(([repository]) => {
    const own = sanitised(ofRepository(report, repository), { values: values(repository) });
    // What could not be compared belongs to no branch, and so is said on all: on none would look like "no drift".
    const homeless = own.roots.filter((root) => root.branch === "");
    const known = groups(own.roots, (root) => root.branch).filter(([branch]) => branch !== "");
    const branches = known.map(([branch, some]) =>
      branchOf(repository, branch, { ...own, roots: [...some, ...homeless] }),
    );
    const { json, wire } = encode(own, MOST.issue);
    return { repository, branches, report: own, ...standing(wire), says: wire.says, block: blockOf(json) };
  });
}

/** A hotfix and what waits for its deployment are known: no success, and no failure. */
const CONCLUSIONS: Readonly<Record<DriftEnd, CheckConclusion>> = {
  error: "failure",
  drift: "action_required",
  pending: "neutral",
  clean: "success",
};

function branchOf(repository: string, branch: string, report: CountedReport): PublishedBranch {
  const { json, wire } = encode(report, MOST.check);
  const { end, counts } = standing(wire);
  const head = report.roots.find((root) => root.head !== undefined)?.head;
  const { annotations, left } = annotationsOf(report.roots);
  return {
    repository,
    branch,
    ...(head === undefined ? {} : { head }),
    end,
    counts,
    says: wire.says,
    check: {
      name: checkName(report.cluster, branch),
      externalId: externalId(report.cluster, branch),
      conclusion: CONCLUSIONS[end],
      title: headline(wire),
      summary: summaryOf(report, wire, { most: MOST.check, unmarked: left }),
      text: blockOf(json),
      annotations,
    },
  };
}

function standing(wire: Wire): { readonly end: DriftEnd; readonly counts: Counts } {
  return {
    counts: wire.counts,
    end: endOfCounts({ counts: wire.counts, errors: wire.errors, gaps: wire.gaps.length }),
  };
}

/** First line of the block: everything that is read back stands behind it, and only as it was written. */
const MARK = /^<!-- stanch drift report v1 ([0-9a-f]{64}) -->\r?\n\r?\n```json\r?\n([^\r\n]*)\r?\n```\s*$/m;

function blockOf(json: string): string {
  return `<!-- stanch drift report v1 ${digest(json)} -->\n\n\`\`\`json\n${json}\n\`\`\``;
}

/** The report in a text of ours; a sentence when there is none, or when somebody changed it. Whose text it is, the caller must know. */
export function parse(text: string): Wire | { readonly no: string } {
  const match = MARK.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) return { no: "there is no report in it" };
  if (digest(match[2]) !== match[1]) return { no: "somebody changed the published report" };
  return decode(match[2]);
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

function groups<T>(list: readonly T[], keyOf: (item: T) => string): [string, T[]][] {
  const found = new Map<string, T[]>();
  for (const item of list) found.set(keyOf(item), [...(found.get(keyOf(item)) ?? []), item]);
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1));
}
