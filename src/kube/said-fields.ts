import type { Change, Json, KubeObject, PatchOperation } from "../model.ts";
import { nodeStepsTo, ofItem } from "./field-managers.ts";
import { getAt, toPointer } from "./field-path.ts";
import { type Fields, mapAt } from "./fields.ts";

/**
 * Gives up what a write owns without having said it: the API server fills a probe, a port or a volume that comes as a whole with its
 * defaults, and counts them as the writer's (`FieldsV1` of structured-merge-diff). Only fields inside of what `changes` wrote are looked at,
 * so that what another incident of the same manager owns stays. Empty where nothing is owned beyond what was said. The patch holds only
 * while the entry is what it was here.
 */
export function disownDefaults(
  live: Pick<KubeObject, "metadata">,
  changes: readonly Change[],
  manager: string,
): PatchOperation[] {
  const index = (live.metadata.managedFields ?? []).findIndex(
    (entry) => entry.manager === manager && entry.operation === "Update" && (entry.subresource ?? "") === "",
  );
  const before = mapAt(live.metadata.managedFields?.[index]?.fieldsV1);
  if (before === undefined) return [];
  const after = structuredClone(before) as Node;
  let less = false;
  for (const { path, to } of changes) {
    if (to === undefined) continue;
    const steps = nodeStepsTo(before, path, live);
    const node = steps === undefined ? undefined : getAt(after, steps);
    if (node !== undefined && prune(node as Node, to)) less = true;
  }
  if (!less) return [];
  const at = ["metadata", "managedFields", index, "fieldsV1"];
  return [
    { op: "test", path: toPointer(at), value: before as Json },
    { op: "replace", path: toPointer(at), value: after as Json },
  ];
}

type Node = { [key: string]: Node };

/** Takes what a value does not name out of a set; true where something went. */
function prune(node: Node, said: unknown): boolean {
  let less = false;
  for (const key of Object.keys(node)) {
    if (key === ".") continue;
    const value = named(key, said);
    if (value === undefined) {
      delete node[key];
      less = true;
    } else if (prune(node[key] as Node, value)) less = true;
  }
  return less;
}

function named(key: string, said: unknown): unknown {
  if (key.startsWith("f:")) return (mapAt(said) as Fields | undefined)?.[key.slice(2)];
  if (!Array.isArray(said)) return undefined;
  if (key.startsWith("k:")) return said.find((item) => ofItem(key, item));
  if (key.startsWith("i:")) return said[Number(key.slice(2))];
  return said.find((item) => `v:${JSON.stringify(item)}` === key);
}
