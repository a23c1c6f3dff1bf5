import { posix } from "node:path";
import { StanchError } from "../errors.ts";
import type { Json } from "../model.ts";
import { parseOnce } from "./parse-cache.ts";
import { KUSTOMIZATION_FILES } from "./tool.ts";
import { isInside, joinPath, type Tree } from "./tree.ts";

/** One kustomization file on the way from a root to its bases. */
export interface Layer {
  /** Folder inside the repository. */
  readonly folder: string;
  readonly file: string;
  readonly component: boolean;
  readonly value: { readonly [key: string]: Json };
  /** 0 for the root, -1 for what its owner lays over it. */
  readonly depth: number;
}

/** Everything that a Kustomize root reads. */
export interface Closure {
  /** In order of precedence: the one that writes last comes first. */
  readonly layers: readonly Layer[];
  /** Every file that is read, kustomization files too. */
  readonly files: ReadonlySet<string>;
  /** References that lead out to the network, with who makes them. */
  readonly remotes: readonly { readonly file: string; readonly reference: string }[];
  /** Configurations of transformers and generators, which name files in turn. */
  readonly plugins: readonly PluginConfig[];
  /** A kustomization reads files that are not below its folder, which Kustomize allows only when it is told to. */
  readonly crosses: boolean;
}

/** A configuration of a plugin; `file` is null for one that stands in the kustomization itself, and `folder` says that it is a root. */
export interface PluginConfig {
  readonly layer: string;
  readonly file: string | null;
  readonly folder: boolean;
}

/** What the owner of a root adds to it; `file` is the name of the input, `label` what people call it. */
export interface OverlayLayer {
  readonly file: string;
  readonly label: string;
  readonly value: { readonly [key: string]: Json };
}

/** The kustomization that an engine makes for a folder that has none. `reads`: files that decide what is in it. */
export interface GeneratedRoot {
  readonly file: string;
  readonly value: { readonly [key: string]: Json };
  readonly reads: readonly string[];
}

const MAX_LAYERS = 200;

/**
 * Follows a Kustomize root to every file that it reads. Throws StanchError `render` when a kustomization cannot be read.
 * An overlay is the first layer, and what it names is followed from the root's folder; `closureOf` finds it and the generated root.
 */
export async function readClosure(
  tree: Tree,
  root: string,
  overlay: OverlayLayer | null = null,
  generated: GeneratedRoot | null = null,
): Promise<Closure> {
  const top = root === "" ? "." : root;
  const layers: Layer[] = [];
  const files = new Set<string>(generated?.reads);
  const remotes: { file: string; reference: string }[] = [];
  const plugins: PluginConfig[] = [];
  const seen = new Set<string>();
  let crosses = false;
  if (overlay !== null)
    layers.push({ folder: top, file: overlay.file, component: false, value: overlay.value, depth: -1 });
  await visit(top, 0);
  return { layers, files, remotes, plugins, crosses };

  async function visit(folder: string, depth: number): Promise<void> {
    if (seen.has(folder)) return;
    seen.add(folder);
    if (seen.size > MAX_LAYERS)
      throw new StanchError("render", `${root} pulls in more than ${MAX_LAYERS} kustomizations`);
    const { file, value } = depth === 0 && generated !== null ? generated : await layerAt(folder);
    layers.push({ folder, file, component: value["kind"] === "Component", value, depth });
    const folders: string[] = [];
    const said = [...referencesOf(value), ...(await pluginReferences(tree, { folder, file, value }, plugins))];
    await follow(folder, file, said, folders);
    if (depth === 0 && overlay !== null) await follow(folder, overlay.label, referencesOf(overlay.value), folders);
    // Components run after resources, so they come first here; the last of each kind wins.
    const added = depth === 0 && overlay !== null ? texts(overlay.value["components"]) : [];
    const components = new Set(
      [...texts(value["components"]), ...added].map((reference) => joinPath(folder, reference)),
    );
    const ordered = [
      ...folders.filter((path) => components.has(path)).reverse(),
      ...folders.filter((path) => !components.has(path)).reverse(),
    ];
    for (const path of ordered) await visit(path, depth + 1);
  }

  async function layerAt(folder: string): Promise<Pick<Layer, "file" | "value">> {
    const file = await kustomizationOf(tree, folder);
    if (file === null) throw new StanchError("render", `${folder} has no kustomization file`);
    const value = await readKustomization(tree, file);
    files.add(file);
    return { file, value };
  }

  async function follow(folder: string, by: string, references: readonly string[], folders: string[]): Promise<void> {
    for (const reference of references) {
      // A path from the top of the machine would be joined to a harmless one.
      const path = posix.isAbsolute(reference) ? reference : joinPath(folder, reference);
      const kind = isInside(path) ? await tree.kind(path) : "none";
      if (kind === "file") {
        files.add(path);
        if (folder !== "." && !path.startsWith(`${folder}/`)) crosses = true;
      } else if (kind === "directory") folders.push(path);
      else if (isRemote(reference)) remotes.push({ file: by, reference: withoutCredentials(reference) });
      else if (!isInside(path))
        throw new StanchError("render", `${by} refers to ${reference}, which is outside of the repository`);
    }
  }
}

