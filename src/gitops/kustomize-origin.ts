import { getAt, withValue } from "../kube/field-path.ts";
import { groupOf } from "../kube/ref.ts";
import type { Json } from "../model.ts";
import { type Aim, type Candidate, fieldCandidate, fieldEdits } from "./candidate.ts";
import type { Closure, Layer } from "./kustomize-closure.ts";
import { listEdit } from "./kustomize-images.ts";
import { mergePatch } from "./kustomize-patches.ts";
import { layerDocument } from "./kustomize-place.ts";
import { type Declared, declaredIn } from "./manifest.ts";
import { parseOnce } from "./parse-cache.ts";
import { joinPath } from "./tree.ts";
import { flowText, pairLines, type YamlStyle } from "./yaml-text.ts";

interface Origin extends Declared {
  readonly file: string;
  readonly document: number;
  readonly root: Json;
}

/** Documents among the resources of the layers that may be where the object comes from; the likeliest first. */
export async function originsOf(aim: Aim, closure: Closure): Promise<Origin[]> {
  const found: Origin[] = [];
  for (const layer of closure.layers) {
    const resources = [...texts(layer.value["resources"]), ...texts(layer.value["bases"])].map((reference) =>
      joinPath(layer.folder, reference),
    );
    for (const file of resources.filter((path) => closure.files.has(path))) {
      const text = await aim.read(file);
      const parsed = text === null ? null : parseOnce(text);
      if (parsed === null || !parsed.ok) continue;
      for (const [document, root] of parsed.values.entries()) {
        for (const declared of declaredIn(root))
          if (isLike(declared, aim)) found.push({ ...declared, file, document, root });
      }
    }
  }
  const name = aim.target.metadata.name;
  return found.sort(
    (a, b) =>
      Number(b.object.metadata.name === name) - Number(a.object.metadata.name === name) ||
      b.object.metadata.name.length - a.object.metadata.name.length,
  );
}

/** Edits of the document that the object comes from: those that set the field now, or those that do not. */
export async function* originCandidates(
  aim: Aim,
  origins: readonly Origin[],
  present: boolean,
): AsyncGenerator<Candidate> {
  for (const origin of origins) {
    const text = await aim.read(origin.file);
    const set = getAt(origin.object, aim.change.path) !== undefined;
    if (text === null || set !== present) continue;
    yield fieldCandidate(origin.file, text, "manifest", fieldEdits(origin.root, origin, aim.change));
  }
}

/** A new inline patch in a layer: one file changes, and nothing below it. */
export async function* newPatchCandidates(aim: Aim, layer: Layer, names: readonly string[]): AsyncGenerator<Candidate> {
  const found = await layerDocument(layer, aim.read);
  const patch = mergePatch(aim.change);
  if (found === null || patch === undefined) return;
  const patches = Array.isArray(found.value["patches"]) ? found.value["patches"] : [];
  const { apiVersion, kind } = aim.target;
  const { namespace } = aim.target.metadata;
  // A base can be pulled in twice, into two namespaces: then the name alone would hit both.
  const scopes = namespace === undefined ? [undefined] : [undefined, namespace];
  for (const [only, name] of scopes.flatMap((scope) => names.map((name) => [scope, name] as const))) {
    const body = withValue<Json>({ apiVersion, kind, metadata: { name } }, patch.path, patch.value);
    const lines = Object.entries(body as { [key: string]: Json }).flatMap(([key, value]) =>
      pairLines(key, value, STYLE),
    );
    const target: Json = { kind, name, ...(only === undefined ? {} : { namespace: only }) };
    const item: Json = { target, patch: lines.join("\n") };
    yield fieldCandidate(layer.file, found.text, `kustomize patch (new, for ${flowText(name, STYLE)})`, [
      listEdit(found, "patches", patches.length, item),
    ]);
  }
}

const STYLE: YamlStyle = { step: 2, listStep: 2, quote: "double", padding: "", json: false, eol: "\n" };

function isLike({ object }: Declared, aim: Aim): boolean {
  if (object.kind !== aim.target.kind || groupOf(object.apiVersion) !== groupOf(aim.target.apiVersion)) return false;
  return aim.target.metadata.name.includes(object.metadata.name);
}

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
