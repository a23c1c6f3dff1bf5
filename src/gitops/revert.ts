import { structuredPatch } from "diff";

/** One stretch of lines that a commit changed, the other way round. */
export interface Undo {
  readonly file: string;
  /** Lines as they are after the commit; they are looked for. */
  readonly now: readonly string[];
  /** Lines as they were before. */
  readonly before: readonly string[];
  /** Lines around it after the commit, to find the place. */
  readonly above: readonly string[];
  readonly below: readonly string[];
  /** 0-based line of `now` right after the commit. */
  readonly at: number;
}

const CONTEXT = 3;

/** The stretches of a file that a commit changed, each for itself; `old` and `next` are the file before and after it. */
export function undosOf(file: string, old: string, next: string): Undo[] {
  const [oldLines, nextLines] = [old.split("\n"), next.split("\n")];
  const patch = structuredPatch(file, file, old, next, "", "", { context: 0 });
  return (patch?.hunks ?? []).map((hunk) => {
    // 1-based, also for a hunk without lines of its own: the off-by-one of the unified format is only in its text.
    const [oldAt, at] = [hunk.oldStart - 1, hunk.newStart - 1];
    return {
      file,
      now: nextLines.slice(at, at + hunk.newLines),
      before: oldLines.slice(oldAt, oldAt + hunk.oldLines),
      above: nextLines.slice(Math.max(0, at - CONTEXT), at),
      below: nextLines.slice(at + hunk.newLines, at + hunk.newLines + CONTEXT),
      at,
    };
  });
}

/** The text with some stretches put back, and the first line (1-based) that changes; null when a place is not found or not unique. */
export function applyUndos(
  text: string,
  undos: readonly Undo[],
): { readonly text: string; readonly line: number } | null {
  const lines = text.split("\n");
  const found: { undo: Undo; at: number }[] = [];
  for (const undo of undos) {
    const at = placeOf(lines, undo);
    if (at === undefined) return null;
    found.push({ undo, at });
  }
  found.sort((a, b) => b.at - a.at);
  for (const { undo, at } of found) lines.splice(at, undo.now.length, ...undo.before);
  const first = found.at(-1);
  return first === undefined ? null : { text: lines.join("\n"), line: first.at + 1 };
}

/** Where the lines stand now: with as much context as still matches, and only if there is one such place. */
function placeOf(lines: readonly string[], undo: Undo): number | undefined {
  for (let context = CONTEXT; context >= (undo.now.length === 0 ? 1 : 0); context--) {
    const above = context === 0 ? [] : undo.above.slice(-context);
    const below = undo.below.slice(0, context);
    const wanted = [...above, ...undo.now, ...below];
    const hits: number[] = [];
    for (let at = 0; at + wanted.length <= lines.length; at++) {
      if (wanted.every((line, index) => lines[at + index] === line)) hits.push(at + above.length);
    }
    if (hits.length === 1) return hits[0];
    if (hits.length > 1) return hits.includes(undo.at) ? undo.at : undefined;
  }
  return undefined;
}
