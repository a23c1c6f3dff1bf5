import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { StanchError } from "../errors.ts";
import type { Source } from "../model.ts";
import { isInput } from "./input.ts";
import { inputOf } from "./input-value.ts";
import { isInside, joinPath, type Tree } from "./tree.ts";

const MAX_FILES = 2000;
const MAX_DEPTH = 12;

/** What a Helm source is rendered from. Paths are the repository's. */
export interface HelmInputs {
  /** Values in the order in which they are given, the last wins: files of the repository, and names of the source's inputs. */
  readonly values: readonly string[];
  /** The chart's own `values.yaml`, when it has one and it is read as such: everything else overrides it. */
  readonly defaults: string | undefined;
  /** Templates of the chart itself, not of charts that are vendored below it. */
  readonly templates: readonly string[];
  /** Every file that Helm reads. */
  readonly files: ReadonlySet<string>;
}

/** Finds the files of a chart and its values. Throws StanchError `render` for a values file that is not in the repository. */
export async function helmInputs(tree: Tree, source: Source): Promise<HelmInputs> {
  const chart = source.path === "" ? "." : source.path;
  const inside = (name: string): string => joinPath(chart, name);
  const values = source.helm?.values ?? [];
  for (const file of values) {
    if (isInput(file)) inputOf(source, file);
    else if (!isInside(file) || (await tree.kind(file)) !== "file")
      throw new StanchError("render", `the values file ${file} is not in the repository`, {
        hint: "correct `helm.values` of this source: paths are relative to the top of the repository",
      });
  }
  const files = new Set<string>(values.filter((file) => !isInput(file)));
  await walk(tree, chart, 0, files);
  for (const file of files)
    if (file.endsWith("/values.schema.json") || file === "values.schema.json")
      if (await leadsOut(tree, file))
        throw new StanchError("render", `${file} refers to another file or address, which is never read for it`, {
          hint: "write what it refers to into the schema itself",
        });
  const defaults = inside("values.yaml");
  if (source.helm?.noDefaults === true && !values.includes(defaults)) files.delete(defaults);
  const templates = [...files].filter(
    (file) => file.startsWith(`${inside("templates")}/`) && /\.(ya?ml|tpl)$/.test(file),
  );
  return {
    values,
    defaults: files.has(defaults) && source.helm?.noDefaults !== true ? defaults : undefined,
    templates: templates.sort(),
    files,
  };
}

/** Helm reads whatever a schema refers to, wherever it lies: files of this machine, addresses of its network. */
async function leadsOut(tree: Tree, file: string): Promise<boolean> {
  try {
    const plain = JSON.stringify(JSON.parse((await tree.read(file)) ?? "{}"));
    return /"\$(?:ref|dynamicRef|recursiveRef)":"(?!#)|"\$schema":"(?!https?:\/\/json-schema\.org\/)/.test(plain);
  } catch (error) {
    // Helm refuses what is no JSON.
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

async function walk(tree: Tree, folder: string, depth: number, files: Set<string>): Promise<void> {
  const rows = await readdir(join(tree.directory, folder), { withFileTypes: true }).catch(() => []);
  for (const row of rows) {
    if (row.name === ".git") continue;
    const path = folder === "." ? row.name : `${folder}/${row.name}`;
    if (row.isDirectory()) {
      if (depth >= MAX_DEPTH) throw new StanchError("render", `${folder} is nested deeper than ${MAX_DEPTH} folders`);
      await walk(tree, path, depth + 1, files);
      continue;
    }
    // Helm follows links to folders wherever they lead; a link to a file is checked by the tree.
    const kind = await tree.kind(path);
    if (kind === "directory")
      throw new StanchError("render", `${path} is a link to a folder, and a chart with such links is not rendered`, {
        hint: "put the folder itself into the chart",
      });
    if (kind === "file") files.add(path);
    if (files.size > MAX_FILES) throw new StanchError("render", `${folder} holds more than ${MAX_FILES} files`);
  }
}
