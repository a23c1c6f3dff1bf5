/** Who is asked about a change: users by login, teams as `organisation/slug`. */
export interface Owners {
  readonly users: readonly string[];
  readonly teams: readonly string[];
}

export interface OwnerRule {
  /** Parts of the path; `**` stands for any number of them. */
  readonly parts: readonly string[];
  /** It must be a folder: only what lies below it is meant. */
  readonly folder: boolean;
  readonly owners: Owners;
}

/** Where GitHub looks for the file, in its order; the first that is there counts. */
export const CODEOWNERS = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"] as const;

/** Beyond any file that people keep by hand; GitHub, which asks owners itself as well, stops at three times that. */
const MOST_LETTERS = 1024 * 1024;
const MOST_PATTERN = 1024;
const LOGIN = /^@[A-Za-z0-9][A-Za-z0-9_-]{0,100}$/;
const TEAM = /^@[A-Za-z0-9][A-Za-z0-9-]{0,38}\/[A-Za-z0-9_.-]{1,100}$/;

/**
 * The rules of a CODEOWNERS file, in order (docs.github.com: About code owners). What GitHub does not support (`!`, `[ ]`, an escaped `#` at
 * the start) makes no rule; addresses are left out, because nobody can be asked by address.
 */
export function parseCodeowners(text: string): OwnerRule[] {
  if (text.length > MOST_LETTERS) return [];
  return text.split(/\r\n|\r|\n/).flatMap((line): OwnerRule[] => {
    const words = wordsOf(line);
    const [pattern, ...names] = words;
    if (pattern === undefined || pattern.length > MOST_PATTERN || /^!|^\\#|[[\]]/.test(pattern)) return [];
    const rule = ruleOf(pattern.replaceAll(/\\(.)/g, "$1"));
    if (rule === null) return [];
    const users = names.filter((name) => LOGIN.test(name)).map((name) => name.slice(1));
    const teams = names.filter((name) => TEAM.test(name)).map((name) => name.slice(1));
    // A rule without owners takes its paths away from the rules above it.
    return [{ ...rule, owners: { users, teams } }];
  });
}

/** The owners of some files: for each the last rule that matches it. */
export function ownersOf(files: readonly string[], rules: readonly OwnerRule[]): Owners {
  const users = new Set<string>();
  const teams = new Set<string>();
  for (const file of files) {
    const path = file.split("/");
    const rule = rules.findLast((candidate) => isMatch(candidate, path));
    for (const user of rule?.owners.users ?? []) users.add(user);
    for (const team of rule?.owners.teams ?? []) teams.add(team);
  }
  return { users: [...users], teams: [...teams] };
}

/** Pattern and owners of a line, up to a comment; a blank after a backslash belongs to the pattern. */
function wordsOf(line: string): string[] {
  const words: string[] = [];
  let word = "";
  for (let at = 0; at < line.length; at += 1) {
    const letter = line[at] ?? "";
    if (letter === "\\" && at + 1 < line.length) {
      word += letter + line[at + 1];
      at += 1;
    } else if (letter === " " || letter === "\t") {
      if (word !== "") words.push(word);
      word = "";
    } else if (letter === "#" && word === "") break;
    else word += letter;
  }
  if (word !== "") words.push(word);
  return words;
}

function ruleOf(pattern: string): Pick<OwnerRule, "parts" | "folder"> | null {
  const folder = pattern.endsWith("/");
  const bare = pattern.replace(/^\//, "").replace(/\/$/, "");
  if (bare === "") return null;
  const parts = bare.split("/");
  if (parts.includes("")) return null;
  // As in gitignore: a slash at the start or in the middle ties the pattern to the top of the repository.
  const anchored = pattern.startsWith("/") || parts.length > 1;
  return { parts: anchored ? parts : ["**", ...parts], folder };
}

/**
 * Does a rule match a file? Part by part, with the set of places in the pattern that may have been reached: work grows with the product of
 * both lengths and never beyond, whatever the pattern.
 */
function isMatch({ parts, folder }: OwnerRule, path: readonly string[]): boolean {
  const last = parts.at(-1) ?? "";
  // `docs/*` owns what lies in docs and not what lies deeper; `docs` and `docs/` own everything below.
  const deep = folder || last === "**" || parts[0] === "**" || !/[*?]/.test(last);
  let reached = skip(new Set([0]), parts);
  for (const [index, name] of path.entries()) {
    const next = new Set<number>();
    for (const place of reached) {
      const part = parts[place];
      if (part === undefined) continue;
      if (part === "**") {
        next.add(place);
        if (place === parts.length - 1) next.add(parts.length);
      } else if (matchesPart(part, name)) next.add(place + 1);
    }
    reached = skip(next, parts);
    const isFile = index === path.length - 1;
    if (reached.has(parts.length) && (isFile ? !folder : deep)) return true;
    if (reached.size === 0) return false;
  }
  return false;
}

/** `**` may stand for nothing; at the end it needs something below. */
function skip(places: Set<number>, parts: readonly string[]): Set<number> {
  for (const place of places) if (parts[place] === "**" && place < parts.length - 1) places.add(place + 1);
  return places;
}

/** `*` is any run of letters and `?` one, within one part of a path. Two pointers and one step back: no regular expression from outside. */
function matchesPart(pattern: string, name: string): boolean {
  if (pattern.replaceAll("*", "").length > name.length) return false;
  let [p, n, star, mark] = [0, 0, -1, 0];
  while (n < name.length) {
    if (pattern[p] === "*") {
      star = p;
      mark = n;
      p += 1;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === name[n])) {
      p += 1;
      n += 1;
    } else if (star >= 0) {
      p = star + 1;
      mark += 1;
      n = mark;
    } else return false;
  }
  while (pattern[p] === "*") p += 1;
  return p === pattern.length;
}
