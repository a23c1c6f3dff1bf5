import type { KubeObject } from "../model.ts";

/**
 * The GitOps engine that owns an object, by what it writes on it: Argo CD's tracking annotation (which must name the object
 * itself: copies carry it along), Argo CD's instance label when it stands with its tracking, Flux's labels; or the Helm release that
 * it belongs to. Null: none.
 */
export function gitopsOwner(object: KubeObject): string | null {
  const { labels = {}, annotations = {}, namespace = "", name } = object.metadata;
  const tracking = annotations["argocd.argoproj.io/tracking-id"];
  if (tracking !== undefined && tracksItself(tracking, object.kind, namespace, name))
    return `Argo CD Application ${tracking.split(":")[0]}`;
  const argoLabel = labels["argocd.argoproj.io/instance"];
  if (argoLabel !== undefined) return `Argo CD Application ${argoLabel}`;
  const kustomization = labels["kustomize.toolkit.fluxcd.io/name"];
  if (kustomization !== undefined)
    return `Flux Kustomization ${labels["kustomize.toolkit.fluxcd.io/namespace"] ?? "flux-system"}/${kustomization}`;
  const release = labels["helm.toolkit.fluxcd.io/name"];
  if (release !== undefined)
    return `Flux HelmRelease ${labels["helm.toolkit.fluxcd.io/namespace"] ?? "flux-system"}/${release}`;
  const helm = annotations["meta.helm.sh/release-name"];
  if (helm !== undefined && labels["app.kubernetes.io/managed-by"] === "Helm")
    return `Helm release ${annotations["meta.helm.sh/release-namespace"] ?? namespace}/${helm}`;
  const managers = (object.metadata.managedFields ?? []).map((entry) => entry.manager ?? "");
  if (managers.includes("argocd-controller")) return "Argo CD";
  if (managers.includes("kustomize-controller")) return "Flux";
  return managers.includes("helm-controller") ? "Flux" : null;
}

/** `<app>:<group>/<Kind>:<namespace>/<name>` */
function tracksItself(tracking: string, kind: string, namespace: string, name: string): boolean {
  const [, groupKind = "", place = ""] = tracking.split(":");
  return groupKind.split("/")[1] === kind && (place === `${namespace}/${name}` || place === `/${name}`);
}
