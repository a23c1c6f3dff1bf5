/** Shorter values are words: taking them out would take out half of every text, and tell what they are. */
const SHORTEST = 6;
const MOST = 2000;

/**
 * Every form in which known secret values may stand in a text: as they are, in base64 at any offset (with padding or without), escaped for
 * URLs and for JSON, and each line of those that have several. The longest come first.
 */
export function formsOf(values: readonly string[]): string[] {
  const out = new Set<string>();
  for (const value of values.slice(0, MOST)) {
    for (const piece of [value, value.trim(), ...value.split(/\r?\n/).map((line) => line.trim())]) {
      if (piece.length < SHORTEST || COMMON.test(piece)) continue;
      out.add(piece);
      out.add(encodeURIComponent(piece));
      out.add(JSON.stringify(piece).slice(1, -1));
      for (const form of base64Forms(piece)) out.add(form);
    }
  }
  return [...out].filter((form) => form.length >= SHORTEST).toSorted((a, b) => b.length - a.length);
}

/** Values that stand in Secrets and are none. */
const COMMON =
  /^(?:true|false|enabled|disabled|default|postgres|localhost|production|development|staging|internal|-+BEGIN [A-Z ]+-+|-+END [A-Z ]+-+)$/i;

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
