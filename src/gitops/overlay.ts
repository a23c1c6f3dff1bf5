import type { Json } from "../model.ts";
import { argoOverlay } from "./overlay-argo.ts";
import { fluxOverlay } from "./overlay-flux.ts";
import { isMap, type JsonMap, readOverlay, wrong } from "./overlay-reader.ts";

export type Dialect = "argocd" | "flux";

/** What an owner's overlay can say to Kustomize, by its own keys. Everything else in it is about something else. */
const KEYS: Readonly<Record<Dialect, ReadonlySet<string>>> = {
  argocd: words(
    "images replicas patches components namePrefix nameSuffix namespace commonLabels commonAnnotations " +
      "forceCommonLabels forceCommonAnnotations labelWithoutSelector labelIncludeTemplates commonAnnotationsEnvsubst ignoreMissingComponents",
  ),
  flux: words(
    "patches patchesStrategicMerge patchesJson6902 images components namePrefix nameSuffix targetNamespace buildMetadata " +
      "ignoreMissingComponents",
  ),
};

/** These change what others of them do, and nothing by themselves. */
const FLAGS = words(
  "forceCommonLabels forceCommonAnnotations labelWithoutSelector labelIncludeTemplates commonAnnotationsEnvsubst ignoreMissingComponents",
);

/** The part of an owner's settings that Kustomize is concerned with; null when they say nothing to it. */
export function overlayPart(value: Json, dialect: Dialect, label: string): JsonMap | null {
  if (value === null) return null;
  if (!isMap(value)) throw wrong(label, "must be a map");
  const entries = Object.entries(value).filter(([key, item]) => KEYS[dialect].has(key) && says(item));
  return entries.every(([key]) => FLAGS.has(key)) ? null : Object.fromEntries(entries);
}

/**
 * A kustomization as the engine makes it before it builds it: Argo CD by `kustomize edit`, Flux by its generator (fluxcd/pkg/kustomize).
 * `label` names the overlay for people. Throws StanchError `render` where the engine would refuse it.
 */
export function withOverlay(
  kustomization: JsonMap,
  overlay: Json,
  dialect: Dialect,
  label = "the overlay",
): { [key: string]: Json } {
  const part = overlayPart(overlay, dialect, label) ?? {};
  const read = readOverlay(part, label);
  return dialect === "flux" ? fluxOverlay(kustomization, read) : argoOverlay(kustomization, read);
}

function says(value: Json): boolean {
  if (value === null || value === "" || value === false) return false;
  return typeof value !== "object" || (Array.isArray(value) ? value.length > 0 : Object.keys(value).length > 0);
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(" "));
}
