import { textAt } from "../kube/fields.ts";
import type { KubeObject, Source } from "../model.ts";
import type { Resource } from "../ports.ts";

/** Why a rendered object is no part of the comparison; null: it is one. */
export function leftOut(object: KubeObject, { owner }: Source): string | null {
  const { annotations = {} } = object.metadata;
  const helm = annotations["helm.sh/hook"];
  if (helm !== undefined && helm !== "crd-install") return "hooks of Helm";
  if (annotations["argocd.argoproj.io/hook"] !== undefined) return "hooks of Argo CD";
  if (annotations["config.kubernetes.io/local-config"] === "true") return "local configuration";
  if (owner.kind !== "flux") return null;
  const apply = annotations["kustomize.toolkit.fluxcd.io/ssa"]?.toLowerCase();
  return apply === "ignore" ? "objects annotated kustomize.toolkit.fluxcd.io/ssa: Ignore" : null;
}

/** Declared once and then left to others: only whether it is there counts. */
export function onlyPresence(object: KubeObject, { owner }: Source): string | null {
  const apply = textAt(object, "metadata", "annotations", "kustomize.toolkit.fluxcd.io/ssa")?.toLowerCase();
  return owner.kind === "flux" && apply === "ifnotpresent"
    ? "objects annotated kustomize.toolkit.fluxcd.io/ssa: IfNotPresent"
    : null;
}

/** The object in the namespace that it lands in. */
export function placed(object: KubeObject, source: Source, { namespaced }: Resource): KubeObject {
  if (namespaced) {
    const namespace = object.metadata.namespace ?? source.namespace ?? "default";
    return { ...object, metadata: { ...object.metadata, namespace } };
  }
  const { namespace: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** Objects that go by themselves when they are done. */
export function vanishes(object: KubeObject): boolean {
  return (
    object.kind === "Job" &&
    object.apiVersion.startsWith("batch/") &&
    typeof specOf(object)["ttlSecondsAfterFinished"] === "number"
  );
}

function specOf(object: KubeObject): Record<string, unknown> {
  const { spec } = object;
  return typeof spec === "object" && spec !== null ? (spec as Record<string, unknown>) : {};
}

/** The value of the label by which Argo CD tracks, where it lays its own over the manifest's. */
export function withoutTrackingLabel(object: KubeObject, live: KubeObject, { owner }: Source): KubeObject {
  const { labels } = object.metadata;
  if (owner.kind !== "argocd" || owner.ref === undefined || labels === undefined) return object;
  const { name, namespace } = owner.ref;
  const names = [name, `${namespace}_${name}`, name.slice(0, 63)];
  const kept = Object.entries(labels).filter(([key]) => {
    const is = live.metadata.labels?.[key];
    return !(/(^|\/)instance(-?name)?$/i.test(key) && is !== undefined && is !== labels[key] && names.includes(is));
  });
  return kept.length === Object.keys(labels).length
    ? object
    : { ...object, metadata: { ...object.metadata, labels: Object.fromEntries(kept) } };
}
