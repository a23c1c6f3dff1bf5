import type { Json } from "../model.ts";
import type { Layer } from "./kustomize-closure.ts";
import { parseOnce } from "./parse-cache.ts";
import { joinPath } from "./tree.ts";
import { type Spliced, spliceYaml, type YamlEdit } from "./yaml-splice.ts";

type JsonMap = { readonly [key: string]: Json };

/** A patch of a kustomization, in a file of its own or inside the kustomization file. */
export interface PatchPlace {
  /** The file that is edited. */
  readonly file: string;
  /** Name of the patch in words. */
  readonly via: string;
  /** The patch itself. */
  readonly text: string;
  /** Each document of the patch: a partial object, or a list of JSON Patch operations. */
  readonly documents: readonly Json[];
  /** It says itself which objects it is for. */
  readonly targeted: boolean;
  /** The edited file with edits made in the patch. */
  splice(edits: readonly YamlEdit[]): Spliced;
}

/** The patches of a layer; the one that is applied last comes first. */
export async function patchesOf(layer: Layer, read: (file: string) => Promise<string | null>): Promise<PatchPlace[]> {
  const rows: { key: string; index: number; inner?: string; path?: string; text?: string; targeted: boolean }[] = [];
  for (const key of ["patchesStrategicMerge", "patches", "patchesJson6902"]) {
    for (const [index, row] of listOf(layer.value[key]).entries()) {
      if (typeof row === "string")
        rows.push(
          row.includes("\n") ? { key, index, text: row, targeted: false } : { key, index, path: row, targeted: false },
        );
      else if (isMap(row)) {
        const targeted = row["target"] !== undefined;
        if (typeof row["path"] === "string") rows.push({ key, index, path: row["path"], targeted });
        else if (typeof row["patch"] === "string")
          rows.push({ key, index, inner: "patch", text: row["patch"], targeted });
      }
    }
  }
  const places: PatchPlace[] = [];
  for (const row of rows.reverse()) {
    const place =
      row.path === undefined
        ? await inlinePlace(layer, row, read)
        : await filePlace(joinPath(layer.folder, row.path), row.targeted, read);
    if (place !== null) places.push(place);
  }
  return places;
}

/** The kustomization document of a layer in the text as it is now. */
export async function layerDocument(
  layer: Layer,
  read: (file: string) => Promise<string | null>,
): Promise<{ text: string; document: number; value: JsonMap } | null> {
  const text = await read(layer.file);
  const parsed = text === null ? null : parseOnce(text);
  if (text === null || parsed === null || !parsed.ok) return null;
  const document = parsed.values.findIndex((value) => value !== null);
  const value = parsed.values[document];
  return isMap(value) ? { text, document, value } : null;
}

async function filePlace(
  file: string,
  targeted: boolean,
  read: (file: string) => Promise<string | null>,
): Promise<PatchPlace | null> {
  const text = await read(file);
  const parsed = text === null ? null : parseOnce(text);
  if (text === null || parsed === null || !parsed.ok) return null;
  return {
    file,
    via: "kustomize patch",
    text,
    documents: parsed.values,
    targeted,
    splice: (edits) => spliceYaml(file, text, edits),
  };
}

async function inlinePlace(
  layer: Layer,
  row: { key: string; index: number; inner?: string; targeted: boolean },
  read: (file: string) => Promise<string | null>,
): Promise<PatchPlace | null> {
  const outer = await layerDocument(layer, read);
  const path = [row.key, row.index, ...(row.inner === undefined ? [] : [row.inner])];
  const text = outer === null ? undefined : textAt(outer.value, path);
  if (outer === null || text === undefined) return null;
  const parsed = parseOnce(text);
  if (!parsed.ok) return null;
  return {
    file: layer.file,
    via: "kustomize inline patch",
    text,
    documents: parsed.values,
    targeted: row.targeted,
    splice(edits) {
      const inner = spliceYaml(layer.file, text, edits);
      if (!inner.ok) return inner;
      return spliceYaml(layer.file, outer.text, [{ op: "set", document: outer.document, path, value: inner.text }]);
    },
  };
}

function textAt(value: JsonMap, path: readonly (string | number)[]): string | undefined {
  let at: Json | undefined = value as Json;
  for (const step of path) at = Array.isArray(at) ? at[step as number] : isMap(at) ? at[step] : undefined;
  return typeof at === "string" ? at : undefined;
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function isMap(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
