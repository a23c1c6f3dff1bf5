import { posix } from "node:path";
import type { Json } from "../model.ts";
import { type Aim, type Candidate, fieldCandidate } from "./candidate.ts";
import type { Layer } from "./kustomize-closure.ts";
import { listEdit } from "./kustomize-images.ts";
import { layerDocument } from "./kustomize-place.ts";
import { baseName } from "./rendered.ts";
import { joinPath } from "./tree.ts";
import { lineOf } from "./yaml-layout.ts";
import { fileRefusal } from "./yaml-refusal.ts";
import type { Spliced, YamlEdit } from "./yaml-splice.ts";

const VIA = "kustomize generator";

/** Edits of what a `configMapGenerator` reads: literals, files, and lines of env files. */
export async function* generatorCandidates(aim: Aim, layer: Layer): AsyncGenerator<Candidate> {
  const { path, to } = aim.change;
  const [data, key] = path;
  if (aim.target.kind !== "ConfigMap" || path.length !== 2 || data !== "data" || typeof key !== "string") return;
  if (to !== undefined && typeof to !== "string") return;
  const found = await layerDocument(layer, aim.read);
  if (found === null) return;
  for (const { generator, index } of generatorsOf(found.value, aim).reverse()) {
    const at = ["configMapGenerator", index];
    for (const edit of literalEdits(generator, key, to, at, found.document))
      yield fieldCandidate(layer.file, found.text, VIA, [edit]);
    for (const [row, reference] of texts(generator["files"]).entries()) {
      const cut = reference.indexOf("=");
      const [name, file] =
        cut < 0 ? [posix.basename(reference), reference] : [reference.slice(0, cut), reference.slice(cut + 1)];
      if (name !== key) continue;
      if (to === undefined)
        yield fieldCandidate(layer.file, found.text, VIA, [
          { op: "delete", document: found.document, path: [...at, "files", row] },
        ]);
      else yield* fileCandidate(aim, joinPath(layer.folder, file), () => to);
    }
    const envs = [...texts(generator["envs"]), ...(typeof generator["env"] === "string" ? [generator["env"]] : [])];
    for (const file of envs)
      yield* fileCandidate(aim, joinPath(layer.folder, file), (text) => withEnvLine(text, key, to));
  }
}

/** Adds a key to a generator of a layer: to its literals, or as its first one. */
export async function* generatorInsertions(aim: Aim, layer: Layer): AsyncGenerator<Candidate> {
  const literal = literalFor(aim);
  const found = literal === undefined ? null : await layerDocument(layer, aim.read);
  if (found === null || literal === undefined) return;
  const { document } = found;
  const rows = generatorsOf(found.value, aim).reverse();
  const edits = rows.map(({ generator, index }): YamlEdit => {
    const path = ["configMapGenerator", index, "literals"];
    if (!Array.isArray(generator["literals"])) return { op: "set", document, path, value: [literal] };
    return { op: "insert", document, path, index: generator["literals"].length, value: literal };
  });
  for (const op of ["insert", "set"])
    for (const edit of edits.filter((it) => it.op === op)) yield fieldCandidate(layer.file, found.text, VIA, [edit]);
}

/** Has a layer say a key of what a generator below it makes: the base stays as it is, for whoever shares it. */
export async function* generatorMerges(aim: Aim, layer: Layer, names: readonly string[]): AsyncGenerator<Candidate> {
  const literal = literalFor(aim);
  const found = literal === undefined ? null : await layerDocument(layer, aim.read);
  if (found === null || literal === undefined) return;
  const length = Array.isArray(found.value["configMapGenerator"]) ? found.value["configMapGenerator"].length : 0;
  for (const name of names) {
    const item: Json = { name, behavior: "merge", literals: [literal] };
    yield fieldCandidate(layer.file, found.text, VIA, [listEdit(found, "configMapGenerator", length, item)]);
  }
}

/** Names of the generators in some layers that may have made the target. */
export function generatorNames(aim: Aim, layers: readonly Layer[]): string[] {
  if (aim.target.kind !== "ConfigMap") return [];
  return [
    ...new Set(layers.flatMap(({ value }) => generatorsOf(value, aim).map(({ generator }) => `${generator["name"]}`))),
  ];
}

function generatorsOf(
  value: { readonly [key: string]: Json },
  aim: Aim,
): { generator: { [key: string]: Json }; index: number }[] {
  const list = Array.isArray(value["configMapGenerator"]) ? value["configMapGenerator"] : [];
  const name = baseName(aim.target.metadata.name);
  return list.flatMap((generator, index) =>
    isMap(generator) && typeof generator["name"] === "string" && name.includes(generator["name"])
      ? [{ generator, index }]
      : [],
  );
}

/** `KEY=value` for a change that sets one key of a ConfigMap. */
function literalFor({ target, change: { path, to } }: Aim): string | undefined {
  const [data, key] = path;
  if (target.kind !== "ConfigMap" || path.length !== 2 || data !== "data") return undefined;
  return typeof key === "string" && typeof to === "string" ? `${key}=${to}` : undefined;
}

function literalEdits(
  generator: { [key: string]: Json },
  key: string,
  to: string | undefined,
  at: (string | number)[],
  document: number,
): YamlEdit[] {
  return texts(generator["literals"]).flatMap((literal, row): YamlEdit[] => {
    if (!literal.startsWith(`${key}=`)) return [];
    const path = [...at, "literals", row];
    return [to === undefined ? { op: "delete", document, path } : { op: "set", document, path, value: `${key}=${to}` }];
  });
}

/** A file that is taken as it is: no YAML rules, the text itself is the value. */
async function* fileCandidate(
  aim: Aim,
  file: string,
  edit: (text: string) => string | null,
): AsyncGenerator<Candidate> {
  const text = await aim.read(file);
  const after = text === null ? null : edit(text);
  if (text === null || after === null || after === text) return;
  yield { file, via: VIA, result: rawResult(file, text, after) };
}

function rawResult(file: string, text: string, after: string): Spliced {
  const refusal = fileRefusal(file, text);
  if (refusal !== undefined) return { ok: false, reason: refusal };
  let same = 0;
  while (same < Math.min(text.length, after.length) && text[same] === after[same]) same++;
  return { ok: true, text: after, line: lineOf(text, same) };
}

function withEnvLine(text: string, key: string, to: string | undefined): string | null {
  const lines = text.split("\n");
  const index = lines.findIndex((line) => line.trimStart().startsWith(`${key}=`));
  const line = lines[index];
  if (line === undefined || to?.includes("\n") === true) return null;
  const end = line.endsWith("\r") ? "\r" : "";
  const next = to === undefined ? [] : [`${line.slice(0, line.indexOf("=") + 1)}${to}${end}`];
  return lines.toSpliced(index, 1, ...next).join("\n");
}

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function isMap(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
