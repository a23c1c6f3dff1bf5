import { execFile } from "node:child_process";
import { chown, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ETC, SANDBOX_UID } from "./sandbox-arguments.ts";

const run = promisify(execFile);
const COPY_TIMEOUT_MS = 120_000;

/** A folder of one run: the program's own copy of what it is run on, and what bwrap is given. */
export interface Box {
  readonly work: string;
  readonly etc: string;
  readonly filter: string;
  readonly pipe: string;
  /** Who owns it where that is not this process's user, which is only where that is root. */
  readonly user?: number;
  /** Removes all of it, whatever the program made of it. Everything that ran in it must have ended. */
  remove(): Promise<void>;
}

/**
 * Makes a box in `temporary`, with a copy of `directory`: hostile programs write only to what nobody uses after them, and root can give it away.
 * Links are copied as links.
 */
export async function makeBox(options: {
  readonly directory?: string;
  readonly temporary: string;
  readonly filter: Buffer;
  readonly path: string;
}): Promise<Box> {
  const folder = await mkdtemp(join(options.temporary, "stanch-check-"));
  const box = { work: join(folder, "work"), etc: join(folder, "etc"), filter: join(folder, "filter") };
  const root = process.getuid?.() === 0;
  const program = (file: string, args: readonly string[]) =>
    run(file, args, { env: { PATH: options.path, LC_ALL: "C" }, timeout: COPY_TIMEOUT_MS, killSignal: "SIGKILL" });
  const remove = async () => {
    // Folders may have been closed to their own owner, which root does not mind.
    if (!root) await program("chmod", ["-R", "u+rwX", "--", folder]).catch(() => {});
    // `rm` climbs down where paths are too long to be named.
    await program("rm", ["-rf", "--", folder]).catch(() => {});
  };
  try {
    await Promise.all([mkdir(box.work), mkdir(box.etc), writeFile(box.filter, options.filter)]);
    for (const [name, text] of Object.entries(ETC)) await writeFile(join(box.etc, name), text);
    if (options.directory !== undefined) {
      const how = ["-dR", "--preserve=mode,timestamps,links", "--reflink=auto"];
      await program("cp", [...how, "--", `${options.directory}/.`, box.work]);
    }
    if (root) {
      await program("chown", ["-hR", `${SANDBOX_UID}:${SANDBOX_UID}`, "--", box.work, box.etc]);
      await chown(folder, SANDBOX_UID, SANDBOX_UID);
    }
  } catch (error) {
    await remove();
    throw error;
  }
  return { ...box, pipe: join(folder, "output"), ...(root ? { user: SANDBOX_UID } : {}), remove };
}
