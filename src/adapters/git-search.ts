import { StanchError } from "../errors.ts";
import type { Checkout } from "../ports.ts";
import type { Git } from "./git-runner.ts";

/** What is looked for in a revision of a clone, without a working tree. */
export function searchIn(git: Git, revision: string): Pick<Checkout, "filesWith" | "changedSince" | "readAt"> {
  const has = (commit: string): Promise<boolean> =>
    /^[0-9a-f]{40,64}$/.test(commit)
      ? git(["cat-file", "-e", `${commit}^{commit}`], { GIT_NO_LAZY_FETCH: "1" }).then(
          () => true,
          () => false,
        )
      : Promise.resolve(false);
  return {
    async filesWith(text, { ignoreCase, limit }) {
      if (text === "" || /[\n\0]/.test(text)) return [];
      // One word of the answer for each file: its size is bounded by the number of files, whatever is in them.
      const out = await git([
        "grep",
        "--files-with-matches",
        "--fixed-strings",
        "--full-name",
        "-I",
        "-z",
        ...(ignoreCase ? ["--ignore-case"] : []),
        "-e",
        text,
        revision,
      ]);
      const prefix = `${revision}:`;
      return out
        .split("\0")
        .filter((row) => row.startsWith(prefix))
        .map((row) => row.slice(prefix.length))
        .slice(0, limit);
    },
    async changedSince(commit) {
      if (!(await has(commit))) return null;
      const out = await git(["diff-tree", "-r", "-z", "--name-only", "--no-renames", commit, revision]);
      return out.split("\0").filter((row) => row !== "");
    },
    async readAt(commit, file) {
      if (!(await has(commit))) return null;
      const row = await git(["--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, "--", file]);
      // A folder's own entry is asked for as well; a link's text is no text of a file.
      return /^100\d{3} blob [0-9a-f]+\t/.test(row) ? textOf(git, commit, file) : null;
    },
  };
}

/** A file's text at a commit. Throws StanchError `git` where it is not UTF-8. */
export async function textOf(git: Git, commit: string, file: string): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await git.blob(`${commit}:${file}`));
  } catch (error) {
    if (error instanceof TypeError)
      throw new StanchError("git", `${file} is not UTF-8`, { hint: "Stanch edits text files in UTF-8 only" });
    throw error;
  }
}
