import { structuredPatch } from "diff";
import type { Seen } from "../advice/converse.ts";
import type { Redactor } from "../advice/redaction.ts";
import { holdsSecrets, isWithheld } from "../advice/withheld.ts";
import { StanchError } from "../errors.ts";
import { wildmatch } from "../gitops/attributes.ts";
import type { Checkout, Clock } from "../ports.ts";
import type { Code } from "./code.ts";
import { type Draft, numbered } from "./draft.ts";
import type { Input } from "./tools.ts";
import { viewOf } from "./view.ts";

const ROWS = 250;
const LINES = 400;
const FOUND = 40;
const FOUND_IN_FILE = 8;
const WIDTH = 240;
const OPENED = 40;
const SEARCH_MS = 5000;
const COMMITS = 20;

const nothing = (text: string): Seen => ({ kind: "none", text, quotable: "" });

export interface LookContext {
  readonly checkout: Checkout;
  readonly code: Code;
  readonly draft: Draft;
  readonly redactor: Redactor;
  readonly clock: Clock;
  /** Folder of the program. */
  readonly folder: string;
  readonly deployed?: string;
  readonly fileBytes: number;
}

/** What stands below a folder: everything where that is little, else one level of it. */
export async function list({ folder }: Input<"list">, { code }: LookContext): Promise<Seen> {
  const top = folder.replace(/^\.?\/+|\/+$|^\.$/g, "");
  const prefix = top === "" ? "" : `${top}/`;
  const below = (await code.files()).filter(({ path }) => path.startsWith(prefix));
  if (below.length === 0) return nothing("There is no such folder in the repository.");
  const rows = new Map<string, string>();
  const folders = new Map<string, number>();
  for (const { path, mode, bytes } of below) {
    const rest = path.slice(prefix.length);
    const slash = rest.indexOf("/");
    if (below.length > ROWS && slash >= 0) {
      const name = rest.slice(0, slash + 1);
      folders.set(name, (folders.get(name) ?? 0) + 1);
      rows.set(name, "");
    } else rows.set(rest, `${rest}  ${mode.startsWith("100") ? bytes : "link"}`);
  }
  const all = [...rows].map(([name, row]) => (row === "" ? `${name}  ${folders.get(name)} files` : row));
  const more = all.length > ROWS ? `\n… (${all.length - ROWS} more)` : "";
  const kept = await code.withheld();
  const hidden = kept === 0 ? "" : `\n(${kept} files of the repository are not listed: they may hold secrets.)`;
  return { kind: "files", text: `${all.slice(0, ROWS).join("\n")}${more}${hidden}` };
}

/** Lines that hold a text, of those that may be shown, as they are shown: what was taken out of them is not found. */
export async function search(input: Input<"search">, context: LookContext): Promise<Seen> {
  const { text, ignore_case: ignoreCase, files } = input;
  const { checkout, code, clock, folder } = context;
  if (text.trim().length < 2 || text.includes("\n")) return nothing("Look for two characters or more on one line.");
  const fold = (words: string): string => (ignoreCase ? words.toLowerCase() : words);
  const inside = (path: string): number => (folder === "." || path.startsWith(`${folder}/`) ? 0 : 1);
  const paths = (await checkout.filesWith(text, { ignoreCase, limit: 5000 }))
    .filter((path) => !isWithheld(path) && fits(files, path))
    .toSorted((a, b) => inside(a) - inside(b));
  const until = clock.now().getTime() + SEARCH_MS;
  const rows: string[] = [];
  let opened = 0;
  for (const path of paths) {
    if (rows.length >= FOUND || opened >= OPENED || clock.now().getTime() > until) break;
    opened += 1;
    const file = await code.open(path);
    if ("problem" in file) continue;
    const own = file.lines.flatMap((line, index) =>
      fold(line.shown).includes(fold(text)) ? [`${path}:${index + 1}: ${around(line.shown, text, fold)}`] : [],
    );
    rows.push(...own.slice(0, FOUND_IN_FILE));
    if (own.length > FOUND_IN_FILE) rows.push(`${path}: ${own.length - FOUND_IN_FILE} more lines`);
  }
  if (rows.length === 0) return nothing("No line that may be shown holds it.");
  const left = paths.length - opened;
  return {
    kind: "code",
    text: `${rows.slice(0, FOUND).join("\n")}${left > 0 ? `\n… (${left} more files hold it: look for something rarer)` : ""}`,
  };
}

const fits = (glob: string, path: string): boolean =>
  glob === "" || glob === "**" || wildmatch(glob, glob.includes("/") ? path : (path.split("/").at(-1) ?? ""));

