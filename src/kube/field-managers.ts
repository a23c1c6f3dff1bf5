import type { FieldPath, KubeObject, ManagedFields, PathStep } from "../model.ts";
import { type Fields, mapAt } from "./fields.ts";

/**
 * Who owns a field, by `metadata.managedFields` (structured-merge-diff's `FieldsV1`): the entries whose set holds the
 * field, something below it, or the list or map around it as a whole. Writes to subresources do not count.
 */
export function managersOf(object: Pick<KubeObject, "metadata">, path: FieldPath): ManagedFields[] {
  return (object.metadata.managedFields ?? []).filter(
    (entry) => (entry.subresource ?? "") === "" && owns(entry.fieldsV1, path),
  );
}

function owns(fields: unknown, path: FieldPath): boolean {
  let at: Fields | undefined = mapAt(fields);
  if (at === undefined) return false;
  for (const [depth, step] of path.entries()) {
    const keys: string[] = Object.keys(at).filter((key) => key !== ".");
    // A leaf of the set: the field is owned as a whole, with all that is in it.
    if (keys.length === 0) return depth > 0;
    const key: string | undefined = keys.find((candidate) => matches(candidate, step));
    const next: Fields | undefined = key === undefined ? undefined : mapAt(at, key);
    if (next === undefined) return false;
    at = next;
  }
  return true;
}

/** `f:image` is a field, `k:{"name":"app"}` a list item by its keys, `v:"x"` an item of a set, `i:0` an index. */
function matches(key: string, step: PathStep): boolean {
  if (typeof step === "string") return key === `f:${step}`;
  if (typeof step === "number") return key === `i:${step}`;
  if (!key.startsWith("k:")) return false;
  try {
    const keys = JSON.parse(key.slice(2)) as Record<string, unknown> | null;
    return keys?.[step.by] === step.value;
  } catch {
    return false;
  }
}
