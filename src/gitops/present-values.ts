import { matchesGlob } from "node:path";
import type { Origin } from "./origin.ts";

/**
 * The values of an origin in the repository as it is: patterns become the files that they match, what may be missing and is goes. `files`
 * are all tracked paths. A pattern that matches nothing, and a file that is missing and must not be, stay: rendering names them.
 */
export function presentValues(origin: Origin, files: readonly string[]): readonly string[] {
  const values = origin.helm?.values ?? [];
  const patterns = new Set(origin.patterns);
  const optional = new Set(origin.optional);
  const there = new Set(files);
  // A file that is named stays where it is named, whatever patterns match it.
  const named = new Set(values.filter((file) => !patterns.has(file)));
  const out = new Set<string>();
  for (const entry of values) {
    if (!patterns.has(entry)) {
      if (!optional.has(entry) || there.has(entry)) out.add(entry);
      continue;
    }
    const found = files.filter((file) => matchesGlob(file, entry)).sort(byFolder);
    if (found.length === 0 && !optional.has(entry)) out.add(entry);
    for (const file of found) if (!named.has(file)) out.add(file);
  }
  return [...out];
}

/** Argo CD walks folder by folder: the files of one come before those of the folders in it. */
function byFolder(a: string, b: string): number {
  const [left, right] = [a.split("/"), b.split("/")];
  for (let depth = 0; ; depth += 1) {
    const [one = "", other = ""] = [left[depth], right[depth]];
    const [isFile, isOtherFile] = [depth === left.length - 1, depth === right.length - 1];
    if (isFile !== isOtherFile) return isFile ? -1 : 1;
    if (one !== other || isFile) return one < other ? -1 : one > other ? 1 : 0;
  }
}
