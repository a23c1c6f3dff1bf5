import type { SourceEntry } from "../config/schema.ts";
import { matchesGlob } from "../config/scope.ts";
import type { ObjectRef } from "../model.ts";

/** The configured sources that may declare an object, by its namespace. Cluster-scoped objects may come from any. */
export function entriesFor(ref: ObjectRef, entries: readonly SourceEntry[]): readonly SourceEntry[] {
  return entries.filter(
    (entry) => ref.namespace === "" || entry.namespaces.some((glob) => matchesGlob(glob, ref.namespace)),
  );
}
