import type { Guard } from "./guard.ts";

export const hotfixesPerRun: Guard = {
  id: "hotfixes-per-run",
  summary: "Only so many live changes in one run.",
  check(_plan, context) {
    const { hotfixesPerRun: most } = context.settings.guard;
    return context.hotfixes < most
      ? null
      : {
          decision: "git-only",
          rule: "hotfixes-per-run",
          reason: `${context.hotfixes} live changes were made in this run (guard.hotfixesPerRun)`,
        };
  },
};