/** The kustomization file of a folder, or null. */
export async function kustomizationOf(tree: Tree, folder: string): Promise<string | null> {
  for (const name of KUSTOMIZATION_FILES) {
    const file = joinPath(folder, name);
    if ((await tree.kind(file)) === "file") return file;
  }
  return null;
}

/** Text that Kustomize would fetch from the network, as opposed to a path. */
export function isRemote(reference: string): boolean {
  return (
    /^(https?|git|ssh|s3|file|gs|oci):\/\//i.test(reference) ||
    /^(git::|gh:|[\w.-]+@[\w.-]+:)/.test(reference) ||
    /^(github\.com|gitlab\.com|bitbucket\.org)[/:]/i.test(reference) ||
    /[?&](ref|version|timeout|submodules)=/.test(reference) ||
    /[\w-]\.git(\/|$)|_git\//.test(reference)
  );
}

/** Files and folders that a kustomization names, in order; inline texts are left out. */
function referencesOf(value: { readonly [key: string]: Json }): string[] {
  const paths = (list: Json | undefined, ...keys: string[]): string[] =>
    maps(list).flatMap((item) =>
      keys.flatMap((key) => (typeof item[key] === "string" ? [item[key]] : texts(item[key]))),
    );
  const generators = [...maps(value["configMapGenerator"]), ...maps(value["secretGenerator"])];
  const openapi = value["openapi"];
  return [
    ...[
      "resources",
      "bases",
      "components",
      "crds",
      "configurations",
      "transformers",
      "generators",
      "validators",
      "patchesStrategicMerge",
    ].flatMap((key) => texts(value[key])),
    ...paths(value["patches"], "path"),
    ...paths(value["patchesJson6902"], "path"),
    ...paths(value["replacements"], "path"),
    ...generators.flatMap((generator) => texts(generator["files"]).map((text) => text.slice(text.indexOf("=") + 1))),
    ...generators.flatMap((generator) => [
      ...texts(generator["envs"]),
      ...(typeof generator["env"] === "string" ? [generator["env"]] : []),
    ]),
    ...paths(value["helmCharts"], "valuesFile", "additionalValuesFiles"),
    ...(isMap(openapi) && typeof openapi["path"] === "string" ? [openapi["path"]] : []),
  ].filter((reference) => reference !== "" && !reference.includes("\n"));
}

/** Where a kustomization names configurations of plugins. */
export const PLUGIN_KEYS = ["transformers", "generators", "validators"] as const;

/** What the configuration of a built-in transformer or generator names in turn: a patch, a replacement, the files of a generator. */
async function pluginReferences(
  tree: Tree,
  { folder, file, value }: Pick<Layer, "folder" | "file" | "value">,
  plugins: PluginConfig[],
): Promise<string[]> {
  const configs = PLUGIN_KEYS.flatMap((key) => texts(value[key]));
  const found: string[] = [];
  for (const config of configs) {
    const path = joinPath(folder, config);
    const inline = config.includes("\n");
    const kind = inline || !isInside(path) ? "none" : await tree.kind(path);
    if (inline || kind !== "none")
      plugins.push({ layer: file, file: inline ? null : path, folder: kind === "directory" });
    if (!inline && kind !== "file") continue;
    const parsed = parseOnce(inline ? config : ((await tree.read(path)) ?? ""));
    const documents = parsed.ok ? maps([...parsed.values]) : [];
    for (const document of documents) {
      for (const key of ["path", "paths", "valuesFile"])
        found.push(...texts(typeof document[key] === "string" ? [document[key]] : document[key]));
      found.push(...referencesOf({ configMapGenerator: [document], replacements: document["replacements"] ?? [] }));
    }
  }
  return found.filter((reference) => reference !== "" && !reference.includes("\n"));
}

/** The value of a kustomization file. Throws StanchError `render` for what is none. */
export async function readKustomization(tree: Tree, file: string): Promise<{ readonly [key: string]: Json }> {
  const parsed = parseOnce((await tree.read(file)) ?? "");
  if (!parsed.ok) throw new StanchError("render", `${file} is not valid YAML: ${parsed.error}`);
  const value = parsed.values.find((document) => document !== null) ?? {};
  if (!isMap(value)) throw new StanchError("render", `${file} is no kustomization`);
  return value;
}

function withoutCredentials(reference: string): string {
  return reference.replace(/\/\/[^/@\s]+@/, "//").slice(0, 200);
}

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function maps(value: Json | undefined): { [key: string]: Json }[] {
  return Array.isArray(value) ? value.filter((item) => isMap(item)) : [];
}

function isMap(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
