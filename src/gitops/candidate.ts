import { getAt, resolvePath, withValue } from "../kube/field-path.ts";
import type { Change, FieldPath, Json, KubeObject, Source } from "../model.ts";
import { isNothing, isQuantityPath } from "./field-equality.ts";
import { type Spliced, spliceYaml, type YamlEdit } from "./yaml-splice.ts";

/** One edit of one file that may make a change; only a render can tell. */
export interface Candidate {
  readonly file: string;
  /** The layer that the edit is made in, in the words of the pull request. */
  readonly via: string;
  readonly result: Spliced;
}

/** What candidates are looked for: one change of one rendered object. */
export interface Aim {
  readonly change: Change;
  /** The object as it is rendered now. */
  readonly target: KubeObject;
  readonly source: Source;
  /** The text of a file with the edits made so far; null when there is none. */
  read(file: string): Promise<string | null>;
}

/** An edit of a document whose top, or whose part at `prefix`, is a (partial) object. */
export function fieldEdits(root: Json, place: { document: number; prefix: FieldPath }, change: Change): YamlEdit[] {
  const inner = getAt(root, place.prefix) ?? null;
  const path = resolvePath(inner, change.path) ?? change.path;
  if (change.to === undefined) {
    return [{ op: "delete", document: place.document, path: [...place.prefix, ...pruned(inner, path, change.path)] }];
  }
  const value = spelledLike(getAt(inner, path), change.to, change.path);
  return [{ op: "set", document: place.document, path: [...place.prefix, ...path], value }];
}

/** The same edit by hand, for callers that know file and text. */
export function fieldCandidate(file: string, text: string, via: string, edits: readonly YamlEdit[]): Candidate {
  return { file, via, result: spliceYaml(file, text, edits) };
}

/** The value in the type that the file uses where Kubernetes takes both: `cpu: 1` goes on as a number. */
function spelledLike(old: Json | undefined, value: Json, path: FieldPath): Json {
  if (
    typeof old === "number" &&
    typeof value === "string" &&
    isQuantityPath(path) &&
    /^(0|[1-9]\d*)(\.\d*[1-9])?$/.test(value)
  )
    return Number(value);
  return value;
}

/** The path to delete: maps and lists that would be left empty and mean nothing then go as well. */
function pruned(root: Json, path: FieldPath, named: FieldPath): FieldPath {
  const rest = withValue<Json>(root, path, undefined);
  let length = path.length;
  while (length > 1 && isNothing(named.slice(0, length - 1), getAt(rest, path.slice(0, length - 1)))) length--;
  return path.slice(0, length);
}
