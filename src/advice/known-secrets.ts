import { StanchError } from "../errors.ts";
import { partsOf } from "./secret-parts.ts";

/** Shorter values are words: taking them out would take out half of every text, and tell what they are. */
const SHORTEST = 6;
/** Values, their lines and their parts, all together. */
const MOST = 50_000;

/**
 * Every form in which known secret values may stand in a text: as they are, in base64 at any offset (with padding or without), escaped for
 * URLs and for JSON as programs do it, once or twice; and so each line of those that have several, and each value in those that hold JSON or
 * lines of `key=value`. The longest come first. Throws StanchError `model` where there are more than can be looked for.
 */
export function formsOf(values: readonly string[]): string[] {
  const pieces = new Set<string>();
  for (const value of values) {
    for (const piece of [value, value.trim(), ...value.split(/\r?\n/).map((line) => line.trim()), ...partsOf(value)])
      if (piece.length >= SHORTEST && !COMMON.test(piece)) pieces.add(piece.toWellFormed());
    if (pieces.size > MOST)
      throw new StanchError("model", `the Secrets hold more than ${MOST} values and lines: they cannot be taken out`);
  }
  const out = new Set<string>();
  for (const piece of pieces)
    for (const form of [piece, ...urlForms(piece), ...jsonForms(piece), ...base64Forms(piece)]) out.add(form);
  return [...out].filter((form) => form.length >= SHORTEST).toSorted((a, b) => b.length - a.length);
}

/** Values that stand in Secrets and are none, and words that our own marks are made of. */
const COMMON =
  /^(?:true|false|enabled|disabled|default|postgres|localhost|production|development|staging|internal|redacted|characters|-+BEGIN [A-Z ]+-+|-+END [A-Z ]+-+)$/i;

/** As addresses and forms have it: Go, Java and JavaScript leave different letters as they are, and some write small digits. */
function urlForms(piece: string): string[] {
  const plain = encodeURIComponent(piece);
  const strict = plain.replaceAll(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
  const forms = [plain, strict].flatMap((form) => [form, form.replaceAll("%20", "+")]);
  return forms.flatMap((form) => [form, form.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())]);
}

/** As JSON has it, and as JSON within JSON. Go escapes what HTML would read; others all that is not ASCII. */
function jsonForms(piece: string): string[] {
  const inside = (text: string): string => JSON.stringify(text).slice(1, -1);
  const escaped = (letter: string): string => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const plain = inside(piece);
  const go = plain.replaceAll(/[<>&\u2028\u2029]/g, escaped);
  const ascii = plain.replaceAll(/[\u0080-\uffff]/g, escaped);
  return [plain, go, ascii].flatMap((form) => [form, inside(form)]);
}

/** What is left of a value in base64 wherever it begins in the text that was encoded. */
function base64Forms(value: string): string[] {
  const bytes = Buffer.from(value, "utf8");
  return [0, 1, 2].flatMap((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    // The first letters hold bits of what comes before, the last of what follows.
    const inner = text.slice(
      shift === 0 ? 0 : shift + 1,
      bytes.length + shift > 2 ? Math.floor(((bytes.length + shift) * 8) / 6) : 0,
    );
    return inner.length >= 8 ? [inner, inner.replaceAll("+", "-").replaceAll("/", "_")] : [];
  });
}
