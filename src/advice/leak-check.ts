/**
 * The second opinion on a text that is about to be sent: looks for what must not be in it in another way than redaction does, so that a
 * fault of one is not a fault of both. Says what kind of thing it found and never the thing. Null: nothing.
 */
export function leakIn(text: string, known: readonly string[]): string | null {
  for (const form of known) if (text.includes(form)) return "a value of a Secret";
  const low = text.toLowerCase();
  if (low.includes("private key-----")) return "a private key";
  for (const mark of MARKS) {
    for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1)) {
      if (isWordStart(text, at) && tailOf(text, at + mark.length) >= 12) return `a token (${mark.slice(0, 4)}…)`;
    }
  }
  for (const word of text.split(/[\s"'`,;:(){}[\]<>|\\‹›…]+/)) {
    const decoded = decodedOf(word);
    if (
      decoded !== null &&
      (MARKS.some((mark) => decoded.includes(mark)) || /private key-----|passw(?:or)?d\s*[:=]/i.test(decoded))
    )
      return "an encoded secret";
    if (isRandom(word)) return "a random value";
  }
  return null;
}

/** How tokens of known issuers begin. */
const MARKS = [
  "ghp_",
  "gho_",
  "ghs_",
  "ghu_",
  "ghr_",
  "github_pat_",
  "glpat-",
  "xoxb-",
  "xoxp-",
  "xoxa-",
  "xoxs-",
  "xapp-",
  "sk-ant-",
  "sk-proj-",
  "sk_live_",
  "rk_live_",
  "AKIA",
  "ASIA",
  "AIza",
  "ya29.",
  "npm_",
  "eyJhbGci",
  "dop_v1_",
  "hvs.",
] as const;

function isWordStart(text: string, at: number): boolean {
  return at === 0 || !/[A-Za-z0-9]/.test(text[at - 1] ?? "");
}

function tailOf(text: string, from: number): number {
  let at = from;
  while (at < text.length && /[\w.-]/.test(text[at] ?? "")) at += 1;
  return at - from;
}

/** What base64 says, where it says printable text; null otherwise. */
function decodedOf(word: string): string | null {
  if (word.length < 16 || word.length > 20_000 || !/^[A-Za-z0-9+/_-]+=*$/.test(word)) return null;
  const said = Buffer.from(word.replaceAll("-", "+").replaceAll("_", "/"), "base64").toString("latin1");
  const printable = [...said].filter((letter) => letter >= " " && letter <= "~").length;
  return said.length >= 12 && printable / said.length > 0.95 ? said : null;
}

/** Changes between upper case, lower case and digits that no name has: a third of all steps, over 24 characters. */
function isRandom(word: string): boolean {
  const letters = [...word.replaceAll(/[^A-Za-z0-9]/g, "")];
  if (letters.length < 24 || /^[0-9a-f]+$/.test(word) || /[/.]/.test(word)) return false;
  const kind = (letter: string): number => (/\d/.test(letter) ? 0 : letter <= "Z" ? 1 : 2);
  const turns = letters.filter((letter, index) => index > 0 && kind(letter) !== kind(letters[index - 1] ?? "")).length;
  const kinds = new Set(letters.map(kind)).size;
  return kinds === 3 && turns / letters.length > 0.34;
}
