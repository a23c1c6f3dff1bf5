import { getAt } from "../kube/field-path.ts";
import { conflicts } from "../kube/json-patch.ts";
import { describeRef, keyOf } from "../kube/ref.ts";
import { sameValue } from "../kube/same-value.ts";
import { byObject } from "../kube/written.ts";
import type { Guard } from "./guard.ts";

export const stale: Guard = {
  id: "stale",
  summary: "A field that is not what the plan starts from is not overwritten.",
  check(plan, context) {
    for (const { ref, changes } of byObject(plan.changes)) {
      const live = context.live.get(keyOf(ref));
      if (live === null || live === undefined) continue;
      // Git alone is put back where the cluster never took what Git says.
      const open = changes.filter(
        (change) => plan.gitOnly === undefined || !sameValue(getAt(live, change.path), change.to),
      );
      const gone = conflicts(open, live);
      if (gone.length > 0)
        return { decision: "refuse", rule: "stale", reason: `${describeRef(ref)} has changed: ${gone.join("; ")}` };
    }
    return null;
  },
};
