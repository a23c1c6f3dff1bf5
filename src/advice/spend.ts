import type { ModelUse } from "../incident/run-history.ts";
import type { AdvisorUsage } from "../ports.ts";

export const NOTHING: ModelUse = { requests: 0, inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, dollars: 0 };

export function add(a: ModelUse, b: ModelUse): ModelUse {
  return {
    requests: a.requests + b.requests,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
    dollars: round(a.dollars + b.dollars),
  };
}

/** One request as a spend. */
export function spendOf(usage: AdvisorUsage, dollars: number): ModelUse {
  return {
    requests: 1,
    inputTokens: usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens,
    outputTokens: usage.outputTokens,
    cacheReadTokens: usage.cacheReadTokens,
    dollars: round(dollars),
  };
}

export const tokensOf = (spend: ModelUse): number => spend.inputTokens + spend.outputTokens;

/** Dollars to a millionth: sums stay readable. */
function round(dollars: number): number {
  return Math.round(dollars * 1e6) / 1e6;
}
