import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, StanchError } from "../errors.ts";
import type { FieldPath, FolderSettings, KubeObject, Source } from "../model.ts";
import type { Unread } from "../ports.ts";
import { scanFluxFolder } from "./flux-folder.ts";
import { matchAlternatives } from "./glob.ts";
import { declaredIn, withNamespace } from "./manifest.ts";
import { parseOnce } from "./parse-cache.ts";
import { KUSTOMIZATION_FILES } from "./tool.ts";
import { openTree, type Tree } from "./tree.ts";
import { glanceAt, unreadFile } from "./unread.ts";

/** Where an object stands in a folder of plain manifests. */
export interface ManifestEntry {
  readonly object: KubeObject;
  readonly file: string;
  /** 0-based. */
  readonly document: number;
  /** From the top of the document to the object: `["items", 2]` in a `List`. */
  readonly prefix: FieldPath;
}

export interface ManifestIndex {
  readonly entries: readonly ManifestEntry[];
  /** What could not be read or is left out, and why. The rest of the index is right nevertheless. */
  readonly problems: readonly { readonly file: string; readonly message: string }[];
  /** Those of them by which objects may be missing here: not what is left out by rule, nor what is no manifest. */
  readonly unread: readonly Unread[];
}

/** What is noticed on the way. */
interface Notes {
  readonly problems: { file: string; message: string }[];
  readonly unread: Unread[];
}

const notes = (): Notes => ({ problems: [], unread: [] });

const MAX_DEPTH = 16;
const AT_ONCE = 16;
/** Of all manifests of a folder: real ones hold a few, and each is parsed. */
const MAX_CHARACTERS = 64 * 1024 * 1024;

/**
 * Every Kubernetes object in the YAML and JSON files below a folder. Left out: hidden folders, Helm charts, submodules,
 * Kustomize roots below the folder, and documents that are no Kubernetes objects. Links are followed inside the
 * repository only.
 */
export async function indexManifests(directory: string, path: string, namespace?: string): Promise<ManifestIndex> {
  const tree = await openTree(directory);
  const noted = notes();
  return indexFiles(tree, await manifestFiles(tree, path, noted), { path, noted, namespace });
}

/** As `indexManifests`, of the files that the deployer of a plain source takes. Objects are as they stand in the files. */
export async function indexSource(directory: string, source: Source): Promise<ManifestIndex> {
  const tree = await openTree(directory);
  const noted = notes();
  const { path, namespace } = source;
  const skipped = source.owner.kind === "argocd" ? ARGO_SKIPS : undefined;
  const files = (await sourceFiles(tree, source, noted)).filter(isManifestName);
  return indexFiles(tree, files, { path, noted, namespace, skipped });
}

/** Paths of the files that decide what the deployer of a plain source takes: manifests, and Flux's `.sourceignore`. */
export async function sourceFiles(tree: Tree, source: Source, noted = notes()): Promise<string[]> {
  if (source.folder?.nested !== true) return manifestFiles(tree, source.path, noted, source.folder);
  const { found, ignoreFiles } = await scanFluxFolder(tree, source.path);
  return [...ignoreFiles, ...found.filter((row) => !row.root).map((row) => row.path)].sort();
}

/** Argo CD leaves out a file with this text. */
const ARGO_SKIPS = "+argocd:skip-file-rendering";

const isManifestName = (file: string): boolean => /\.(ya?ml|json)$/.test(file);

interface IndexOptions {
  readonly path: string;
  readonly noted: Notes;
  readonly namespace: string | undefined;
  readonly skipped?: string | undefined;
}

