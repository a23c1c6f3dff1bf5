import type { KubeObject } from "../model.ts";

/** Who deploys an object, by what stands on the object itself. */
export interface Claim {
  readonly engine: "argocd" | "kustomization" | "helmrelease" | "helm";
  /** For people: `Argo CD Application shop`, `Flux Kustomization flux-system/apps`. */
  readonly name: string;
}

/** The engine that owns an object; null: none says so. */
export function claimOf(object: KubeObject): Claim | null {
  return claimsOf(object)[0] ?? claimByManager(object);
}

/**
 * Every engine that marks an object as its own, by what it writes on it: Argo CD's tracking annotation (which must name the object itself: copies carry it
 * along), Argo CD's instance label when it stands with its tracking, Flux's labels; or the Helm release that it belongs to.
 */
export function claimsOf(object: KubeObject): Claim[] {
  const { labels = {}, annotations = {}, namespace = "", name } = object.metadata;
  const claims: Claim[] = [];
  const tracking = annotations["argocd.argoproj.io/tracking-id"];
  const argo =
    tracking !== undefined && tracksItself(tracking, object.kind, namespace, name)
      ? tracking.split(":")[0]
      : labels["argocd.argoproj.io/instance"];
  if (argo !== undefined) claims.push({ engine: "argocd", name: `Argo CD Application ${argo}` });
  const kustomization = labels["kustomize.toolkit.fluxcd.io/name"];
  if (kustomization !== undefined)
    claims.push({
      engine: "kustomization",
      name: `Flux Kustomization ${labels["kustomize.toolkit.fluxcd.io/namespace"] ?? "flux-system"}/${kustomization}`,
    });
  const release = labels["helm.toolkit.fluxcd.io/name"];
  if (release !== undefined)
    claims.push({
      engine: "helmrelease",
      name: `Flux HelmRelease ${labels["helm.toolkit.fluxcd.io/namespace"] ?? "flux-system"}/${release}`,
    });
  const helm = annotations["meta.helm.sh/release-name"];
  // Flux's HelmRelease leaves Helm's own marks, too, and a chart's objects may be templated by Argo CD.
  if (claims.length === 0 && helm !== undefined && labels["app.kubernetes.io/managed-by"] === "Helm")
    claims.push({
      engine: "helm",
      name: `Helm release ${annotations["meta.helm.sh/release-namespace"] ?? namespace}/${helm}`,
    });
  return claims;
}

/** The names under which an engine writes what it deploys. */
export const MANAGERS: Readonly<Record<Claim["engine"], RegExp>> = {
  argocd: /^argocd/,
  kustomization: /^(kustomize-controller|flux)/,
  helmrelease: /^(helm-controller|helm$|flux)/,
  helm: /^helm$/,
};

function claimByManager(object: KubeObject): Claim | null {
  const managers = (object.metadata.managedFields ?? []).map((entry) => entry.manager ?? "");
  if (managers.includes("argocd-controller")) return { engine: "argocd", name: "Argo CD" };
  if (managers.includes("kustomize-controller")) return { engine: "kustomization", name: "Flux" };
  return managers.includes("helm-controller") ? { engine: "helmrelease", name: "Flux" } : null;
}

/** `<app>:<group>/<Kind>:<namespace>/<name>` */
function tracksItself(tracking: string, kind: string, namespace: string, name: string): boolean {
  const [, groupKind = "", place = ""] = tracking.split(":");
  return groupKind.split("/")[1] === kind && (place === `${namespace}/${name}` || place === `/${name}`);
}
