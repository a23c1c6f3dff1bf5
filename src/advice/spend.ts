import type { AdvisorUsage } from "../ports.ts";

/** What was asked of models, and what it cost. */
export interface Spend {
  readonly requests: number;
  /** Read, from the cache or not. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Of the input, what came from the cache. */
  readonly cacheReadTokens: number;
  readonly dollars: number;
}

export const NOTHING: Spend = { requests: 0, inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, dollars: 0 };

export function add(a: Spend, b: Spend): Spend {
  return {
    requests: a.requests + b.requests,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
    dollars: round(a.dollars + b.dollars),
  };
}

/** One request as a spend. */
export function spendOf(usage: AdvisorUsage, dollars: number): Spend {
  return {
    requests: 1,
    inputTokens: usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens,
    outputTokens: usage.outputTokens,
    cacheReadTokens: usage.cacheReadTokens,
    dollars: round(dollars),
  };
}

export const tokensOf = (spend: Spend): number => spend.inputTokens + spend.outputTokens;

/** Dollars to a millionth: sums stay readable. */
function round(dollars: number): number {
  return Math.round(dollars * 1e6) / 1e6;
}
