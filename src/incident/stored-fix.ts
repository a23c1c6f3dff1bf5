import { createHash } from "node:crypto";
import { applyPatch, createTwoFilesPatch, parsePatch } from "diff";
import type { FileEdit } from "../model.ts";
import type { StoredFix } from "./incident-code.ts";

/** Characters of a patch that an object of the cluster can hold beside everything else. */
const MOST = 200_000;
/** Lines around a change; files are compared whole before it is applied. */
const CONTEXT = 1;

/** Edits as an incident keeps them until they are pushed; null when they are too large for it. */
export function packEdits(edits: readonly FileEdit[]): Pick<StoredFix, "files" | "patch"> | null {
  const patch = edits
    .map(({ before, after }, index) =>
      // Names stand beside the patch: a name may hold what a patch's head cannot.
      createTwoFilesPatch(`${index}`, `${index}`, before, after, "", "", { context: CONTEXT }),
    )
    .join("");
  if (patch.length > MOST) return null;
  return {
    files: edits.map(({ file, before, after }) => ({ file, before: digestOf(before), after: digestOf(after) })),
    patch,
  };
}

/**
 * The edits again. `read` gives a file's text now, null where there is none; null is the answer when a file does not say what the edits were
 * made for, or when somebody has changed what was stored.
 */
export async function unpackEdits(
  { files, patch }: Pick<StoredFix, "files" | "patch">,
  read: (file: string) => Promise<string | null>,
): Promise<FileEdit[] | null> {
  const parts = partsOf(patch);
  if (parts === null || parts.length !== files.length || files.length === 0) return null;
  const edits: FileEdit[] = [];
  for (const [index, { file, ...digests }] of files.entries()) {
    const before = (await read(file)) ?? "";
    const part = parts[index];
    if (part === undefined || digestOf(before) !== digests.before) return null;
    const after = applyPatch(before, part, { fuzzFactor: 0, autoConvertLineEndings: false });
    if (after === false || after === before || digestOf(after) !== digests.after) return null;
    edits.push({ file, before, after });
  }
  return edits;
}

function partsOf(patch: string): ReturnType<typeof parsePatch> | null {
  try {
    return parsePatch(patch);
  } catch {
    return null;
  }
}

const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 32);
