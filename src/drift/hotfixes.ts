import { CLOSED, type Incident } from "../incident/incident.ts";
import { keyOf, refOf } from "../kube/ref.ts";
import type { Change, FieldPath, Json, KubeObject, ObjectRef, PathStep } from "../model.ts";
import type { Difference } from "./compare.ts";
import { isMap, sameLeaf } from "./leaf.ts";

/** The open incident that explains a difference. */
export interface HotfixMatch {
  readonly incident: { readonly namespace: string; readonly name: string };
  readonly pullRequest?: { readonly number: number; readonly url: string };
}

/** What Stanch has changed live, and Git does not say yet. */
export interface Hotfixes {
  explains(live: KubeObject, difference: Difference): HotfixMatch | null;
  /** Does a hold of ours stand on this object? */
  holds(object: KubeObject): boolean;
  /** Does a hold of ours let this whole owner rest? */
  rests(owner: ObjectRef): boolean;
}

export function hotfixesOf(incidents: readonly Incident[]): Hotfixes {
  const changes = new Map<string, { readonly change: Change; readonly incident: Incident }[]>();
  const held = new Set<string>();
  const resting = new Set<string>();
  for (const incident of incidents) {
    const { status } = incident;
    if (status === undefined || CLOSED.includes(status.phase)) continue;
    const live = status.hotfix !== undefined && status.hotfix.undoneAt === undefined ? status.hotfix.changes : [];
    const holds = (status.holds ?? []).filter(({ releasedAt }) => releasedAt === undefined);
    for (const hold of holds)
      for (const { object } of hold.changes)
        if (keyOf(object) === keyOf(hold.object)) held.add(keyOf(object));
        else resting.add(keyOf(object));
    for (const change of [...live, ...holds.flatMap((hold) => hold.changes)]) {
      const key = keyOf(change.object);
      changes.set(key, [...(changes.get(key) ?? []), { change, incident }]);
    }
  }
  return {
    explains(live, difference) {
      const found = changes.get(keyOf(refOf(live)))?.find(({ change }) => explainedBy(difference, change));
      return found === undefined ? null : matchOf(found.incident);
    },
    holds: (object) => held.has(keyOf(refOf(object))),
    rests: (owner) => resting.has(keyOf(owner)),
  };
}

function matchOf({ metadata, status }: Incident): HotfixMatch {
  const { pullRequest } = status ?? {};
  return {
    incident: { namespace: metadata.namespace, name: metadata.name },
    ...(pullRequest === undefined ? {} : { pullRequest: { number: pullRequest.number, url: pullRequest.url } }),
  };
}

/** Is the live value the one that was written? A later change by a person to the same field is drift. */
function explainedBy({ path, live }: Difference, { path: written, to }: Change): boolean {
  if (startsWith(path, written)) return sameValue(path, valueAt(to, path.slice(written.length)), live);
  return startsWith(written, path) && sameValue(written, to, valueAt(live, written.slice(path.length)));
}

function startsWith(path: FieldPath, head: FieldPath): boolean {
  return head.length <= path.length && head.every((step, index) => sameStep(step, path[index]));
}

function sameStep(a: PathStep, b: PathStep | undefined): boolean {
  if (typeof a === "object" && typeof b === "object") return a.by === b.by && a.value === b.value;
  return a === b;
}

function valueAt(value: Json | undefined, path: FieldPath): Json | undefined {
  let at = value;
  for (const step of path) {
    if (typeof step === "string") at = isMap(at) ? at[step] : undefined;
    else if (!Array.isArray(at)) return undefined;
    else at = typeof step === "number" ? at[step] : at.find((item) => isMap(item) && item[step.by] === step.value);
  }
  return at;
}

function sameValue(path: FieldPath, a: Json | undefined, b: Json | undefined): boolean {
  if (a === undefined || b === undefined || a === null || b === null) return (a ?? null) === (b ?? null);
  return sameLeaf(path, a, b);
}
