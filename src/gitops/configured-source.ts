import type { SourceEntry } from "../config/schema.ts";
import { matchesGlob } from "../config/scope.ts";
import type { ObjectRef, Source } from "../model.ts";
import type { Origin } from "./origin.ts";

/** The configured sources that may declare an object, by its namespace. Cluster-scoped objects may come from any. */
export function entriesFor(ref: ObjectRef, entries: readonly SourceEntry[]): readonly SourceEntry[] {
  return entries.filter(
    (entry) => ref.namespace === "" || entry.namespaces.some((glob) => matchesGlob(glob, ref.namespace)),
  );
}

/** A configured entry as an origin. */
export function originOf({ repository, branch, path, tool, namespace, helm }: SourceEntry): Origin {
  return {
    repository,
    path,
    tool,
    ...(branch === undefined ? {} : { branch }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(helm === undefined ? {} : { helm }),
    owner: { kind: "configuration", name: "stanch.yaml" },
  };
}

/**
 * Is this the same deployment, known in two ways: by configuration, and by what the cluster says of itself? An entry that leaves the
 * namespace open is about whatever is deployed from there.
 */
export function sameDeployment(a: Source, b: Source): boolean {
  return (
    a.repository.toLowerCase() === b.repository.toLowerCase() &&
    a.branch === b.branch &&
    a.path === b.path &&
    a.tool === b.tool &&
    (a.owner.kind === "configuration") !== (b.owner.kind === "configuration") &&
    (a.namespace === undefined || b.namespace === undefined || a.namespace === b.namespace) &&
    a.helm?.release === b.helm?.release
  );
}
