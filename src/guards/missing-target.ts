import type { Guard } from "./guard.ts";
import { targets } from "./targets.ts";

export const missingTarget: Guard = {
  id: "missing-target",
  summary: "Every object of the plan is in the cluster; without it there is only Git.",
  check(plan, context) {
    for (const [key, object] of targets(plan, context))
      if (object === null)
        return { decision: "git-only", rule: "missing-target", reason: `${key} is not in the cluster` };
    return null;
  },
};
