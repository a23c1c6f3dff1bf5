import { posix } from "node:path";
import { messageOf } from "../errors.ts";
import type { Source } from "../model.ts";
import { helmInputs } from "./helm-inputs.ts";
import { type Closure, readClosure } from "./kustomize-closure.ts";
import { manifestFiles } from "./manifest-index.ts";
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
 * known by configuration. `tracked` are the paths of all files.
 */
export async function findRoots(
  tree: Tree,
  tracked: readonly string[],
  known: readonly Source[],
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
  for (const [folder, closure] of closures) {
    if (typeof closure === "string") continue;
    for (const layer of closure.layers) if (layer.folder !== folder || layer.component) included.add(layer.folder);
  }
  const template = known[0];
  const roots: RenderRoot[] = [];
  for (const source of known) {
    const closure = closures.get(source.path);
    if (source.tool === "plain") roots.push({ source, files: new Set(await manifestFiles(tree, source.path)) });
    else if (source.tool === "helm") roots.push(await helmRoot(tree, source));
    else roots.push(rootOf(source, closure ?? "no kustomization file"));
  }
  for (const [folder, closure] of closures) {
    if (
      template === undefined ||
      included.has(folder) ||
      known.some((source) => source.path === folder && source.tool === "kustomize")
    )
      continue;
    const { namespace: _namespace, helm: _helm, ...rest } = template;
    roots.push(
      rootOf(
        { ...rest, id: `${template.repository}:${folder}@${template.branch}`, path: folder, tool: "kustomize" },
        closure,
      ),
    );
  }
  return roots;
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
