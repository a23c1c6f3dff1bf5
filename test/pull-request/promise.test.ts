import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Change, Json } from "../../src/model.ts";
import { formatPromise, hashOfValue, parsePromise } from "../../src/pull-request/promise.ts";
import { WORKLOAD } from "./report-example.ts";

const change = (to?: Json): Change => ({
  object: WORKLOAD,
  path: ["spec", "replicas"],
  ...(to === undefined ? {} : { to }),
});

describe("what a pull request of Stanch's promises to change", () => {
  it("comes back as it was written, whatever the values are", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), fc.integer(), (text, number) => {
        const line = formatPromise(
          [change(text), change({ [text]: [number] }), change()],
          ["b.yaml", "a.yaml", "b.yaml"],
          "a".repeat(40),
        );
        expect(line).toMatch(/^<!-- stanch change v1 [A-Za-z0-9+/=]+ -->$/);
        const back = parsePromise(`first\n\n${line}\n\nrest`);
        expect(back?.files).toEqual(["a.yaml", "b.yaml"]);
        expect(back?.revertOf).toBe("a".repeat(40));
        expect(back?.changes.map(({ path }) => path)).toEqual([
          ["spec", "replicas"],
          ["spec", "replicas"],
          ["spec", "replicas"],
        ]);
        expect(back?.changes[2]).not.toHaveProperty("to");
      }),
    );
  });

  it("keeps no secret and no long value, but only what tells them again", () => {
    const token = `ghp_${"a1B2".repeat(9)}`;
    const back = parsePromise(formatPromise([change(token), change("x".repeat(500))], []));
    expect(back?.changes.map(({ to }) => to)).toEqual([
      { hash: hashOfValue(token) },
      { hash: hashOfValue("x".repeat(500)) },
    ]);
  });

  it("tells maps again whatever the order of their keys", () => {
    expect(hashOfValue({ a: 1, b: { c: 2, d: 3 } })).toBe(hashOfValue({ b: { d: 3, c: 2 }, a: 1 }));
    expect(hashOfValue([1, 2])).not.toBe(hashOfValue([2, 1]));
  });

  it("is not made where it would be long, and not believed where two are made", () => {
    expect(
      formatPromise(
        Array.from({ length: 150 }, () => change("x".repeat(150))),
        [],
      ),
    ).toBe("");
    expect(formatPromise([], [])).toBe("");
    const [one, two] = [formatPromise([change(1)], []), formatPromise([change(2)], [])];
    expect(parsePromise(`${one}\n${two}`)).toBeNull();
  });

  it("is none where it is none", () => {
    for (const text of ["", "e30=", "bm8=", Buffer.from('{"changes":[],"files":[]}').toString("base64")])
      expect(parsePromise(`<!-- stanch change v1 ${text} -->`)).toBeNull();
  });
});
