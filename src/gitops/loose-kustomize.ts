import { StanchError } from "../errors.ts";
import type { Json } from "../model.ts";
import { type Composition, textOf } from "./composition.ts";
import { type Closure, PLUGIN_KEYS } from "./kustomize-closure.ts";
import { parseOnce } from "./parse-cache.ts";
import type { Tree } from "./tree.ts";

type JsonMap = { readonly [key: string]: Json };

/** Keys under which Kustomize looks for files, as it spells them. It takes them in any case, and so would miss what was looked at. */
const FILE_KEYS = (
  "resources bases components crds configurations transformers generators validators patchesStrategicMerge patches patchesJson6902 " +
  "replacements configMapGenerator secretGenerator helmCharts helmGlobals helmChartInflationGenerator openapi path paths files envs env " +
  "valuesFile additionalValuesFiles"
).split(" ");
/** Those of them that hold a map and no list. */
const MAPS = new Set(["openapi", "helmGlobals"]);
const SPELLING = new Map(FILE_KEYS.map((key) => [key.toLowerCase(), key]));

/**
 * Kustomizations and configurations of plugins as exactly what was looked at when the closure was read, for a build in which Kustomize
 * may read files of any place: it must not see a second key, a second document or another spelling that leads elsewhere. Throws StanchError
 * `render` for what cannot be made sure of.
 */
export async function looseTexts(
  tree: Tree,
  closure: Closure,
  composed: Composition | null,
): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const { file, value: own, depth } of closure.layers) {
    if (depth < 0) continue;
    const value = depth === 0 && composed !== null ? composed.value : own;
    checkKeys(file, value);
    for (const [key, held] of Object.entries(value))
      for (const item of Array.isArray(held) ? held : MAPS.has(key) ? [held] : [])
        if (isMap(item)) checkKeys(file, item);
    const plugins = PLUGIN_KEYS.filter((key) => Array.isArray(value[key])).map((key) => [
      key,
      (value[key] as Json[]).map((item) =>
        typeof item === "string" && item.includes("\n") ? documentsOf(file, item) : item,
      ),
    ]);
    texts.set(file, textOf({ ...value, ...Object.fromEntries(plugins) }));
  }
  for (const { layer, file, folder } of closure.plugins) {
    if (folder)
      throw new StanchError(
        "render",
        `${layer} takes a folder for a plugin, together with files outside of its own folder`,
        {
          hint: "name the configuration's file instead",
        },
      );
    if (file !== null) texts.set(file, documentsOf(file, (await tree.read(file)) ?? ""));
  }
  return texts;
}

function documentsOf(file: string, text: string): string {
  const parsed = parseOnce(text);
  if (!parsed.ok) throw new StanchError("render", `${file} is not valid YAML: ${parsed.error}`);
  const documents = parsed.values.filter((value) => value !== null);
  for (const document of documents) {
    if (!isMap(document) || String(document["kind"]).endsWith("List"))
      throw new StanchError("render", `${file} holds a configuration of a plugin that is not understood`);
    checkKeys(file, document);
    for (const list of Object.values(document))
      for (const item of Array.isArray(list) ? list : []) if (isMap(item)) checkKeys(file, item);
  }
  return documents.map((document) => textOf(document)).join("---\n");
}

function checkKeys(file: string, value: JsonMap): void {
  for (const key of Object.keys(value)) {
    // Go takes a long s for an s, and the sign of kelvin for a k.
    const right = SPELLING.get(key.normalize("NFKC").toLowerCase());
    if (right !== undefined && right !== key)
      throw new StanchError("render", `${file} spells ${right} as ${key}`, { hint: `write ${right}` });
  }
}

function isMap(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
