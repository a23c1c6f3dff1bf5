import { mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

/** Writes recorded exchanges into a folder, each once, readable by us alone. Throws what the file system throws. */
export function exchangeFiles(folder: string): (name: string, text: string) => Promise<void> {
  return async (name, text) => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(join(folder, basename(name)), text, { mode: 0o600, flag: "wx" });
  };
}
