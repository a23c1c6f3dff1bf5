import { formatPath } from "../kube/field-path.ts";
import { describeRef, keyOf } from "../kube/ref.ts";
import { sameValue } from "../kube/same-value.ts";
import type { Change, Finding } from "../model.ts";
import { driftedFields } from "./drifted-fields.ts";
import { causesOf } from "./git-history.ts";
import { missingImage } from "./missing-image.ts";
import { missingTarget } from "./missing-target.ts";
import type { RemedyContext } from "./remedy.ts";

/**
 * Why fields that are to be put back are not what Git had: every value must be what the named commit took away from the object,
 * or, without a commit, what Git says now and the cluster has lost. Null: they are, and what they point to is there.
 */
export async function notFromGit(
  commit: string | undefined,
  changes: readonly Change[],
  finding: Finding,
  context: RemedyContext,
): Promise<string | null> {
  for (const group of Map.groupBy(changes, (change) => keyOf(change.object)).values()) {
    const ref = group[0]?.object;
    if (ref === undefined) continue;
    const known = commit === undefined ? await drifts(ref, context) : await takenBy(commit, ref, finding, context);
    if (known === null) return `commit ${commit?.slice(0, 7)} is no recent one that changed ${describeRef(ref)}`;
    const stray = group.find((change) => !known.some((one) => isSame(one, change)));
    if (stray !== undefined)
      return commit === undefined
        ? `${formatPath(stray.path)} of ${describeRef(ref)} is not what Git says and the cluster has otherwise`
        : `${formatPath(stray.path)} of ${describeRef(ref)} is not what commit ${commit.slice(0, 7)} took away`;
  }
  return (await missingImage(changes, context)) ?? (await missingTarget(changes, context));
}

async function takenBy(
  commit: string,
  ref: Change["object"],
  finding: Finding,
  context: RemedyContext,
): Promise<readonly Change[] | null> {
  const causes = await causesOf(ref, finding, context);
  return causes.find((cause) => cause.commit.sha.startsWith(commit))?.changes ?? null;
}

async function drifts(ref: Change["object"], context: RemedyContext): Promise<readonly Change[]> {
  const live = context.live(ref);
  const declared = live === null ? null : await context.declared(ref);
  return live === null || declared === null ? [] : driftedFields(declared, live, ref);
}

/** What goes back must be the same; what is there now is checked against the live object. */
function isSame(known: Change, change: Change): boolean {
  return formatPath(known.path) === formatPath(change.path) && sameValue(known.to, change.to);
}
