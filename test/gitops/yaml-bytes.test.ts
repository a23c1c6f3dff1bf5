import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isScalar, parseAllDocuments } from "yaml";
import { parseValues, parseValues12 } from "../../src/gitops/yaml-parse.ts";
import { spliceYaml, type YamlEdit } from "../../src/gitops/yaml-splice.ts";
import { withValue } from "../../src/kube/field-path.ts";
import type { Json } from "../../src/model.ts";
import { CORPUS } from "./yaml-corpus.ts";

/** A scalar with the characters that it is written in, found by the parser alone. */
interface Leaf {
  readonly document: number;
  readonly path: (string | number)[];
  readonly value: Json;
  readonly start: number;
  readonly end: number;
}

const nameOf = (name: string): string => (name.startsWith("json") ? `${name}.json` : `${name}.yaml`);

function leavesOf(text: string): Leaf[] {
  const documents = parseAllDocuments(text, { version: "1.2", merge: true, logLevel: "silent" });
  return parseValues12(text).flatMap((root, document) =>
    pathsOf(root, []).flatMap(({ path, value }): Leaf[] => {
      const node: unknown = Array.isArray(documents) ? documents[document]?.getIn(path, true) : undefined;
      if (!isScalar(node) || node.range === undefined || node.range === null) return [];
      if (node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED" || node.range[0] === node.range[1]) return [];
      return [{ document, path, value, start: node.range[0], end: node.range[1] }];
    }),
  );
}

function pathsOf(value: Json, path: (string | number)[]): { path: (string | number)[]; value: Json }[] {
  if (typeof value !== "object" || value === null) return [{ path, value }];
  const children = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return children.flatMap(([key, child]) => pathsOf(child, [...path, key]));
}

/** The same file as it is written elsewhere: with a byte order mark, with the line endings of Windows, without a last line end. */
const DRESSES: Readonly<Record<string, (text: string) => string>> = {
  "as it is": (text) => text,
  "with a byte order mark": (text) => (text.startsWith("\uFEFF") ? text : `\uFEFF${text}`),
  "with CRLF": (text) => text.replaceAll("\r\n", "\n").replaceAll("\n", "\r\n"),
  "without a last line end": (text) => text.replace(/[\r\n]+$/, ""),
  "behind another document": (text) =>
    text.startsWith("%") ? text : `# first\nother: {a: 1}\n---\n${text.replace(/^\uFEFF/, "")}`,
};

const files = Object.entries(CORPUS).flatMap(([name, text]) =>
  Object.entries(DRESSES)
    .filter(([dress]) => !(dress.startsWith("behind") && name.startsWith("json")))
    .map(([dress, wear]) => ({ name, dress, text: wear(text) }))
    .map((file) => ({ ...file, leaves: leavesOf(file.text) }))
    .filter((file) => file.leaves.length > 0),
);
const file = fc.constantFrom(...files);
const scalar: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>("256Mi", "no", "1.10", "a: b", "é 狐 🦊", "it's", 'say "hi"', "", "#x", "1e3", "0777"),
  fc.string({ maxLength: 12 }),
  fc.integer(),
  fc.boolean(),
);

function expectMeans(before: string, after: string, edits: readonly (Leaf & { to: Json })[]): void {
  for (const parse of [parseValues, parseValues12]) {
    const model = edits.reduce(
      (roots, { document, path, to }) =>
        roots.map((root, index) => (index === document ? withValue<Json>(root, path, to) : root)),
      parse(before),
    );
    expect(parse(after)).toStrictEqual(model);
  }
}

describe("spliceYaml keeps every byte outside of the scalar", () => {
  it("in every dress of a file", () => {
    const seen = { made: 0, refused: 0 };
    fc.assert(
      fc.property(file, fc.nat(), scalar, ({ name, text, leaves }, pick, to) => {
        const leaf = leaves[pick % leaves.length] as Leaf;
        const { document, path, start, end } = leaf;
        const result = spliceYaml(nameOf(name), text, [{ op: "set", document, path, value: to }]);
        if (!result.ok) {
          seen.refused++;
          return;
        }
        seen.made++;
        expect(result.text.slice(0, start)).toBe(text.slice(0, start));
        expect(result.text.slice(result.text.length - (text.length - end))).toBe(text.slice(end));
        expectMeans(text, result.text, [{ ...leaf, to }]);
        if (result.text !== text) expect(result.line).toBe(text.slice(0, start).split("\n").length);
      }),
      { numRuns: 800, seed: 21 },
    );
    expect(seen.made).toBeGreaterThan(seen.refused * 8);
  });

  it("also when several are replaced at once, in any order", () => {
    fc.assert(
      fc.property(
        file,
        fc.array(fc.tuple(fc.nat(), scalar), { minLength: 2, maxLength: 5 }),
        ({ name, text, leaves }, picks) => {
          const chosen = [...new Map(picks.map(([pick, to]) => [pick % leaves.length, to]))].map(([index, to]) => ({
            ...(leaves[index] as Leaf),
            to,
          }));
          const edits = chosen.map(({ document, path, to }): YamlEdit => ({ op: "set", document, path, value: to }));
          const result = spliceYaml(nameOf(name), text, edits);
          const reversed = spliceYaml(nameOf(name), text, [...edits].reverse());
          expect(reversed.ok).toBe(result.ok);
          if (!result.ok || !reversed.ok) return;
          // Which quotes new text gets follows the quotes of the file, that is, also what was edited before.
          expect(reversed.text.replaceAll(/['"]/g, "")).toBe(result.text.replaceAll(/['"]/g, ""));
          expectMeans(text, result.text, chosen);
          const inOrder = [...chosen].sort((a, b) => a.start - b.start);
          let rest = result.text;
          let at = 0;
          for (const { start, end } of inOrder) {
            const kept = text.slice(at, start);
            const found = rest.indexOf(kept);
            expect(found).toBeGreaterThanOrEqual(0);
            rest = rest.slice(found + kept.length);
            at = end;
          }
          expect(rest.endsWith(text.slice(at))).toBe(true);
        },
      ),
      { numRuns: 400, seed: 22 },
    );
  });

  it("and leaves nothing behind when the old value is set again", () => {
    const seen = { same: 0, all: 0 };
    fc.assert(
      fc.property(file, fc.nat(), scalar, ({ name, text, leaves }, pick, to) => {
        const { document, path, value, start, end } = leaves[pick % leaves.length] as Leaf;
        const there = spliceYaml(nameOf(name), text, [{ op: "set", document, path, value: to }]);
        if (!there.ok || there.text === text) return;
        const back = spliceYaml(nameOf(name), there.text, [{ op: "set", document, path, value }]);
        expect(back.ok).toBe(true);
        if (!back.ok) return;
        seen.all++;
        // The quotes that the other value needed may stay.
        if (back.text === text) seen.same++;
        expect(parseValues12(back.text)).toStrictEqual(parseValues12(text));
        expect(back.text.startsWith(text.slice(0, start)) && back.text.endsWith(text.slice(end))).toBe(true);
      }),
      { numRuns: 500, seed: 23 },
    );
    expect(seen.same).toBeGreaterThan(seen.all / 2);
  });
});
