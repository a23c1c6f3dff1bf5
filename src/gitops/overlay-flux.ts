import type { Json } from "../model.ts";
import { isMap, type JsonMap, listOf, type OverlayReader, picked, wrong } from "./overlay-reader.ts";

const PATCH = ["patch", "target"];

/** A kustomization as the generator of Flux completes it by a Kustomization's `spec` (kustomize of fluxcd/pkg). */
export function fluxOverlay(base: JsonMap, read: OverlayReader): { [key: string]: Json } {
  const out: { [key: string]: Json } = { ...base };
  const namespace = read.text("targetNamespace");
  if (namespace !== undefined) out["namespace"] = namespace;
  for (const key of ["namePrefix", "nameSuffix"]) {
    const text = read.text(key);
    if (text !== undefined) out[key] = text;
  }
  const add = (key: string, rows: readonly Json[]): void => {
    if (rows.length > 0) out[key] = [...listOf(base, key), ...rows];
  };
  add(
    "patches",
    read.list("patches").map((row, index) => picked(row, PATCH, read.at("patches", index))),
  );
  const components = read.strings("components");
  for (const [index, component] of components.entries())
    if (/^(?:\/|[a-z]+:\/\/|git::|gh:|git@|github\.com[:/])/i.test(component))
      throw wrong(read.at("components", index), "must be a path inside of the repository");
  add("components", components);
  add(
    "patchesStrategicMerge",
    read.list("patchesStrategicMerge").map((row, index) => {
      if (!isMap(row)) throw wrong(read.at("patchesStrategicMerge", index), "must be a map");
      return JSON.stringify(row);
    }),
  );
  add(
    "patchesJson6902",
    read.list("patchesJson6902").map((row, index) => {
      const place = read.at("patchesJson6902", index);
      if (!isMap(row) || !Array.isArray(row["patch"])) throw wrong(place, "must have a list of operations as patch");
      return picked({ ...row, patch: JSON.stringify(row["patch"]) }, PATCH, place);
    }),
  );
  const images = read.list("images").map((row, index) => fluxImage(row, read.at("images", index)));
  if (images.length > 0) out["images"] = merged(listOf(base, "images"), images);
  const metadata = read.strings("buildMetadata");
  if (metadata.length > 0) out["buildMetadata"] = metadata;
  return out;
}

interface Image extends JsonMap {
  readonly name: string;
}

function fluxImage(row: Json, place: string): Image {
  if (!isMap(row) || typeof row["name"] !== "string") throw wrong(place, "must have a name");
  for (const key of ["newName", "newTag", "digest"])
    if (row[key] !== undefined && typeof row[key] !== "string") throw wrong(`${place}.${key}`, "must be a text");
  const { name, ...rest } = row;
  return { ...rest, name } as Image;
}

/** Tag and digest are one version: who says one of them takes the other out. */
function merged(before: readonly Json[], images: readonly Image[]): Json[] {
  const rows = [...before];
  for (const image of images) {
    const index = rows.findIndex((row) => isMap(row) && row["name"] === image.name);
    const old = rows[index];
    const [newName, newTag, digest] = ["newName", "newTag", "digest"].map((key) => image[key] || undefined);
    const version = { ...(newTag === undefined ? {} : { newTag }), ...(digest === undefined ? {} : { digest }) };
    const name = newName === undefined ? {} : { newName };
    if (!isMap(old)) rows.push({ name: image.name, ...name, ...version });
    else {
      const { newTag: _tag, digest: _digest, ...rest } = old;
      rows[index] = { ...(Object.keys(version).length === 0 ? old : rest), ...name, ...version };
    }
  }
  return rows;
}
