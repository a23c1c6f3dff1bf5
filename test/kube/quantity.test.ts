import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bytesOf,
  compareQuantities,
  formatBytes,
  formatQuantity,
  multiplyQuantity,
  parseQuantity,
  raiseQuantity,
} from "../../src/kube/quantity.ts";

describe("parseQuantity", () => {
  it.each([
    ["64Mi", 67_108_864],
    ["1.5Gi", 1_610_612_736],
    ["128M", 128_000_000],
    ["1k", 1000],
    ["134217728", 134_217_728],
    ["1e3", 1000],
    ["1E3", 1000],
    ["2E", 2e18],
    ["0.5", 1],
    [".5Ki", 512],
    ["5.", 5],
    ["0", 0],
    [1048576, 1_048_576],
  ])("reads %s as %d bytes", (text, bytes) => {
    const read = bytesOf(text);
    expect(bytes > Number.MAX_SAFE_INTEGER ? Number((parseQuantity(text)?.nano ?? 0n) / 1_000_000_000n) : read).toBe(
      bytes,
    );
  });

  it.each([
    "",
    "Mi",
    "1MB",
    "1 Gi",
    "1,5Gi",
    "abc",
    "--1",
    "1Kib",
    "0x10",
    "1e",
    ".",
    "1e9999",
    "9".repeat(100),
    null,
    undefined,
    {},
    Number.NaN,
    true,
  ])("refuses %j", (value) => {
    expect(parseQuantity(value)).toBeNull();
  });

  it("keeps billionths and rounds finer digits up, as the API server does", () => {
    expect(parseQuantity("100m")?.nano).toBe(100_000_000n);
    expect(parseQuantity("1n")?.nano).toBe(1n);
    expect(parseQuantity("0.1n")?.nano).toBe(1n);
    expect(parseQuantity("-100m")?.nano).toBe(-100_000_000n);
  });

  it("says null and not a wrong number where a number cannot hold it", () => {
    expect(bytesOf("8Ei")).toBeNull();
  });
});

describe("formatQuantity", () => {
  it.each([
    ["1024Mi", "1Gi"],
    ["1536Mi", "1536Mi"],
    ["1.5Gi", "1536Mi"],
    ["64Mi", "64Mi"],
    ["512Ki", "512Ki"],
    ["1025Ki", "1025Ki"],
    ["1000k", "1M"],
    ["0.5", "500m"],
    ["1500m", "1500m"],
    ["2000m", "2"],
    ["1e3", "1e3"],
    ["1000e3", "1e6"],
    ["100e6", "100e6"],
    ["0", "0"],
    ["0Mi", "0"],
    ["134217728", "134217728"],
  ])("spells %s as %s", (text, spelled) => {
    const quantity = parseQuantity(text);
    expect(quantity && formatQuantity(quantity)).toBe(spelled);
  });

  it("is read back as the same value", () => {
    const suffix = fc.constantFrom("", "m", "u", "n", "k", "M", "G", "Ki", "Mi", "Gi", "Ti", "e3", "E-3");
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1_000_000 }),
        fc.integer({ min: 0, max: 999 }),
        suffix,
        (whole, part, unit) => {
          const quantity = parseQuantity(`${whole}.${part}${unit}`);
          expect(quantity).not.toBeNull();
          if (quantity === null) return;
          const again = parseQuantity(formatQuantity(quantity));
          expect(again?.nano).toBe(quantity.nano);
        },
      ),
    );
  });
});

describe("compareQuantities", () => {
  it("compares across units exactly", () => {
    const of = (text: string) => parseQuantity(text) ?? { nano: -1n, style: "binary" as const };
    expect(compareQuantities(of("1Gi"), of("1G"))).toBeGreaterThan(0);
    expect(compareQuantities(of("1000m"), of("1"))).toBe(0);
    expect(compareQuantities(of("128M"), of("128Mi"))).toBeLessThan(0);
    // Beyond what floating point tells apart.
    expect(compareQuantities(of("9007199254740993"), of("9007199254740992"))).toBeGreaterThan(0);
  });
});

describe("raiseQuantity", () => {
  it.each([
    ["64Mi", 2, "128Mi"],
    ["512Mi", 2, "1Gi"],
    ["100Mi", 1.5, "150Mi"],
    ["25Mi", 1.25, "32Mi"],
    ["1Gi", 1.1, "1152Mi"],
    ["128M", 1.5, "192M"],
    ["134217728", 2, "268435456"],
    ["500m", 2, "1"],
    ["1e8", 2, "200e6"],
    [67108864, 2, "134217728"],
  ])("raises %s by %d to %s", (from, factor, to) => {
    expect(raiseQuantity(from, factor)).toBe(to);
  });

  it("is never less than asked for", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.constantFrom("Ki", "Mi", "Gi", "M", "", "k"),
        fc.integer({ min: 1100, max: 4000 }),
        (count, unit, thousandths) => {
          const from = parseQuantity(`${count}${unit}`);
          const raised = parseQuantity(raiseQuantity(`${count}${unit}`, thousandths / 1000));
          if (from === null || raised === null) throw new Error("not read");
          expect(raised.nano >= multiplyQuantity(from, thousandths / 1000).nano).toBe(true);
        },
      ),
    );
  });

  it("says null for what is no quantity", () => expect(raiseQuantity("lots", 2)).toBeNull());
});

describe("formatBytes", () => {
  it("writes in the style of another quantity", () => {
    expect(formatBytes(134_217_728, "64Mi")).toBe("128Mi");
    expect(formatBytes(128_000_000, "64M")).toBe("128M");
    expect(formatBytes(134_217_728)).toBe("128Mi");
  });
});
