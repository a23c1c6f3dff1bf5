import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { matchGlob } from "./glob.ts";
import { joinPath, type Tree } from "./tree.ts";

const IGNORE_FILE = ".sourceignore";
const MAX_DEPTH = 16;

/** What Flux leaves out of every artifact, whatever the repository says (fluxcd/pkg/sourceignore). */
const EXCLUDED = (
  ".git/ .gitignore .gitmodules .gitattributes *.jpg *.jpeg *.gif *.png *.wmv *.flv *.tar.gz *.zip .github/ .circleci/ .travis.yml " +
  ".gitlab-ci.yml appveyor.yml .drone.yml cloudbuild.yaml codeship-services.yml codeship-steps.yml **/.goreleaser.yml **/.sops.yaml " +
  "**/.flux.yaml"
).split(" ");

/** What Flux takes into its artifact. */
export interface SourceIgnore {
  /** The `.sourceignore` files that were read. */
  readonly files: readonly string[];
  ignores(file: string): boolean;
}

/** Reads the `.sourceignore` files on the way from the top of the repository to a folder, and those below it. */
export async function readSourceIgnore(tree: Tree, folder: string): Promise<SourceIgnore> {
  const patterns = EXCLUDED.map((line) => patternOf(line, []));
  const files: string[] = [];
  const read = async (at: string): Promise<void> => {
    const file = joinPath(at, IGNORE_FILE);
    const text = await tree.read(file).catch(() => null);
    if (text === null) return;
    files.push(file);
    const domain = at === "." ? [] : at.split("/");
    for (const line of text.split(/\r?\n/))
      if (!line.startsWith("#") && line.trim() !== "") patterns.push(patternOf(line, domain));
  };
  const steps = folder === "." ? [] : folder.split("/");
  for (let index = 0; index < steps.length; index++) await read(steps.slice(0, index).join("/") || ".");
  await below(folder, 0);
  return {
    files,
    ignores(file) {
      const path = file.split("/");
      for (const pattern of patterns.toReversed()) if (matches(pattern, path)) return !pattern.inclusion;
      return false;
    },
  };

  async function below(at: string, depth: number): Promise<void> {
    await read(at);
    if (depth >= MAX_DEPTH) return;
    const rows = await readdir(join(tree.directory, at), { withFileTypes: true }).catch(() => []);
    for (const row of rows)
      if (row.isDirectory() && row.name !== ".git") await below(joinPath(at, row.name), depth + 1);
  }
}

interface Pattern {
  readonly domain: readonly string[];
  readonly steps: readonly string[];
  readonly inclusion: boolean;
  readonly folderOnly: boolean;
}

function patternOf(line: string, domain: readonly string[]): Pattern {
  const inclusion = line.startsWith("!");
  let text = inclusion ? line.slice(1) : line;
  if (!text.endsWith("\\ ")) text = text.replace(/ +$/, "");
  const folderOnly = text.endsWith("/");
  if (folderOnly) text = text.slice(0, -1);
  return { domain, steps: text.split("/"), inclusion, folderOnly };
}

/** As go-git matches a file's path: a pattern without "/" is for any name on the way. */
function matches({ domain, steps, folderOnly }: Pattern, path: readonly string[]): boolean {
  if (path.length <= domain.length || domain.some((step, index) => path[index] !== step)) return false;
  const rest = path.slice(domain.length);
  const [only = ""] = steps;
  if (steps.length > 1) return along(steps, rest, folderOnly);
  const hit = rest.findIndex((name) => matchGlob(only, name) === true);
  return hit >= 0 && !(folderOnly && hit === rest.length - 1);
}

function along(steps: readonly string[], path: readonly string[], folderOnly: boolean): boolean {
  let rest = path;
  let matched = false;
  let anywhere = false;
  for (const [index, step] of steps.entries()) {
    if (step === "") {
      anywhere = false;
      continue;
    }
    if (step === "**") {
      if (index === steps.length - 1) break;
      anywhere = true;
      continue;
    }
    if (step.includes("**") || rest.length === 0) return false;
    const at = anywhere ? rest.findIndex((name) => matchGlob(step, name) === true) : 0;
    if (!anywhere && matchGlob(step, rest[0] ?? "") !== true) return false;
    matched = at >= 0;
    rest = at >= 0 ? rest.slice(at + 1) : [];
    anywhere = false;
  }
  return matched && !(folderOnly && rest.length === 0);
}
