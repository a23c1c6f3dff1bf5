/**
 * Does a glob match the whole of a text? `*` takes any characters, "/" too: who wants it otherwise matches name by name. `?` takes
 * one, `[a-z]` one of a class, `\` the next as it is. Never slow, whatever the pattern: stars are resolved without going back further than
 * the last one. Null: the pattern is malformed.
 */
export function matchGlob(pattern: string, text: string): boolean | null {
  const tokens = tokensOf(pattern);
  if (tokens === null) return null;
  const characters = [...text];
  let [at, token] = [0, 0];
  let [starToken, starAt] = [-1, 0];
  while (at < characters.length) {
    const now = tokens[token];
    if (now === "*") {
      [starToken, starAt] = [token++, at];
    } else if (now?.(characters[at] ?? "") === true) {
      at++;
      token++;
    } else if (starToken >= 0) {
      at = ++starAt;
      token = starToken + 1;
    } else return false;
  }
  while (tokens[token] === "*") token++;
  return token === tokens.length;
}

/** More alternatives than this are no pattern that a person wrote. */
const MAX_ALTERNATIVES = 256;

/** As `matchGlob`, with alternatives: `{deploy,service}.yaml`. A pattern that is malformed matches nothing, as in Argo CD. */
export function matchAlternatives(pattern: string, text: string): boolean {
  return (alternativesOf(pattern) ?? []).some((one) => matchGlob(one, text) === true);
}

type Token = "*" | ((character: string) => boolean);

function tokensOf(pattern: string): Token[] | null {
  const characters = [...pattern];
  const tokens: Token[] = [];
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] ?? "";
    if (character === "*") {
      if (tokens.at(-1) !== "*") tokens.push("*");
    } else if (character === "?") tokens.push(() => true);
    else if (character === "[") {
      const found = classOf(characters, index + 1);
      if (found === null) return null;
      tokens.push(found.accepts);
      index = found.end;
    } else {
      const literal = character === "\\" ? characters[++index] : character;
      if (literal === undefined) return null;
      tokens.push((other) => other === literal);
    }
  }
  return tokens;
}

function classOf(
  characters: readonly string[],
  start: number,
): { accepts: (character: string) => boolean; end: number } | null {
  const negated = characters[start] === "^" || characters[start] === "!";
  const ranges: [string, string][] = [];
  let index = negated ? start + 1 : start;
  const next = (): string | null => {
    const raw = characters[index++];
    if (raw === "]" || raw === "-") return null;
    return (raw === "\\" ? characters[index++] : raw) ?? null;
  };
  while (characters[index] !== "]" || ranges.length === 0) {
    const low = next();
    if (low === null) return null;
    let high: string | null = low;
    if (characters[index] === "-") {
      index++;
      high = next();
    }
    if (high === null) return null;
    ranges.push([low, high]);
  }
  return { accepts: (one) => ranges.some(([low, high]) => low <= one && one <= high) !== negated, end: index };
}

/** The patterns without braces that a pattern stands for; null when it is malformed or stands for too many. */
function alternativesOf(pattern: string): string[] | null {
  const open = braceAt(pattern);
  if (open === null) return [pattern];
  const parts: string[] = [];
  let depth = 0;
  let from = open + 1;
  for (let index = open; index < pattern.length; index++) {
    const character = pattern[index];
    if (character === "\\") index++;
    else if (character === "{") depth++;
    else if (character === "," && depth === 1) {
      parts.push(pattern.slice(from, index));
      from = index + 1;
    } else if (character === "}" && --depth === 0) {
      parts.push(pattern.slice(from, index));
      return expanded(pattern.slice(0, open), parts, pattern.slice(index + 1));
    }
  }
  return null;
}

function expanded(head: string, parts: readonly string[], tail: string): string[] | null {
  const all: string[] = [];
  for (const part of parts) {
    const more = alternativesOf(head + part + tail);
    if (more === null || all.length + more.length > MAX_ALTERNATIVES) return null;
    all.push(...more);
  }
  return all;
}

function braceAt(pattern: string): number | null {
  for (let index = 0; index < pattern.length; index++) {
    if (pattern[index] === "\\") index++;
    else if (pattern[index] === "{") return index;
  }
  return null;
}
