import { isNothing, sameAsLive } from "../gitops/field-equality.ts";
import { mergeKeyOf } from "../gitops/object-diff.ts";
import { managersOf } from "../kube/field-managers.ts";
import type { Change, FieldPath, Json, KubeObject, ObjectRef } from "../model.ts";

/**
 * Fields in which a live object says something else than Git declares, as changes from the live value to Git's. What Git
 * does not say is not compared: it is a default or somebody else's. Fields that Stanch itself wrote are left out, since
 * they differ until their pull request is merged.
 */
export function driftedFields(declared: KubeObject, live: KubeObject, ref: ObjectRef): Change[] {
  const out: Change[] = [];
  for (const top of ["spec", "data"]) compare([top], declared[top] as Json | undefined, live[top] as Json | undefined);
  return out.filter((change) => !managersOf(live, change.path).some((owner) => owner.manager === "stanch"));

  function compare(path: FieldPath, said: Json | undefined, is: Json | undefined): void {
    if (said === undefined || said === null || isNothing(path, said) || sameAsLive(path, said, is)) return;
    if (isMap(said) && isMap(is)) {
      for (const [key, value] of Object.entries(said)) compare([...path, key], value, is[key]);
      return;
    }
    const name = path.at(-1);
    if (Array.isArray(said) && Array.isArray(is) && typeof name === "string") {
      const key = mergeKeyOf(name, said, is);
      if (key !== undefined) {
        for (const item of said as { [field: string]: Json }[]) {
          const value = item[key] as string | number;
          compare(
            [...path, { by: key, value }],
            item,
            is.find((other) => isMap(other) && other[key] === value),
          );
        }
        return;
      }
    }
    // Without a key, items of lists of one length stand for each other: the server's defaults in them are no drift.
    if (Array.isArray(said) && Array.isArray(is) && said.length === is.length && [...said, ...is].every(isMap)) {
      for (const [index, item] of said.entries()) compare([...path, index], item, is[index]);
      return;
    }
    out.push({ object: ref, path, ...(is === undefined ? {} : { from: is }), to: said });
  }
}

function isMap(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
