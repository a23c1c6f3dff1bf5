import { charge, overBudget, type Spent, UNSPENT } from "./advice/budget.ts";
import type { Account } from "./advice/converse.ts";
import { add, NOTHING } from "./advice/spend.ts";
import { messageOf, StanchError } from "./errors.ts";
import { changeDaySpend, type ModelUse } from "./incident/run-history.ts";
import type { Run } from "./run.ts";

/** The account of one incident. `before` is what was spent on it in earlier runs. */
export interface IncidentAccount extends Account {
  /** Spent by this account itself, without what was spent before. */
  own(): ModelUse;
}

/**
 * Budgets of the incident, the run and the day. What a request can cost at most is stored as spent before it is made, so that neither a crash
 * nor another run ever makes the day's budget larger than it is; where that cannot be stored, nothing is asked.
 */
export function openAccount(before: ModelUse, run: Run): IncidentAccount {
  const { budget } = run.config.model;
  const context = { cluster: run.cluster, clock: run.clock, namespace: run.config.namespace };
  let incident = before;
  let own: ModelUse = NOTHING;
  let reserved: ModelUse = NOTHING;
  let reservedOn = "";
  return {
    own: () => own,
    async reserve(worst) {
      let objection: string | null = null;
      // As tokens of the input: what they are is not known yet.
      const most: ModelUse = { ...NOTHING, inputTokens: worst.tokens, dollars: worst.dollars };
      try {
        await changeDaySpend((day) => {
          const { day: today, ...total } = day;
          reservedOn = today;
          const spent: Spent = { ...UNSPENT, incident, run: run.tally.model ?? NOTHING, day: total };
          objection = overBudget(worst, spent, budget);
          return objection === null ? { ...day, ...charge(spent, most).day } : null;
        }, context);
      } catch (error) {
        if (error instanceof StanchError && error.code === "lease") throw error;
        return `what it would cost cannot be stored (${messageOf(error)}), and without that no budget holds`;
      }
      if (objection === null) {
        reserved = most;
        incident = add(incident, most);
        own = add(own, most);
        run.tally.model = add(run.tally.model ?? NOTHING, most);
      }
      return objection;
    },
    async settle(spend) {
      // What is not known stays as it was reserved, as one request.
      const actual = spend ?? { ...reserved, requests: 1 };
      const difference = minus(actual, reserved);
      reserved = NOTHING;
      const on = reservedOn;
      incident = add(incident, difference);
      own = add(own, difference);
      run.tally.model = add(run.tally.model ?? NOTHING, difference);
      // Past midnight the reservation stays with the day before, and all that was used counts for the new one.
      await changeDaySpend(
        (day) => ({ ...day, ...atLeastNothing(add(day, day.day === on ? difference : actual)) }),
        context,
      ).catch((error: unknown) => {
        if (error instanceof StanchError && error.code === "lease") throw error;
        // The reservation stands: the day's budget is smaller than it could be, never larger.
        run.log.warn("what the model cost was not stored", { error: messageOf(error) });
      });
    },
  };
}

function minus(a: ModelUse, b: ModelUse): ModelUse {
  return {
    requests: a.requests - b.requests,
    inputTokens: a.inputTokens - b.inputTokens,
    outputTokens: a.outputTokens - b.outputTokens,
    cacheReadTokens: a.cacheReadTokens - b.cacheReadTokens,
    dollars: a.dollars - b.dollars,
  };
}

/** A day's total that somebody made smaller in between is never below nothing, or the budget would be larger than it is. */
function atLeastNothing(use: ModelUse): ModelUse {
  return {
    requests: Math.max(0, use.requests),
    inputTokens: Math.max(0, use.inputTokens),
    outputTokens: Math.max(0, use.outputTokens),
    cacheReadTokens: Math.max(0, use.cacheReadTokens),
    dollars: Math.max(0, use.dollars),
  };
}
