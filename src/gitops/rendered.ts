import { groupOf, keyOf, refOf } from "../kube/ref.ts";
import type { KubeObject, ObjectRef, Source } from "../model.ts";

/** The characters of a Kustomize content hash: hex digits with look-alikes replaced (kustomize `api/hasher`). */
const HASH = /-[2456789bcdfghkmt]{10}$/;

/**
 * The rendered object that becomes a live one: same group, kind, name and namespace, where an object without namespace
 * is in the one that the deployer fills in. Names of ConfigMaps and Secrets are the same with another content hash.
 */
export function findRendered(objects: readonly KubeObject[], ref: ObjectRef, source: Source): KubeObject | undefined {
  return allRendered(objects, ref, source)[0];
}

/** All that match, best first: more than one is a repository that says two things. */
export function allRendered(objects: readonly KubeObject[], ref: ObjectRef, source: Source): KubeObject[] {
  const near = objects.filter(
    (object) =>
      object.kind === ref.kind &&
      groupOf(object.apiVersion) === groupOf(ref.apiVersion) &&
      inNamespace(object, ref, source),
  );
  const exact = near.filter((object) => object.metadata.name === ref.name);
  if (exact.length > 0) return exact;
  return near.filter((object) => hasHashedName(object.kind) && baseName(object.metadata.name) === baseName(ref.name));
}

export function hasHashedName(kind: string): boolean {
  return kind === "ConfigMap" || kind === "Secret";
}

/** A name without the content hash that Kustomize's generators append. */
export function baseName(name: string): string {
  return name.replace(HASH, "");
}

/** A key that stays the same when only a content hash changes. */
export function stableKey(object: KubeObject): string {
  const ref = refOf(object);
  return keyOf(hasHashedName(ref.kind) ? { ...ref, name: baseName(ref.name) } : ref);
}

function inNamespace(object: KubeObject, ref: ObjectRef, source: Source): boolean {
  const namespace = object.metadata.namespace;
  if (namespace === ref.namespace) return true;
  if (namespace !== undefined) return ref.namespace === "";
  return ref.namespace === "" || ref.namespace === (source.namespace ?? "default") || source.namespace === undefined;
}
