import { readFile, realpath, stat } from "node:fs/promises";
import { posix, resolve, sep } from "node:path";
import { StanchError } from "../errors.ts";

/** Files above this are not read: no manifest is this large. */
const MAX_BYTES = 8 * 1024 * 1024;

/** The files of a repository on disk. Nothing outside of it is ever read, not through `..` and not through a link. */
export interface Tree {
  readonly directory: string;
  /** The text of a file, null when there is none. Throws StanchError `render` for what is no UTF-8 text or lies outside. */
  read(path: string): Promise<string | null>;
  kind(path: string): Promise<"file" | "directory" | "none">;
}

export async function openTree(directory: string): Promise<Tree> {
  const root = await realpath(directory);
  async function inside(path: string): Promise<string | null> {
    if (!isInside(path)) throw outside(path);
    const real = await realpath(resolve(root, path)).catch(() => null);
    if (real === null) return null;
    if (real !== root && !real.startsWith(root + sep)) throw outside(path);
    return real;
  }
  return {
    directory: root,
    async read(path) {
      const real = await inside(path);
      if (real === null) return null;
      const info = await stat(real);
      if (!info.isFile()) return null;
      if (info.size > MAX_BYTES) throw new StanchError("render", `${path} is larger than 8 MB`);
      return decode(path, await readFile(real));
    },
    async kind(path) {
      const real = await inside(path);
      if (real === null) return "none";
      const info = await stat(real);
      return info.isDirectory() ? "directory" : info.isFile() ? "file" : "none";
    },
  };
}

/** A path below a folder of the repository, in normal form; may begin with `..`, which `read` refuses. */
export function joinPath(folder: string, path: string): string {
  return posix.normalize(posix.join(folder, path)).replace(/(.)\/$/, "$1");
}

/** Whether a normal path stays inside of the repository. What Git keeps for itself is no part of it. */
export function isInside(path: string): boolean {
  return !posix.isAbsolute(path) && path !== ".." && !path.startsWith("../") && !path.split("/").includes(".git");
}

function outside(path: string): StanchError {
  return new StanchError("render", `${path} leads out of the repository`, {
    hint: "keep everything that is rendered inside of the repository",
  });
}

function decode(path: string, bytes: Uint8Array): string {
  try {
    // The byte order mark stays in the text, so that what is written back has it.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new StanchError("render", `${path} is not UTF-8 text`);
  }
}
