import type { FieldPath, Json } from "../model.ts";

/** One wish for one document (0-based, counted as in the file). Paths follow `src/kube/field-path.ts`. */
export type YamlEdit =
  | { readonly op: "set"; readonly document: number; readonly path: FieldPath; readonly value: Json }
  | {
      readonly op: "insert";
      readonly document: number;
      readonly path: FieldPath;
      readonly index: number;
      readonly value: Json;
    }
  | { readonly op: "delete"; readonly document: number; readonly path: FieldPath };

/** A piece of text that replaces `[start, end)`. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What an edit means for the text, or why it is not made: the end of a sentence. */
export type Planned =
  | { readonly ok: true; readonly splices: readonly Splice[] }
  | { readonly ok: false; readonly reason: string };

export function refuse(reason: string): Planned {
  return { ok: false, reason };
}

export function planned(...splices: readonly Splice[]): Planned {
  return { ok: true, splices };
}

/** The text after all splices, which must not overlap; applied from the last to the first so that offsets hold. */
export function applySplices(text: string, splices: readonly Splice[]): string {
  let out = text;
  for (const splice of [...splices].sort((a, b) => b.start - a.start || b.end - a.end)) {
    out = out.slice(0, splice.start) + splice.text + out.slice(splice.end);
  }
  return out;
}
