import { cp, lstat, mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, sep } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { messageOf } from "../errors.ts";
import type { FileEdit } from "../model.ts";
import type { CheckResult, Sandbox } from "../ports.ts";
import type { CheckDoor, CheckRequest } from "../run.ts";

/** Bytes of what a check command wrote that are kept. */
const OUTPUT = 8_000;

/** Check commands in a sandbox, each on a copy of its own. */
export function createCodeChecks(sandbox: Sandbox): CheckDoor {
  return {
    unavailable: () => sandbox.unavailable(),
    async run(request) {
      const reason = await sandbox.unavailable();
      if (reason !== null) return { ran: false, reason };
      const root = await mkdtemp(join(await realpath(tmpdir()), "stanch-check-"));
      try {
        return await alive(request, () => tryOut(root, request, sandbox));
      } finally {
        await rm(root, { recursive: true, force: true });
      }
    },
  };
}

async function tryOut(
  root: string,
  { directory, edits, folder, command, timeoutMs }: CheckRequest,
  sandbox: Sandbox,
): Promise<CheckResult> {
  const copy = join(root, "tree");
  try {
    await copyTree(directory, copy);
    for (const edit of edits) await writeInto(copy, edit);
    // The folder is the configuration's, what it is in this tree is not: a link would lead the command elsewhere.
    const at = join(copy, folder);
    if ((await realpath(at)) !== at) return { ran: false, reason: `${folder} of the repository is a symbolic link` };
  } catch (error) {
    return { ran: false, reason: `no copy of the repository could be made: ${messageOf(error)}` };
  }
  return sandbox.run({ directory: copy, command: inFolder(folder, command), timeoutMs, outputBytes: OUTPUT });
}

/** A sandbox begins at the top of what it is given. The folder and the command are arguments of the shell, and no text of it. */
function inFolder(folder: string, command: readonly string[]): readonly string[] {
  if (folder === "." || folder === "") return command;
  return ["/bin/sh", "-c", 'cd -- "$1" && shift && exec "$@"', "sh", folder, ...command];
}

/** Everything of a tree but what Git keeps there: a worktree's `.git` names the clone, and so where it came from. Links stay links. */
async function copyTree(from: string, to: string): Promise<void> {
  await cp(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => path.slice(from.length).split(sep).at(-1) !== ".git",
  });
}

/** Writes a file of an edit, never through a link that the repository holds. */
async function writeInto(copy: string, { file, after }: FileEdit): Promise<void> {
  const parts = file.split("/");
  if (parts.some((part) => part === "" || part === "." || part === "..")) throw new Error(`${file} is no path`);
  let at = copy;
  for (const part of parts) {
    at = join(at, part);
    const found = await lstat(at).catch(() => null);
    if (found?.isSymbolicLink() === true) throw new Error(`${file} lies behind a symbolic link`);
  }
  await mkdir(dirname(at), { recursive: true });
  await writeFile(at, after);
}

/** Does work while `tick` is called; when that throws, the work is waited for and its result thrown away. */
async function alive<T>({ everyMs, tick }: CheckRequest, work: () => Promise<T>): Promise<T> {
  const end = new AbortController();
  let lost: { readonly error: unknown } | undefined;
  const beat = (async () => {
    while (!end.signal.aborted) {
      await wait(everyMs, undefined, { signal: end.signal }).catch(() => undefined);
      if (end.signal.aborted) return;
      await tick();
    }
  })().catch((error: unknown) => {
    lost = { error };
  });
  const done = await work().finally(() => end.abort());
  await beat;
  if (lost !== undefined) throw lost.error;
  return done;
}
