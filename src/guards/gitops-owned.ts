import { describeRef, keyOf } from "../kube/ref.ts";
import { byObject } from "../kube/written.ts";
import { gitopsOwner } from "./gitops-owner.ts";
import type { Guard } from "./guard.ts";

export const gitopsOwned: Guard = {
  id: "gitops-owned",
  summary:
    "What Argo CD, Flux or a Helm release owns is changed in Git only: a live change would be reverted in seconds, or by the next upgrade.",
  check(plan, context) {
    for (const { ref } of byObject(plan.changes)) {
      const live = context.live.get(keyOf(ref));
      const owner = live === null || live === undefined ? null : gitopsOwner(live);
      if (owner !== null)
        return {
          decision: "git-only",
          rule: "gitops-owned",
          reason: `${describeRef(ref)} is deployed by ${owner}, ${owner.startsWith("Helm") ? "whose next upgrade" : "which"} would revert a live change`,
        };
    }
    return null;
  },
};
