import { describe, expect, it } from "vitest";
import { slipOf, typoOf } from "../../src/remedies/typo.ts";

describe("a slip of the fingers", () => {
  it.each([
    ["Cart_DB", "cart-db", 0],
    ["v1.27.0", "1.27.0", 0],
    ["catr", "cart", 1],
    ["cart-dbb", "cart-db", 1],
    ["cart-bd", "cart-db", 1],
    ["6.41.1", "6.14.1", 1],
    ["shop-cnofgi", "shop-config", 2],
  ])("%s for %s", (wrong, right, slip) => expect(slipOf(wrong, right)).toBe(slip));

  it.each([
    ["the same", "cart", "cart"],
    ["too short a word", "web", "wet"],
    ["another number", "config-1", "config-2"],
    ["one more number", "config-1", "config-11"],
    ["another letter", "shard-a", "shard-b"],
    ["another letter after a number", "eu-west-1a", "eu-west-1b"],
    ["one more letter", "pool-a", "pool-ab"],
    ["writing and reading", "pg-rw", "pg-ro"],
    ["another region", "database-eu", "database-us"],
  ])("is not %s: %s, %s", (_, wrong, right) => expect(slipOf(wrong, right)).toBeNull());

  it("is believed of the nearest only, and of one", () => {
    expect(typoOf("cart-dbb", ["cart-db", "web"])).toEqual({ match: "cart-db" });
    expect(typoOf("cart-dbb", ["cart-db", "cart-dbs"])).toEqual({ match: null, near: ["cart-db", "cart-dbs"] });
    expect(typoOf("shard-a", ["shard-b"])).toEqual({ match: null, near: [] });
  });
});
