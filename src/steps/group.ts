import { sameRef } from "../kube/ref.ts";
import type { Diagnosis, Finding, ObjectRef } from "../model.ts";
import type { RestoredFields } from "../remedies/restored-fields.ts";

export interface Cause {
  readonly primary: Diagnosis;
  /** Other findings that the primary's remedy is expected to clear. */
  readonly covers: readonly Finding[];
}

/**
 * Findings that one commit explains are one cause: one incident and one pull request that takes back all of what the
 * commit broke. So is a finding for which nobody has a remedy, with the one whose remedy changes its object. Other findings stay by
 * themselves. The order is kept.
 */
export function group(diagnoses: readonly Diagnosis[]): Cause[] {
  const causes: { primary: Diagnosis; covers: Finding[]; commit?: string; namespace: string }[] = [];
  for (const diagnosis of diagnoses) {
    const choice = diagnosis.choices[0];
    // What a model chose stays by itself: joined to what a rule proved, it would pass for that.
    const proved = choice?.remedy === "restore-from-git" && choice.by === undefined;
    const commit = proved ? choice.culprit?.sha : undefined;
    const namespace = diagnosis.finding.workload.namespace;
    const same =
      commit === undefined
        ? undefined
        : causes.find((cause) => cause.commit === commit && cause.namespace === namespace);
    if (same === undefined)
      causes.push({ primary: diagnosis, covers: [], namespace, ...(commit === undefined ? {} : { commit }) });
    else {
      same.primary = joined(same.primary, diagnosis);
      same.covers.push(diagnosis.finding);
    }
  }
  // What has no remedy of its own may be mended along with another: a Service that is given back the pods it looks for.
  const mending = (finding: Finding) =>
    causes.find(
      ({ primary }) => primary.finding !== finding && restored(primary).some((ref) => sameRef(ref, finding.workload)),
    );
  return causes.flatMap(({ primary, covers }) => {
    if (primary.choices.length === 0 && mending(primary.finding) !== undefined) return [];
    const along = causes.filter(
      (other) => other.primary.choices.length === 0 && mending(other.primary.finding)?.primary === primary,
    );
    return [{ primary, covers: [...covers, ...along.map((other) => other.primary.finding)] }];
  });
}

/** Objects of which the first choice restores fields. */
function restored({ choices }: Diagnosis): ObjectRef[] {
  const [first] = choices;
  if (first?.remedy !== "restore-from-git" || first.by !== undefined) return [];
  return (first.params as Partial<RestoredFields>).fields?.map(({ object }) => object) ?? [];
}

/** The first diagnosis with the fields that the second restores as well. */
function joined(a: Diagnosis, b: Diagnosis): Diagnosis {
  const [first, ...rest] = a.choices;
  const other = b.choices[0];
  if (first === undefined || other === undefined) return a;
  const fields = [...list(first.params["fields"]), ...list(other.params["fields"])];
  const unique = [...new Map(fields.map((field) => [JSON.stringify(field), field])).values()];
  const evidence = [
    ...first.evidence,
    ...other.evidence.filter((item) => !first.evidence.some((known) => known.text === item.text)),
  ];
  return {
    ...a,
    cause: `${a.cause} The same commit explains: ${b.finding.summary}`,
    choices: [{ ...first, params: { ...first.params, fields: unique }, evidence }, ...rest],
  };
}

function list(value: unknown): import("../model.ts").Json[] {
  return Array.isArray(value) ? value : [];
}
