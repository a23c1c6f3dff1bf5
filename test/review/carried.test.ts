import { describe, expect, it } from "vitest";
import type { DriftItem, DriftReport } from "../../src/drift/model.ts";
import { sanitised } from "../../src/drift/sanitise.ts";
import { encode } from "../../src/drift/wire.ts";
import { getAt, withValue } from "../../src/kube/field-path.ts";
import type { FieldPath, Json, KubeObject } from "../../src/model.ts";
import { carriedFields, notesOf } from "../../src/review/carried.ts";
import type { Compared } from "../../src/review/compare.ts";
import { field, item, report, root } from "../drift/reports.ts";

const IMAGE: FieldPath = ["spec", "template", "spec", "containers", { by: "name", value: "c" }, "image"];
const REF = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "cart" };
const NAMED = { namespace: "shop", name: "cart-oom" };

function cart(image: string): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "cart", namespace: "shop" },
    spec: { replicas: 1, template: { spec: { containers: [{ name: "c", image }] } } },
  };
}

/** What is said of a pull request that makes `before` to `after`. */
function notes(given: DriftReport, before: KubeObject, after: KubeObject): string[] {
  const changed = JSON.stringify(before) !== JSON.stringify(after);
  const effects = changed ? [{ object: REF, kind: "changed", changes: [], rollout: true }] : [];
  const compared = { before: [before], after: [after], environment: { effects }, pair: {} } as unknown as Compared;
  return notesOf(carriedFields([given], [], 1), [compared]).map(({ kind, level, text }) => `${kind} ${level} ${text}`);
}

const hotfix = (change: Partial<DriftItem> = {}): DriftItem =>
  item({
    class: "hotfix",
    incident: NAMED,
    fields: [field({ path: IMAGE, git: { value: "x:1" }, live: { value: "x:2" } })],
    ...change,
  });
const of = (...items: DriftItem[]): DriftReport => report({ roots: [root({ items })] });

describe("a hotfix in a report that was shortened", () => {
  it.each([10, 300, 3000])("is still told beside %i objects that drift", (count) => {
    const drifted = Array.from({ length: count }, (_, index) =>
      item({ object: { ...item().object, name: `other-${index}` }, fields: [field(), field(), field()] }),
    );
    const { wire } = encode(sanitised(of(hotfix(), ...drifted), { values: true }), 60_000);
    expect(wire.left.length > 0).toBe(count > 10);
    expect(notes(wire, cart("x:1"), cart("x:0"))).toEqual([expect.stringContaining("undoes warning This sets")]);
    expect(notes(wire, cart("x:1"), cart("x:2"))).toEqual([expect.stringContaining("fixes notice")]);
    expect(notes(wire, cart("x:1"), cart("x:1"))).toEqual([]);
  });

  it("goes last: its values, then its fields, then itself, each step said", () => {
    const hotfixes = (count: number, value: string) =>
      Array.from({ length: count }, (_, index) =>
        hotfix({
          object: { ...REF, name: `cart-${index}` },
          fields: [field({ path: IMAGE, live: { value }, git: { value } })],
        }),
      );
    const cut = (count: number, value: string) =>
      encode(sanitised(of(...hotfixes(count, value), item()), { values: true }), 60_000).wire;
    const short = cut(60, "v".repeat(300));
    expect(short.left.at(-1)).toBe("values of hotfixes are cut to 60 letters");
    expect(short.roots[0]?.items).toHaveLength(60);
    const bare = cut(100, "v".repeat(300));
    expect(bare.left.at(-1)).toBe("fields of hotfixes are left off");
    expect(bare.roots[0]?.items[0]).toMatchObject({ class: "hotfix", fields: [], more: 1 });
    const none = cut(1000, "v");
    expect(none.left.at(-1)).toBe("hotfixes are left off");
    expect(none).toMatchObject({ roots: [], counts: { hotfix: 1000, drift: 1 } });
  });

  it("without its fields is met by any change to the object, and by taking it away", () => {
    for (const lost of [of(hotfix({ fields: [], more: 1 })), of(hotfix({ fields: [] }))]) {
      expect(notes(lost, cart("x:1"), cart("x:0"))).toEqual([
        expect.stringMatching(/^touches warning This changes .* whether it undoes it cannot be told/),
      ]);
      expect(notes(lost, cart("x:1"), cart("x:1"))).toEqual([]);
    }
    // One field is known, and others are not.
    const half = of(hotfix({ more: 1 }));
    expect(notes(half, cart("x:1"), cart("x:0"))).toEqual([expect.stringContaining("undoes")]);
    const other = withValue(cart("x:1"), ["spec", "replicas"], 2);
    expect(getAt(other, ["spec", "replicas"])).toBe(2);
    expect(notes(half, cart("x:1"), other)).toEqual([expect.stringContaining("touches warning")]);
  });

  it("without its values is no field that is gone", () => {
    const valueless = of(hotfix({ fields: [{ path: IMAGE, text: "image", by: { writer: "stanch" } }] }));
    const told = [expect.stringContaining("whether to the same value cannot be told")];
    expect(notes(valueless, cart("x:1"), cart("x:0"))).toEqual(told);
    const without = (value: Json | undefined) => withValue(cart("x:1"), IMAGE, value);
    expect(notes(valueless, cart("x:1"), without(undefined))).toEqual(told);
    // A field that Stanch took away has Git's value beside it.
    const { live: _, ...gone } = field({ path: IMAGE, git: { value: "x:1" } });
    expect(notes(of(hotfix({ fields: [gone] })), cart("x:1"), without(undefined))).toEqual([
      expect.stringContaining("fixes"),
    ]);
  });
});
