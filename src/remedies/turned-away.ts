import { textsAt } from "../kube/fields.ts";
import { applyChanges } from "../kube/json-patch.ts";
import { refOf } from "../kube/ref.ts";
import { matchesLabels } from "../kube/selectors.ts";
import { templateOf } from "../kube/template.ts";
import type { Finding } from "../model.ts";
import { fromHistory } from "./git-history.ts";
import type { Answer, RemedyContext } from "./remedy.ts";
import { changesOf, type RestoredFields } from "./restored-fields.ts";

/** Beside what a workload gets back, the selectors of the Services behind which its pods stood, where the same commit turned them away. */
export async function withSelectors(
  found: Extract<Answer<RestoredFields>, { applies: true }>,
  finding: Finding,
  context: RemedyContext,
): Promise<Answer<RestoredFields>> {
  const workload = context.live(finding.workload);
  const labels = textsAt(workload === null ? null : templateOf(workload), "metadata", "labels");
  let all = found;
  for (const service of context.others("Service", finding.workload.namespace) ?? []) {
    if (matchesLabels(textsAt(service, "spec", "selector"), labels)) continue;
    const more = await fromHistory(refOf(service), finding, context, (changes) =>
      changes.filter(({ path }) => path[0] === "spec" && path[1] === "selector"),
    );
    if (more?.applies !== true || more.params.commit !== found.params.commit) continue;
    const then = applyChanges(service, changesOf(more.params.fields));
    if (!matchesLabels(textsAt(then, "spec", "selector"), labels)) continue;
    all = {
      ...all,
      params: { ...all.params, fields: [...all.params.fields, ...more.params.fields] },
      evidence: [...all.evidence, ...more.evidence],
    };
  }
  return all;
}
