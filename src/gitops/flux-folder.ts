import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { StanchError } from "../errors.ts";
import type { Json } from "../model.ts";
import { readSourceIgnore } from "./source-ignore.ts";
import { KUSTOMIZATION_FILES } from "./tool.ts";
import { joinPath, type Tree } from "./tree.ts";

const MAX_FILES = 5000;
const MAX_DEPTH = 16;

/** What Flux takes from a folder without a kustomization of its own, in Flux's order. */
export interface FluxFolder {
  /** Manifest files and Kustomize roots, paths of the repository. */
  readonly found: readonly { readonly path: string; readonly root: boolean }[];
  /** The `.sourceignore` files that decide it. */
  readonly ignoreFiles: readonly string[];
}

/**
 * Scans a folder as the generator of Flux's kustomize-controller does: every `.yaml` and `.yml` below it, hidden ones too, and folders with
 * a kustomization as such; without what the artifact leaves out (`.sourceignore`, Flux's own list, links).
 */
export async function scanFluxFolder(tree: Tree, path: string): Promise<FluxFolder> {
  const top = path === "" ? "." : path;
  const found: { path: string; root: boolean }[] = [];
  // Says so when the folder itself leads out of the repository.
  if ((await tree.kind(top)) !== "directory") return { found, ignoreFiles: [] };
  const ignore = await readSourceIgnore(tree, top);
  await walk(top, 0);
  return { found, ignoreFiles: ignore.files };

  async function walk(folder: string, depth: number): Promise<void> {
    if (depth > MAX_DEPTH) throw new StanchError("render", `${folder} is nested deeper than ${MAX_DEPTH} folders`);
    const rows = await readdir(join(tree.directory, folder), { withFileTypes: true }).catch(() => []);
    const names = new Set(rows.filter((row) => row.isFile()).map((row) => row.name));
    const root = KUSTOMIZATION_FILES.some((name) => names.has(name) && !ignore.ignores(joinPath(folder, name)));
    if (depth > 0 && root) {
      found.push({ path: folder, root: true });
      return;
    }
    for (const row of rows.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const file = joinPath(folder, row.name);
      if (row.isDirectory()) {
        if (row.name !== ".git") await walk(file, depth + 1);
      } else if (row.isFile() && /\.ya?ml$/.test(row.name) && !ignore.ignores(file))
        found.push({ path: file, root: false });
      if (found.length > MAX_FILES)
        throw new StanchError("render", `${top} holds more than ${MAX_FILES} manifests`, {
          hint: "point the source at the folder that is deployed",
        });
    }
  }
}

/** The kustomization that Flux would write into the folder. */
export function fluxKustomization(folder: FluxFolder, path: string): { readonly [key: string]: Json } {
  const prefix = path === "." || path === "" ? "" : `${path}/`;
  const resources = folder.found.map((row) => `./${row.path.slice(prefix.length)}`);
  return {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    // A kustomization that says nothing is refused; this is what Flux puts into it.
    ...(resources.length === 0 ? { namespace: "_placeholder" } : { resources }),
  };
}
