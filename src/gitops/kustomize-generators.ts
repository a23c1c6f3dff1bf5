import { posix } from "node:path";
import type { Json } from "../model.ts";
import { type Aim, type Candidate, fieldCandidate } from "./candidate.ts";
import type { Layer } from "./kustomize-closure.ts";
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
  const generators = Array.isArray(found.value["configMapGenerator"]) ? found.value["configMapGenerator"] : [];
  for (const [index, generator] of [...generators.entries()].reverse()) {
    if (!isMap(generator) || !baseName(aim.target.metadata.name).includes(String(generator["name"]))) continue;
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

/** Adds a key to a generator that has literals. */
export async function* generatorInsertions(aim: Aim, layer: Layer): AsyncGenerator<Candidate> {
  const { path, to } = aim.change;
  const key = path[1];
  if (
    aim.target.kind !== "ConfigMap" ||
    path.length !== 2 ||
    path[0] !== "data" ||
    typeof key !== "string" ||
    typeof to !== "string"
  )
    return;
  const found = await layerDocument(layer, aim.read);
  const generators =
    found !== null && Array.isArray(found.value["configMapGenerator"]) ? found.value["configMapGenerator"] : [];
  for (const [index, generator] of [...generators.entries()].reverse()) {
    if (found === null || !isMap(generator) || !Array.isArray(generator["literals"])) continue;
    if (!baseName(aim.target.metadata.name).includes(String(generator["name"]))) continue;
    const list = ["configMapGenerator", index, "literals"];
    yield fieldCandidate(layer.file, found.text, VIA, [
      {
        op: "insert",
        document: found.document,
        path: list,
        index: generator["literals"].length,
        value: `${key}=${to}`,
      },
    ]);
  }
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
