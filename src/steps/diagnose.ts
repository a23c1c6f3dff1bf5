import { messageOf, StanchError } from "../errors.ts";
import { applyChanges } from "../kube/json-patch.ts";
import { sameRef } from "../kube/ref.ts";
import { unschedulableReason } from "../kube/schedulable.ts";
import type { Diagnosis, Finding, Proposal } from "../model.ts";
import { numbered } from "../remedies/evidence.ts";
import { remedies, remediesFor } from "../remedies/index.ts";
import type { Remedy, RemedyContext } from "../remedies/remedy.ts";

/**
 * Asks the remedies for a symptom, in order, whether they can prove that they would help. What they answer is all there is: a
 * finding without a choice goes to a person, with every remedy's reason.
 */
export async function diagnose(finding: Finding, context: RemedyContext): Promise<Diagnosis> {
  const choices: Proposal[] = [];
  const rejected: { remedy: string; reason: string }[] = [];
  for (const id of remediesFor[finding.symptom.kind]) {
    const remedy = remedies.find((candidate) => candidate.id === id);
    if (remedy === undefined) continue;
    if (remedy.concerns?.(finding, context.settings) === false) continue;
    if (!context.settings.remedies.enabled.includes(id)) {
      rejected.push({ remedy: id, reason: "it is not enabled" });
      continue;
    }
    const answer = await remedy.diagnose(finding, context).catch((error: unknown) => withoutGit(error, choices));
    const objection = answer.applies ? unfit(remedy, answer.params, finding, context) : answer.reason;
    if (!answer.applies || objection !== null) rejected.push({ remedy: id, reason: objection ?? "" });
    else {
      const params = answer.params as Proposal["params"];
      choices.push({
        remedy: id,
        params,
        reason: answer.reason,
        evidence: numbered(answer.evidence),
        ...(answer.culprit === undefined ? {} : { culprit: answer.culprit }),
      });
    }
  }
  const [best] = choices;
  // What the cluster says of itself ends as it likes.
  const seen = /[.!?]$/.test(finding.summary) ? finding.summary : `${finding.summary}.`;
  return {
    finding,
    cause: best === undefined ? seen : `${seen} ${best.reason}`,
    by: "rule",
    choices,
    rejected,
  };
}

/**
 * Git and GitHub may be out of reach while the cluster bleeds. What the cluster alone has proved stands before Git's history in the
 * order and needs no word of it; without such a proof nobody knows yet which remedy is right, and the fault is the answer.
 */
function withoutGit(error: unknown, choices: readonly Proposal[]): { applies: false; reason: string } {
  if (choices.length === 0 || !(error instanceof StanchError) || !OUTSIDE.has(error.code)) throw error;
  return { applies: false, reason: `Git could not be asked: ${messageOf(error)}` };
}

/** `config`: a source that names a folder or a repository which is not there (any more). */
const OUTSIDE = new Set(["git", "code-host", "render", "config"]);

/** A change that would leave the pod as unschedulable as it is helps nobody: it is not even tried. */
function unfit(remedy: Remedy, params: unknown, finding: Finding, context: RemedyContext): string | null {
  if (finding.symptom.kind !== "Unschedulable" || context.workload === undefined) return null;
  const drafted = remedy.plan(params, finding, context);
  if (!drafted.possible) return drafted.reason;
  const own = drafted.changes.filter((change) => sameRef(change.object, finding.workload));
  const reason = unschedulableReason(applyChanges(context.workload.object, own), context.snapshot.nodes);
  return reason === null
    ? null
    : `${drafted.title} would not be enough: ${reason}. A person must decide what the workload may ask for, or add a node`;
}
