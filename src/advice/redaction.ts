import { SAYS } from "../redact/span.ts";
import { redact } from "../redact.ts";
import { formsOf } from "./known-secrets.ts";
import { leakIn } from "./leak-check.ts";

/** Takes secrets out of what goes to a model, and says afterwards whether any are left. */
export interface Redactor {
  clean(text: string): string;
  /**
   * What looks like a secret in a text that is about to be sent, without saying it; null: nothing does. A second opinion, made in another way.
   * `ours`: what we say ourselves, the same for everybody; a known value that is a word of it may stand in the text.
   */
  leak(text: string, ours?: string): string | null;
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
    leak: (text, ours = "") => leakIn(text, ours === "" ? forms : forms.filter((form) => !ours.includes(form))),
  };
}

/** Bounded on both sides: a long line of letters costs no more than another. `auth` and no author, `pass` and no `bypass`. */
const NAME = String.raw`[\w.-]{0,80}(?:passw(?:or)?d|pwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|signing[_-]?key|encryption[_-]?key|credential|dsn|connection[_-]?string|auth(?!or(?:s|ed|ity)?\b)|(?<!proxy|fastcgi|uwsgi|scgi|grpc)[_.-]pass(?![a-z])(?!_))[\w.-]{0,80}`;

/** Beyond what logs are redacted by: manifests, connection strings, and looser readings of command lines. */
const RULES: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z0-9 ]{1,60}-----[\s\S]*?(?:-----END [A-Z0-9 ]{1,60}-----|$)/g, "‹redacted block›"],
  // env of a manifest: the name says what the value is, in either order; also where lines were joined to one.
  [
    new RegExp(String.raw`(name["']?\s*:\s*["']?${NAME}["']?[\s,][\s-]*["']?value["']?\s*:)(?!\s*‹)[^\n]+`, "gi"),
    "$1 ‹redacted›",
  ],
  [
    new RegExp(String.raw`(value["']?\s*:)(?!\s*‹)[^\n]{1,1000}(\n[ \t]*["']?name["']?\s*:\s*["']?${NAME})`, "gi"),
    "$1 ‹redacted›$2",
  ],
  // KEY: value to the end of the line, in YAML and .env files; a sentence about it is none.
  [
    new RegExp(
      String.raw`^([ \t]*(?:-[ \t]+|export[ \t]+)?["']?${NAME}["']?[ \t]*[:=][ \t]*)(?!‹|\||>|$|${SAYS})(?!\s)[^\n]+`,
      "gim",
    ),
    "$1‹redacted›",
  ],
  // scheme://user:password@host, with an @ in the password: whoever it is, nobody needs to know here.
  [/(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/"'<>]*@(?=[\w.[-])/gi, "$1‹redacted›@"],
  // Server=…;Password=…; and libpq's key=value.
  [
    /\b(password|pwd|accountkey|sharedaccesskey|sharedaccesssignature|sig|sv|secret)\s*=\s*(?!‹)[^\s;,"'&]+/gi,
    "$1=‹redacted›",
  ],
  // "token := …", "key -> …".
  [
    /\b(pass(?:word|phrase|code)?|secret|token|key|credentials?)\b(\s{1,20}(?::=|=>|->)\s+)["'`]?(?!‹)[^\s"'`,;]{4,}/gi,
    "$1$2‹redacted›",
  ],
  // `-pSECRET` and `-u user:SECRET` of any command.
  [/((?:^|\s)-p)(?!‹)(?=\S*[\d\W])[^\s-]\S{3,}/g, "$1‹redacted›"],
  [/((?:^|\s)(?:-u|--user)\s+["']?[^\s:"']+:)(?!‹)[^\s"']+/g, "$1‹redacted›"],
  [
    /(?<![\w-])(x-[\w-]{0,60}(?:key|token|auth|secret)[\w-]{0,60}|cookie|set-cookie)(["']?\s*[:=]\s*)(?!‹)[^\n]+/gi,
    "$1$2‹redacted›",
  ],
];

/** Digits and letters mixed over twenty characters and more, in no word, path, image, hash or name that Kubernetes makes. */
function isOpaque(word: string): boolean {
  const parts = word.split(/[-_/=]/).filter((part) => !/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(part));
  const bare = parts.join("");
  if (!/\d/.test(bare) || !/[A-Za-z]/.test(bare)) return false;
  const mixed = /[a-z]/.test(bare) && /[A-Z]/.test(bare);
  // Names of pods and revisions (`cart-7d9f8b6c5d-x2x4z`) are words with short endings.
  const longest = parts.reduce((most, part) => Math.max(most, part.length), 0);
  if (!mixed) return longest >= 20 && (bare.match(/\d/g)?.length ?? 0) >= 4;
  if (word.includes("/")) return parts.some((part) => part.length >= 12 && (part.match(/\d/g)?.length ?? 0) >= 2);
  return longest >= 12 && (bare.match(/\d/g)?.length ?? 0) >= 2;
}
