import type { Diagnosis, Plan, Proposal } from "../model.ts";
import { remedies } from "../remedies/index.ts";
import type { RemedyContext } from "../remedies/remedy.ts";

/**
 * A proposal as changes. Parameters are checked by the remedy's schema, by the remedy itself against the live object, and against
 * the place that their values claim to come from, whoever chose them; every change must be of an object in the finding's own namespace.
 */
export async function plan(
  diagnosis: Diagnosis,
  choice: Proposal,
  context: RemedyContext,
): Promise<Plan | { readonly refused: string }> {
  const { finding } = diagnosis;
  const remedy = remedies.find((candidate) => candidate.id === choice.remedy);
  if (remedy === undefined) return { refused: `there is no remedy "${choice.remedy}"` };
  if (!context.settings.remedies.enabled.includes(remedy.id)) return { refused: `${remedy.id} is not enabled` };
  const params = remedy.params.safeParse(choice.params);
  if (!params.success)
    return {
      refused: `its parameters are wrong: ${params.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`).join("; ")}`,
    };
  const drafted = remedy.plan(params.data, finding, context);
  if (!drafted.possible) return { refused: drafted.reason };
  const stray = drafted.changes.find((change) => change.object.namespace !== finding.workload.namespace);
  if (stray !== undefined)
    return {
      refused: `it would change ${stray.object.kind} ${stray.object.namespace}/${stray.object.name}, which is not the finding's`,
    };
  // What is taken for a fix goes to Git; what contains must not, and nothing else may pass for it.
  if ((drafted.contains !== undefined) !== (remedy.contains === true))
    return { refused: `${remedy.id} does not say what it contains` };
  if (drafted.changes.length === 0 && drafted.action === undefined) return { refused: "it would change nothing" };
  const stranger = (await remedy.origin?.(params.data, finding, context, drafted.changes)) ?? null;
  if (stranger !== null) return { refused: stranger };
  return {
    finding,
    choice,
    risk: remedy.risk,
    changes: drafted.changes,
    ...(drafted.action === undefined ? {} : { action: drafted.action }),
    ...(drafted.gitOnly === undefined ? {} : { gitOnly: drafted.gitOnly }),
    ...(drafted.contains === undefined ? {} : { contains: drafted.contains }),
    title: drafted.title,
  };
}
