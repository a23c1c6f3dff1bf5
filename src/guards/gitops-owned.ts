import { claimOf } from "../gitops/claim.ts";
import { describeRef, keyOf } from "../kube/ref.ts";
import { byObject } from "../kube/written.ts";
import type { Guard } from "./guard.ts";

export const gitopsOwned: Guard = {
  id: "gitops-owned",
  summary:
    "What Argo CD, Flux or Helm deploys is changed live only where nothing reverts it or a hold keeps it; otherwise Git comes first.",
  check(plan, context) {
    // A field that Git does not say is left alone by what deploys the object.
    if (plan.contains !== undefined) return null;
    for (const { ref } of byObject(plan.changes)) {
      const live = context.live.get(keyOf(ref));
      const choice = context.holds.get(keyOf(ref));
      if (live === null || live === undefined || choice?.possible === true) continue;
      const claim = claimOf(live);
      // What nobody looked into is taken to be reverted.
      const reason =
        choice?.reason ?? (claim === null ? null : `deployed by ${claim.name}, which would revert a live change`);
      if (reason !== null)
        return { decision: "git-only", rule: "gitops-owned", reason: `${describeRef(ref)} is ${reason}` };
    }
    return null;
  },
};
