import type { Diagnosis, Finding, Proposal } from "../model.ts";
import { numbered } from "../remedies/evidence.ts";
import { remedies, remediesFor } from "../remedies/index.ts";
import type { RemedyContext } from "../remedies/remedy.ts";

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
    if (!context.settings.remedies.enabled.includes(id)) {
      rejected.push({ remedy: id, reason: "it is not enabled" });
      continue;
    }
    const answer = await remedy.diagnose(finding, context);
    if (!answer.applies) rejected.push({ remedy: id, reason: answer.reason });
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
  return {
    finding,
    cause: best === undefined ? finding.summary : `${finding.summary} ${best.reason}`,
    by: "rule",
    choices,
    rejected,
  };
}
