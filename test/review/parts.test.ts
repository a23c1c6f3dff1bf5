import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shownAnnotations } from "../../src/review/annotations.ts";
import { intoParts, withinBytes } from "../../src/review/parts.ts";

const letters = (text: string): number => [...text].length;

describe("text within GitHub's limits", () => {
  it("is put into parts that hold all of it, in order", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "grapheme", minLength: 1, maxLength: 300 }), { maxLength: 40 }),
        (texts) => {
          const sections = texts.map((text, index) => `#${index}\n${text}`);
          const parts = intoParts(sections, 2000, 100);
          for (const part of parts) expect(letters(part)).toBeLessThanOrEqual(2000);
          expect(parts.join("\n\n")).toBe(sections.join("\n\n"));
        },
      ),
    );
  });

  it("is cut at a line, with its fold closed, and says so", () => {
    const long = `<details><summary>x</summary>\n\n${"- line of text\n".repeat(1000)}\n</details>`;
    const [part = ""] = intoParts([long], 2000, 5);
    expect(letters(part)).toBeLessThanOrEqual(2000);
    expect(part.endsWith("</details>")).toBe(true);
    expect(part).toContain("*cut here for length*");
  });

  it("takes no more parts than it may, and counts what is left out", () => {
    const parts = intoParts(
      Array.from({ length: 30 }, () => "x".repeat(900)),
      2000,
      3,
    );
    expect(parts).toHaveLength(3);
    expect(parts.at(-1)).toMatch(/\*\d+ sections left out for length\.\*$/);
  });

  it("is measured in bytes where GitHub measures bytes", () => {
    const sections = Array.from({ length: 400 }, () => "€".repeat(2000));
    const text = withinBytes(sections, 1_000_000);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1_000_000);
    expect(text).toMatch(/more sections are left out/);
    const one = withinBytes(["€\n".repeat(2_000_000)], 1_000_000);
    expect(Buffer.byteLength(one)).toBeLessThanOrEqual(1_000_000);
  });

  it("marks ten lines of each level, those with a place first", () => {
    const many = (["failure", "warning", "notice"] as const).flatMap((level) =>
      Array.from({ length: 15 }, (_, index) => ({
        level,
        title: "t",
        message: `${index}`,
        ...(index >= 10 ? { file: "a.yaml", line: index } : {}),
      })),
    );
    const { shown, left } = shownAnnotations(many);
    expect(shown).toHaveLength(30);
    expect(left).toBe(15);
    expect(shown.filter(({ file }) => file !== undefined)).toHaveLength(15);
  });
});
