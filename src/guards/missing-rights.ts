import type { Guard } from "./guard.ts";

export const missingRights: Guard = {
  id: "missing-rights",
  summary: "Without the rights for it nothing is changed live.",
  check(_plan, context) {
    return context.missingRights.length === 0
      ? null
      : {
          decision: "git-only",
          rule: "missing-rights",
          reason: `this account may not ${context.missingRights.join(", ")}`,
        };
  },
};
