import {
  type Document,
  isAlias,
  isScalar,
  type Pair,
  type ParseOptions,
  parseAllDocuments,
  type Tags,
  visit,
  YAMLParseError,
} from "yaml";
import type { Json } from "../model.ts";

/** Files above this are never edited (bytes of UTF-8 are at least characters, so characters are a safe measure). */
export const MAX_FILE_CHARACTERS = 1024 * 1024;

/** How often an anchor may be used, with what it uses itself: enough for people, too little for a bomb. */
const MAX_ALIASES = 1000;

/**
 * Kubernetes tools read YAML 1.1 without timestamps and base-60 numbers: `yes` is true, `012` is ten, and `1:30` is text
 * (go-yaml's rules, which sigs.k8s.io/yaml and kyaml follow).
 */
const KUBERNETES = {
  version: "1.1",
  customTags: (tags: Tags): Tags =>
    tags.filter(
      (tag) =>
        typeof tag === "string" || (!("format" in tag && tag.format === "TIME") && !tag.tag.endsWith(":timestamp")),
    ),
} as const;

const YAML_1_2 = { version: "1.2", schema: "core", merge: true } as const;

export type YamlDocument = Document.Parsed;

/** The documents of a file with their source tokens, read by YAML 1.2; documents carry their own `errors`. */
export function parseDocuments(text: string): YamlDocument[] {
  return documentsOf(text, { ...YAML_1_2, keepSourceTokens: true });
}

/**
 * The values of every document as Kubernetes reads them. Throws an Error with the parser's first complaint (no source
 * text in it). An empty document is null.
 */
export function parseValues(text: string): Json[] {
  return valuesOf(documentsOf(text, KUBERNETES));
}

/** The same by YAML 1.2, which other tools follow; an edit must mean the same in both. */
export function parseValues12(text: string): Json[] {
  return valuesOf(documentsOf(text, YAML_1_2));
}

/** The parser's first error in a document, in one line without source text. */
export function errorOf(document: YamlDocument): string | undefined {
  const [error] = document.errors;
  return error?.message.split("\n")[0]?.replace(/:$/, "");
}

/** Names of anchors that an alias refers to. */
export function referencedAnchors(document: YamlDocument): ReadonlySet<string> {
  const names = new Set<string>();
  visit(document, {
    Alias(_key, node) {
      names.add(node.source);
    },
  });
  return names;
}

/** The text of a map key, or undefined for a key that is a collection, an alias or a merge key. */
export function keyText(pair: Pair<unknown, unknown>): string | undefined {
  if (!isScalar(pair.key) || isMergeKey(pair)) return undefined;
  return pair.key.value === null ? "" : String(pair.key.value);
}

export function isMergeKey(pair: Pair<unknown, unknown>): boolean {
  return isScalar(pair.key) && pair.key.source === "<<" && pair.key.type === "PLAIN";
}

/** A key that is neither text nor a number: how templates look when they are read as YAML. */
export function hasComplexKey(document: YamlDocument): boolean {
  let found = false;
  visit(document, {
    Pair(_key, pair) {
      if (isScalar(pair.key) && !isAlias(pair.key)) return undefined;
      found = true;
      return visit.BREAK;
    },
  });
  return found;
}

function documentsOf(text: string, options: ParseOptions & Record<string, unknown>): YamlDocument[] {
  const parsed = parseAllDocuments(text, { ...options, logLevel: "silent", uniqueKeys: false });
  const documents = Array.isArray(parsed) ? [...parsed] : [];
  for (const document of documents) {
    const at = document.errors.length === 0 ? duplicateKey(document) : undefined;
    if (at === undefined) continue;
    const lines = text.slice(0, at).split("\n");
    const place = `line ${lines.length}, column ${(lines.at(-1) ?? "").length + 1}`;
    document.errors.push(new YAMLParseError([at, at + 1], "DUPLICATE_KEY", `Map keys must be unique at ${place}`));
  }
  return documents;
}

/** Where a key stands that its map has already. The parser's own check looks at every earlier key: minutes for a large map. */
function duplicateKey(document: YamlDocument): number | undefined {
  let found: number | undefined;
  visit(document, {
    Map(_key, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) {
          found = key.range?.[0] ?? 0;
          return visit.BREAK;
        }
        seen.add(key.value);
      }
      return undefined;
    },
  });
  return found;
}

function valuesOf(documents: readonly YamlDocument[]): Json[] {
  return documents.map((document) => {
    const error = errorOf(document);
    if (error !== undefined) throw new Error(error);
    return (document.toJS({ maxAliasCount: MAX_ALIASES }) ?? null) as Json;
  });
}
