/** What a text speaks of beyond itself: hosts and packages. */

const HOSTS: readonly RegExp[] = [
  // scheme://authority, also where the scheme was left out.
  /\b[a-z][a-z0-9+.-]{1,20}:\/\/([^\s"'`/?#<>\\]{1,255})/gi,
  /["'`(]\/\/([a-z0-9-]+(?:\.[a-z0-9-]+)+)/gi,
  // "host:port", and addresses.
  /["'`]((?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}):\d{1,5}\b/gi,
  /\b(\d{1,3}(?:\.\d{1,3}){3})\b/g,
  /["'`](\[[0-9a-f:]{2,45}\])/gi,
];
const OWN =
  /^(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]|(?:[a-z0-9-]+\.)*example(?:\.(?:com|org|net))?|(?:[a-z0-9-]+\.)+(?:invalid|test))$/;

/** Hosts that the second text names and the first does not; a variable in the place of a host is none. */
export function newHosts(before: string, after: string): string[] {
  const known = hostsIn(before);
  return [...hostsIn(after)].filter((host) => !known.has(host));
}

function hostsIn(text: string): Set<string> {
  const out = new Set<string>();
  for (const pattern of HOSTS)
    for (const match of text.matchAll(pattern)) {
      const authority = (match[1] ?? "").toLowerCase().replaceAll(/\$?\{[^}]*\}?|%[sdv]|\$\w+/g, "");
      const host = authority
        .slice(authority.lastIndexOf("@") + 1)
        .replace(/:\d*$/, "")
        .replace(/[.,;)}]+$/, "");
      if (/[a-z0-9]/.test(host) && !OWN.test(host)) out.add(host);
    }
  return out;
}

const IMPORTS: readonly RegExp[] = [
  /^[ \t]*(?:import|export)\b[^"'\n]{0,200}["']([\w@./-]{1,100})["']/gm,
  /\b(?:require|import)\s*\(\s*["']([\w@./-]{1,100})["']\s*\)/g,
  /^[ \t]*from\s+([\w.]{1,100})\s+import\b/gm,
  /^[ \t]*import\s+(?:static\s+)?([\w.]{1,100})\s*(?:;|,|as\b|$)/gm,
  // A line of Go's import block.
  /^[ \t]+(?:[\w.]+\s+)?"([\w.-]+(?:\/[\w.-]+)*)"\s*$/gm,
  /^[ \t]*use\s+([\w:\\]{1,100})/gm,
  /^[ \t]*using\s+([\w.]{1,100})\s*;/gm,
  /^[ \t]*require(?:_relative)?\s+["']([\w./-]{1,100})["']/gm,
  /^[ \t]*#include\s+[<"]([\w./-]{1,100})[>"]/gm,
];

/** Packages and files that the second text imports and the first does not. */
export function newImports(before: string, after: string): string[] {
  const known = importsIn(before);
  return [...importsIn(after)].filter((name) => !known.has(name)).slice(0, 5);
}

function importsIn(text: string): Set<string> {
  return new Set(IMPORTS.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] ?? "")));
}
