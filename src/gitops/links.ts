import { readlink } from "node:fs/promises";
import { join, posix } from "node:path";
import { isInside } from "./tree.ts";

/** As many links as Linux follows on one way. */
const MOST_LINKS = 40;

/** The symbolic links of a commit and what they say. `files`: everything in it, with Git's modes. */
export async function readLinks(
  directory: string,
  files: readonly { readonly path: string; readonly mode: string }[],
): Promise<ReadonlyMap<string, string>> {
  const links = new Map<string, string>();
  for (const { path, mode } of files) {
    if (mode !== "120000") continue;
    const target = await readlink(join(directory, path)).catch(() => null);
    if (target !== null) links.set(path, target);
  }
  return links;
}

/**
 * Every path of the repository on which depends what is read under a path: itself, the links on the way, and where it ends. A way that
 * leads out of the repository or in a circle ends there: what lies beyond is never read.
 */
export function pathsThrough(path: string, links: ReadonlyMap<string, string>): string[] {
  const out = [path];
  let at = path;
  for (let count = 0; count < MOST_LINKS; count += 1) {
    const link = prefixesOf(at).find((prefix) => links.has(prefix));
    const target = link === undefined ? undefined : links.get(link);
    if (link === undefined || target === undefined || posix.isAbsolute(target)) break;
    const to = posix.normalize(posix.join(posix.dirname(link), target)).replace(/(.)\/$/, "$1");
    at = posix.join(to, at.slice(link.length));
    if (!isInside(at)) break;
    out.push(link, at);
  }
  return [...new Set(out)];
}

/** `a`, `a/b`, `a/b/c`. */
function prefixesOf(path: string): string[] {
  const steps = path.split("/");
  return steps.map((_, index) => steps.slice(0, index + 1).join("/"));
}