async function indexFiles(tree: Tree, files: readonly string[], options: IndexOptions): Promise<ManifestIndex> {
  const { path, noted, namespace, skipped } = options;
  const { problems, unread } = noted;
  const entries: ManifestEntry[] = [];
  let characters = 0;
  for await (const { file, text, error } of textsOf(tree, files)) {
    characters += text?.length ?? 0;
    if (characters > MAX_CHARACTERS)
      throw new StanchError("render", `${path} holds more than ${MAX_CHARACTERS / 1024 / 1024} MB of manifests`, {
        hint: "point the source at the folder that is deployed",
      });
    if (error !== undefined) {
      problems.push({ file, message: error });
      note(unread, unreadFile(file, error, await glanceAt(tree, file)));
    }
    if (text === undefined || !/\bkind\b/.test(text)) continue;
    if (skipped !== undefined && text.includes(skipped)) continue;
    const parsed = parseOnce(text);
    if (!parsed.ok) {
      problems.push({ file, message: parsed.error });
      note(unread, unreadFile(file, parsed.error, text));
      continue;
    }
    for (const [document, value] of parsed.values.entries()) {
      for (const { object, prefix } of declaredIn(value)) {
        entries.push({ object: withNamespace(object, namespace), file, document, prefix });
      }
    }
  }
  return { entries, problems, unread };
}

/** Paths of the files that the index of a folder reads, sorted. */
async function manifestFiles(tree: Tree, path: string, noted: Notes, folder?: FolderSettings): Promise<string[]> {
  const found: string[] = [];
  const top = path === "" ? "." : path;
  const taken = (file: string): boolean => {
    const name = top === "." ? file : file.slice(top.length + 1);
    if (folder?.exclude !== undefined && folder.exclude !== "" && matchAlternatives(folder.exclude, name)) return false;
    return folder?.include === undefined || folder.include === "" || matchAlternatives(folder.include, name);
  };
  // Says so when the folder itself is a link that leads out: nothing of another place is listed.
  if ((await tree.kind(top)) === "directory") await walk(top, 0);
  return found.sort();

  async function walk(at: string, depth: number): Promise<void> {
    const rows = await readdir(join(tree.directory, at), { withFileTypes: true }).catch(() => []);
    const names = new Set(rows.map((row) => row.name));
    if (names.has("Chart.yaml") || (depth > 0 && names.has(".git"))) return;
    if (depth > 0 && KUSTOMIZATION_FILES.some((name) => names.has(name))) {
      noted.problems.push({
        file: at,
        message: "a Kustomize root below a folder of plain manifests is not part of it",
      });
      return;
    }
    for (const row of rows) {
      if (row.name.startsWith(".")) continue;
      const file = at === "." ? row.name : `${at}/${row.name}`;
      if (row.isDirectory() && folder?.recurse === false) continue;
      const kind = row.isSymbolicLink() ? await linkKind(tree, file, noted) : row.isDirectory() ? "directory" : "file";
      // Links to folders are not followed: they can lead in circles.
      if (kind === "directory" && !row.isSymbolicLink() && depth >= MAX_DEPTH)
        passOver(noted, file, `folders more than ${MAX_DEPTH} deep are not read`);
      else if (kind === "directory" && !row.isSymbolicLink()) await walk(file, depth + 1);
      else if (
        kind === "file" &&
        isManifestName(row.name) &&
        !(KUSTOMIZATION_FILES as readonly string[]).includes(row.name) &&
        taken(file)
      )
        found.push(file);
    }
  }
}

async function linkKind(tree: Tree, file: string, noted: Notes): Promise<"file" | "directory" | "none"> {
  try {
    return await tree.kind(file);
  } catch (error) {
    if (isManifestName(file)) passOver(noted, file, messageOf(error));
    else noted.problems.push({ file, message: messageOf(error) });
    return "none";
  }
}

function note(unread: Unread[], one: Unread | null): void {
  if (one !== null) unread.push(one);
}

/** What nobody looks into may hold objects. */
function passOver({ problems, unread }: Notes, file: string, message: string): void {
  problems.push({ file, message });
  unread.push({ file, message, looks: "unknown" });
}

/** Some files at a time: a folder may hold any number of any size. */
async function* textsOf(
  tree: Tree,
  files: readonly string[],
): AsyncGenerator<{ file: string; text?: string; error?: string }> {
  for (let index = 0; index < files.length; index += AT_ONCE)
    yield* await Promise.all(
      files.slice(index, index + AT_ONCE).map(async (file) => ({ file, ...(await readText(tree, file)) })),
    );
}

async function readText(tree: Tree, file: string): Promise<{ text?: string; error?: string }> {
  try {
    const text = await tree.read(file);
    return text === null ? {} : { text };
  } catch (error) {
    return { error: messageOf(error) };
  }
}
