import { getAt } from "../kube/field-path.ts";
import { groupOf } from "../kube/ref.ts";
import type { Change, FieldPath, Json, KubeObject, PathStep } from "../model.ts";
import { type Aim, type Candidate, fieldEdits } from "./candidate.ts";
import type { Layer } from "./kustomize-closure.ts";
import { type PatchPlace, patchesOf } from "./kustomize-place.ts";
import type { YamlEdit } from "./yaml-splice.ts";

/** Edits of the patches of a layer that set the field now, last patch first. */
export async function* patchCandidates(aim: Aim, layer: Layer): AsyncGenerator<Candidate> {
  for (const place of await patchesOf(layer, aim.read)) {
    for (const [document, value] of place.documents.entries()) {
      for (const edits of Array.isArray(value)
        ? operationEdits(value, document, aim.change)
        : mergeEdits(value, document, aim, place)) {
        yield { file: place.file, via: place.via, result: place.splice(edits) };
      }
    }
  }
}

/** Insertions into the strategic merge patches that a layer already has for the object. */
export async function* patchInsertions(aim: Aim, layer: Layer): AsyncGenerator<Candidate> {
  for (const place of await patchesOf(layer, aim.read)) {
    for (const [document, value] of place.documents.entries()) {
      if (!isFor(value, aim.target, place) || getAt(value, aim.change.path) !== undefined) continue;
      const patch = mergePatch(aim.change);
      if (patch === undefined) continue;
      yield {
        file: place.file,
        via: place.via,
        result: place.splice([{ op: "set", document, path: patch.path, value: patch.value }]),
      };
    }
  }
}

/**
 * A change as a strategic merge patch says it: where to, and which value. Undefined for what such a patch cannot say:
 * one item of a list without merge key.
 */
export function mergePatch(change: Change): { readonly path: FieldPath; readonly value: Json } | undefined {
  if (change.path.length === 0 || change.path.some((step) => typeof step === "number")) return undefined;
  if (change.to !== undefined) return { path: change.path, value: change.to };
  const last = change.path.at(-1);
  return { path: change.path, value: typeof last === "object" ? { [last.by]: last.value, $patch: "delete" } : null };
}

function mergeEdits(value: Json, document: number, aim: Aim, place: PatchPlace): YamlEdit[][] {
  if (!isFor(value, aim.target, place) || getAt(value, aim.change.path) === undefined) return [];
  return [fieldEdits(value, { document, prefix: [] }, aim.change)];
}

/** JSON Patch operations that write the field or a subtree that holds it; items of lists are counted there, so any index may be it. */
function operationEdits(operations: readonly Json[], document: number, change: Change): YamlEdit[][] {
  const found: YamlEdit[][] = [];
  for (const [index, operation] of [...operations.entries()].reverse()) {
    if (!isMap(operation) || typeof operation["path"] !== "string" || operation["value"] === undefined) continue;
    const rest = restOf(operation["path"], change.path);
    if (rest === undefined || (rest.length > 0 && getAt(operation["value"], rest) === undefined)) continue;
    if (change.to === undefined && rest.length === 0) {
      if (operations.length > 1) found.push([{ op: "delete", document, path: [index] }]);
    } else
      found.push(fieldEdits(operations as Json, { document, prefix: [index, "value"] }, { ...change, path: rest }));
  }
  return found;
}

/** What is left of a path below a JSON Pointer that leads to it or above it. */
function restOf(pointer: string, path: FieldPath): FieldPath | undefined {
  const steps = pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (steps.length > path.length || steps.length === 0) return undefined;
  return steps.every((step, index) => matches(step, path[index])) ? path.slice(steps.length) : undefined;
}

function matches(step: string, wanted: PathStep | undefined): boolean {
  if (typeof wanted === "string") return step === wanted;
  return (
    wanted !== undefined &&
    (step === "-" || (typeof wanted === "number" ? step === String(wanted) : /^\d+$/.test(step)))
  );
}

/** Whether a partial object may be for the target: names may have got a prefix, a suffix or a hash since. */
function isFor(value: Json, target: KubeObject, place: PatchPlace): boolean {
  if (!isMap(value)) return false;
  const metadata = value["metadata"];
  const name = isMap(metadata) ? metadata["name"] : undefined;
  if (typeof value["kind"] === "string" && value["kind"] !== target.kind) return place.targeted;
  if (typeof value["apiVersion"] === "string" && groupOf(value["apiVersion"]) !== groupOf(target.apiVersion))
    return place.targeted;
  return place.targeted || (typeof name === "string" && target.metadata.name.includes(name));
}

function isMap(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
