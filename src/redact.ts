/**
 * Takes out what looks like a secret, before text from the cluster (logs, events) goes anywhere: incident, pull request,
 * log. Rules go from certain shapes to suspicious ones; a rule too many costs a word, a rule too few a credential.
 */
export function redact(text: string): string {
  let out = text;
  for (const [pattern, replacement] of RULES) out = out.replaceAll(pattern, replacement);
  return out.replaceAll(/[A-Za-z0-9+/_=-]{24,}/g, (word) => (looksRandom(word) ? "‹redacted›" : word));
}

/**
 * Takes out only what has the certain shape of a credential: for text that quotes manifests, where a key called `secretName` is
 * what the text is about.
 */
export function redactShapes(text: string): string {
  let out = text;
  for (const [pattern, replacement] of SHAPES) out = out.replaceAll(pattern, replacement);
  return out;
}

const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, "‹redacted private key›"],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, "‹redacted token›"],
  [
    /\b(gh[opsur]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,}|sk-[\w-]{16,}|AKIA[0-9A-Z]{16}|AIza[\w-]{30,}|npm_[A-Za-z0-9]{30,})/g,
    "‹redacted token›",
  ],
  // scheme://user:password@host
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s@/]+@/gi, "$1:‹redacted›@"],
  [
    /\b(authorization|proxy-authorization)(["']?\s*[:=]\s*["']?)(?:(bearer|basic|token)\s+)?[^\s"',;]+/gi,
    "$1$2‹redacted›",
  ],
  [/\b(bearer)\s+[\w.~+/-]{8,}=*/gi, "$1 ‹redacted›"],
];

const RULES: readonly (readonly [RegExp, string])[] = [
  ...SHAPES,
  [/(--[a-z-]*(?:passw(?:or)?d|secret|token|credential|[a-z]+-key)[a-z-]*)[ =]+(?!‹)[^\s"',;&]{3,}/gi, "$1 ‹redacted›"],
  // KEY=value, "key": "value" where the key's name says what it is.
  [
    /((?:^|[^A-Za-z0-9])[A-Za-z0-9_.-]*(?:passw(?:or)?d|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|dsn)[A-Za-z0-9_.-]*["']?\s*(?:[:=]\s*|\s+(?=["']))["']?)(?!‹)[^\s"',;&]{3,}/gi,
    "$1‹redacted›",
  ],
];

/** Letters and digits mixed as no word or name mixes them: more than 3.5 bits a character over at least 24. */
function looksRandom(word: string): boolean {
  if (!/[0-9]/.test(word) || !/[a-z]/.test(word) || !(/[A-Z]/.test(word) || word.length >= 40)) return false;
  // Image digests and commit ids are public and needed.
  if (/^[0-9a-f]{40}$|^[0-9a-f]{64}$/.test(word)) return false;
  const counts = new Map<string, number>();
  for (const letter of word) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  let entropy = 0;
  for (const count of counts.values()) entropy -= (count / word.length) * Math.log2(count / word.length);
  return entropy > 3.5;
}
