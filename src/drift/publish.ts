import type { Config } from "../config/schema.ts";
import { matchesGlob } from "../config/scope.ts";
import { messageOf, StanchError } from "../errors.ts";
import type { CheckConclusion } from "../ports.ts";
import { followDriftIssue } from "./follow-issue.ts";
import type { DriftReport, RootReport } from "./model.ts";
import { format, type PublishedBranch, type PublishedRepository, parse } from "./published.ts";
import { isFresh, mayShowValues, type Publishing } from "./publishing.ts";

/** What became of one repository's part of a report. */
export interface PublishNote {
  readonly repository: string;
  readonly kind: "published" | "unchanged" | "left" | "failed";
  /** One sentence. */
  readonly text: string;
}

/**
 * Tells each repository what its part of the cluster looks like: a check run on the head of each branch that is deployed, and an issue that
 * stands for as long as something drifts. Where no check run may be written, a commit status says how it ended and the issue holds the report.
 * Publishing the same twice writes nothing but, after `drift.refresh`, the time. A repository that cannot be told never stops the others.
 */
export async function publishDrift(report: DriftReport, context: Publishing): Promise<PublishNote[]> {
  const notes: PublishNote[] = [];
  const values = new Map<string, boolean>();
  const told: RootReport[] = [];
  for (const [repository, roots] of byRepository(report.roots)) {
    if (repository === "") {
      const names = roots.map(({ id }) => id).join(", ");
      notes.push({ repository, kind: "left", text: `nobody knows which repository to tell of ${names}` });
      continue;
    }
    if (!isAllowed(repository, context.config)) {
      notes.push({ repository, kind: "left", text: "it is none of github.repositories, or not on the code host" });
      continue;
    }
    try {
      values.set(repository, await mayShowValues(repository, context));
      told.push(...(await withBranch(repository, roots, context)));
    } catch (error) {
      notes.push(failed(repository, error, context));
    }
  }
  for (const one of format({ ...report, roots: told }, (repository) => values.get(repository) === true)) {
    try {
      notes.push(await tell(one, context));
    } catch (error) {
      notes.push(failed(one.repository, error, context));
    }
  }
  return notes;
}

/** One repository may be spelt in several ways (`Acme/Shop`); two reports to it would replace each other. */
function byRepository(roots: readonly RootReport[]): Map<string, RootReport[]> {
  const found = new Map<string, { readonly repository: string; readonly roots: RootReport[] }>();
  for (const root of roots) {
    const key = root.repository.toLowerCase();
    const one = found.get(key) ?? { repository: root.repository, roots: [] };
    one.roots.push({ ...root, repository: one.repository });
    found.set(key, one);
  }
  return new Map([...found.values()].map((one) => [one.repository, one.roots]));
}

/** Roots that could not be compared may know no branch; where none does, the default branch is told. */
async function withBranch(
  repository: string,
  roots: readonly RootReport[],
  { codeHost }: Publishing,
): Promise<readonly RootReport[]> {
  if (roots.some(({ branch }) => branch !== "")) return roots;
  const { defaultBranch } = await codeHost.check(repository);
  return roots.map((root) => ({ ...root, branch: defaultBranch }));
}

function isAllowed(repository: string, { github }: Config): boolean {
  if (!/^[\w-]+\/(?!\.\.?$)[\w.-]+$/.test(repository)) return false;
  return github.repositories.some((glob) => matchesGlob(glob.toLowerCase(), repository.toLowerCase()));
}

function failed(repository: string, error: unknown, { log }: Publishing): PublishNote {
  if (error instanceof StanchError && error.code === "lease") throw error;
  const hint = error instanceof StanchError && error.hint !== undefined ? `: ${error.hint}` : "";
  log.warn("drift not published", { repository, error: messageOf(error) });
  return { repository, kind: "failed", text: `${messageOf(error)}${hint}` };
}

async function tell(one: PublishedRepository, context: Publishing): Promise<PublishNote> {
  const { repository } = one;
  if (context.dryRun) {
    const titles = one.branches.map(({ branch, check }) => `${branch}: ${check.title}`).join("; ");
    return { repository, kind: "unchanged", text: `would publish ${titles}` };
  }
  const done: string[] = [];
  let withoutChecks = false;
  for (const branch of one.branches) {
    const said = await onBranch(branch, one, context);
    withoutChecks ||= said.fallback;
    if (said.text !== null) done.push(said.text);
  }
  if (context.config.drift.issue || withoutChecks) {
    const said = await followDriftIssue(one, { block: withoutChecks }, context);
    if (said !== null) done.push(said);
  }
  return done.length === 0
    ? { repository, kind: "unchanged", text: "it says the same already" }
    : { repository, kind: "published", text: done.join("; ") };
}

interface Said {
  /** Null: nothing had to be written. */
  readonly text: string | null;
  /** No check run may be written here. */
  readonly fallback: boolean;
}

async function onBranch(branch: PublishedBranch, one: PublishedRepository, context: Publishing): Promise<Said> {
  const { codeHost } = context;
  const { repository } = one;
  const sha = branch.head ?? (await codeHost.branchHead(repository, branch.branch));
  if (sha === null) return { text: `there is no branch ${branch.branch}`, fallback: false };
  if (await isSaid(branch, one, sha, context)) return { text: null, fallback: false };
  try {
    const made = await codeHost.publishCheck(repository, { ...branch.check, sha });
    return { text: made.url, fallback: false };
  } catch (error) {
    if (!(error instanceof StanchError) || error.code !== "forbidden") throw error;
    context.log.debug("no check run", { repository, error: error.message });
    await codeHost.publishStatus(repository, {
      sha,
      context: branch.check.name,
      state: STATES[branch.check.conclusion],
      description: branch.check.title,
    });
    return { text: null, fallback: true };
  }
}

const STATES: Readonly<Record<CheckConclusion, "success" | "failure" | "error">> = {
  success: "success",
  neutral: "success",
  action_required: "failure",
  failure: "error",
};

/** Does our check run on this commit say the same, and was that lately enough for a reader to rely on it? */
async function isSaid(
  branch: PublishedBranch,
  one: PublishedRepository,
  sha: string,
  context: Publishing,
): Promise<boolean> {
  const { name, externalId, conclusion } = branch.check;
  const app = /^(.+)\[bot\]$/.exec(await context.codeHost.login(one.repository))?.[1];
  if (app === undefined) return false;
  const known = await context.codeHost.readCheck(one.repository, { ref: sha, name, externalId, app });
  if (known === null || known.conclusion !== conclusion) return false;
  const wire = parse(known.text);
  if ("no" in wire || wire.says !== branch.says) return false;
  return isFresh(wire.takenAt, one.report.takenAt, context.config);
}
