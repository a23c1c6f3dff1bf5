import type { FieldPath, Json } from "../model.ts";
import { type Aim, type Candidate, fieldCandidate } from "./candidate.ts";
import { sameField } from "./field-equality.ts";
import { isInput } from "./input.ts";
import type { Closure } from "./kustomize-closure.ts";
import { parseOnce } from "./parse-cache.ts";
import type { YamlEdit } from "./yaml-splice.ts";

interface Leaf {
  readonly file: string;
  readonly document: number;
  readonly path: (string | number)[];
  readonly next: Json;
  /** Lower is likelier. */
  readonly rank: number;
}

/** A candidate with the edit that it tries. */
export interface LeafCandidate extends Candidate {
  readonly edit: YamlEdit;
}

/** Any scalar among the inputs of a Kustomize root that could be where the value comes from, such as the source of a replacement. */
export async function* leafCandidates(aim: Aim, closure: Closure): AsyncGenerator<Candidate> {
  const order = [...new Set([...closure.layers.map((layer) => layer.file), ...closure.files])].filter(
    (file) => isInput(file) || /\.(ya?ml|json)$|Kustomization$/.test(file),
  );
  yield* leafEdits(aim, order, "kustomize input");
}

/**
 * Any scalar of some files, in their order, that could be where the value comes from: equal to it, a part of it (a tag), or a
 * text that holds it (`KEY=value`). Only a render tells which.
 */
export async function* leafEdits(aim: Aim, files: readonly string[], via: string): AsyncGenerator<LeafCandidate> {
  const { from, to, path } = aim.change;
  if (!isScalar(from) || !isScalar(to)) return;
  const leaves: Leaf[] = [];
  for (const [position, file] of files.entries()) {
    const text = await aim.read(file);
    const parsed = text === null ? null : parseOnce(text);
    if (parsed === null || !parsed.ok) continue;
    for (const [document, root] of parsed.values.entries()) {
      for (const { path: at, value } of scalarsOf(root, [])) {
        const next = nextFor(value, from, to, path);
        if (next !== undefined)
          leaves.push({
            file,
            document,
            path: at,
            next: next.value,
            rank: next.rank * 1000 + (at.at(-1) === path.at(-1) ? 0 : 500) + position,
          });
      }
    }
  }
  for (const leaf of leaves.sort((a, b) => a.rank - b.rank)) {
    const text = await aim.read(leaf.file);
    if (text === null) continue;
    const edit: YamlEdit = { op: "set", document: leaf.document, path: leaf.path, value: leaf.next };
    yield { ...fieldCandidate(leaf.file, text, via, [edit]), edit };
  }
}

type Scalar = string | number | boolean;

function nextFor(leaf: Json, from: Scalar, to: Scalar, path: FieldPath): { value: Json; rank: number } | undefined {
  if (leaf === from || (typeof leaf === typeof from && sameField(path, leaf, from))) return { value: to, rank: 0 };
  if (
    typeof leaf !== "string" ||
    typeof from !== "string" ||
    typeof to !== "string" ||
    leaf.length < 2 ||
    leaf.includes("\n")
  )
    return undefined;
  const at = from.indexOf(leaf);
  if (at >= 0) {
    const [head, tail] = [from.slice(0, at), from.slice(at + leaf.length)];
    const fits = to.startsWith(head) && to.endsWith(tail) && to.length >= head.length + tail.length;
    return fits ? { value: to.slice(head.length, to.length - tail.length), rank: 1 } : undefined;
  }
  if (from.length < 2 || leaf.split(from).length !== 2) return undefined;
  return { value: leaf.replace(from, () => to), rank: 2 };
}

function scalarsOf(value: Json, path: (string | number)[]): { path: (string | number)[]; value: Json }[] {
  if (typeof value !== "object" || value === null) return value === null ? [] : [{ path, value }];
  const children = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return children.flatMap(([key, child]) => scalarsOf(child, [...path, key]));
}

function isScalar(value: Json | undefined): value is Scalar {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}
