import type { Json } from "../model.ts";

export type Quote = "plain" | "single" | "double";
export type ScalarValue = null | boolean | number | string;

/** Where a scalar is going to stand. */
export interface ScalarPlace {
  /** The quotes that it should have if it can. */
  readonly quote: Quote;
  /** Inside `{}` or `[]`, where a comma ends it. */
  readonly flow: boolean;
  /** JSON rules: text and keys in double quotes always. */
  readonly json: boolean;
  /** The quotes to take when plain text would be read as something else. */
  readonly fallback: "single" | "double";
}

export function isScalarValue(value: Json | undefined): value is ScalarValue {
  return value === null || typeof value !== "object";
}

/** A value on one line, so that YAML 1.1, YAML 1.2 and go-yaml all read it back as the same type and value. */
export function writeScalar(value: ScalarValue, place: ScalarPlace): string {
  if (typeof value !== "string") return String(value);
  if (place.json) return doubleQuoted(value);
  if (place.quote === "plain" && isPlainSafe(value, place.flow)) return value;
  const quote = place.quote === "plain" ? place.fallback : place.quote;
  return quote === "single" && isPrintableLine(value) ? `'${value.replaceAll("'", "''")}'` : doubleQuoted(value);
}

/** Whether unquoted text is read as exactly this text by every reader that matters. */
export function isPlainSafe(text: string, flow: boolean): boolean {
  if (!/^[\p{L}\p{N}_./+=:@%$()^;!?*&,<>|~\\'"# -]+$/u.test(text)) return false;
  if (/^[\s\-?:,[\]{}#&*!|>'"%@`=~<]/.test(text) && !/^-{1,2}[A-Za-z]/.test(text)) return false;
  if (/\s$|: | #|:$|\s{2}/.test(text)) return false;
  if (flow && /[,[\]{}]/.test(text)) return false;
  return !looksTyped(text);
}

/** Text that some YAML reader takes for a number, a boolean, null, a date or a merge key. */
export function looksTyped(text: string): boolean {
  if (/^(y|n|yes|no|on|off|true|false|null|nan|~|=|<<|\.|-)$/i.test(text)) return true;
  if (/^[-+]?\.(inf|nan)$/i.test(text)) return true;
  if (/^[-+]?0[xob][\da-f_]+$/i.test(text)) return true;
  if (/^[-+]?\d[\d_,]*(:[0-5]?\d)+(\.\d*)?$/.test(text)) return true;
  if (/^\d{4}-\d\d?-\d\d?([Tt\s].*)?$/.test(text)) return true;
  return /^[-+]?[\d_]*\.?[\d_]*(e[-+]?\d*)?$/i.test(text) && /\d/.test(text);
}

function isPrintableLine(text: string): boolean {
  return !/[\p{C}\u2028\u2029]/u.test(text);
}

function doubleQuoted(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
