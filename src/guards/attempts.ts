import type { Guard } from "./guard.ts";

export const attempts: Guard = {
  id: "attempts",
  summary: "After some hotfixes that did not heal, a person is asked.",
  check(_plan, context) {
    const { attempts } = context.settings.guard;
    return context.failedAttempts < attempts
      ? null
      : {
          decision: "refuse",
          rule: "attempts",
          reason: `${context.failedAttempts} hotfixes of this incident did not heal it (guard.attempts)`,
        };
  },
};
