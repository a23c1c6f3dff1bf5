import { sameAsLive } from "../gitops/field-equality.ts";
import { formatPath, getAt } from "../kube/field-path.ts";
import { timeOf } from "../kube/fields.ts";
import { describeRef } from "../kube/ref.ts";
import type { Change, Commit, Finding, ObjectRef } from "../model.ts";
import { describeChanges, fact, show } from "./evidence.ts";
import { goneImages, missingImage } from "./missing-image.ts";
import { missingTarget } from "./missing-target.ts";
import type { Answer, PlanContext, PreviousVersion, RemedyContext } from "./remedy.ts";
import { fieldsOf, type RestoredFields } from "./restored-fields.ts";

/** Clocks of committers and of the cluster differ, and a symptom's first sign may be rounded. */
export const SLACK_MS = 10 * 60_000;

/**
 * The newest commit before the failing began of which `pick` keeps some changes of an object, offered as fields to put back.
 * Null: no recent commit.
 */
export async function fromHistory(
  ref: ObjectRef,
  finding: Finding,
  context: RemedyContext,
  pick: (changes: readonly Change[]) => Change[],
): Promise<Answer<RestoredFields> | null> {
  for (const { commit, changes } of await causesOf(ref, finding, context)) {
    const relevant = pick(changes);
    if (relevant.length === 0) continue;
    const rest = changes.filter((change) => !relevant.includes(change));
    return offer(ref, [...relevant, ...(await goneImages(rest, context))], commit, context);
  }
  return null;
}

/** Recent commits that may be to blame for what an object shows, newest first, each with what it changed itself (from now to then). */
export async function causesOf(
  ref: ObjectRef,
  finding: Finding,
  context: RemedyContext,
): Promise<{ readonly commit: Commit; readonly changes: readonly Change[] }[]> {
  const versions = await context.previous(ref);
  const now = timeOf(context.snapshot.takenAt) ?? 0;
  const began = timeOf(finding.since) ?? now;
  const out: { commit: Commit; changes: readonly Change[] }[] = [];
  for (const [index, version] of versions.entries()) {
    const at = timeOf(version.commit.at);
    if (at === undefined || now - at > context.settings.remedies.history.age) break;
    // A commit made after the failing began is not its cause.
    if (at > began + SLACK_MS) continue;
    out.push({ commit: version.commit, changes: ownChanges(version, versions[index - 1]) });
  }
  return out;
}

/**
 * Versions without certain commits. What such a commit changed is told by every older version, too, as a difference from now: it
 * goes there as well, or the older commit would be taken for its author.
 */
export function withoutCommits(
  versions: readonly PreviousVersion[],
  left: ReadonlySet<string | undefined>,
): PreviousVersion[] {
  const out: PreviousVersion[] = [];
  const since = new Set<string>();
  for (const version of versions) {
    if (left.has(version.commit.sha)) for (const change of version.changes) since.add(keyOf(change));
    else {
      const changes = version.changes.filter((change) => !since.has(keyOf(change)));
      if (changes.length > 0) out.push({ ...version, changes });
    }
  }
  return out;
}

function keyOf({ path, from, to }: Change): string {
  return JSON.stringify([path, from, to]);
}

/** What this commit changed itself: versions are told as differences from now, which hold those of later commits, too. */
function ownChanges(version: PreviousVersion, newer: PreviousVersion | undefined): Change[] {
  const later = new Set(newer?.changes.map(keyOf));
  return version.changes.filter((change) => change.path.length > 0 && !later.has(keyOf(change)));
}

async function offer(
  ref: ObjectRef,
  relevant: readonly Change[],
  commit: Commit,
  context: RemedyContext,
): Promise<Answer<RestoredFields>> {
  const short = commit.sha.slice(0, 7);
  const aligned = alignToLive(ref, relevant, context);
  if (typeof aligned === "string")
    return { applies: false, reason: `commit ${short} changed ${describeChanges(relevant)}, but ${aligned}` };
  const objection = (await missingImage(aligned, context)) ?? (await missingTarget(aligned, context));
  if (objection !== null)
    return { applies: false, reason: `what commit ${short} changed cannot be taken back: ${objection}` };
  return {
    applies: true,
    params: { commit: commit.sha, fields: fieldsOf(aligned) },
    reason: `Commit ${short} ("${show(commit.subject)}") changed ${describeRef(ref)} (${formatPath(relevant[0]?.path ?? [])}), and the failing began after it.`,
    evidence: [
      fact(
        "git",
        `Commit ${short} by ${commit.author}, "${commit.subject}": ${describeRef(ref)} had ${relevant.map((change) => `${formatPath(change.path)} = ${show(change.to)}, now ${show(change.from)}`).join("; ")}`,
        commit.at,
      ),
    ],
    culprit: commit,
  };
}

/** The changes as they apply to the live object; a sentence when it does not hold what Git has now. */
function alignToLive(ref: ObjectRef, changes: readonly Change[], context: PlanContext): Change[] | string {
  const live = context.live(ref);
  if (live === null) return `${describeRef(ref)} is not in the cluster`;
  const out: Change[] = [];
  for (const { path, from, to } of changes) {
    const is = getAt(live, path);
    if (!sameAsLive(path, from, is)) return `the cluster has ${show(is)} there and not ${show(from)}`;
    if (to !== undefined && sameAsLive(path, to, is)) continue;
    out.push({ object: ref, path, ...(is === undefined ? {} : { from: is }), ...(to === undefined ? {} : { to }) });
  }
  return out.length === 0 ? "the cluster has the earlier value already" : out;
}
