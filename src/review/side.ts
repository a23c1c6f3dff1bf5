import type { Config } from "../config/schema.ts";
import { messageOf, StanchError } from "../errors.ts";
import { originOf } from "../gitops/configured-source.ts";
import { pathsThrough, readLinks } from "../gitops/links.ts";
import { declaredIn } from "../gitops/manifest.ts";
import { openOrigin } from "../gitops/open-origin.ts";
import type { Origin } from "../gitops/origin.ts";
import { parseOnce } from "../gitops/parse-cache.ts";
import { findRoots, type RenderRoot } from "../gitops/render-roots.ts";
import { openTree, type Tree } from "../gitops/tree.ts";
import type { KubeObject, Source } from "../model.ts";
import { readDeployers } from "../observe/deployers.ts";
import type { Checkout, Rendered, Renderer } from "../ports.ts";
import { looseRoots } from "./loose-roots.ts";
import { paperCluster } from "./paper-cluster.ts";

export interface SideRequest {
  readonly checkout: Checkout;
  /** Of the base: a pull request does not say what is looked at. */
  readonly config: Pick<Config, "sources">;
  readonly repository: string;
  /** The branch that the pull request is merged into, and whether a root that names no branch deploys it. */
  readonly branch: string;
  readonly isDefault: boolean;
  /** `host[:port]` of the code host, under all its names. */
  readonly hosts: readonly string[];
  readonly renderer: Renderer;
}

/** One root of one side; the same key on the other side is the same deployment. */
export interface SideRoot {
  readonly key: string;
  readonly name: string;
  /** Absent: it cannot be opened, and `problem` says why. */
  readonly source?: Source;
  /** Paths of the files that it is rendered from. */
  readonly files: ReadonlySet<string>;
  readonly folder: string;
  readonly problem?: string;
  /** Nobody is known to deploy it. */
  readonly loose: boolean;
}

/** A commit of the repository with everything in it that something may deploy. */
export interface Side {
  readonly checkout: Checkout;
  readonly tree: Tree;
  readonly roots: readonly SideRoot[];
  /** What a root renders. Rendered once. Throws StanchError. */
  render(root: SideRoot): Promise<Rendered>;
  /** Paths on which depends what is read under a path: itself, and where a symbolic link leads. */
  through(file: string): readonly string[];
  /** Deployers whose sources are not looked into, by name: why, with what they say. */
  readonly closed: ReadonlyMap<string, { readonly reason: string; readonly says: string }>;
  tools(): readonly string[];
}

/** An app of apps of an app of apps. */
const LEVELS = 3;
/** Text without which a file declares no deployer and no source of one. */
const ENGINE = /argoproj\.io\/|toolkit\.fluxcd\.io\//;

/** Finds everything that may be deployed from a commit: configured, declared in it by Argo CD and Flux objects, and what is left over. */
export async function openSide(request: SideRequest): Promise<Side> {
  const { checkout, renderer } = request;
  const tree = await openTree(checkout.directory);
  const files = await checkout.files();
  const tracked = files.filter(({ mode }) => mode.startsWith("100")).map(({ path }) => path);
  const links = await readLinks(tree.directory, files);
  const renders = new Map<string, Promise<Rendered>>();
  const tools = new Set<string>();
  const render = (root: SideRoot): Promise<Rendered> => {
    const made = renders.get(root.key) ?? rendered(root, checkout.directory, renderer, tools);
    renders.set(root.key, made);
    // Kept for the one who asks.
    made.catch(() => undefined);
    return made;
  };
  const engineFiles = await filesWith(tree, tracked, ENGINE);
  const closed = new Map<string, { reason: string; says: string }>();
  const configured = request.config.sources.map(originOf).filter((origin) => isOurs(origin, request));
  let roots = await rootsOf(configured, [], request, tree, tracked);
  for (let level = 0; level < LEVELS && engineFiles.length > 0; level += 1) {
    const engines = await engineObjects(roots, engineFiles, tree, render);
    const origins = await originsOf(engines, request, closed);
    const next = await rootsOf(configured, origins, request, tree, tracked);
    const known = next.length === roots.length && next.every(({ key }) => roots.some((root) => root.key === key));
    roots = next;
    if (known) break;
  }
  const through = (file: string): readonly string[] => (links.size === 0 ? [file] : pathsThrough(file, links));
  return { checkout, tree, roots, render, through, closed, tools: () => [...tools] };
}

async function rendered(root: SideRoot, directory: string, renderer: Renderer, tools: Set<string>): Promise<Rendered> {
  if (root.source === undefined) throw new StanchError("render", root.problem ?? "it cannot be opened");
  const made = await renderer.render(directory, root.source);
  for (const tool of made.tool.split(", ")) tools.add(tool);
  return made;
}

/** Does an origin deploy the branch that the pull request is for? */
function isOurs(origin: Origin, { repository, branch, isDefault }: SideRequest): boolean {
  if (origin.repository.toLowerCase() !== repository.toLowerCase() || origin.remote !== undefined) return false;
  return origin.branch === undefined ? isDefault || origin.owner.pinned !== undefined : origin.branch === branch;
}

