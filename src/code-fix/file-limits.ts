import { holdsSecrets } from "../advice/withheld.ts";
import type { LimitSettings } from "./path-limits.ts";

/** What is known of a tracked file. */
export interface FileFacts {
  readonly mode: string;
  readonly bytes: number;
  /** Null: no UTF-8 text. */
  readonly text: string | null;
  /** What `.gitattributes` say of it. */
  readonly attributes: { readonly generated: boolean; readonly vendored: boolean; readonly filtered: boolean };
}

/** One kind of content that is not edited; nothing lifts it. */
export interface FileLimit {
  readonly id: string;
  readonly reason: string;
  hits(facts: FileFacts, settings: LimitSettings): boolean;
}

const starts = (text: string | null, characters: number): string => (text ?? "").slice(0, characters);

export const FILE_LIMITS: readonly FileLimit[] = [
  {
    id: "link",
    reason: "it is a symbolic link or a submodule",
    hits: ({ mode }) => !/^100(?:644|755)$/.test(mode),
  },
  {
    id: "large",
    reason: "it is larger than model.code.fileBytes",
    hits: ({ bytes }, { fileBytes }) => bytes > fileBytes,
  },
  { id: "binary", reason: "it is no UTF-8 text", hits: ({ text }) => text === null || text.includes("\0") },
  {
    id: "lfs",
    reason: "it stands in Git as a pointer to another store",
    hits: ({ text }) => starts(text, 60).startsWith("version https://git-lfs.github.com/spec/"),
  },
  {
    id: "filtered",
    reason: "Git changes it on its way (a filter in .gitattributes)",
    hits: ({ attributes }) => attributes.filtered,
  },
  { id: "secret", reason: "it may hold secrets", hits: ({ text }) => text !== null && holdsSecrets(text) },
  {
    id: "generated",
    reason: "it is generated",
    hits: ({ text, attributes }) =>
      attributes.generated ||
      /@generated\b|\bdo not (?:edit|modify)\b|<auto-?generated|\bautomatically generated\b|\bauto-?generated (?:by|from|file|code)|\bcode generated\b|\bgenerated (?:by|from)\b[^\n]{0,80}\bdo not\b|\bthis file (?:is|was) generated\b/i.test(
        starts(text, 3000),
      ),
  },
  {
    id: "vendored",
    reason: "it is somebody else's code (.gitattributes)",
    hits: ({ attributes }) => attributes.vendored,
  },
  {
    id: "minified",
    reason: "its lines are too long for people to review",
    hits({ text }) {
      const lines = (text ?? "").split("\n");
      return lines.some((line) => line.length > 5000) || (text ?? "").length / lines.length > 300;
    },
  },
  {
    id: "manifest",
    reason: "it is a Kubernetes manifest, which is changed by other rules than these",
    hits: ({ text }) => /^apiVersion:\s*\S/m.test(text ?? "") && /^kind:\s*\S/m.test(text ?? ""),
  },
];

/** Why a file may not be edited, by what it is; null: it may. */
export function fileProblem(facts: FileFacts, settings: LimitSettings): string | null {
  return FILE_LIMITS.find((limit) => limit.hits(facts, settings))?.reason ?? null;
}
