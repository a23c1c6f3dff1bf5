import { type ImageReference, parseImage } from "../kube/image.ts";
import type { Json } from "../model.ts";
import { type Aim, type Candidate, fieldCandidate } from "./candidate.ts";
import type { Layer } from "./kustomize-closure.ts";
import { layerDocument } from "./kustomize-place.ts";
import type { YamlEdit } from "./yaml-splice.ts";

/** Edits of the `images:` entries of a layer that made the image what it is. */
export async function* imageCandidates(aim: Aim, layer: Layer): AsyncGenerator<Candidate> {
  const images = imagesOf(aim);
  const found = images === undefined ? null : await layerDocument(layer, aim.read);
  if (images === undefined || found === null) return;
  const entries = Array.isArray(found.value["images"]) ? found.value["images"] : [];
  for (const [index, entry] of [...entries.entries()].reverse()) {
    if (!isMap(entry) || (entry["newName"] ?? entry["name"]) !== images.from.name) continue;
    const edits = entryEdits(entry, images.to).map((edit): YamlEdit => {
      const path = ["images", index, edit.key];
      return edit.value === undefined
        ? { op: "delete", document: found.document, path }
        : { op: "set", document: found.document, path, value: edit.value };
    });
    if (edits.length > 0) yield fieldCandidate(layer.file, found.text, "kustomize images", edits);
  }
}

/** A new `images:` entry in a layer that has none for the image. */
export async function* imageInsertions(aim: Aim, layer: Layer): AsyncGenerator<Candidate> {
  const images = imagesOf(aim);
  const found = images === undefined ? null : await layerDocument(layer, aim.read);
  if (images === undefined || found === null) return;
  const entries = Array.isArray(found.value["images"]) ? found.value["images"] : [];
  if (entries.some((entry) => isMap(entry) && entry["name"] === images.from.name)) return;
  const entry: Json = { name: images.from.name, ...wantedKeys(images.from, images.to) };
  yield fieldCandidate(layer.file, found.text, "kustomize images", [listEdit(found, "images", entries.length, entry)]);
}

/** Edits of the `replicas:` entries of a layer. */
export async function* replicaCandidates(aim: Aim, layer: Layer): AsyncGenerator<Candidate> {
  const found = isReplicas(aim) ? await layerDocument(layer, aim.read) : null;
  if (found === null || typeof aim.change.to !== "number") return;
  const entries = Array.isArray(found.value["replicas"]) ? found.value["replicas"] : [];
  for (const [index, entry] of [...entries.entries()].reverse()) {
    if (!isMap(entry) || typeof entry["name"] !== "string" || !aim.target.metadata.name.includes(entry["name"]))
      continue;
    yield fieldCandidate(layer.file, found.text, "kustomize replicas", [
      { op: "set", document: found.document, path: ["replicas", index, "count"], value: aim.change.to },
    ]);
  }
}

/** A new `replicas:` entry, under each of the names that the object may go by. */
export async function* replicaInsertions(aim: Aim, layer: Layer, names: readonly string[]): AsyncGenerator<Candidate> {
  const found = isReplicas(aim) ? await layerDocument(layer, aim.read) : null;
  if (found === null || typeof aim.change.to !== "number") return;
  const entries = Array.isArray(found.value["replicas"]) ? found.value["replicas"] : [];
  for (const name of names) {
    yield fieldCandidate(layer.file, found.text, "kustomize replicas", [
      listEdit(found, "replicas", entries.length, { name, count: aim.change.to }),
    ]);
  }
}

/** Adds an item to a list of a kustomization, and the list when there is none. */
export function listEdit(
  found: { document: number; value: { readonly [key: string]: Json } },
  key: string,
  length: number,
  item: Json,
): YamlEdit {
  if (Array.isArray(found.value[key]))
    return { op: "insert", document: found.document, path: [key], index: length, value: item };
  return { op: "set", document: found.document, path: [key], value: [item] };
}

function imagesOf(aim: Aim): { from: ImageReference; to: ImageReference } | undefined {
  const { path, from, to } = aim.change;
  if (path.at(-1) !== "image" || typeof from !== "string" || typeof to !== "string") return undefined;
  const [before, after] = [parseImage(from), parseImage(to)];
  return before === null || after === null ? undefined : { from: before, to: after };
}

function isReplicas(aim: Aim): boolean {
  return aim.change.path.length === 2 && aim.change.path[0] === "spec" && aim.change.path[1] === "replicas";
}

/** What an existing entry must become: nothing is appended where something can be updated. */
function entryEdits(entry: { [key: string]: Json }, to: ImageReference): { key: string; value: Json | undefined }[] {
  const want: Record<string, Json | undefined> = {
    newName: to.name === entry["name"] ? undefined : to.name,
    newTag: to.tag,
    digest: to.digest,
  };
  const edits = Object.entries(want).map(([key, value]) => ({ key, value }));
  return edits
    .filter(({ key, value }) => (value === undefined ? entry[key] !== undefined : entry[key] !== value))
    .sort((a, b) => Number(a.value === undefined) - Number(b.value === undefined));
}

function wantedKeys(from: ImageReference, to: ImageReference): { [key: string]: Json } {
  return {
    ...(to.name === from.name ? {} : { newName: to.name }),
    ...(to.tag === undefined ? {} : { newTag: to.tag }),
    ...(to.digest === undefined ? {} : { digest: to.digest }),
  };
}

function isMap(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
