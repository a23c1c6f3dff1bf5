import { isGitOpsObject } from "../kube/failing.ts";
import { describeRef } from "../kube/ref.ts";
import type { Guard } from "./guard.ts";

export const gitopsObject: Guard = {
  id: "gitops-object",
  summary:
    "Applications, Kustomizations, HelmReleases and the sources of Flux say what is deployed: they are changed in Git only.",
  check(plan) {
    const found = plan.changes.find((change) => isGitOpsObject(change.object.kind));
    return found === undefined
      ? null
      : {
          decision: "git-only",
          rule: "gitops-object",
          reason: `${describeRef(found.object)} says what is deployed, and is changed in Git only`,
        };
  },
};
