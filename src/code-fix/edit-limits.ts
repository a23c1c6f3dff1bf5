import { diffLines } from "diff";
import type { Redactor } from "../advice/redaction.ts";
import type { FileEdit } from "../model.ts";
import { additionsIn, isTest, REFUSED, TOLD } from "./additions.ts";
import type { LimitSettings } from "./path-limits.ts";
import { newHosts, newImports } from "./references.ts";
import { MARKS } from "./view.ts";

/** What the edits of one fix may be, all together or each. */
export interface EditLimit {
  readonly id: string;
  /** Why an edit is not taken; null: it is. */
  problem(edits: readonly FileEdit[], settings: LimitSettings, redactor: Redactor): string | null;
}

/** Whether any edit passes a bound, as a limit. */
const each = (
  id: string,
  problem: (edit: FileEdit, settings: LimitSettings, redactor: Redactor) => string | null,
): EditLimit => ({
  id,
  problem(edits, settings, redactor) {
    for (const edit of edits) {
      const said = problem(edit, settings, redactor);
      if (said !== null) return `${edit.file}: ${said}`;
    }
    return null;
  },
});

/** In order: the first that is passed is told. */
export const EDIT_LIMITS: readonly EditLimit[] = [
  {
    id: "files",
    problem: (edits, { files }) =>
      edits.length > files ? `a fix changes ${files} files at most (model.code.files)` : null,
  },
  each("bytes", ({ after }, { fileBytes }) =>
    Buffer.byteLength(after) > fileBytes ? "it would be larger than model.code.fileBytes" : null,
  ),
  {
    id: "lines",
    problem(edits, { lines }) {
      let changed = 0;
      for (const edit of edits) {
        changed += changedLines(edit, lines);
        if (changed > lines)
          return `a fix adds and removes ${lines} lines at most (model.code.lines): make it smaller, or undo what is not needed`;
      }
      return null;
    },
  },
  each("mark", ({ before, after }) =>
    count(ALL_MARKS, after) > count(ALL_MARKS, before)
      ? "it would hold the mark of what was taken out before the file was shown"
      : null,
  ),
  each("hidden", ({ before, after }) =>
    count(UNSEEN, after) > count(UNSEEN, before)
      ? "it would hold characters that cannot be seen, or white space that is none"
      : null,
  ),
  each("lookalike", ({ before, after }) =>
    newWords(before, after).some(isMixed) ? "it would hold a word whose letters look like others" : null,
  ),
  each("secret", ({ before, after }, _, redactor) =>
    newSecret(before, after, redactor) ? "it would hold what looks like a secret" : null,
  ),
  each("conflict", ({ before, after }) =>
    count(/^(?:<{7}|>{7}|\|{7}) /gm, after) > count(/^(?:<{7}|>{7}|\|{7}) /gm, before)
      ? "it would hold the marks of a merge conflict"
      : null,
  ),
  each("addition", (edit) => additionsIn(REFUSED, edit)[0]?.text ?? null),
  each("host", ({ before, after }) =>
    newHosts(before, after).length > 0 ? "it would speak of a host that the file does not speak of" : null,
  ),
];

/** Why edits are not taken; null: they are within all limits. */
export function editsProblem(edits: readonly FileEdit[], settings: LimitSettings, redactor: Redactor): string | null {
  for (const limit of EDIT_LIMITS) {
    const said = limit.problem(edits, settings, redactor);
    if (said !== null) return said;
  }
  return null;
}

const ALL_MARKS = new RegExp(MARKS, "g");
const MOST_CAUTIONS = 12;

/** What of edits a reviewer should look at first. */
export function cautionsOf(edits: readonly FileEdit[]): string[] {
  return edits
    .flatMap((edit) => [
      ...(isTest(edit.file) ? [`${edit.file} is a test`] : []),
      ...newImports(edit.before, edit.after).map((name) => `${edit.file} imports ${name}, which it did not`),
      ...additionsIn(TOLD, edit).map(({ text }) => `${edit.file}: ${text}`),
    ])
    .slice(0, MOST_CAUTIONS);
}

/** Lines added and removed; more than `most` where it is not worth counting. */
export function changedLines(edit: FileEdit, most: number): number {
  const { before, after } = middleOf(edit);
  const parts = diffLines(before, after, { maxEditLength: most + 1 });
  if (parts === undefined) return most + 1;
  return parts.reduce((sum, part) => sum + (part.added || part.removed ? part.count : 0), 0);
}

/** Both texts without the lines that they begin and end with alike: work follows the edit's size, and not the file's. */
function middleOf({ before, after }: Pick<FileEdit, "before" | "after">): { before: string; after: string } {
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head += 1;
  head = before.lastIndexOf("\n", head - 1) + 1;
  let tail = 0;
  while (tail < most - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const feed = before.indexOf("\n", before.length - tail);
  const kept = feed < 0 ? 0 : before.length - feed - 1;
  return { before: before.slice(head, before.length - kept), after: after.slice(head, after.length - kept) };
}

/** Controls, formats, private and unassigned characters, line separators, and every space but the plain one. */
const UNSEEN = /(?![\n\r\t])[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]|(?! )\p{Zs}|\r(?!\n)/gu;

function count(pattern: RegExp, text: string): number {
  return text.match(pattern)?.length ?? 0;
}

function newWords(before: string, after: string): string[] {
  if (!/\P{ASCII}/u.test(after)) return [];
  const words = (text: string): Set<string> => new Set(text.match(/[\p{L}\p{M}\p{N}_]+/gu));
  const known = words(before);
  return [...words(after)].filter((word) => !known.has(word) && /\P{ASCII}/u.test(word));
}

/** Latin letters beside those of another script that has letters like them, or letters that only look like plain ones. */
function isMixed(word: string): boolean {
  const latin = /\p{Script=Latin}/u.test(word);
  const like =
    /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Lisu}\p{Script=Coptic}]/u;
  if (latin && like.test(word)) return true;
  // A whole word of a language is a word; one that reads as plain ASCII is a disguise.
  return !/\P{ASCII}/u.test(word.normalize("NFKC"));
}

/** Does an edit bring in a word, on the lines that it adds, that looks like a secret? */
function newSecret(before: string, after: string, redactor: Redactor): boolean {
  const part = middleOf({ before, after });
  const old = new Set(part.before.split("\n"));
  const added = part.after.split("\n").filter((line) => !old.has(line));
  if (redactor.leak(added.join("\n")) === null) return false;
  const known = new Set(before.split(WORD));
  // What stands there already is not brought in.
  const fresh = added.map((line) =>
    line
      .split(WORD)
      .filter((word) => !known.has(word))
      .join(" "),
  );
  return redactor.leak(fresh.join("\n")) !== null;
}

const WORD = /[\s"'`,;:(){}[\]<>|\\]+/;
