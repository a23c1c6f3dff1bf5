import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packEdits, unpackEdits } from "../../src/incident/stored-fix.ts";
import type { FileEdit } from "../../src/model.ts";

const text = fc
  .array(
    fc.constantFrom(
      "a",
      "b\n",
      "\tc\n",
      "d\r\n",
      "--- e\n",
      "+++ f\n",
      "@@ -1 +1 @@\n",
      "\\ No newline\n",
      "é\n",
      "\n",
    ),
    {
      maxLength: 30,
    },
  )
  .map((parts) => parts.join(""));
const reader = (edits: readonly FileEdit[]) => async (file: string) =>
  edits.find((edit) => edit.file === file)?.before ?? null;

describe("a stored fix", () => {
  it("is exactly the edits again", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 3 }), async (pairs) => {
        const edits = pairs
          .filter(([before, after]) => before !== after)
          .map(([before, after], index) => ({ file: `src/a b\t${index}.go`, before, after }));
        fc.pre(edits.length > 0);
        const stored = packEdits(edits);
        expect(stored).not.toBeNull();
        if (stored !== null) expect(await unpackEdits(stored, reader(edits))).toEqual(edits);
      }),
      { numRuns: 300 },
    );
  });

  it("is none where a file says something else by now, even far from the edit, or where somebody changed what is stored", async () => {
    const before = `${"line\n".repeat(50)}last\n`;
    const edits = [{ file: "a", before, after: before.replace("last", "fixed") }];
    const stored = packEdits(edits);
    if (stored === null) throw new Error("it fits");
    expect(await unpackEdits(stored, async () => `first\n${before}`)).toBeNull();
    expect(await unpackEdits(stored, async () => null)).toBeNull();
    for (const patch of ["", "@@ nonsense", stored.patch.replace("-last", "-lost"), stored.patch + stored.patch])
      expect(await unpackEdits({ ...stored, patch }, reader(edits))).toBeNull();
    expect(await unpackEdits({ ...stored, files: [] }, reader(edits))).toBeNull();
  });

  it("is not kept where an object of the cluster could not hold it", () => {
    expect(packEdits([{ file: "a", before: "", after: "x".repeat(300_000) }])).toBeNull();
  });
});
