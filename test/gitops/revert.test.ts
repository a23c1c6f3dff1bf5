import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { applyUndos, undosOf } from "../../src/gitops/revert.ts";
import { revertsOf } from "../../src/gitops/revert-candidates.ts";
import { type Files, makeRepository, type Repository, sourceOf } from "./repository.ts";

const open: Repository[] = [];
afterEach(async () => {
  for (const repository of open.splice(0)) await repository.close();
});

const line = fc.constantFrom("a", "b", "c", "d: 1", "  e: 2", "", "# f");
const body = fc.array(line, { maxLength: 12 }).map((lines) => lines.map((text) => `${text}\n`).join(""));
const unique = fc
  .uniqueArray(fc.nat({ max: 60 }), { minLength: 1, maxLength: 25 })
  .map((numbers) => numbers.map((number) => `k${number}: x`));

describe("a commit's lines", () => {
  it("all taken back give the text before it", () => {
    fc.assert(
      fc.property(body, body, (before, after) => {
        const undos = undosOf("f", before, after);
        const result = applyUndos(after, undos);
        if (undos.length === 0) expect(before).toBe(after);
        // Lines that stand in several places may be refused, and are never put anywhere else.
        else if (result !== null) expect(result.text).toBe(before);
      }),
      { numRuns: 1000, seed: 5 },
    );
  });

  it("each taken back alone change what it changed, below what came later", () => {
    fc.assert(
      fc.property(
        unique,
        fc.nat(),
        fc.constantFrom("change", "drop", "add"),
        fc.nat({ max: 3 }),
        (lines, pick, how, later) => {
          const at = pick % lines.length;
          const next =
            how === "change"
              ? lines.with(at, "changed: y")
              : how === "drop"
                ? lines.toSpliced(at, 1)
                : lines.toSpliced(at, 0, "added: y");
          const text = (rows: readonly string[]): string => rows.map((row) => `${row}\n`).join("");
          const above = Array.from({ length: later }, (_, index) => `# later ${index}`);
          const [undo, other] = undosOf("f", text(lines), text(next));
          expect(other).toBeUndefined();
          if (undo === undefined) return;
          const result = applyUndos(text([...above, ...next]), [undo]);
          expect(result?.text).toBe(text([...above, ...lines]));
          expect(result?.line).toBe(later + at + 1);
        },
      ),
      { numRuns: 500, seed: 6 },
    );
  });

  it("are not put back where somebody has changed them since", () => {
    const [undo] = undosOf("f", "a\nb\nc\n", "a\nx\nc\n");
    expect(undo === undefined ? "" : applyUndos("a\ny\nc\n", [undo])).toBeNull();
  });
});

describe("revertsOf", () => {
  const SOPS = "a: 1\nb: ENC[x]\nsops: {mac: y}\n";
  it.each([
    ["a manifest", "apps/a.yaml", "kind: x\na: 1\n", "kind: x\na: 2\n", 1],
    ["what SOPS covers", "apps/a.yaml", SOPS, SOPS.replace("a: 1", "a: 2"), 0],
    ["what says that it is generated", "apps/a.yaml", "# DO NOT EDIT\na: 1\n", "# DO NOT EDIT\na: 2\n", 0],
    ["another folder", "other/a.yaml", "a: 1\n", "a: 2\n", 0],
  ])("%s", async (_name, file, before, after, count) => {
    const files: Files = { "apps/keep.yaml": "kind: y\n", [file]: before };
    const repository = makeRepository(files);
    open.push(repository);
    const commit = repository.commit("worse", { [file]: after });
    const reverts = await revertsOf(commit, sourceOf("apps", "plain"), repository, (path) => repository.read(path));
    expect(reverts).toHaveLength(count);
    if (count > 0) expect(await reverts[0]?.edits()).toEqual([{ file, after: before, line: 2 }]);
  });

  it("says of a file what it is when it is asked, not when it was looked at", async () => {
    const repository = makeRepository({ "apps/a.yaml": "a: 1\nb: 1\nc: 1\nd: 1\n" });
    open.push(repository);
    const commit = repository.commit("worse", { "apps/a.yaml": "a: 2\nb: 1\nc: 1\nd: 2\n" });
    let now = "a: 2\nb: 1\nc: 1\nd: 2\n";
    const [first, second] = await revertsOf(commit, sourceOf("apps", "plain"), repository, async () => now);
    now = (await first?.edits())?.[0]?.after ?? "";
    expect(now).toBe("a: 1\nb: 1\nc: 1\nd: 2\n");
    expect(await second?.edits()).toEqual([{ file: "apps/a.yaml", after: "a: 1\nb: 1\nc: 1\nd: 1\n", line: 4 }]);
    expect(await first?.edits().then((edits) => edits?.[0]?.after ?? null)).toBeNull();
  });
});
