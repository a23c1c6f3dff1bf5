import type { IncidentStatus } from "../incident/incident.ts";
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

/** The spend alone, of what an incident keeps of a question. */
export function spendIn(kept: Partial<ModelUse> | undefined): ModelUse {
  const { requests = 0, inputTokens = 0, outputTokens = 0, cacheReadTokens = 0, dollars = 0 } = kept ?? {};
  return { requests, inputTokens, outputTokens, cacheReadTokens, dollars };
}

/** All that was spent on an incident so far, whatever was asked. */
export function spentOn(status: Pick<IncidentStatus, "advice" | "prose" | "code"> | undefined): ModelUse {
  return add(add(spendIn(status?.advice), spendIn(status?.prose)), spendIn(status?.code));
}

export const tokensOf = (spend: ModelUse): number => spend.inputTokens + spend.outputTokens;

/** Dollars to a millionth: sums stay readable. */
function round(dollars: number): number {
  return Math.round(dollars * 1e6) / 1e6;
}
