/** Reading fields of objects of unknown shape: what is missing or of another type is undefined, and nothing ever throws. */

export type Fields = { readonly [name: string]: unknown };

/** The value behind a chain of map keys and list indices. */
export function fieldAt(from: unknown, ...steps: readonly (string | number)[]): unknown {
  let at: unknown = from;
  for (const step of steps) {
    if (typeof at !== "object" || at === null) return undefined;
    if (typeof step === "string" && (Array.isArray(at) || !Object.hasOwn(at, step))) return undefined;
    at = (at as Record<string | number, unknown>)[step];
  }
  return at;
}

export function mapAt(from: unknown, ...steps: readonly (string | number)[]): Fields | undefined {
  const value = fieldAt(from, ...steps);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** An empty list where there is none. */
export function listAt(from: unknown, ...steps: readonly (string | number)[]): readonly unknown[] {
  const value = fieldAt(from, ...steps);
  return Array.isArray(value) ? value : [];
}

export function textAt(from: unknown, ...steps: readonly (string | number)[]): string | undefined {
  const value = fieldAt(from, ...steps);
  return typeof value === "string" ? value : undefined;
}

export function numberAt(from: unknown, ...steps: readonly (string | number)[]): number | undefined {
  const value = fieldAt(from, ...steps);
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** False where there is none. */
export function flagAt(from: unknown, ...steps: readonly (string | number)[]): boolean {
  return fieldAt(from, ...steps) === true;
}

/** Map entries whose values are text, such as labels. */
export function textsAt(from: unknown, ...steps: readonly (string | number)[]): Readonly<Record<string, string>> {
  const map = mapAt(from, ...steps);
  if (map === undefined) return {};
  return Object.fromEntries(
    Object.entries(map).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

/** Milliseconds since 1970 of an RFC 3339 time; undefined for what is none, and for the zero times 0001 and 1970. */
export function timeOf(text: string | undefined | null): number | undefined {
  if (text === undefined || text === null) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) || at <= 0 ? undefined : at;
}
