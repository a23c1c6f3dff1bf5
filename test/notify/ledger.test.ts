import { describe, expect, it } from "vitest";
import type { Told } from "../../src/incident/incident.ts";
import { withTold } from "../../src/notify/ledger.ts";

const row = (receiver: string, ...keys: string[]): Told => ({ receiver, keys });

describe("what was told", () => {
  it("is kept for receivers that another configuration does not name", () => {
    const told = withTold([row("ops", "a"), row("hook", "a")], [row("hook", "b")], {
      receivers: ["hook"],
      current: [],
    });
    expect(told).toEqual([row("hook", "a", "b"), row("ops", "a")]);
  });

  it("never loses a thread, nor a key that the state still gives, however long it is", () => {
    const thread = { channel: "C1", ts: "1.2" };
    const old = Array.from({ length: 200 }, (_, index) => `old-${index}`);
    const before: Told = { receiver: "ops", keys: ["first", ...old], thread, shown: "x" };
    const [told] = withTold([before], [row("ops", "new")], { receivers: ["ops"], current: ["first", "new"] });
    expect(told?.keys[0]).toBe("first");
    expect(told?.keys.at(-1)).toBe("new");
    expect(told?.keys).toHaveLength(32);
    expect(told).toMatchObject({ thread, shown: "x" });
  });
});
