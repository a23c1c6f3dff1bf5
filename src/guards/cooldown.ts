import { formatDuration } from "../config/duration.ts";
import { describeRef, keyOf } from "../kube/ref.ts";
import { byObject } from "../kube/written.ts";
import type { Guard } from "./guard.ts";

export const cooldown: Guard = {
  id: "cooldown",
  summary: "An object is not changed live twice within a short time.",
  check(plan, context) {
    const { cooldown: wait } = context.settings.guard;
    for (const { ref } of byObject(plan.changes)) {
      const last = context.lastChange.get(keyOf(ref));
      if (last !== undefined && context.now.getTime() - last.getTime() < wait)
        return {
          decision: "refuse",
          rule: "cooldown",
          reason: `${describeRef(ref)} was changed ${formatDuration(context.now.getTime() - last.getTime())} ago (guard.cooldown is ${formatDuration(wait)})`,
        };
    }
    return null;
  },
};
