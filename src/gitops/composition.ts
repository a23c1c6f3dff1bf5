import { StanchError } from "../errors.ts";
import type { Json, Source } from "../model.ts";
import { argoExpand } from "./argo-variables.ts";
import { fluxKustomization, scanFluxFolder } from "./flux-folder.ts";
import { inputValue } from "./input-value.ts";
import {
  type Closure,
  type GeneratedRoot,
  kustomizationOf,
  type OverlayLayer,
  readClosure,
  readKustomization,
} from "./kustomize-closure.ts";
import { overlayPart, withOverlay } from "./overlay.ts";
import { joinPath, type Tree } from "./tree.ts";

/** The root kustomization of a source as its engine builds it. */
export interface Composition {
  /** Where it stands in the repository, or would stand. */
  readonly file: string;
  readonly value: { readonly [key: string]: Json };
  /** It as a text that Kustomize reads. */
  readonly text: string;
}

/** Is a source built by Kustomize? Also a folder of manifests is, where an overlay is laid over it or roots lie below it. */
export async function isBuilt(tree: Tree, source: Source): Promise<boolean> {
  if (source.tool !== "plain") return source.tool === "kustomize";
  return (await generatedRoot(tree, source)) !== null;
}

/**
 * The root kustomization with everything that its owner adds to it; null where the one in the repository is built as it is. Throws
 * StanchError `render`.
 */
export async function composeRoot(tree: Tree, source: Source): Promise<Composition | null> {
  const overlay = await overlayOf(tree, source);
  const generated = await generatedRoot(tree, source);
  const base = generated ?? (await ownRoot(tree, source));
  const placeholder = generated === null && source.owner.kind === "flux" && !hasItems(base.value["resources"]);
  if (overlay === null && generated === null && !placeholder) return null;
  // Flux writes this into a kustomization without resources, so that Kustomize does not call it empty.
  const marked = placeholder ? { ...base.value, buildMetadata: ["originAnnotations"] } : base.value;
  const value =
    overlay === null || source.overlay === undefined
      ? marked
      : withOverlay(marked, expanded(overlay, source), source.overlay.dialect, overlay.label);
  return { file: base.file, value, text: textOf(value) };
}

/** Everything that a source built by Kustomize reads: its overlay first, and the root that its engine generates where it has none. */
export async function closureOf(tree: Tree, source: Source): Promise<Closure> {
  const [overlay, generated] = [await overlayOf(tree, source), await generatedRoot(tree, source)];
  return readClosure(tree, source.path, overlay, generated);
}

/** A kustomization as a text that means the same to every reader of YAML. */
export function textOf(value: Json | { readonly [key: string]: Json }): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

async function overlayOf(tree: Tree, source: Source): Promise<OverlayLayer | null> {
  if (source.overlay === undefined) return null;
  const { input, dialect } = source.overlay;
  const { value, label } = inputValue(source, input);
  const part = overlayPart(value, dialect, label);
  if (part === null) return null;
  const { components, ignoreMissingComponents, ...rest } = part;
  if (ignoreMissingComponents !== true || !Array.isArray(components)) return { file: input, label, value: part };
  const present: Json[] = [];
  for (const component of components)
    if (typeof component !== "string" || (await isFolder(tree, joinPath(source.path, component))))
      present.push(component);
  return { file: input, label, value: { ...rest, ...(present.length === 0 ? {} : { components: present }) } };
}

/** Argo CD puts in what it knows of the application; the overlay itself stays as its owner wrote it. */
function expanded({ value, label }: OverlayLayer, source: Source): Json {
  if (source.overlay?.dialect !== "argocd") return value;
  const text = (item: Json, place: string): Json => (typeof item === "string" ? argoExpand(item, source, place) : item);
  const texts = (key: string): { [key: string]: Json } => {
    const map = value[key];
    if (typeof map !== "object" || map === null || Array.isArray(map)) return {};
    return {
      [key]: Object.fromEntries(
        Object.entries(map).map(([name, item]) => [name, text(item, `${label}.${key}.${name}`)]),
      ),
    };
  };
  const images = value["images"];
  return {
    ...value,
    ...texts("commonLabels"),
    ...(value["commonAnnotationsEnvsubst"] === true ? texts("commonAnnotations") : {}),
    ...(Array.isArray(images) ? { images: images.map((item, index) => text(item, `${label}.images[${index}]`)) } : {}),
  };
}

async function generatedRoot(tree: Tree, source: Source): Promise<GeneratedRoot | null> {
  if (source.tool !== "plain") return null;
  const overlay = await overlayOf(tree, source);
  if (overlay === null && source.folder?.nested !== true) return null;
  if (source.overlay?.dialect === "argocd")
    throw new StanchError("render", `${source.path} has no kustomization, and ${source.owner.name} lays one over it`, {
      hint: "put a kustomization into the folder",
    });
  const scanned = await scanFluxFolder(tree, source.path);
  if (overlay === null && !scanned.found.some((row) => row.root)) return null;
  return {
    file: joinPath(source.path, "kustomization.yaml"),
    value: fluxKustomization(scanned, source.path),
    reads: scanned.ignoreFiles,
  };
}

async function ownRoot(tree: Tree, source: Source): Promise<Pick<Composition, "file" | "value">> {
  const folder = source.path === "" ? "." : source.path;
  const file = await kustomizationOf(tree, folder);
  if (file === null) throw new StanchError("render", `${folder} has no kustomization file`);
  return { file, value: await readKustomization(tree, file) };
}

async function isFolder(tree: Tree, path: string): Promise<boolean> {
  return (await tree.kind(path).catch(() => "none")) === "directory";
}

function hasItems(value: Json | undefined): boolean {
  return Array.isArray(value) && value.length > 0;
}
