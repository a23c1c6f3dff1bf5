import type { KubeObject } from "../model.ts";
import { type OwnerClaim, ownerClaims } from "./owner-claim.ts";

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
 * Every engine that marks an object as its own, by what it writes on it (`ownerClaims`). A label that charts set, too, is none; Argo CD's own
 * instance label is one, though nobody confirms it: what may be reverted counts as such.
 */
export function claimsOf(object: KubeObject): Claim[] {
  const marks = ownerClaims(object).filter(({ weak }) => weak !== true);
  const claims = marks.filter(({ engine }) => engine !== "helm").map(inWords);
  const label = object.metadata.labels?.["argocd.argoproj.io/instance"];
  if (label !== undefined && !claims.some(({ engine }) => engine === "argocd"))
    claims.unshift({ engine: "argocd", name: `Argo CD Application ${label}` });
  // One of Flux's two labels tells no owner, and may be one's all the same.
  for (const [toolkit, engine] of [
    ["kustomize", "flux-kustomize"],
    ["helm", "flux-helm"],
  ] as const) {
    const name = object.metadata.labels?.[`${toolkit}.toolkit.fluxcd.io/name`];
    if (name !== undefined && !marks.some((mark) => mark.engine === engine))
      claims.push(inWords({ engine, name, namespace: "flux-system" }));
  }
  // Flux's HelmRelease leaves Helm's own marks, too, and a chart's objects may be templated by Argo CD.
  return claims.length > 0 ? claims : marks.map(inWords);
}

const ENGINES = {
  argocd: ["argocd", "Argo CD Application"],
  "flux-kustomize": ["kustomization", "Flux Kustomization"],
  "flux-helm": ["helmrelease", "Flux HelmRelease"],
  helm: ["helm", "Helm release"],
} as const;

function inWords({ engine, name, namespace }: OwnerClaim): Claim {
  const [of, title] = ENGINES[engine];
  return { engine: of, name: `${title} ${namespace === undefined ? "" : `${namespace}/`}${name}` };
}

/** The names under which an engine writes what it deploys. */
export const MANAGERS: Readonly<Record<Claim["engine"], RegExp>> = {
  argocd: /^argocd/,
  kustomization: /^(kustomize-controller|flux)/,
  helmrelease: /^(helm-controller|helm$|flux)/,
  helm: /^helm$/,
};

/** Does an engine write under this name? */
export function isEngine(manager: string): boolean {
  return Object.values(MANAGERS).some((names) => names.test(manager));
}

function claimByManager(object: KubeObject): Claim | null {
  const managers = (object.metadata.managedFields ?? []).map((entry) => entry.manager ?? "");
  if (managers.includes("argocd-controller")) return { engine: "argocd", name: "Argo CD" };
  if (managers.includes("kustomize-controller")) return { engine: "kustomization", name: "Flux" };
  return managers.includes("helm-controller") ? { engine: "helmrelease", name: "Flux" } : null;
}