/** Everything that is rooted somewhere: what is known first, then Kustomize roots, charts and folders that nobody names. */
async function rootsOf(
  configured: readonly Origin[],
  deployed: readonly Origin[],
  request: SideRequest,
  tree: Tree,
  tracked: readonly string[],
): Promise<SideRoot[]> {
  const { repository, branch, checkout } = request;
  const broken: SideRoot[] = [];
  const known: Source[] = [];
  for (const origin of [...deployed, ...configured]) {
    try {
      const { source } = await openOrigin(origin, (wanted) => own(wanted, request));
      // An entry of the configuration and an engine's object may mean the same deployment.
      if (
        origin.owner.kind !== "configuration" ||
        !known.some((it) => it.path === source.path && it.tool === source.tool)
      )
        known.push(source);
    } catch (error) {
      if (!(error instanceof StanchError)) throw error;
      broken.push(brokenRoot(origin, messageOf(error)));
    }
  }
  const template: Source = {
    id: `${repository}:.@${branch}`,
    repository,
    branch,
    path: ".",
    tool: "plain",
    owner: { kind: "configuration", name: "" },
  };
  const found = await findRoots(tree, tracked, known, template);
  const loose = await looseRoots({ tree, tracked, found, template, directory: checkout.directory });
  const roots = new Map<string, SideRoot>();
  for (const root of [...found, ...loose, ...broken]) {
    const made = "key" in root ? root : sideRoot(root, !known.includes(root.source));
    let key = made.key;
    // Two of one name may deploy differently; one that is found twice is one.
    for (let count = 1; roots.has(key) && !isSame(roots.get(key), made); count += 1) key = `${made.key}#${count}`;
    roots.set(key, { ...made, key });
  }
  return [...roots.values()];
}

function isSame(a: SideRoot | undefined, b: SideRoot): boolean {
  return JSON.stringify(a?.source) === JSON.stringify(b.source) && a?.problem === b.problem;
}

async function own(wanted: string, { repository, checkout }: SideRequest): Promise<Checkout> {
  if (wanted.toLowerCase() === repository.toLowerCase()) return checkout;
  throw new StanchError("config", `it takes values from ${wanted}, and a review reads no other repository`);
}

function sideRoot({ source, files, problem }: RenderRoot, loose: boolean): SideRoot {
  const { owner, path, helm } = source;
  const values = loose && helm !== undefined ? helm.values.map((file) => file.slice(path.length + 1)).join(", ") : "";
  const by = owner.name === "" || owner.name === "stanch.yaml" ? values : owner.name;
  return {
    key: keyOf(source, values),
    name: by === "" ? path : `${path} (${by})`,
    source,
    files,
    folder: path,
    ...(problem === undefined ? {} : { problem }),
    loose,
  };
}

function brokenRoot(origin: Origin, problem: string): SideRoot {
  const folder = origin.path.replace(/^\.?\/+|\/+$/g, "") || ".";
  const { owner } = origin;
  return {
    key: keyOf({ ...origin, path: folder }, ""),
    name: owner.kind === "configuration" ? folder : `${folder} (${owner.name})`,
    files: new Set(),
    folder,
    problem,
    loose: false,
  };
}

function keyOf({ owner, path, helm }: Pick<Source, "owner" | "path" | "helm">, values: string): string {
  // An engine's object is one deployment; an entry of the configuration may stand beside another of the same folder.
  const release = owner.kind === "configuration" ? (helm?.release ?? "") : "";
  return JSON.stringify([owner.kind, owner.name, path, release, values]);
}

async function filesWith(tree: Tree, tracked: readonly string[], pattern: RegExp): Promise<string[]> {
  const out: string[] = [];
  for (const file of tracked.filter((path) => /\.(ya?ml|json|tpl)$/.test(path))) {
    // What is no text declares nothing.
    const text = await tree.read(file).catch(() => null);
    if (text !== null && pattern.test(text)) out.push(file);
  }
  return out;
}

/** Objects of Argo CD and Flux, as their roots render them; where no root does, as they stand in their files. */
async function engineObjects(
  roots: readonly SideRoot[],
  files: readonly string[],
  tree: Tree,
  render: Side["render"],
): Promise<KubeObject[]> {
  const out: KubeObject[] = [];
  const seen = new Set<string>();
  for (const root of roots.filter((it) => files.some((file) => it.files.has(file)))) {
    const made = await render(root).catch(() => null);
    if (made === null) continue;
    for (const file of root.files) seen.add(file);
    out.push(...made.objects.filter(({ apiVersion }) => ENGINE.test(apiVersion)));
  }
  for (const file of files.filter((path) => !seen.has(path) && !path.endsWith(".tpl"))) {
    const parsed = parseOnce((await tree.read(file)) ?? "");
    const values = parsed.ok ? parsed.values : [];
    out.push(...values.flatMap((value) => declaredIn(value)).map(({ object }) => object));
  }
  return out;
}

/** What the deployers that the commit declares deploy of this branch; what cannot be known is kept in `closed`. */
async function originsOf(
  objects: readonly KubeObject[],
  request: SideRequest,
  closed: Map<string, { reason: string; says: string }>,
): Promise<Origin[]> {
  const deployers = await readDeployers({ cluster: paperCluster(objects), hosts: request.hosts, pageSize: 500 });
  const out: Origin[] = [];
  for (const { origins: said, object } of deployers.all) {
    const says = JSON.stringify(object["spec"] ?? null);
    if (!said.found) {
      closed.set(said.owner.name, { reason: said.reason, says });
      continue;
    }
    for (const origin of said.origins) {
      if (origin.remote !== undefined)
        closed.set(origin.owner.name, {
          reason: "its chart lies in a Helm repository, and a review fetches none",
          says,
        });
      else if (isOurs(origin, request)) out.push(origin);
    }
  }
  return out;
}
