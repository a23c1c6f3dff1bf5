import { posix } from "node:path";
import { messageOf } from "../errors.ts";
import type { Source } from "../model.ts";
import { closureOf, isBuilt } from "./composition.ts";
import { helmInputs } from "./helm-inputs.ts";
import { type Closure, readClosure } from "./kustomize-closure.ts";
import { sourceFiles } from "./manifest-index.ts";
import { KUSTOMIZATION_FILES } from "./tool.ts";
import type { Tree } from "./tree.ts";

/** A folder that something may deploy, and the files that it is rendered from. */
export interface RenderRoot {
  readonly source: Source;
  readonly files: ReadonlySet<string>;
  /** Why its files are not all known. */
  readonly problem?: string;
}

/** One folder may be deployed twice, into two namespaces: these are two roots. */
export function rootKey(source: Source): string {
  return JSON.stringify([source.id, source.namespace, source.helm]);
}

/**
 * Every render root of a repository: each Kustomize root that no other kustomization includes, and the sources that are
 * known by configuration. `tracked` are the paths of all files. A root that nobody said anything about lies where `template` does.
 */
export async function findRoots(
  tree: Tree,
  tracked: readonly string[],
  known: readonly Source[],
  template: Source | undefined = known[0],
): Promise<RenderRoot[]> {
  const folders = new Set(
    tracked
      .filter((file) => (KUSTOMIZATION_FILES as readonly string[]).includes(posix.basename(file)))
      .map((file) => posix.dirname(file)),
  );
  const closures = new Map<string, Closure | string>();
  for (const folder of folders)
    closures.set(folder, await readClosure(tree, folder).catch((error: unknown) => messageOf(error)));
  const included = new Set<string>();
  const include = (folder: string, closure: Closure | string): void => {
    if (typeof closure === "string") return;
    for (const layer of closure.layers) if (layer.folder !== folder || layer.component) included.add(layer.folder);
  };
  for (const [folder, closure] of closures) include(folder, closure);
  const roots: RenderRoot[] = [];
  for (const source of known) {
    if (source.tool === "helm") roots.push(await helmRoot(tree, source));
    else {
      const closure = await closureOrNull(tree, source).catch((error: unknown) => messageOf(error));
      if (closure !== null) include(source.path, closure);
      roots.push(
        closure === null ? { source, files: new Set(await sourceFiles(tree, source)) } : rootOf(source, closure),
      );
    }
  }
  for (const [folder, closure] of closures) {
    if (
      template === undefined ||
      included.has(folder) ||
      known.some((source) => source.path === folder && source.tool === "kustomize")
    )
      continue;
    roots.push(rootOf(bare(template, folder), closure));
  }
  return roots;
}

/** A root that nobody said anything about: nothing of what its neighbour's owner adds is its own. */
function bare({ repository, branch, owner }: Source, folder: string): Source {
  return { id: `${repository}:${folder}@${branch}`, repository, branch, path: folder, tool: "kustomize", owner };
}

/** Null for a folder of manifests that is taken as it is. */
async function closureOrNull(tree: Tree, source: Source): Promise<Closure | null> {
  return (await isBuilt(tree, source)) ? closureOf(tree, source) : null;
}

async function helmRoot(tree: Tree, source: Source): Promise<RenderRoot> {
  try {
    return { source, files: (await helmInputs(tree, source)).files };
  } catch (error) {
    return { source, files: new Set(), problem: messageOf(error) };
  }
}

function rootOf(source: Source, closure: Closure | string): RenderRoot {
  if (typeof closure === "string") return { source, files: new Set(), problem: closure };
  const [remote] = closure.remotes;
  return {
    source,
    files: closure.files,
    ...(remote === undefined ? {} : { problem: `${remote.file} pulls in ${remote.reference}` }),
  };
}
