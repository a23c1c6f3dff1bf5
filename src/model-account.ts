import { charge, overBudget, type Spent, UNSPENT } from "./advice/budget.ts";
import type { Account } from "./advice/converse.ts";
import { add, NOTHING, spentOn } from "./advice/spend.ts";
import { messageOf, StanchError } from "./errors.ts";
import type { Incident, IncidentAdvice, IncidentProse, IncidentStatus } from "./incident/incident.ts";
import { changeDaySpend, type ModelUse } from "./incident/run-history.ts";
import type { Run } from "./run.ts";

/** The account of one incident. */
export interface IncidentAccount extends Account {
  /** Spent by this account itself, without what was spent before. A reservation counts as spent until it is settled. */
  own(): ModelUse;
}

/**
 * Budgets of the incident, the run and the day. What a request can cost at most is stored as spent before it is made, in the day's total and, by
 * `keep`, in the incident, so that neither a crash nor another run ever makes a budget larger than it is; where that cannot be stored, nothing
 * is asked. `keep` is told what this account has spent; what it throws is thrown.
 */
export function openAccount(
  status: IncidentStatus | undefined,
  run: Run,
  keep: (own: ModelUse) => Promise<void>,
): IncidentAccount {
  const { budget } = run.config.model;
  const context = { cluster: run.cluster, clock: run.clock, namespace: run.config.namespace };
  let incident = spentOn(status);
  let own: ModelUse = NOTHING;
  let reserved = { day: "", most: NOTHING };

  const count = (spend: ModelUse): void => {
    incident = add(incident, spend);
    own = add(own, spend);
    run.tally.model = add(run.tally.model ?? NOTHING, spend);
  };

  async function settle(spend: ModelUse | null): Promise<void> {
    const { day: on, most } = reserved;
    // What is not known stays as it was reserved.
    const actual = spend ?? most;
    const difference = minus(actual, most);
    reserved = { day: "", most: NOTHING };
    count(difference);
    // Past midnight the reservation stays with the day before, and all that was used counts for the new one.
    const settled = (day: ModelUse & { readonly day: string }): ModelUse =>
      atLeastNothing(add(day, day.day === on ? difference : actual));
    await changeDaySpend((day) => ({ ...day, ...settled(day) }), context).catch((error: unknown) => {
      if (error instanceof StanchError && error.code === "lease") throw error;
      // The reservation stands: the day's budget is smaller than it could be, never larger.
      run.log.warn("what the model cost was not stored", { error: messageOf(error) });
    });
  }

  return {
    own: () => own,
    async reserve(worst) {
      let objection: string | null = null;
      let on = "";
      // As tokens of the input: what they are is not known yet.
      const most: ModelUse = { ...NOTHING, requests: 1, inputTokens: worst.tokens, dollars: worst.dollars };
      try {
        await changeDaySpend((today) => {
          const { day, ...total } = today;
          on = day;
          const spent: Spent = { ...UNSPENT, incident, run: run.tally.model ?? NOTHING, day: total };
          objection = overBudget(worst, spent, budget);
          return objection === null ? { ...today, ...charge(spent, most).day } : null;
        }, context);
      } catch (error) {
        if (error instanceof StanchError && error.code === "lease") throw error;
        return `what it would cost cannot be stored (${messageOf(error)}), and without that no budget holds`;
      }
      if (objection !== null) return objection;
      reserved = { day: on, most };
      count(most);
      try {
        await keep(own);
      } catch (error) {
        await settle(NOTHING);
        throw error;
      }
      return null;
    },
    settle,
  };
}

/**
 * Stores in the incident that a model is being asked. Throws StanchError `config` where the cluster's definition is older and drops it: then
 * it would be asked in each run.
 */
export async function keepAsked(
  incident: Incident,
  asked: { readonly advice: IncidentAdvice } | { readonly prose: IncidentProse },
  run: Pick<Run, "store">,
): Promise<Incident> {
  const next = await run.store.keep(incident, asked);
  const { advice, prose } = next.status ?? {};
  if (("advice" in asked ? advice?.evidence : prose?.key) !== undefined) return next;
  throw new StanchError(
    "config",
    "incidents.stanch.dev is older than this program and does not keep what a model was asked",
    { hint: "kubectl apply --server-side -f deploy/crd.yaml" },
  );
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

/** A total that lost the reservation in between is never below nothing: the budget would be larger than it is. */
function atLeastNothing(use: ModelUse): ModelUse {
  return {
    requests: Math.max(0, use.requests),
    inputTokens: Math.max(0, use.inputTokens),
    outputTokens: Math.max(0, use.outputTokens),
    cacheReadTokens: Math.max(0, use.cacheReadTokens),
    dollars: Math.max(0, use.dollars),
  };
}
