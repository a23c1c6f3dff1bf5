import type { ModelUse } from "../incident/run-history.ts";
import { add, NOTHING, tokensOf } from "./spend.ts";

export interface Limits {
  readonly incidentDollars: number;
  readonly runDollars: number;
  readonly dayDollars: number;
  readonly incidentTokens: number;
  readonly runTokens: number;
  readonly dayTokens: number;
}

/** What was spent so far, by what the budgets are about. Reservations count as spent until they are settled. */
export interface Spent {
  readonly incident: ModelUse;
  readonly run: ModelUse;
  readonly day: ModelUse;
}

export const UNSPENT: Spent = { incident: NOTHING, run: NOTHING, day: NOTHING };

const PARTS = ["incident", "run", "day"] as const;

/** Why a request of this worst case may not be made, naming the setting; null: it fits into all budgets. */
export function overBudget(
  worst: { readonly tokens: number; readonly dollars: number },
  spent: Spent,
  limits: Limits,
): string | null {
  for (const part of PARTS) {
    const dollars = spent[part].dollars + worst.dollars;
    if (dollars > limits[`${part}Dollars`])
      return `the budget of the ${part} would be passed: up to $${dollars.toFixed(2)} of $${limits[`${part}Dollars`].toFixed(2)} (model.budget.${part}Dollars)`;
    const tokens = tokensOf(spent[part]) + worst.tokens;
    if (tokens > limits[`${part}Tokens`])
      return `the budget of the ${part} would be passed: up to ${tokens} of ${limits[`${part}Tokens`]} tokens (model.budget.${part}Tokens)`;
  }
  return null;
}

/** A spend on all accounts. */
export function charge(spent: Spent, spend: ModelUse): Spent {
  return { incident: add(spent.incident, spend), run: add(spent.run, spend), day: add(spent.day, spend) };
}
