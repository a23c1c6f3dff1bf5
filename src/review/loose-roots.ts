import { posix } from "node:path";
import { messageOf, StanchError } from "../errors.ts";
import { helmInputs } from "../gitops/helm-inputs.ts";
import { indexManifests } from "../gitops/manifest-index.ts";
import { parseOnce } from "../gitops/parse-cache.ts";
import type { RenderRoot } from "../gitops/render-roots.ts";
import type { Tree } from "../gitops/tree.ts";
import { textAt } from "../kube/fields.ts";
import type { Source } from "../model.ts";

export interface LooseRequest {
  readonly tree: Tree;
  readonly directory: string;
  readonly tracked: readonly string[];
  /** Roots that are known. */
  readonly found: readonly RenderRoot[];
  readonly template: Source;
}

/** Values files beside a chart's own, each of which is taken for one release. */
const MOST_RELEASES = 8;

/**
 * What is left over: charts that no root renders, once with their own values and once with each values file beside them, and folders
 * with manifests that no root takes.
 */
export async function looseRoots(request: LooseRequest): Promise<RenderRoot[]> {
  const charts = await chartRoots(request);
  return [...charts, ...(await folderRoots(request, charts))];
}

async function chartRoots({ tree, tracked, found, template }: LooseRequest): Promise<RenderRoot[]> {
  const folders = tracked.filter((file) => posix.basename(file) === "Chart.yaml").map((file) => posix.dirname(file));
  const roots: RenderRoot[] = [];
  for (const folder of folders) {
    // A chart in a chart is a dependency.
    const inner = folders.some((other) => other !== folder && (other === "." || folder.startsWith(`${other}/`)));
    if (inner || found.some(({ source }) => source.tool === "helm" && source.path === folder)) continue;
    const chart = parseOnce((await tree.read(posix.join(folder, "Chart.yaml")).catch(() => null)) ?? "");
    if (chart.ok && textAt(chart.values[0], "type") === "library") continue;
    const beside = tracked
      .filter((file) => posix.dirname(file) === folder && /^values[-._].+\.ya?ml$/.test(posix.basename(file)))
      .slice(0, MOST_RELEASES);
    for (const values of [[], ...beside.map((file) => [file])]) {
      const source: Source = {
        ...template,
        id: `${template.repository}:${folder}@${template.branch}`,
        path: folder,
        tool: "helm",
        helm: { release: releaseName(folder), values },
      };
      roots.push(await chartRoot(tree, source));
    }
  }
  return roots;
}

async function chartRoot(tree: Tree, source: Source): Promise<RenderRoot> {
  try {
    return { source, files: (await helmInputs(tree, source)).files };
  } catch (error) {
    if (!(error instanceof StanchError)) throw error;
    return { source, files: new Set(), problem: messageOf(error) };
  }
}

function releaseName(folder: string): string {
  const name = posix
    .basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  return name === "" ? "release" : name.slice(0, 53).replace(/-+$/, "");
}

/** Folders of manifests, each for itself: what lies in another folder may be another environment. */
async function folderRoots(
  { directory, found, template }: LooseRequest,
  charts: readonly RenderRoot[],
): Promise<RenderRoot[]> {
  const taken = new Set([...found, ...charts].flatMap(({ files }) => [...files]));
  const { entries, unread } = await indexManifests(directory, ".");
  // A folder whose only manifest cannot be read any more is still one; a template of another tool's is no manifest.
  const broken = unread.filter(({ looks }) => looks === "manifest");
  const left = [...entries, ...broken].filter(({ file }) => !taken.has(file));
  const folders = Map.groupBy(left, ({ file }) => posix.dirname(file));
  return [...folders].map(([folder, rows]) => ({
    source: {
      ...template,
      id: `${template.repository}:${folder}@${template.branch}`,
      path: folder,
      folder: { recurse: false },
    },
    files: new Set(rows.map(({ file }) => file)),
  }));
}
