import { posix } from "node:path";

/** One line of a `.gitattributes` file: what it says about one attribute. */
interface Rule {
  readonly pattern: string;
  readonly set: boolean;
}

/**
 * Does Git say of a path that it has an attribute? `files` are the texts of `.gitattributes` by their folder ("." for the top).
 * The last line that matches decides, and a deeper file after a higher one.
 */
export function attributeOf(name: string, files: ReadonlyMap<string, string>): (path: string) => boolean {
  const folders = [...files]
    .map(([folder, text]) => ({ prefix: folder === "." ? "" : `${folder}/`, rules: rulesOf(text, name) }))
    .filter(({ rules }) => rules.length > 0)
    .sort((a, b) => a.prefix.length - b.prefix.length);
  return (path) => {
    let set = false;
    for (const { prefix, rules } of folders) {
      if (!path.startsWith(prefix)) continue;
      const below = path.slice(prefix.length);
      for (const rule of rules) if (matches(rule.pattern, below)) set = rule.set;
    }
    return set;
  };
}

function rulesOf(text: string, name: string): Rule[] {
  return text.split("\n").flatMap((line): Rule[] => {
    const [pattern = "", ...words] = line.trim().split(/\s+/);
    if (pattern === "" || pattern.startsWith("#")) return [];
    const word = words.findLast((it) => it.replace(/^[-!]/, "").split("=")[0] === name);
    if (word === undefined) return [];
    return [{ pattern, set: !/^[-!]/.test(word) && !/=(false|unset)$/i.test(word) }];
  });
}

function matches(pattern: string, path: string): boolean {
  const anchored = pattern.replace(/^\//, "");
  return wildmatch(anchored, pattern.includes("/") ? path : posix.basename(path));
}

/** Longer patterns are nobody's. */
const MAX_PATTERN = 500;

/**
 * Git's wildcards `*`, `?` and `**`. Every pair of places is looked at once, so that time is bounded by pattern times path whatever
 * a stranger wrote; globs that become regular expressions or lists can be made to take forever.
 */
export function wildmatch(pattern: string, path: string): boolean {
  if (pattern.length > MAX_PATTERN) return false;
  const tokens = pattern.match(/(?<=^|\/)\*\*\/|(?<=\/)\*\*$|\*+|[^*]/gs) ?? [];
  // From the last token to the first: does what is left of the path fit what is left of the pattern?
  let rest = Array.from({ length: path.length + 1 }, (_, at) => at === path.length);
  for (const [index, token] of [...tokens.entries()].reverse()) {
    const fits: boolean[] = [];
    const everything = token === "**" && index === tokens.length - 1 && tokens[index - 1] === "/";
    for (let at = path.length; at >= 0; at--) {
      const char = path[at];
      if (token === "**/") {
        const slash = path.indexOf("/", at);
        fits[at] = rest[at] === true || (slash >= 0 && fits[slash + 1] === true);
      } else if (everything) fits[at] = char !== undefined;
      else if (token.startsWith("*"))
        fits[at] = rest[at] === true || (char !== undefined && char !== "/" && fits[at + 1] === true);
      else
        fits[at] = char !== undefined && (token === char || (token === "?" && char !== "/")) && rest[at + 1] === true;
    }
    rest = fits;
  }
  return rest[0] === true;
}
