import { fromHistory } from "./git-history.ts";
import { isRestorable, relevantChanges } from "./relevance.ts";
import { defineRemedy, no } from "./remedy.ts";
import { changesOf, planRestore, RestoredFields } from "./restored-fields.ts";
import { notFromGit } from "./restored-origin.ts";
import {
  PATCH_CONFIG_MAPS,
  PATCH_INGRESSES,
  PATCH_PODS,
  PATCH_SCALERS,
  PATCH_SERVICES,
  PATCH_WORKLOADS,
} from "./workload-rights.ts";

/**
 * Everything that a recent commit changed in the failing object, put back together: for the commit that broke more than one
 * thing, of which the next only shows when the first is gone. It comes after `restore-from-git`, where that has not healed.
 */
export const revertCommit = defineRemedy({
  id: "revert-commit",
  summary:
    "Puts back everything that the commit after which the failing began changed in the failing object, where less did not heal.",
  risk: "medium",
  reversibility: "inverse",
  params: RestoredFields,
  needs: [...PATCH_WORKLOADS, PATCH_PODS, PATCH_CONFIG_MAPS, PATCH_SERVICES, PATCH_SCALERS, PATCH_INGRESSES],
  async diagnose(finding, context) {
    const object = context.workload?.object ?? context.live(finding.workload);
    const found = await fromHistory(finding.workload, finding, context, (changes) =>
      changes.filter((change) => isRestorable(change.object.kind, change.path, null)),
    );
    if (found === null) return no("Git's recent history changed nothing in it that may be put back");
    if (!found.applies) return found;
    const all = found.params.fields;
    const relevant = relevantChanges(changesOf(all), finding, object);
    if (relevant.length === all.length) return no("the commit changed nothing in it but what explains the symptom");
    // Time alone connects nothing: a commit that has no part in the symptom is left alone.
    if (relevant.length === 0) return no("nothing that the last commit changed in it explains the symptom");
    return { ...found, reason: `${found.reason} What explains the symptom alone may not be all that it broke.` };
  },
  plan: ({ fields }, finding, context) => planRestore(fields, finding, context, "any"),
  origin: async ({ commit }, finding, context, changes) =>
    commit === undefined ? "no commit is named" : notFromGit(commit, changes, finding, context),
});
