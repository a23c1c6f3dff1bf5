import { editDistance } from "../config/nearest.ts";

/**
 * What may pass for one name mistyped as another, so that a remedy never has to guess:
 *
 * - the same but for case, a leading `v`, and `-`, `_`, `.` for each other; or
 * - one slip of the fingers: a letter too many, too few or wrong, or two neighbours swapped; in words of ten letters or
 *   more two such slips.
 *
 * Numbers are meaning, not spelling: `config-1` is no typo of `config-2`, nor `1.28.0` of `1.27.0`. Only swapped
 * neighbours are believed of digits (`6.41.1` for `6.14.1`). So are words of one or two letters: `shard-a` and `shard-b`,
 * `pg-rw` and `pg-ro`, `db-eu` and `db-us` are different things.
 *
 * How near: 0 the same but for its spelling, 1 one slip, 2 two slips; null: no typo.
 */
export function slipOf(wrong: string, right: string): 0 | 1 | 2 | null {
  if (wrong === right) return null;
  if (spelling(wrong) === spelling(right)) return 0;
  if (differInShortWord(wrong, right)) return null;
  const distance = editDistance(wrong, right);
  const length = Math.min(wrong.length, right.length);
  if (distance === 1) return length >= 4 && (digitsOf(wrong) === digitsOf(right) || isSwap(wrong, right)) ? 1 : null;
  return distance === 2 && length >= 10 && digitsOf(wrong) === digitsOf(right) ? 2 : null;
}

/**
 * The one candidate that a word is a typo of. The nearest kind counts: two that are equally near are listed and none is
 * taken.
 */
export function typoOf(
  wrong: string,
  candidates: readonly string[],
): { readonly match: string } | { readonly match: null; readonly near: readonly string[] } {
  for (const slip of [0, 1, 2] as const) {
    const near = candidates.filter((candidate) => slipOf(wrong, candidate) === slip);
    if (near.length === 1 && near[0] !== undefined) return { match: near[0] };
    if (near.length > 1) return { match: null, near: near.slice(0, 5) };
  }
  return { match: null, near: [] };
}

function spelling(text: string): string {
  return text
    .toLowerCase()
    .replace(/^v(?=\d)/, "")
    .replaceAll(/[_.]/g, "-");
}

/** The numbers of a word, in order: `1.27.4-rc1` → `1,27,4,1`. */
function digitsOf(text: string): string {
  return (text.match(/\d+/g) ?? []).join();
}

function differInShortWord(a: string, b: string): boolean {
  const [left, right] = [wordsOf(a), wordsOf(b)];
  return (
    left.length === right.length &&
    left.some((word, index) => {
      const other = right[index] ?? "";
      return word !== other && word.length <= 2 && other.length <= 2 && !isSwap(word, other);
    })
  );
}

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/[a-z]+/g) ?? [];
}

/** Are these the same letters with two neighbours swapped? */
function isSwap(a: string, b: string): boolean {
  return a.length === b.length && [...a].toSorted().join("") === [...b].toSorted().join("");
}
