import { applyChanges } from "../kube/json-patch.ts";
import { keyOf, sameRef } from "../kube/ref.ts";
import { type Reference, referencesOf } from "../kube/references.ts";
import type { Change, ConfigInventory } from "../model.ts";
import type { PlanContext, RemedyContext } from "./remedy.ts";

/**
 * A sentence when the changes would make a template ask for a ConfigMap, Secret or key that is neither in the cluster nor
 * in Git. What may not be read (names of Secrets, their keys) is no objection.
 */
export async function missingTarget(changes: readonly Change[], context: RemedyContext): Promise<string | null> {
  for (const group of Map.groupBy(changes, (change) => keyOf(change.object)).values()) {
    const ref = group[0]?.object;
    const live = ref === undefined ? null : context.live(ref);
    if (ref === undefined || live === null) continue;
    const before = new Set(referencesOf(live).map(nameOf));
    const after = applyChanges(live, group);
    for (const reference of referencesOf(after)) {
      if (before.has(nameOf(reference)) || reference.optional) continue;
      if (reference.kind !== "ConfigMap" && reference.kind !== "Secret") continue;
      const state = stateOf(reference, context.snapshot.configs[ref.namespace]);
      if (state !== "absent") continue;
      const target = { apiVersion: "v1", kind: reference.kind, namespace: ref.namespace, name: reference.name };
      const coming =
        changes.some((change) => sameRef(change.object, target)) || (await context.declared(target)) !== null;
      if (!coming) return `${nameOf(reference)} is neither in the cluster nor in Git`;
    }
  }
  return null;
}

/**
 * Why the changes cannot be made live yet: a template would ask for an object that is not in the cluster and comes only with Git, as
 * one does whose name a generator makes from what it holds. Undefined: nothing is missing, or it may not be read.
 */
export function comesWithGit(
  changes: readonly Change[],
  context: Pick<PlanContext, "live" | "snapshot">,
): string | undefined {
  for (const group of Map.groupBy(changes, (change) => keyOf(change.object)).values()) {
    const ref = group[0]?.object;
    const live = ref === undefined ? null : context.live(ref);
    if (ref === undefined || live === null) continue;
    const before = new Set(referencesOf(live).map((reference) => `${reference.kind} ${reference.name}`));
    const missing = referencesOf(applyChanges(live, group)).find(
      ({ kind, name, optional }) =>
        !optional &&
        (kind === "ConfigMap" || kind === "Secret") &&
        !before.has(`${kind} ${name}`) &&
        stateOf({ kind, name }, context.snapshot.configs[ref.namespace]) === "absent",
    );
    if (missing !== undefined)
      return `${missing.kind} ${missing.name}, which it would then ask for, is made by what deploys Git`;
  }
  return undefined;
}

/** Is what a reference asks for there? `unknown` where it may not be read. */
export function stateOf(
  reference: Pick<Reference, "kind" | "name" | "key">,
  inventory: ConfigInventory | undefined,
): "present" | "absent" | "unknown" {
  const known = reference.kind === "ConfigMap" ? inventory?.configMaps : inventory?.secrets;
  if (known === undefined || known === null) return "unknown";
  if (!Object.hasOwn(known, reference.name)) return "absent";
  const keys = known[reference.name];
  if (reference.key === undefined) return "present";
  if (keys === undefined || keys === null) return "unknown";
  return keys.includes(reference.key) ? "present" : "absent";
}

function nameOf(reference: Reference): string {
  return `${reference.kind} ${reference.name}${reference.key === undefined ? "" : ` (key ${reference.key})`}`;
}
