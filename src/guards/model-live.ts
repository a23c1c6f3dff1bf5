import type { Guard } from "./guard.ts";

export const modelLive: Guard = {
  id: "model-live",
  summary: "What a model chose is proposed in Git only, unless model.live is set.",
  check({ choice }, { settings: { model } }) {
    return choice.by !== "model" || model.live
      ? null
      : {
          decision: "git-only",
          rule: "model-live",
          reason:
            "a model chose this remedy, and what a model chose is changed live only where that is wanted (model.live)",
        };
  },
};
