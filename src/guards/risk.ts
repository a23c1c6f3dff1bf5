import type { Guard } from "./guard.ts";

export const risk: Guard = {
  id: "risk",
  summary: "Remedies above the configured risk are proposed in Git only.",
  check(plan, context) {
    const order = ["low", "medium", "high"];
    return order.indexOf(plan.risk) <= order.indexOf(context.settings.guard.risk)
      ? null
      : {
          decision: "git-only",
          rule: "risk",
          reason: `the remedy's risk is ${plan.risk}, and only ${context.settings.guard.risk} is applied live (guard.risk)`,
        };
  },
};