function around(line: string, text: string, fold: (words: string) => string): string {
  const trimmed = line.trim();
  if (trimmed.length <= WIDTH) return trimmed;
  const at = Math.max(0, fold(trimmed).indexOf(fold(text)) - WIDTH / 4);
  return `${at > 0 ? "…" : ""}${trimmed.slice(at, at + WIDTH)}…`;
}

/** Lines of a file with the edits in it. Only what stood there before can be quoted. */
export async function read({ path, first, last }: Input<"read">, { code, draft }: LookContext): Promise<Seen> {
  const file = await code.open(path);
  if ("problem" in file) return nothing(file.problem);
  const lines = draft.present(path) ?? file.lines;
  if (lines.length === 0) return nothing("The file is empty.");
  if (first > lines.length || last < first) return nothing(`The file has lines 1 to ${lines.length}.`);
  const end = Math.min(last, lines.length, first + LINES - 1);
  const shown = lines.slice(first - 1, end);
  const before = draft.present(path) === undefined ? undefined : new Set(file.lines.map((line) => line.shown));
  return {
    kind: "code",
    text: `${path}, lines ${first} to ${end} of ${lines.length}${before === undefined ? "" : ", with your edits"}\n${numbered(shown, first)}`,
    quotable: shown
      .map((line) => line.shown)
      .filter((line) => before?.has(line) ?? true)
      .join("\n"),
  };
}

/** Who wrote a commit is nobody's business there. */
export async function history({ path }: Input<"history">, context: LookContext): Promise<Seen> {
  const { checkout, code, folder, deployed } = context;
  const wanted = path === "" ? folder : path.replace(/\/+$/, "");
  const known =
    wanted === "." || (await code.files()).some((file) => file.path === wanted || file.path.startsWith(`${wanted}/`));
  if (!known) return nothing("There is no such file or folder in the repository.");
  const commits = await checkout.history([wanted], COMMITS);
  if (commits.length === 0) return nothing("No commit is known.");
  const rows = commits.map(
    ({ sha, at, subject }) =>
      `${sha.slice(0, 10)} ${at} ${subject.slice(0, 200)}${sha === deployed ? "  (the image was built from this one)" : ""}`,
  );
  return { kind: "history", text: rows.join("\n") };
}

/** What changed since the commit that is deployed: names, or one file's lines. */
export async function sinceDeployed({ path }: Input<"since_deployed">, context: LookContext): Promise<Seen> {
  const { checkout, code, redactor, deployed, fileBytes } = context;
  const changed = deployed === undefined ? null : await checkout.changedSince(deployed);
  if (deployed === undefined || changed === null)
    return nothing("The commit that the image was built from is not in the repository.");
  const known = new Set((await code.files()).map((file) => file.path));
  if (path === "") {
    const rows = changed.filter((name) => !isWithheld(name) && !/[\p{Cc}\p{Cf}]/u.test(name));
    if (rows.length === 0) return nothing("Nothing changed since then.");
    const named = rows.slice(0, ROWS).map((name) => (known.has(name) ? name : `${name}  (not there any more)`));
    return {
      kind: "history",
      text: `Changed since ${deployed.slice(0, 10)}:\n${named.join("\n")}${rows.length > ROWS ? `\n… (${rows.length - ROWS} more)` : ""}`,
    };
  }
  if (!changed.includes(path)) return nothing("That file did not change since then.");
  const now = await code.open(path);
  if ("problem" in now) return nothing(now.problem);
  const old = await checkout.readAt(deployed, path).catch((error: unknown) => {
    if (error instanceof StanchError && error.code === "git") return null;
    throw error;
  });
  if (old === null) return nothing("It was not there as a text file then.");
  if (Buffer.byteLength(old) > fileBytes || holdsSecrets(old)) return nothing("What it was then is not shown.");
  const shown = (lines: readonly { readonly shown: string }[]): string =>
    lines.map((line) => `${line.shown}\n`).join("");
  // Both sides as they are shown: nothing that was taken out is told by a difference.
  const patch = structuredPatch("then", "now", shown(viewOf(old, redactor)), shown(now.lines), "", "", {
    context: 3,
    maxEditLength: 2000,
  });
  if (patch === undefined) return nothing("Too much of it changed to be shown.");
  const rows = patch.hunks.flatMap((hunk) => [`@@ from line ${hunk.newStart} @@`, ...hunk.lines]);
  return rows.length === 0
    ? nothing("What differs is not shown.")
    : { kind: "history", text: `${path}, since ${deployed.slice(0, 10)}:\n${rows.join("\n")}` };
}
