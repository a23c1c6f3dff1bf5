import { type Ownership, ownersOf } from "../kube/field-managers.ts";
import { getAt } from "../kube/field-path.ts";
import type { FieldPath, Json, KubeObject, ManagedFields } from "../model.ts";
import { isMap, sameLeaf } from "./leaf.ts";
import type { Writer } from "./model.ts";
import { type Deploys, isDeployer, isWhole, writerOf } from "./writer.ts";

/** Who had their hands on one object, as it tells itself: by managedFields and by what was applied last. */
export interface Hands {
  writer(entry: ManagedFields): Writer;
  /** Did a writer own a field because it meant it, and not because it made the whole object? */
  meant(owner: Ownership): boolean;
  /** What kubectl's client-side apply noted for a field; undefined: nothing. */
  applied(path: FieldPath): Json | undefined;
  /** Did the deployer send what Git says, and another value was stored? */
  mutated(path: FieldPath, git: Json, owners: readonly Ownership[]): boolean;
}

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
const REPLACE = "kubectl-replace";
const CLIENT_SIDE = ["kubectl-client-side-apply", "before-first-apply"];

/**
 * `kubectl replace` deploys where nothing else does. Where an apply deploys, it is how people write back what they read and edited: it owns
 * what it changed and nothing else, and writes all that it sent, defaults too, into the note of what was applied.
 */
export function handsOn(live: KubeObject, deploys: Deploys): Hands {
  const all = live.metadata.managedFields ?? [];
  const writers = writersOfNote(live);
  const isRewritten =
    writers.some(({ manager }) => manager === REPLACE) && all.some((entry) => appliesFor(entry, deploys));
  const noted = isRewritten ? undefined : lastApplied(live);
  const appliers = isRewritten ? all.filter((entry) => appliesFor(entry, deploys)) : noted === undefined ? [] : writers;
  const applies = (entry: ManagedFields): boolean =>
    appliers.includes(entry) || (entry.operation === "Apply" && isDeployer(entry.manager ?? "", deploys));
  const isApplied = all.some(applies);
  const lastApply = appliers.map(timeOf).toSorted().at(-1);
  // Whatever stood there before, the apply sent its own over it.
  const isSent = (entry: ManagedFields): boolean =>
    applies(entry) || (lastApply !== undefined && timeOf(entry) < lastApply);
  const applied = (path: FieldPath): Json | undefined => (noted === undefined ? undefined : getAt(noted, path));
  return {
    writer(entry) {
      const writer = writerOf(entry, deploys);
      const isBeside = writer === "deployer" && entry.manager === REPLACE && isApplied && !applies(entry);
      return isBeside ? "person" : writer;
    },
    meant({ entry, how }) {
      if (how === "below") return false;
      // Whoever made the object owns its defaults; whoever replaced it later owns what that changed.
      const isLater = entry.manager === REPLACE && timeOf(entry) > (live.metadata.creationTimestamp ?? "");
      return isLater || !isWhole(entry);
    },
    applied,
    mutated(path, git, owners) {
      const said = applied(path);
      if (said === undefined || !(sameLeaf(path, git, said) || JSON.stringify(git) === JSON.stringify(said)))
        return false;
      return owners.every(({ entry }) => writerOf(entry, deploys) === "deployer" && isSent(entry));
    },
  };
}

/** Does an entry stand for an apply, by kubectl or by the engine that deploys the object? */
function appliesFor({ manager = "", operation }: ManagedFields, deploys: Deploys): boolean {
  if (CLIENT_SIDE.includes(manager)) return true;
  return isDeployer(manager, deploys) && manager !== REPLACE && (operation === "Apply" || deploys !== "configuration");
}

/** Who wrote the note of what was applied; where nobody is said to, whoever writes it by its name. */
function writersOfNote(live: KubeObject): readonly ManagedFields[] {
  const owners = ownersOf(live, ["metadata", "annotations", LAST_APPLIED]).filter(({ how }) => how === "exact");
  if (owners.length > 0) return owners.map(({ entry }) => entry);
  return (live.metadata.managedFields ?? []).filter(({ manager = "" }) => CLIENT_SIDE.includes(manager));
}

const timeOf = ({ time }: ManagedFields): string => time ?? "";

/** What kubectl's client-side apply noted; undefined where there is none, or it is no longer JSON. */
function lastApplied(live: KubeObject): Json | undefined {
  const text = live.metadata.annotations?.[LAST_APPLIED];
  if (text === undefined || text.length > 1_000_000) return undefined;
  try {
    const value = JSON.parse(text) as Json;
    return isMap(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
