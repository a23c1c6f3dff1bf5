import { refOf } from "../kube/ref.ts";
import type { Json } from "../model.ts";
import { type Aim, type Candidate, fieldCandidate, fieldEdits } from "./candidate.ts";
import type { ManifestEntry } from "./manifest-index.ts";
import { parseOnce } from "./parse-cache.ts";
import { allRendered } from "./rendered.ts";

/** The places where an object is declared: more than one is ambiguous. */
export function entriesOf(entries: readonly ManifestEntry[], aim: Pick<Aim, "change" | "source">): ManifestEntry[] {
  const objects = new Set(
    allRendered(
      entries.map((entry) => entry.object),
      aim.change.object,
      aim.source,
    ),
  );
  return entries.filter((entry) => objects.has(entry.object));
}

/** In a folder of plain manifests there is one place: the document itself. */
export async function* plainCandidates(aim: Aim, entry: ManifestEntry): AsyncGenerator<Candidate> {
  const text = await aim.read(entry.file);
  if (text === null) return;
  const parsed = parseOnce(text);
  const root: Json = parsed.ok ? (parsed.values[entry.document] ?? null) : null;
  yield fieldCandidate(entry.file, text, "manifest", fieldEdits(root, entry, aim.change));
}

/** Two documents that declare the same object, in words. */
export function ambiguity(entries: readonly ManifestEntry[]): string {
  const [first] = entries;
  const name = first === undefined ? "the object" : `${refOf(first.object).kind} ${first.object.metadata.name}`;
  return `${name} is declared ${entries.length} times: ${entries.map((entry) => `${entry.file} (document ${entry.document + 1})`).join(", ")}.`;
}
