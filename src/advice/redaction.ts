import { redact } from "../redact.ts";
import { formsOf } from "./known-secrets.ts";
import { leakIn } from "./leak-check.ts";

/** Takes secrets out of what goes to a model, and says afterwards whether any are left. */
export interface Redactor {
  clean(text: string): string;
  /** What looks like a secret in a text that is about to be sent, without saying it; null: nothing does. A second opinion, made in another way. */
  leak(text: string): string | null;
}

/** `known`: values that are secrets for certain (of Secrets that may be read, our own tokens). They stay in memory. */
export function makeRedactor(known: readonly string[]): Redactor {
  const forms = formsOf(known);
  return {
    clean(text) {
      let out = text;
      for (const form of forms) out = out.replaceAll(form, "‹redacted›");
      for (const [pattern, replacement] of RULES) out = out.replaceAll(pattern, replacement);
      out = redact(out);
      return out.replaceAll(/[A-Za-z0-9+/_=-]{20,}/g, (word) => (isOpaque(word) ? "‹redacted›" : word));
    },
    leak: (text) => leakIn(text, forms),
  };
}

const NAME = String.raw`[\w.-]*(?:passw(?:or)?d|passwd|pwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|signing[_-]?key|encryption[_-]?key|credential|dsn|connection[_-]?string|auth)[\w.-]*`;

/** Beyond what logs are redacted by: manifests, connection strings, and how people write to each other. */
const RULES: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z0-9 ]+-----[\s\S]*?(?:-----END [A-Z0-9 ]+-----|$)/g, "‹redacted block›"],
  // env of a manifest: the name says what the value is, in either order; also where lines were joined to one.
  [
    new RegExp(String.raw`(name["']?\s*:\s*["']?${NAME}["']?[\s,][\s-]*["']?value["']?\s*:)(?!\s*‹)[^\n]+`, "gi"),
    "$1 ‹redacted›",
  ],
  [
    new RegExp(String.raw`(value["']?\s*:)(?!\s*‹)[^\n]+(\n[\s-]*["']?name["']?\s*:\s*["']?${NAME})`, "gi"),
    "$1 ‹redacted›$2",
  ],
  // KEY: value to the end of the line, in YAML and .env files; a reference to a Secret by name is none.
  [
    new RegExp(String.raw`^(\s*(?:-\s+|export\s+)?["']?${NAME}["']?\s*[:=]\s*)(?!‹|\||>|$)(?!\s)[^\n]+`, "gim"),
    "$1‹redacted›",
  ],
  // scheme://user:password@host, with an @ in the password.
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/"'<>]*@(?=[\w.[-])/gi, "$1‹redacted›@"],
  // Server=…;Password=…; and libpq's key=value.
  [
    /\b(password|pwd|accountkey|sharedaccesskey|sharedaccesssignature|sig|sv|secret)\s*=\s*(?!‹)[^\s;,"'&]+/gi,
    "$1=‹redacted›",
  ],
  // "the password is …", "token: …".
  [
    /\b(pass(?:word|phrase|code)?|secret|token|key|credentials?)\b(\s+(?:is|was|are|:=|=>|->)\s+)["'`]?(?!‹)[^\s"'`,;]{4,}/gi,
    "$1$2‹redacted›",
  ],
  // `mysql -pSECRET`, `curl -u user:SECRET`.
  [/((?:^|\s)-p)(?!‹)(?=\S*[\d\W])[^\s-]\S{3,}/g, "$1‹redacted›"],
  [/((?:^|\s)(?:-u|--user)\s+["']?[^\s:"']+:)(?!‹)[^\s"']+/g, "$1‹redacted›"],
  [/\b(x-[\w-]*(?:key|token|auth|secret)[\w-]*|cookie|set-cookie)(["']?\s*[:=]\s*)(?!‹)[^\n]+/gi, "$1$2‹redacted›"],
  [/\b(?:hooks\.slack\.com\/services|discord(?:app)?\.com\/api\/webhooks)\/[^\s"']+/gi, "‹redacted webhook›"],
  [
    /\b(?:sk|pk|rk)_(?:live|test)_\w{8,}|\bSG\.[\w-]{10,}\.[\w-]{10,}|\bdop_v1_\w{20,}|\bhv[sbr]\.[\w-]{20,}|\bASIA[0-9A-Z]{16}\b|\bya29\.[\w-]{20,}|\bEAACEdEose0cBA\w+/g,
    "‹redacted token›",
  ],
];

/** Digits and letters mixed over twenty characters and more, in no word, path, image, hash or name that Kubernetes makes. */
function isOpaque(word: string): boolean {
  if (/^[0-9a-f]{40}$|^[0-9a-f]{64}$/.test(word)) return false;
  const bare = word.replaceAll(/[-_/=]/g, "");
  if (!/\d/.test(bare) || !/[A-Za-z]/.test(bare)) return false;
  const mixed = /[a-z]/.test(bare) && /[A-Z]/.test(bare);
  // Names of pods and revisions (`cart-7d9f8b6c5d-x2x4z`) are words with short endings.
  const longest = Math.max(...word.split(/[-_/=]/).map((part) => part.length));
  if (!mixed) return longest >= 20 && (bare.match(/\d/g)?.length ?? 0) >= 4;
  return longest >= 12 && (bare.match(/\d/g)?.length ?? 0) >= 2;
}
