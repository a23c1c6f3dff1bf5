import type { Seen } from "../advice/converse.ts";
import type { Redactor } from "../advice/redaction.ts";
import type { FileEdit } from "../model.ts";
import type { Code } from "./code.ts";
import { editsProblem } from "./edit-limits.ts";
import { fileProblem } from "./file-limits.ts";
import { type LimitSettings, pathProblem } from "./path-limits.ts";
import { splice } from "./splice.ts";
import { type Line, MARKS, viewOf } from "./view.ts";

/** Edits in the making: at every moment within all limits. */
export interface Draft {
  /** What differs from the checkout, in the order in which it was first edited. */
  edits(): readonly FileEdit[];
  /** A file's lines with the edits in it; undefined: it is not edited. */
  present(path: string): readonly Line[] | undefined;
  edit(input: { readonly path: string; readonly old: string; readonly new: string }): Promise<Seen>;
  undo(path: string): Seen;
  /** Files that may be edited and in which an edit was tried, for the record. */
  touched(): readonly string[];
}

/** Words of ours, which nothing can be cited from. */
const note = (text: string): Seen => ({ kind: "note", text, quotable: "" });
const AROUND = 4;

export function createDraft(code: Code, settings: LimitSettings, redactor: Redactor): Draft {
  const files = new Map<string, FileEdit>();
  const touched = new Set<string>();
  const edits = (): FileEdit[] => [...files.values()].filter(({ before, after }) => before !== after);
  return {
    edits,
    touched: () => [...touched],
    present(path) {
      const file = files.get(path);
      return file === undefined ? undefined : viewOf(file.after, redactor);
    },
    async edit({ path, old, new: fresh }) {
      const named = pathProblem(path, settings);
      if (named !== null) return note(`Not edited: this file may not be edited, because ${named}.`);
      const opened = await code.open(path);
      if ("problem" in opened) return note(`Not edited. ${opened.problem}`);
      const kept = fileProblem(opened.facts, settings);
      if (kept !== null) return note(`Not edited: this file may not be edited, because ${kept}.`);
      touched.add(path);
      if (MARKS.test(old + fresh))
        return note(
          "Not edited: ‹redacted› stands for what was taken out before the file was shown. Leave those lines.",
        );
      const before = opened.text;
      const now = files.get(path)?.after ?? before;
      const lines = now === before ? opened.lines : viewOf(now, redactor);
      const done = splice(now, lines, old, fresh);
      if ("problem" in done) return note(`Not edited: ${done.problem}`);
      const edit: FileEdit = { file: path, before, after: done.text };
      const all = [...edits().filter(({ file }) => file !== path), ...(done.text === before ? [] : [edit])];
      const passed = editsProblem(all, settings, redactor);
      if (passed !== null) return note(`Not edited: ${passed}.`);
      files.set(path, edit);
      const view = viewOf(done.text, redactor);
      const from = Math.max(0, done.line - 1 - AROUND);
      const to = done.line + fresh.split("\n").length + AROUND;
      return note(`Edited ${path}. It now reads:\n${numbered(view.slice(from, to), from + 1)}`);
    },
    undo(path) {
      if (!files.delete(path)) return note("There is no edit of that file.");
      return note(`${path} is as it was.`);
    },
  };
}

/** Lines as they are shown, with their numbers. */
export function numbered(lines: readonly Line[], first: number): string {
  return lines.map((line, index) => `${first + index}\t${line.shown}`).join("\n");
}
