import type { AdvisorUsage } from "../ports.ts";

/** US dollars for a million tokens. `above`: from so many tokens of input on, all of a request costs that. */
export interface Price {
  readonly input: number;
  readonly output: number;
  readonly cacheWrite: number;
  readonly cacheRead: number;
  readonly above?: { readonly tokens: number; readonly price: Omit<Price, "above"> };
}

const price = (input: number, output: number, cacheRead = input * 0.1): Omit<Price, "above"> => ({
  input,
  output,
  cacheWrite: input * 1.25,
  cacheRead,
});

/** https://platform.claude.com/docs/en/about-claude/pricing, as of November 2026; where two are known the higher one. */
const PRICES: Readonly<Record<string, Price>> = {
  "claude-opus-5-5": price(4, 20, 0.2),
  "claude-opus-5": price(5, 25),
  "claude-opus-4-8": price(5, 25),
  "claude-sonnet-5-5": price(2, 10),
  "claude-sonnet-5": price(2, 10),
  "claude-sonnet-4-6": price(3, 15),
  "claude-haiku-5-5": { ...price(0.1, 0.5), above: { tokens: 100_000, price: price(0.5, 2.5) } },
  "claude-haiku-4-5": price(1, 5),
  "claude-fable-5-1": price(10, 50),
};

/** What a model costs: what the configuration says, else what is known. Null: nobody knows, and it is not asked. */
export function priceOf(
  model: string,
  configured: Readonly<
    Record<
      string,
      {
        readonly input: number;
        readonly output: number;
        readonly cacheWrite?: number | undefined;
        readonly cacheRead?: number | undefined;
      }
    >
  >,
): Price | null {
  const own = Object.hasOwn(configured, model) ? configured[model] : undefined;
  if (own !== undefined) {
    const { input, output, cacheWrite = input * 1.25, cacheRead = input } = own;
    return { input, output, cacheWrite, cacheRead };
  }
  return Object.hasOwn(PRICES, model) ? (PRICES[model] ?? null) : null;
}

/** US dollars of one request. */
export function costOf(usage: AdvisorUsage, price: Price): number {
  const read = usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
  const { input, output, cacheWrite, cacheRead } =
    price.above !== undefined && read > price.above.tokens ? price.above.price : price;
  const millionths =
    usage.inputTokens * input +
    usage.outputTokens * output +
    usage.cacheWriteTokens * cacheWrite +
    usage.cacheReadTokens * cacheRead;
  return millionths / 1e6;
}

/**
 * The most that a request can cost: no tokenizer makes more tokens than there are bytes, none of them comes from the cache, and the answer is
 * as long as it may be.
 */
export function worstCase(bytes: number, maxTokens: number, price: Price): { tokens: number; dollars: number } {
  const usage = { inputTokens: 0, outputTokens: maxTokens, cacheReadTokens: 0, cacheWriteTokens: bytes };
  return { tokens: bytes + maxTokens, dollars: costOf(usage, price) };
}
