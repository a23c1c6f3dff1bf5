/**
 * Edits YAML and JSON by replacing pieces of the source text. The `yaml` package says where a value stands; nothing is
 * ever written back from a parsed document, because that reformats other people's files.
 */
import { isDeepStrictEqual } from "node:util";
import { getAt, resolvePath, withValue } from "../kube/field-path.ts";
import type { FieldPath, Json } from "../model.ts";
import { applySplices, type YamlEdit } from "./yaml-edit.ts";
import { lineOf, styleOf } from "./yaml-layout.ts";
import { parseDocuments, parseValues, parseValues12 } from "./yaml-parse.ts";
import { planEdit } from "./yaml-plan.ts";
import { documentRefusal, fileRefusal } from "./yaml-refusal.ts";

export type { YamlEdit } from "./yaml-edit.ts";

/** `line` is the first line that changes, 1-based, in the text before the edits. */
export type Spliced =
  | { readonly ok: true; readonly text: string; readonly line: number }
  | { readonly ok: false; readonly reason: string };

/**
 * The text of a file with edits made in it, in order. Everything outside of the edited values keeps every byte: comments,
 * quotes, indentation, line endings, byte order mark. The result is read again and must mean exactly what was wished, in
 * YAML 1.1 and 1.2 alike, and nothing else; what cannot be done that way is refused with a sentence.
 */
export function spliceYaml(file: string, text: string, edits: readonly YamlEdit[]): Spliced {
  const refusal = fileRefusal(file, text);
  if (refusal !== undefined) return { ok: false, reason: refusal };
  const wishes = [parseValues, parseValues12].map((parse) => attempt(() => wish(parse(text), edits)));
  const [model, model12] = wishes;
  if (model?.value === undefined || model12?.value === undefined) {
    return { ok: false, reason: `${file} cannot be edited: ${model?.error ?? model12?.error}.` };
  }
  let out = text;
  let line = Number.POSITIVE_INFINITY;
  for (const edit of edits) {
    const values = attempt(() => parseValues12(out));
    if (values.value === undefined) return { ok: false, reason: `${file} is not valid YAML: ${values.error}.` };
    for (const step of narrowed(values.value[edit.document] ?? null, edit)) {
      const made = spliceOne(file, out, step);
      if (!made.ok) return made;
      out = made.text;
      line = Math.min(line, made.line);
    }
  }
  const after = [parseValues, parseValues12].map((parse) => attempt(() => parse(out)).value);
  if (!isDeepStrictEqual(after[0], model.value) || !isDeepStrictEqual(after[1], model12.value)) {
    return { ok: false, reason: `${file} cannot be edited without changing what else it says.` };
  }
  return { ok: true, text: out, line: Number.isFinite(line) ? line : 1 };
}

/** The documents with the edits made in the values, which the edited text must match. */
function wish(documents: readonly Json[], edits: readonly YamlEdit[]): Json[] {
  const out = [...documents];
  for (const edit of edits) {
    const root = out[edit.document];
    if (root === undefined) throw new Error(`it has no document ${edit.document + 1}`);
    out[edit.document] = wishOne(root, edit);
  }
  return out;
}

function wishOne(root: Json, edit: YamlEdit): Json {
  if (edit.op === "set") return withValue(root, exact(root, edit.path), edit.value);
  if (edit.op === "delete") return withValue(root, exact(root, edit.path), undefined);
  const list = getAt(root, exact(root, edit.path));
  const items = Array.isArray(list) ? list : [];
  return withValue<Json>(root, exact(root, edit.path), [
    ...items.slice(0, edit.index),
    edit.value,
    ...items.slice(edit.index),
  ]);
}

/** Named items become indices as far as they exist, so that a key that is edited does not move the path. */
function exact(root: Json, path: FieldPath): FieldPath {
  return resolvePath(root, path) ?? path;
}

function spliceOne(file: string, text: string, edit: YamlEdit): Spliced {
  const document = parseDocuments(text)[edit.document];
  if (document === undefined) return { ok: false, reason: `${file} has no document ${edit.document + 1}.` };
  const refusal = documentRefusal(file, document, text);
  if (refusal !== undefined) return { ok: false, reason: refusal };
  const plan = planEdit(document, edit, { text, style: styleOf(document, text, file) });
  if (!plan.ok) return { ok: false, reason: `${file} cannot be edited: ${plan.reason}.` };
  const start = Math.min(...plan.splices.map((splice) => splice.start));
  return { ok: true, text: applySplices(text, plan.splices), line: lineOf(text, start) };
}

/** A new subtree in the place of an old one, as the few edits that make the difference. */
function narrowed(root: Json, edit: YamlEdit): YamlEdit[] {
  if (edit.op !== "set") return [edit];
  const path = exact(root, edit.path);
  const old = getAt(root, path);
  return old === undefined ? [edit] : difference(old, edit.value, { ...edit, path });
}

function difference(old: Json, next: Json, at: YamlEdit & { op: "set" }): YamlEdit[] {
  if (isDeepStrictEqual(old, next)) return [];
  if (Array.isArray(old) && Array.isArray(next)) return listDifference(old, next, at);
  if (!isMap(old) || !isMap(next)) return [{ ...at, value: next }];
  const kept = Object.keys(next).filter((key) => Object.hasOwn(old, key));
  if (kept.length === 0) return [{ ...at, value: next }];
  const edits: YamlEdit[] = [];
  for (const [key, value] of Object.entries(next)) {
    const child = { ...at, path: [...at.path, key], value };
    const before = old[key];
    edits.push(...(before === undefined ? [child] : difference(before, value, child)));
  }
  for (const key of Object.keys(old)) {
    if (!Object.hasOwn(next, key)) edits.push({ op: "delete", document: at.document, path: [...at.path, key] });
  }
  return edits;
}

function listDifference(old: readonly Json[], next: readonly Json[], at: YamlEdit & { op: "set" }): YamlEdit[] {
  if (old.length === 0 || next.length === 0) return [{ ...at, value: [...next] }];
  let head = 0;
  while (head < Math.min(old.length, next.length) && isDeepStrictEqual(old[head], next[head])) head++;
  let tail = 0;
  const room = Math.min(old.length, next.length) - head;
  while (tail < room && isDeepStrictEqual(old.at(-1 - tail), next.at(-1 - tail))) tail++;
  const edits: YamlEdit[] = [];
  const both = Math.min(old.length, next.length) - tail;
  for (let index = head; index < both; index++) {
    const value = next[index] ?? null;
    edits.push(...difference(old[index] ?? null, value, { ...at, path: [...at.path, index], value }));
  }
  for (let index = old.length - tail - 1; index >= both; index--)
    edits.push({ op: "delete", document: at.document, path: [...at.path, index] });
  for (let index = both; index < next.length - tail; index++) {
    edits.push({ op: "insert", document: at.document, path: at.path, index, value: next[index] ?? null });
  }
  return edits;
}

function isMap(value: Json): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function attempt<T>(make: () => T): { readonly value?: T; readonly error?: string } {
  try {
    return { value: make() };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
