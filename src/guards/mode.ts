import type { Guard } from "./guard.ts";

export const mode: Guard = {
  id: "mode",
  summary: "The mode: observe changes nothing, propose changes only Git.",
  check(_plan, context) {
    const { mode: set } = context.settings;
    if (set === "observe") return { decision: "refuse", rule: "mode", reason: "the mode is observe" };
    return set === "propose" ? { decision: "git-only", rule: "mode", reason: "the mode is propose" } : null;
  },
};
