import { createHash } from "node:crypto";
import { z } from "zod";
import type { Change, FieldPath, Json, ObjectRef } from "../model.ts";
import { redactShapes } from "../redact.ts";

const Step = z.union([
  z.string(),
  z.number(),
  z.strictObject({ by: z.string(), value: z.union([z.string(), z.number()]) }),
]);
const Value = z.union([
  z.strictObject({ value: z.json() }),
  z.strictObject({ hash: z.string().regex(/^[0-9a-f]{64}$/) }),
]);
const Field = z.strictObject({
  object: z.strictObject({
    apiVersion: z.string().min(1),
    kind: z.string().min(1),
    namespace: z.string(),
    name: z.string().min(1),
  }),
  path: z.array(Step),
  /** Absent: the field goes. */
  to: Value.optional(),
});
const Promised = z.strictObject({
  changes: z.array(Field).min(1).max(200),
  /** Every file that is changed, the incident report aside. */
  files: z.array(z.string().min(1)).max(200),
  /** The commit that is taken back: what it changed elsewhere may go back along. */
  revertOf: z
    .string()
    .regex(/^[0-9a-f]{40}$/)
    .optional(),
});

/** What merging a pull request of Stanch's was proved to change in what Git renders, and nothing else. */
export interface ChangePromise {
  readonly changes: readonly PromisedField[];
  readonly files: readonly string[];
  readonly revertOf?: string;
}

export interface PromisedField {
  readonly object: ObjectRef;
  readonly path: FieldPath;
  /** The value afterwards, or the sha256 of what is long or looks like a secret. Absent: the field goes. */
  readonly to?: { readonly value: Json } | { readonly hash: string };
}

/** The longest line that is written: a promise that would be longer is not made, and cannot be checked later. */
const MOST_CHARACTERS = 8_000;
/** JSON of values that stand in the promise as they are. */
const MOST_VALUE = 200;

/**
 * The promise as a hidden line, "" when it would be too long. It is coded as base64, so that no text of a value reads as Markdown, as a
 * mention or as the end of the comment.
 */
export function formatPromise(changes: readonly Change[], files: readonly string[], revertOf?: string): string {
  const promised: ChangePromise = {
    changes: changes.map(({ object: { apiVersion, kind, namespace, name }, path, to }) => ({
      object: { apiVersion, kind, namespace, name },
      path,
      ...(to === undefined ? {} : { to: kept(to) }),
    })),
    files: [...new Set(files)].sort(),
    ...(revertOf !== undefined && /^[0-9a-f]{40}$/.test(revertOf) ? { revertOf } : {}),
  };
  if (promised.changes.length === 0 || promised.changes.length > 200 || promised.files.length > 200) return "";
  const text = Buffer.from(JSON.stringify(promised)).toString("base64");
  return text.length > MOST_CHARACTERS ? "" : `<!-- stanch change v1 ${text} -->`;
}

/** The promise of a body; null when it makes none, or when two lines look like one: then somebody else wrote the second. */
export function parsePromise(body: string): ChangePromise | null {
  const lines = [...body.matchAll(/^<!-- stanch change v1 ([A-Za-z0-9+/=]+) -->\r?$/gm)];
  const [, text] = lines.length === 1 ? (lines[0] ?? []) : [];
  if (text === undefined) return null;
  try {
    const parsed = Promised.safeParse(JSON.parse(Buffer.from(text, "base64").toString("utf8")));
    return parsed.success ? (parsed.data as ChangePromise) : null;
  } catch {
    return null;
  }
}

function kept(value: Json): { readonly value: Json } | { readonly hash: string } {
  const text = JSON.stringify(value);
  return text.length <= MOST_VALUE && redactShapes(text) === text ? { value } : { hash: hashOfValue(value) };
}

/** sha256 of a value as JSON with sorted keys. */
export function hashOfValue(value: Json): string {
  const sorted = (_key: string, part: unknown): unknown =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part;
  return createHash("sha256").update(JSON.stringify(value, sorted)).digest("hex");
}
