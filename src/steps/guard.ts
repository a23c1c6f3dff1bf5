import type { Guard, GuardContext } from "../guards/guard.ts";
import { guards } from "../guards/index.ts";
import type { Plan, Verdict } from "../model.ts";

/**
 * May this plan be carried out? The first rule that objects decides; only a plan that none objects to is applied live. A rule
 * that fails objects, too: what cannot be checked is not allowed.
 */
export function guard(plan: Plan, context: GuardContext, rules: readonly Guard[] = guards): Verdict {
  for (const rule of rules) {
    try {
      const objection = rule.check(plan, context);
      if (objection !== null) return objection;
    } catch (error) {
      return {
        decision: "refuse",
        rule: rule.id,
        reason: `the rule could not be checked: ${error instanceof Error ? error.message : String(error)}`,
      };
    }
  }
  return { decision: "live", notes: [] };
}
