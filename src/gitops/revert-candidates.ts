import type { Source } from "../model.ts";
import type { Checkout } from "../ports.ts";
import { closureOf, isBuilt } from "./composition.ts";
import { helmInputs } from "./helm-inputs.ts";
import { sourceFiles } from "./manifest-index.ts";
import { applyUndos, type Undo, undosOf } from "./revert.ts";
import { openTree, type Tree } from "./tree.ts";
import { parseDocuments } from "./yaml-parse.ts";
import { encryptionRefusal, fileRefusal } from "./yaml-refusal.ts";

/** A part of a commit that can be taken back. */
export interface Revert {
  /** The files with it taken back, from how they are when this is called: an accepted edit stays. Null: no place for it. */
  edits(): Promise<readonly RevertedFile[] | null>;
}

export interface RevertedFile {
  readonly file: string;
  readonly after: string;
  readonly line: number;
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
  const restored: RevertedFile[] = [];
  for (const file of files) {
    const [before, after, now] = await Promise.all([textOf(old, file), textOf(next, file), read(file)]);
    if (before === null || before === after) continue;
    if (after === null) {
      if (now === null && isEditable(file, before)) restored.push({ file, after: before, line: 1 });
      continue;
    }
    if (now !== null && isEditable(file, now)) undos.push(...undosOf(file, before, after));
  }
  const groups: Undo[][] = undos.length <= MAX_SINGLE ? undos.map((undo) => [undo]) : [];
  const byFile = [...new Set(undos.map((undo) => undo.file))].map((file) => undos.filter((undo) => undo.file === file));
  groups.push(...byFile.filter((group) => group.length > 1));
  if (byFile.length > 1 || restored.length > 0) groups.push(undos);
  return groups.map((group) => ({
    async edits() {
      const edits = await applied(group, read);
      const all = group === undos && edits !== null ? [...edits, ...restored] : edits;
      return all === null || all.length === 0 ? null : all;
    },
  }));
}

/** Lines can be put back into templates and anchors, where they stood before; not into what a checksum covers. */
function isEditable(file: string, text: string): boolean {
  if (fileRefusal(file, text) !== undefined) return false;
  if (!/\.(ya?ml|json)$/.test(file)) return true;
  return parseDocuments(text).every((document) => encryptionRefusal(file, document) === undefined);
}

/** All of the undos in the files as they are now; null when one of them finds no place. */
async function applied(
  undos: readonly Undo[],
  read: (file: string) => Promise<string | null>,
): Promise<RevertedFile[] | null> {
  const out: RevertedFile[] = [];
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
  if (source.tool === "helm")
    return helmInputs(tree, source).then(
      (inputs) => [...inputs.files],
      () => [],
    );
  try {
    return (await isBuilt(tree, source)) ? [...(await closureOf(tree, source)).files] : await sourceFiles(tree, source);
  } catch (error) {
    // A plain folder says why it cannot be read; a root says so when it is rendered.
    if (source.tool === "plain") throw error;
    return [];
  }
}

async function treeOf(checkout: Checkout, revision: string): Promise<Tree | null> {
  return checkout.treeAt(revision).then(openTree, () => null);
}

async function textOf(tree: Tree, file: string): Promise<string | null> {
  return tree.read(file).catch(() => null);
}
