import type { Guard } from "./guard.ts";
import { targets } from "./targets.ts";

export const beingDeleted: Guard = {
  id: "being-deleted",
  summary: "An object that is being deleted is left alone.",
  check(plan, context) {
    for (const [key, object] of targets(plan, context))
      if (object?.metadata.deletionTimestamp !== undefined)
        return { decision: "refuse", rule: "being-deleted", reason: `${key} is being deleted` };
    return null;
  },
};
