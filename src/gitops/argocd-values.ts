import { fieldAt, flagAt, listAt, textAt } from "../kube/fields.ts";
import { inputName } from "./input.ts";
import { isUnknown, no, type OriginFile, shown, type Unknown } from "./origin.ts";
import { repositoryPath } from "./repository-path.ts";
import type { Revision } from "./revision.ts";

/** A repository at what a source follows. */
export interface GitPlace {
  readonly repository: string;
  readonly revision: Revision;
}

/** Where a source's values files are looked for. */
export interface ValuesPlace extends GitPlace {
  /** The source as it stands in the Application. */
  readonly source: unknown;
  readonly path: string;
  /** What `$name/…` leads to, by name; or why that cannot be known. */
  readonly references: ReadonlyMap<string, GitPlace | Unknown>;
  /** Variables of Argo CD's build environment that are known. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface ValuesFiles {
  readonly values: readonly string[];
  readonly files: Readonly<Record<string, OriginFile>>;
  readonly optional: readonly string[];
  readonly patterns: readonly string[];
}

/**
 * `helm.valuesFiles` in order: files of the source's own repository and branch by their path from its top, files of other ones as inputs. Patterns
 * over its own files stay as they are, because only who opens the repository can expand them (`presentValues`).
 */
export function argoValuesFiles(place: ValuesPlace): ValuesFiles | Unknown {
  const optional = flagAt(place.source, "helm", "ignoreMissingValueFiles");
  const out = { values: [] as string[], files: {} as Record<string, OriginFile>, patterns: [] as string[] };
  for (const raw of listAt(place.source, "helm", "valueFiles")) {
    if (typeof raw !== "string") return no("an entry of helm.valueFiles is no text", "correct helm.valueFiles");
    const found = fileOf(raw, place);
    if (isUnknown(found)) return found;
    const { repository, branch, file } = found;
    if (repository === undefined) {
      out.values.push(file);
      if (isPattern(file)) out.patterns.push(file);
      continue;
    }
    if (isPattern(file))
      return no(
        `helm.valueFiles takes a pattern (${shown(raw)}) over files of ${repository}`,
        "name the files one by one, or declare the source in `sources` of stanch.yaml",
      );
    const name = inputName(`${repository}@${branch ?? "HEAD"}:${file}`);
    out.values.push(name);
    out.files[name] = {
      repository,
      ...(branch === undefined ? {} : { branch }),
      file,
      ...(optional ? { optional } : {}),
    };
  }
  return { ...out, optional: optional ? out.values.filter((file) => out.files[file] === undefined) : [] };
}

/** With a repository: a file of another one, or of another branch. */
function fileOf(
  raw: string,
  place: ValuesPlace,
): { readonly repository?: string; readonly branch?: string; readonly file: string } | Unknown {
  const [head = "", ...rest] = raw.split("/");
  const reference = head.startsWith("$") ? place.references.get(head.slice(1)) : undefined;
  const text = substituted(reference === undefined ? raw : `/${rest.join("/")}`, place.environment);
  if (text === null)
    return no(
      `helm.valueFiles (${shown(raw)}) uses a variable or a source that is not known here`,
      "write the path out, or declare the source in `sources` of stanch.yaml",
    );
  // An address may hold credentials: no part of it is shown.
  if (/^[a-z][a-z\d+.-]*:/i.test(text))
    return no("its values come from an address and not from a Git repository", "put the values file into a repository");
  const file = repositoryPath(text.startsWith("/") ? [text] : [place.path, text]);
  if (file === null || file === ".")
    return no(`helm.valueFiles (${shown(raw)}) leads out of the repository`, "correct helm.valueFiles");
  if (reference === undefined) return { file };
  if (isUnknown(reference)) return reference;
  const { repository, revision } = reference;
  const own =
    repository.toLowerCase() === place.repository.toLowerCase() &&
    revision.branch === place.revision.branch &&
    revision.pinned === place.revision.pinned;
  if (own) return { file };
  if (revision.pinned !== undefined)
    return no(
      `its values come from ${revision.pinned} of ${repository}, which no merge moves`,
      "let the source of the values follow a branch",
    );
  return { repository, ...(revision.branch === undefined ? {} : { branch: revision.branch }), file };
}

/** `$NAME`, `${NAME}` and `$$` as Argo CD fills them in; null: a variable that is not known. */
function substituted(text: string, environment: Readonly<Record<string, string>>): string | null {
  let known = true;
  const out = text.replaceAll(/\$(?:\$|\{([^}]*)\}|(\w+))?/g, (all, braced?: string, plain?: string) => {
    if (all === "$$") return "$";
    const name = braced ?? plain ?? "";
    if (Object.hasOwn(environment, name)) return environment[name] ?? "";
    known = false;
    return "";
  });
  return known ? out : null;
}

/** Parameters of which Argo CD fills in variables are not known; null: all are. */
export function unknownParameter(source: unknown): Unknown | null {
  const parameters = fieldAt(source, "helm", "parameters");
  if (parameters !== undefined && parameters !== null && !Array.isArray(parameters))
    return no("helm.parameters is no list", "correct helm.parameters");
  const open = listAt(parameters).find((item) => (textAt(item, "value") ?? "").includes("$"));
  return open === undefined
    ? null
    : no(
        `its Helm parameter ${shown(textAt(open, "name") ?? "")} uses a variable of Argo CD's build environment`,
        "write the value out, or put it into a values file",
      );
}

function isPattern(file: string): boolean {
  return /[*?[]/.test(file);
}
