import type { Guard } from "./guard.ts";

export const modelChoice: Guard = {
  id: "model-choice",
  summary: "A model chooses only among model.remedies, up to model.risk, and never what contains.",
  check({ choice, risk, contains }, { settings: { model } }) {
    if (choice.by !== "model") return null;
    const allowed = contains === undefined && (model.remedies as readonly string[]).includes(choice.remedy);
    if (allowed && (risk === "low" || risk === model.risk)) return null;
    return {
      decision: "refuse",
      rule: "model-choice",
      reason: `a model may not choose ${choice.remedy} (model.remedies, model.risk)`,
    };
  },
};
