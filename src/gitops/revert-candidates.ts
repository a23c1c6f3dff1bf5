import type { Source } from "../model.ts";
import type { Checkout } from "../ports.ts";
import { readClosure } from "./kustomize-closure.ts";
import { manifestFiles } from "./manifest-index.ts";
import { applyUndos, type Undo, undosOf } from "./revert.ts";
import { openTree, type Tree } from "./tree.ts";
import { fileRefusal } from "./yaml-refusal.ts";

/** Several files as they would be with a part of a commit taken back. */
export interface Revert {
  readonly edits: readonly { readonly file: string; readonly after: string; readonly line: number }[];
}

/** More stretches than this are no small change: they are only taken back all together. */
const MAX_SINGLE = 12;

/**
 * Ways to take back a commit in the files that a source is rendered from: each stretch of lines alone, each file, all.
 * `read` gives the files as they are now. Files that the commit added stay where they are.
 */
export async function revertsOf(
  commit: string,
  source: Source,
  checkout: Checkout,
  read: (file: string) => Promise<string | null>,
): Promise<Revert[]> {
  const [old, next] = await Promise.all([treeOf(checkout, `${commit}^`), treeOf(checkout, commit)]);
  if (old === null || next === null) return [];
  const files = new Set([...(await inputsOf(old, source)), ...(await inputsOf(next, source))]);
  const undos: Undo[] = [];
  const restored: { file: string; after: string; line: number }[] = [];
  for (const file of files) {
    const [before, after, now] = await Promise.all([textOf(old, file), textOf(next, file), read(file)]);
    if (before === null || before === after) continue;
    if (after === null) {
      if (now === null) restored.push({ file, after: before, line: 1 });
      continue;
    }
    if (now !== null && fileRefusal(file, now) === undefined) undos.push(...undosOf(file, before, after));
  }
  const groups: Undo[][] = undos.length <= MAX_SINGLE ? undos.map((undo) => [undo]) : [];
  const byFile = [...new Set(undos.map((undo) => undo.file))].map((file) => undos.filter((undo) => undo.file === file));
  groups.push(...byFile.filter((group) => group.length > 1));
  if (byFile.length > 1 || restored.length > 0) groups.push(undos);
  const reverts: Revert[] = [];
  for (const group of groups) {
    const edits = await applied(group, read);
    if (edits !== null) reverts.push({ edits: group === undos ? [...edits, ...restored] : edits });
  }
  return reverts.filter((revert) => revert.edits.length > 0);
}

/** Two reverts in one, when they touch different files or when one text can take both. */
export async function applied(
  undos: readonly Undo[],
  read: (file: string) => Promise<string | null>,
): Promise<Revert["edits"] | null> {
  const out: { file: string; after: string; line: number }[] = [];
  for (const file of new Set(undos.map((undo) => undo.file))) {
    const text = await read(file);
    const result =
      text === null
        ? null
        : applyUndos(
            text,
            undos.filter((undo) => undo.file === file),
          );
    if (result === null) return null;
    if (result.text !== text) out.push({ file, after: result.text, line: result.line });
  }
  return out;
}

/** Every file that a source is rendered from in a tree; none when the tree does not have the source. */
export async function inputsOf(tree: Tree, source: Source): Promise<readonly string[]> {
  if (source.tool === "plain") return manifestFiles(tree, source.path);
  return readClosure(tree, source.path).then(
    (closure) => [...closure.files],
    () => [],
  );
}

async function treeOf(checkout: Checkout, revision: string): Promise<Tree | null> {
  return checkout.treeAt(revision).then(openTree, () => null);
}

async function textOf(tree: Tree, file: string): Promise<string | null> {
  return tree.read(file).catch(() => null);
}
