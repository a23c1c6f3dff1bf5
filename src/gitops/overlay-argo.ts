import type { Json } from "../model.ts";
import { isMap, type JsonMap, listOf, type OverlayReader, picked, wrong } from "./overlay-reader.ts";

const PATCH = ["path", "patch", "target", "options"];

/** A kustomization after `kustomize edit`, as Argo CD calls it for `spec.source.kustomize` (util/kustomize of argo-cd). */
export function argoOverlay(base: JsonMap, read: OverlayReader): { [key: string]: Json } {
  const out: { [key: string]: Json } = { ...base };
  for (const key of ["namePrefix", "nameSuffix", "namespace"]) {
    const text = read.text(key);
    if (text !== undefined && text !== "") out[key] = text;
  }
  const images = read.list("images").map((row, index) => argoImage(row, read.at("images", index)));
  if (images.length > 0) out["images"] = byName(listOf(base, "images"), images, keptParts);
  const replicas = read.list("replicas").map((row, index) => argoReplica(row, read.at("replicas", index)));
  if (replicas.length > 0) out["replicas"] = byName(listOf(base, "replicas"), replicas);
  labels(out, read);
  const annotations = read.texts("commonAnnotations");
  if (annotations !== undefined)
    out["commonAnnotations"] = added(
      out["commonAnnotations"],
      annotations,
      read.flag("forceCommonAnnotations"),
      (key) => read.at("commonAnnotations", key),
    );
  const patches = read.list("patches").map((row, index) => picked(row, PATCH, read.at("patches", index)));
  if (patches.length > 0) out["patches"] = [...listOf(base, "patches"), ...patches];
  const components = listOf(base, "components");
  for (const component of read.strings("components")) if (!components.includes(component)) components.push(component);
  if (components.length > 0) out["components"] = components;
  return out;
}

/** `kustomize edit add label`: into `commonLabels`, or into the entry of `labels` with the same settings. */
function labels(out: { [key: string]: Json }, read: OverlayReader): void {
  const wanted = read.texts("commonLabels");
  if (wanted === undefined) return;
  const force = read.flag("forceCommonLabels");
  const place = (key: string): string => read.at("commonLabels", key);
  const includeTemplates = read.flag("labelIncludeTemplates");
  if (!read.flag("labelWithoutSelector")) {
    if (includeTemplates) throw wrong(read.at("labelIncludeTemplates"), "needs labelWithoutSelector");
    out["commonLabels"] = added(out["commonLabels"], wanted, force, place);
    return;
  }
  const rows = listOf(out, "labels");
  const index = rows.findIndex(
    (row) =>
      isMap(row) &&
      (row["includeSelectors"] ?? false) === false &&
      (row["includeTemplates"] ?? false) === includeTemplates,
  );
  const row = rows[index];
  if (isMap(row)) rows[index] = { ...row, pairs: added(row["pairs"], wanted, force, place) };
  else rows.push({ pairs: wanted, ...(includeTemplates ? { includeTemplates } : {}) });
  out["labels"] = rows;
}

function added(
  before: Json | undefined,
  more: Readonly<Record<string, string>>,
  force: boolean,
  place: (key: string) => string,
): { [key: string]: Json } {
  const out: { [key: string]: Json } = isMap(before) ? { ...before } : {};
  for (const [key, value] of Object.entries(more)) {
    if (out[key] !== undefined && !force)
      throw wrong(place(key), "is in the kustomization already, and Argo CD overwrites it only when it is forced");
    out[key] = value;
  }
  return out;
}

interface Image extends JsonMap {
  readonly name: string;
}

/** `[name=]newName[:tag][@digest]`, as `kustomize edit set image` reads it. */
function argoImage(row: Json, place: string): Image {
  if (typeof row !== "string") throw wrong(place, "must be a text such as name=new/name:tag");
  const cut = row.indexOf("=");
  const value = cut < 0 ? row : row.slice(cut + 1);
  const slash = Math.max(0, value.indexOf("/"));
  const [, name = "", tag, digest] = /^([^:@]*)(?::([^@]*))?(?:@(.*))?$/s.exec(value.slice(slash)) ?? [];
  const image = value.slice(0, slash) + name;
  if (image === row || image === "" || cut === 0)
    throw wrong(place, `is no image that Kustomize takes: ${row.slice(0, 100)}`);
  const version = { ...(tag === undefined ? {} : { newTag: tag }), ...(digest === undefined ? {} : { digest }) };
  return cut < 0 ? { name: image, ...version } : { name: row.slice(0, cut), newName: image, ...version };
}

/** An asterisk takes over what the kustomization says. */
function keptParts(image: JsonMap, before: JsonMap | undefined): JsonMap {
  const out: { [key: string]: Json } = {};
  for (const [key, value] of Object.entries(image)) {
    const kept = value === "*" && key !== "name" ? before?.[key] : value;
    if (kept !== undefined) out[key] = kept;
  }
  return out;
}

function argoReplica(row: Json, place: string): Image {
  const count = isMap(row) ? Number(row["count"]) : Number.NaN;
  if (!isMap(row) || typeof row["name"] !== "string" || !Number.isInteger(count) || row["count"] === "")
    throw wrong(place, "must have a name and a whole number as count");
  return { name: row["name"], count };
}

/** Replaces entries of the same name, and keeps the others, sorted by name, as `kustomize edit set` writes them. */
function byName(
  before: readonly Json[],
  wanted: readonly Image[],
  merge: (row: JsonMap, before: JsonMap | undefined) => JsonMap = (row) => row,
): Json[] {
  const rows = new Map<string, Json>(wanted.map((row) => [row.name, merge(row, undefined)]));
  const asked = new Map(wanted.map((row) => [row.name, row]));
  for (const old of before) {
    const name = isMap(old) && typeof old["name"] === "string" ? old["name"] : "";
    const row = asked.get(name);
    rows.set(name, row === undefined || !isMap(old) ? old : merge(row, old));
  }
  return [...rows.keys()].sort().map((name) => rows.get(name) ?? null);
}
