import { indexSource, type ManifestEntry } from "../gitops/manifest-index.ts";
import { entriesOf } from "../gitops/plain-candidates.ts";
import { parseDocuments } from "../gitops/yaml-parse.ts";
import { getAt } from "../kube/field-path.ts";
import { keyOf } from "../kube/ref.ts";
import type { Change, Json } from "../model.ts";
import type { Found } from "./examine.ts";
import type { DriftField, DriftItem, SourceLine } from "./model.ts";
import type { DriftRequest } from "./request.ts";
import type { Root } from "./root.ts";
import { cleaned } from "./shown.ts";

/** Fields whose line is looked for in one survey: each costs renders. */
const MOST_LINES = 50;
const LOCATED = new Set(["drift", "hotfix", "conflict"]);

/** Puts the line in the source to the fields that drift and to the objects that are missing, as far as it is found. */
export async function placeLines(
  found: ReadonlyMap<Root, Found>,
  roots: readonly Root[],
  request: Pick<DriftRequest, "locate" | "log">,
): Promise<void> {
  if (request.locate === undefined) return;
  let left = MOST_LINES;
  for (const root of roots) {
    const mine = found.get(root);
    if (mine === undefined) continue;
    const begins = objectLines(root);
    const placed: DriftItem[] = [];
    for (const item of mine.items) {
      const line = item.class === "missing" || LOCATED.has(item.class) ? await begins(item) : null;
      const fields: DriftField[] = [];
      for (const [index, field] of item.fields.entries()) {
        const live = mine.verdicts.get(item)?.differences[index]?.live;
        const looks = LOCATED.has(item.class) && item.object.kind !== "Secret" && left > 0;
        if (looks) left--;
        const at = looks ? await fieldLine(root, item, field, live, request) : null;
        fields.push(at === null ? field : { ...field, location: at });
      }
      placed.push({ ...item, fields, ...(line === null ? {} : { location: line }) });
    }
    mine.items = placed;
  }
}

/** Where the field's value stands: where an edit would make the source say what is live. */
async function fieldLine(
  { bench, declared }: Root,
  { object }: DriftItem,
  { path, text, live: shown }: DriftField,
  live: Json | undefined,
  { locate, log }: Pick<DriftRequest, "locate" | "log">,
): Promise<SourceLine | null> {
  const head = declared.get(keyOf(object))?.head;
  if (head === undefined || locate === undefined) return null;
  log.progress(`finding ${text} in Git`);
  const from = getAt(head, path);
  // What must not be shown is not written into a copy of the source either.
  const to = shown !== undefined && "hash" in shown ? "probe" : live === undefined ? undefined : cleaned(path, live);
  const change: Change = {
    object,
    path,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
  return locate(bench, change).catch(() => null);
}

/** Where an object begins, in a source of plain manifests. */
function objectLines({ bench, source }: Root): (item: DriftItem) => Promise<SourceLine | null> {
  let index: Promise<readonly ManifestEntry[]> | undefined;
  return async ({ object }) => {
    if (source.tool !== "plain") return null;
    index ??= indexSource(bench.checkout.directory, source).then(({ entries }) => entries);
    const [entry] = entriesOf(await index, { change: { object, path: [] }, source });
    const text = entry === undefined ? null : await bench.checkout.read(entry.file).catch(() => null);
    if (entry === undefined || text === null) return null;
    const document = parseDocuments(text)[entry.document];
    const steps = entry.prefix.filter((step) => typeof step !== "object");
    const node = document?.getIn(steps, true) as { range?: readonly number[] } | undefined;
    const at = node?.range?.[0] ?? document?.contents?.range?.[0];
    return at === undefined ? null : { file: entry.file, line: text.slice(0, at).split("\n").length };
  };
}
