import { describe, expect, it } from "vitest";
import { overBudget, UNSPENT } from "../../src/advice/budget.ts";
import { evidenceFingerprint } from "../../src/advice/fingerprint.ts";
import { costOf, priceOf, worstCase } from "../../src/advice/prices.ts";
import { NOTHING } from "../../src/advice/spend.ts";
import { Config } from "../../src/config/schema.ts";

describe("prices", () => {
  const usage = { inputTokens: 1e6, outputTokens: 1e6, cacheReadTokens: 1e6, cacheWriteTokens: 1e6 };
  it.each([
    ["claude-opus-5-5", 4 + 20 + 0.2 + 5],
    ["claude-sonnet-5-5", 2 + 10 + 0.2 + 2.5],
    // Three million tokens of input are above the lower price's bound.
    ["claude-haiku-5-5", 0.5 + 2.5 + 0.05 + 0.625],
  ])("%s", (model, dollars) => {
    const price = priceOf(model, {});
    expect(price === null ? null : costOf(usage, price)).toBeCloseTo(dollars, 6);
  });

  it("below the bound the lower price holds", () => {
    const price = priceOf("claude-haiku-5-5", {});
    if (price === null) throw new Error("no price");
    expect(
      costOf({ inputTokens: 50_000, outputTokens: 1000, cacheReadTokens: 0, cacheWriteTokens: 0 }, price),
    ).toBeCloseTo(0.0055, 6);
  });

  it("a configured price wins, and what it leaves out is taken for the dearer", () => {
    expect(priceOf("claude-opus-5-5", { "claude-opus-5-5": { input: 8, output: 40 } })).toEqual({
      input: 8,
      output: 40,
      cacheWrite: 10,
      cacheRead: 8,
    });
    for (const name of ["claude-next", "__proto__", "constructor"]) expect(priceOf(name, {})).toBeNull();
  });

  it("every model that is a default has one", () => {
    const { diagnosis, prose } = Config.parse({}).model;
    for (const name of [diagnosis, prose]) expect(priceOf(name, {})).not.toBeNull();
  });

  it("the worst case is never below what a request costs", () => {
    const price = priceOf("claude-haiku-5-5", {});
    if (price === null) throw new Error("no price");
    for (const bytes of [10, 99_000, 100_001, 400_000])
      for (const tokens of [1, bytes / 4, bytes])
        expect(worstCase(bytes, 1000, price).dollars).toBeGreaterThanOrEqual(
          costOf({ inputTokens: 0, cacheWriteTokens: tokens, cacheReadTokens: 0, outputTokens: 1000 }, price) - 1e-12,
        );
  });
});

describe("budgets", () => {
  const limits = Config.parse({}).model.budget;
  const spent = (dollars: number) => ({ ...NOTHING, dollars });
  it("of incident, run and day each stop, at the dollar", () => {
    const worst = { tokens: 1, dollars: 0.5 };
    expect(overBudget(worst, UNSPENT, limits)).toBeNull();
    expect(overBudget(worst, { ...UNSPENT, incident: spent(0.5) }, limits)).toBeNull();
    expect(overBudget(worst, { ...UNSPENT, incident: spent(0.51) }, limits)).toMatch(/incidentDollars/);
    expect(overBudget(worst, { ...UNSPENT, run: spent(1.51) }, limits)).toMatch(/runDollars/);
    expect(overBudget(worst, { ...UNSPENT, day: spent(9.51) }, limits)).toMatch(/dayDollars/);
  });
});

describe("the fingerprint of evidence", () => {
  const of = (...facts: unknown[]) => evidenceFingerprint(facts);
  it.each([
    ["times", "at 12:00:01 it failed", "at 12:07:59 it failed"],
    ["counters", "restarted 3 times", "restarted 41 times"],
    ["names of pods", "pod cart-7d9f8b6c5d-x2x4z", "pod cart-5c4b3a2d1e-q9w8e"],
    ["short ids", "request 9f8e7d6", "request 1a2b3c4"],
  ])("does not change with %s", (_, a, b) => expect(of(a)).toBe(of(b)));
  it.each([
    ["words", "unknown mode turbo", "unknown mode fast"],
    ["commits", "1a2b3c4d5e6f70819293a4b5c6d7e8f901234567", "2b2b3c4d5e6f70819293a4b5c6d7e8f901234567"],
    ["what may be chosen", ["rollback"], ["rollback", "correct-image"]],
  ])("changes with %s", (_, a, b) => expect(of(a)).not.toBe(of(b)));
});
