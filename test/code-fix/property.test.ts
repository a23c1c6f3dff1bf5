import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeRedactor } from "../../src/advice/redaction.ts";
import { codeOf } from "../../src/code-fix/code.ts";
import { createDraft } from "../../src/code-fix/draft.ts";
import { changedLines, editsProblem } from "../../src/code-fix/edit-limits.ts";
import { fileProblem } from "../../src/code-fix/file-limits.ts";
import { type LimitSettings, pathProblem } from "../../src/code-fix/path-limits.ts";
import { splice } from "../../src/code-fix/splice.ts";
import { strictRedactor } from "../../src/code-fix/strict-redactor.ts";
import { isPlain, viewOf } from "../../src/code-fix/view.ts";
import { inMemory } from "./in-memory.ts";

const settings: LimitSettings = { folder: "app", edit: [], lockfiles: false, files: 2, lines: 12, fileBytes: 2000 };
const redactor = strictRedactor(makeRedactor(["tr0ub4dor-and-3"]));

const FILES: Readonly<Record<string, string>> = {
  "app/a.js": "one();\ntwo();\nthree();\n",
  "app/b.js": "\uFEFFone();\r\ntwo();\r\n\r\nthree();",
  "app/c.py": "def f(x):\n    return x.y\n\n\tmixed\r\nend",
  "app/keys.go": 'var token = "tr0ub4dor-and-3"\nvar x = 1\n// tr0ub4dor-and-3\n',
  "app/empty.js": "",
  "app/big.js": `${"x();\n".repeat(500)}`,
  "app/gen.js": "// @generated\none();\n",
  "app/.github/workflows/ci.js": "one();\n",
  "app/package.json": '{ "one();": 1 }\n',
  "app/secrets.js": "one();\n",
  "other/a.js": "one();\n",
  CODEOWNERS: "* @acme/one\n",
};

const pieces = [
  "one();",
  "two();",
  "three();",
  "x();",
  "\n",
  "\r\n",
  " ",
  "    ",
  "return x.y",
  "token",
  "tr0ub4dor-and-3",
  "‹redacted›",
  "end",
  "\u202e",
  "é",
  "eval(x)",
  "\uFEFF",
  "é\u0301",
  "😀",
  "\ud83d",
];
const text = fc.oneof(
  fc.array(fc.constantFrom(...pieces), { maxLength: 5 }).map((list) => list.join("")),
  fc
    .constantFrom(...Object.values(FILES))
    .chain((whole) =>
      fc.tuple(fc.nat(Math.max(0, whole.length - 1)), fc.nat(30)).map(([at, length]) => whole.slice(at, at + length)),
    ),
  fc.string({ maxLength: 20 }),
);
const path = fc.oneof(
  fc.constantFrom(...Object.keys(FILES)),
  fc.constantFrom("app/none.js", "../x.js", "app/../other/a.js", "app/A.js", "/app/a.js"),
);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("edit" as const), path, old: text, new: text }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("undo" as const), path }) },
);

describe("whatever is called in whatever order", () => {
  it("edits are within all limits, of files as they stand at the revision, and never of what was taken out", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const code = codeOf(inMemory(FILES), redactor, settings.fileBytes);
        const draft = createDraft(code, settings, redactor);
        for (const one of steps) {
          const said = one.kind === "undo" ? draft.undo(one.path) : await draft.edit(one);
          expect(said.quotable).toBe("");
          expect(said.text).not.toContain("tr0ub4dor-and-3");
          const edits = draft.edits();
          expect(edits.length).toBeLessThanOrEqual(settings.files);
          expect(edits.reduce((sum, edit) => sum + changedLines(edit, 100), 0)).toBeLessThanOrEqual(settings.lines);
          expect(editsProblem(edits, settings, redactor)).toBeNull();
          expect(new Set(edits.map(({ file }) => file)).size).toBe(edits.length);
          for (const { file, before, after } of edits) {
            expect(before).toBe(FILES[file]);
            expect(after).not.toBe(before);
            expect(pathProblem(file, settings)).toBeNull();
            const opened = await code.open(file);
            expect("facts" in opened && fileProblem(opened.facts, settings)).toBeNull();
            expect(after.split("tr0ub4dor-and-3").length).toBe(before.split("tr0ub4dor-and-3").length);
            // What was hidden stands where it stood, byte for byte.
            const hidden = (whole: string): string[] =>
              viewOf(whole, redactor)
                .filter((line) => !isPlain(line))
                .map((line) => line.text);
            for (const line of hidden(before)) expect(hidden(after)).toContain(line);
            if (!/\n/.test(before.replaceAll("\r\n", ""))) expect(after.replaceAll("\r\n", "")).not.toContain("\n");
            if (!before.includes("\r")) expect(after).not.toContain("\r");
            expect(after.startsWith("\uFEFF")).toBe(before.startsWith("\uFEFF"));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("a piece that occurs once is replaced, and nothing else changes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("a", "bb", "c c", "\n", "\r\n", "\t"), { maxLength: 30 }),
        fc.nat(40),
        fc.integer({ min: 1, max: 12 }),
        text,
        (list, at, length, fresh) => {
          const whole = list.join("");
          const flat = whole.replaceAll("\r\n", "\n");
          const old = flat.slice(at, at + length);
          const done = splice(whole, viewOf(whole, { clean: (it) => it, leak: () => null }), old, fresh);
          if ("problem" in done) {
            const count = old === "" ? 0 : flat.split(old).length - 1;
            const overlapping = old !== "" && flat.indexOf(old, flat.indexOf(old) + 1) >= 0;
            expect(count !== 1 || overlapping || old === fresh.replaceAll("\r\n", "\n")).toBe(true);
            return;
          }
          const index = flat.indexOf(old);
          expect(done.text.replaceAll("\r\n", "\n")).toBe(
            (flat.slice(0, index) + fresh.replaceAll("\r\n", "\n") + flat.slice(index + old.length)).replaceAll(
              "\r\n",
              "\n",
            ),
          );
        },
      ),
      { numRuns: 1000 },
    );
  });
});
