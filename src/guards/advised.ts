import type { Guard } from "./guard.ts";

export const advised: Guard = {
  id: "advised",
  summary: "What a model chose is proposed in Git only, unless model.live is set.",
  check(plan, { settings }) {
    if (plan.choice.by !== "model") return null;
    const { model } = settings;
    if (
      !(model.remedies as readonly string[]).includes(plan.choice.remedy) ||
      (plan.risk !== "low" && plan.risk !== model.risk)
    )
      return {
        decision: "refuse",
        rule: "advised",
        reason: `a model may not choose ${plan.choice.remedy} (model.remedies, model.risk)`,
      };
    return model.live
      ? null
      : {
          decision: "git-only",
          rule: "advised",
          reason:
            "a model chose this remedy, and what a model chose is changed live only where that is wanted (model.live)",
        };
  },
};
