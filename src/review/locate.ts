import { isMap, isScalar, LineCounter, parseAllDocuments, type Document as YamlDocument } from "yaml";
import type { SourceLine } from "../drift/model.ts";
import { baseName, hasHashedName } from "../gitops/rendered.ts";
import type { Tree } from "../gitops/tree.ts";
import { resolvePath } from "../kube/field-path.ts";
import type { FieldPath, ObjectRef } from "../model.ts";

/** Of one file, in bytes: a line number is not worth parsing more. */
const MOST_BYTES = 1024 * 1024;

interface Declared {
  readonly value: unknown;
  lineOf(path: readonly (string | number)[]): number | undefined;
}

/** Finds the lines that declare objects and fields, in the files of a root. Each file is parsed once. */
export function createLocator(
  tree: Pick<Tree, "read">,
): (object: ObjectRef, path: FieldPath | undefined, files: Iterable<string>) => Promise<SourceLine | undefined> {
  const parsed = new Map<string, Promise<readonly Declared[]>>();
  const documentsOf = (file: string): Promise<readonly Declared[]> => {
    const made = parsed.get(file) ?? documents(tree, file);
    parsed.set(file, made);
    return made;
  };
  return async (object, path, files) => {
    let begins: SourceLine | undefined;
    for (const file of files) {
      if (!/\.(ya?ml|json)$/.test(file)) continue;
      for (const { value, lineOf } of await documentsOf(file)) {
        if (!declares(value, object)) continue;
        // The file that says the field itself is better than one that only names the object.
        for (let length = path?.length ?? 0; length > 1; length -= 1) {
          const steps = resolvePath(value, path?.slice(0, length) ?? []);
          const line = steps === undefined ? undefined : lineOf(steps);
          if (line !== undefined) return { file, line };
        }
        begins ??= { file, line: lineOf([]) ?? 1 };
      }
    }
    return begins;
  };
}

/** Kustomize may put something before or after the name, and a patch names the object as its base does. */
function declares(value: unknown, object: ObjectRef): boolean {
  const { kind, metadata } = (value ?? {}) as { kind?: unknown; metadata?: { name?: unknown } | null };
  const name = metadata?.name;
  if (kind !== object.kind || typeof name !== "string" || name === "") return false;
  const meant = hasHashedName(object.kind) ? baseName(object.name) : object.name;
  return name === meant || name === object.name || meant.endsWith(`-${name}`) || meant.startsWith(`${name}-`);
}

async function documents(tree: Pick<Tree, "read">, file: string): Promise<readonly Declared[]> {
  const text = await tree.read(file).catch(() => null);
  if (text === null || text.length > MOST_BYTES || !text.includes("kind")) return [];
  const lines = new LineCounter();
  try {
    const found = parseAllDocuments(text, { lineCounter: lines, logLevel: "silent" });
    return (Array.isArray(found) ? found : []).flatMap((document): Declared[] => {
      if (document.errors.length > 0) return [];
      return [
        {
          value: document.toJS({ maxAliasCount: 100 }),
          lineOf(path) {
            const start = path.length === 0 ? rangeOf(document.contents) : startOf(document, path);
            return start === undefined ? undefined : lines.linePos(start).line;
          },
        },
      ];
    });
  } catch {
    return [];
  }
}

/** Where a field begins: at its key, which may stand lines before its value. */
function startOf(document: YamlDocument, path: readonly (string | number)[]): number | undefined {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(last));
    return rangeOf(pair?.key);
  }
  return rangeOf(document.getIn(path, true));
}

function rangeOf(node: unknown): number | undefined {
  return (node as { range?: readonly number[] } | null | undefined)?.range?.[0];
}
