import type { Guard } from "./guard.ts";
import { targets } from "./targets.ts";

export const ownedObject: Guard = {
  id: "owned-object",
  summary: "An object that another object controls (an operator, a chart of charts) is corrected there and not here.",
  check(plan, context) {
    for (const [key, object] of targets(plan, context)) {
      const owner = object?.metadata.ownerReferences?.find((reference) => reference.controller === true);
      if (owner !== undefined)
        return {
          decision: "refuse",
          rule: "owned-object",
          reason: `${key} is controlled by ${owner.kind} ${owner.name}, which would undo the change; correct it there`,
        };
    }
    return null;
  },
};
