import { constants, copyFile, mkdir, mkdtemp, realpath, rm, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, sep } from "node:path";
import type { FileEdit } from "../model.ts";

/** A private copy of some files of a repository, in which edits are tried out. */
export interface Trial {
  readonly directory: string;
  /** Copies more files; those that are there already stay as they are. */
  add(files: Iterable<string>): Promise<void>;
  /** Runs something with edits in place, and takes them back whatever happens. */
  withEdits<T>(edits: readonly FileEdit[], run: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const AT_ONCE = 32;

/** Opens a trial on the repository in `directory`. Close it. */
export async function openTrial(directory: string): Promise<Trial> {
  const root = await realpath(directory);
  const copy = await realpath(await mkdtemp(join(tmpdir(), "stanch-trial-")));
  const present = new Set<string>();

  async function put(file: string): Promise<void> {
    // A link becomes the file it points to: the copy must not lead out of itself.
    const from = await realpath(join(root, file)).catch(() => null);
    if (from === null || !from.startsWith(root + sep)) return;
    await mkdir(dirname(join(copy, file)), { recursive: true });
    await copyFile(from, join(copy, file), constants.COPYFILE_FICLONE).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EISDIR" && error.code !== "ENOENT") throw error;
    });
  }

  return {
    directory: copy,
    async add(files) {
      const missing = [...new Set(files)].filter((file) => !present.has(file));
      for (let index = 0; index < missing.length; index += AT_ONCE) {
        await Promise.all(missing.slice(index, index + AT_ONCE).map(put));
      }
      for (const file of missing) present.add(file);
    },
    async withEdits(edits, run) {
      try {
        for (const edit of edits) {
          await mkdir(dirname(join(copy, edit.file)), { recursive: true });
          await writeFile(join(copy, edit.file), edit.after);
        }
        return await run();
      } finally {
        for (const { file } of edits) {
          if (present.has(file)) await put(file);
          else await unlink(join(copy, file)).catch(() => undefined);
        }
      }
    },
    close: () => rm(copy, { recursive: true, force: true }),
  };
}
