import { parse, stringify } from "yaml";
import { StanchError } from "../errors.ts";
import { getAt } from "../kube/field-path.ts";
import { keyOf } from "../kube/ref.ts";
import type { Change, FileEdit, Input, InputHome, Json, KubeObject, ObjectRef, Source } from "../model.ts";
import type { Tree } from "./tree.ts";

/**
 * The name of an input: no path that Git can track, so that no file of a repository is ever taken for one.
 * `rest` tells it from the other inputs of the source.
 */
export function inputName(rest: string): string {
  return `\u0000${rest}`;
}

export function isInput(file: string): boolean {
  return file.startsWith("\u0000");
}

/** A value as YAML that means the same to everybody: also to those for whom `yes` is true and `012` is ten, as Helm and Flux. */
export function yamlOf(value: unknown): string {
  return stringify(value, { lineWidth: 0, version: "1.1" });
}

/** A field of an object as an input; null when the field is not set. Secrets are never inputs. */
export function fieldInput(
  object: KubeObject,
  ref: ObjectRef,
  path: readonly (string | number)[],
  as: "value" | "text",
): Input | null {
  const value = getAt(object, path);
  if (value === undefined || value === null || (as === "text" && typeof value !== "string")) return null;
  return {
    text: as === "text" ? String(value) : yamlOf(value),
    label: `${ref.kind} ${ref.namespace === "" ? "" : `${ref.namespace}/`}${ref.name} ${path.join(".")}`,
    home: { object: ref, path, as },
  };
}

/** What an input's text was when the object that holds it was as given; "" where the field was not set. */
export function inputAt(object: KubeObject, text: string, home: Extract<InputHome, { object: ObjectRef }>): string {
  if (home.as !== "entry") return fieldInput(object, home.object, home.path, home.as)?.text ?? "";
  const [target = ""] = Object.keys(parse(text) as Record<string, Json>);
  const value = getAt(object, home.path);
  return value === undefined ? "" : yamlOf({ [target]: value });
}

/** The tree as a source sees it: with its inputs as files beside those of the repository. */
export function withInputTexts(tree: Tree, { inputs = {} }: Pick<Source, "inputs">): Tree {
  return {
    directory: tree.directory,
    read: async (path) => (isInput(path) ? (inputs[path]?.text ?? null) : tree.read(path)),
    kind: async (path) => (isInput(path) ? (inputs[path] === undefined ? "none" : "file") : tree.kind(path)),
  };
}

/** A file of the repository by its path, an input by what it is. */
export function placeName(file: string, { inputs }: Pick<Source, "inputs">): string {
  return isInput(file) ? (inputs?.[file]?.label ?? file.slice(1)) : file;
}

/** Edits of one source's inputs as edits of another's, or of further ones of its own, that stand in the same place. */
export function sharedEdits(edits: readonly FileEdit[], from: Source, to: Source): FileEdit[] {
  const named = new Set(from === to ? edits.map(({ file }) => file) : []);
  return edits.flatMap(({ file, after }) => {
    const input = from.inputs?.[file];
    if (input === undefined) return [];
    const twins = Object.entries(to.inputs ?? {}).filter(
      ([name, { home }]) => !named.has(name) && homeKey(home) === homeKey(input.home),
    );
    return twins.map(([name, twin]) => ({ file: name, before: twin.text, after: textFor(twin, input, after) }));
  });
}

/** What a text says of one input, as another one of the same place says it: each entry under a name of its own. */
function textFor(twin: Input, input: Input, text: string): string {
  const isEntry = ({ home }: Input): boolean => "as" in home && home.as === "entry";
  const value = isEntry(input) ? Object.values(parse(text) as Record<string, Json>)[0] : text;
  const [target = ""] = isEntry(twin) ? Object.keys(parse(twin.text) as Record<string, Json>) : [];
  return isEntry(twin) ? yamlOf({ [target]: value }) : String(value ?? "");
}

function homeKey(home: InputHome): string {
  return "object" in home
    ? `${keyOf(home.object)} ${home.path.join("\u0000")} ${home.as === "value"}`
    : `${home.repository}@${home.branch}:${home.file}`;
}

/** The source with inputs edited; edits of files are left out. */
export function withInputs(source: Source, edits: readonly FileEdit[]): Source {
  const changed = edits.filter(({ file }) => isInput(file));
  if (changed.length === 0) return source;
  const inputs: Record<string, Input> = { ...source.inputs };
  for (const { file, after } of changed) {
    const input = inputs[file];
    if (input === undefined) throw new StanchError("internal", `${source.id} has no input ${file.slice(1)}`);
    inputs[file] = { ...input, text: after };
  }
  return { ...source, inputs };
}

/** What an edit of an input is as changes of the object that holds it: the smallest ones, so that each is found in Git by itself. */
export function changesOf(input: Input, after: string): Change[] {
  const { home } = input;
  if (!("object" in home)) throw new StanchError("internal", `${input.label} is a file and no field`);
  if (home.as === "text") return [{ object: home.object, path: home.path, from: input.text, to: after }];
  if (home.as === "entry") {
    const value = (text: string): Json => Object.values(parse(text) as Record<string, Json>)[0] ?? null;
    return [{ object: home.object, path: home.path, from: value(input.text), to: value(after) }];
  }
  return between(textValue(input.text), textValue(after)).map(({ path, from, to }) => ({
    object: home.object,
    path: [...home.path, ...path],
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  }));
}

/** An empty text is a field that is not set. */
function textValue(text: string): Json | undefined {
  return (parse(text) as Json | null) ?? undefined;
}

interface Difference {
  readonly path: readonly (string | number)[];
  readonly from?: Json | undefined;
  readonly to?: Json | undefined;
}

/** Lists of another length are one change as a whole: what their items mean is not known here. */
function between(from: Json | undefined, to: Json | undefined, path: readonly (string | number)[] = []): Difference[] {
  if (JSON.stringify(from) === JSON.stringify(to)) return [];
  if (isMap(from) && isMap(to))
    return [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap((key) =>
      between(from[key], to[key], [...path, key]),
    );
  if (Array.isArray(from) && Array.isArray(to) && from.length === to.length)
    return from.flatMap((item, index) => between(item, to[index], [...path, index]));
  return [{ path, from, to }];
}

function isMap(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
