import { listAt, textAt } from "../kube/fields.ts";
import { groupOf } from "../kube/ref.ts";
import type { KubeObject } from "../model.ts";

/** Which engine's object an object says it is deployed by. */
export interface OwnerClaim {
  /** `helm`: a release that no object of the cluster stands for, so nothing tells where it comes from. */
  readonly engine: "argocd" | "flux-helm" | "flux-kustomize" | "helm";
  readonly name: string;
  /** Absent: in Argo CD's own namespace, whichever that is. */
  readonly namespace?: string;
  /** Charts set this label, too, and it may be cut: it holds only when the Application lists the object. */
  readonly weak?: true;
  /** The installation of Argo CD that wrote it. Which one is ours is not known, so the Application must list the object as well. */
  readonly installation?: string;
}

/** The first claim of an object, see `ownerClaims`; null: it makes none. */
export function ownerClaim(object: KubeObject): OwnerClaim | null {
  return ownerClaims(object)[0] ?? null;
}

/**
 * All claims, the one to be believed first at the front: whoever really applies the object. Argo CD's tracking id names the
 * object itself and so cannot be handed down. Flux stamps what it applies, the chart of a HelmRelease as well as a Kustomization;
 * an object with both labels is a chart's whose templates carry the other along. Then come the labels that charts set, too, and last
 * the release that Helm itself notes, which the child of a HelmRelease has beside Flux's label.
 */
export function ownerClaims(object: KubeObject): readonly OwnerClaim[] {
  return [
    trackingId(object),
    ...FLUX.map((flux) => flux(object)),
    ...instanceLabels(object),
    helmRelease(object),
  ].filter((claim) => claim !== null);
}

/** `shop` or, of an Application outside of Argo CD's namespace, `<namespace>_<name>`: neither part can hold an underscore. */
function instance(text: string): { readonly name: string; readonly namespace?: string } {
  const at = text.indexOf("_");
  return at < 0 ? { name: text } : { namespace: text.slice(0, at), name: text.slice(at + 1) };
}

/**
 * `<app>:<group>/<Kind>:<namespace>/<name>`. Tools copy objects with their annotations, so it must name the object that it stands
 * on. What has no namespace carries that of the Application's destination.
 */
function trackingId(object: KubeObject): OwnerClaim | null {
  const id = textAt(object, "metadata", "annotations", "argocd.argoproj.io/tracking-id");
  const [, app, group, kind, namespace, name] = /^([^:]+):([^:/]*)\/([^:/]+):([^/]*)\/([^/]+)$/.exec(id ?? "") ?? [];
  const own = object.metadata.namespace ?? "";
  const itself =
    group === groupOf(object.apiVersion) &&
    kind === object.kind &&
    name === object.metadata.name &&
    (own === "" || namespace === own);
  if (app === undefined || !itself) return null;
  const installation = textAt(object, "metadata", "annotations", "argocd.argoproj.io/installation-id") ?? "";
  return { engine: "argocd", ...instance(app), ...(installation === "" ? {} : { installation }) };
}

const FLUX = (["helm", "kustomize"] as const).map((toolkit) => (object: KubeObject): OwnerClaim | null => {
  const name = textAt(object, "metadata", "labels", `${toolkit}.toolkit.fluxcd.io/name`);
  const namespace = textAt(object, "metadata", "labels", `${toolkit}.toolkit.fluxcd.io/namespace`);
  // Flux writes both; one alone was written by somebody else.
  return name === undefined || namespace === undefined ? null : { engine: `flux-${toolkit}`, name, namespace };
});

function instanceLabels(object: KubeObject): OwnerClaim[] {
  const texts = ["argocd.argoproj.io/instance", "app.kubernetes.io/instance"].map((key) =>
    textAt(object, "metadata", "labels", key),
  );
  return [...new Set(texts)].flatMap((text) =>
    text === undefined || text === "" ? [] : [{ engine: "argocd" as const, ...instance(text), weak: true as const }],
  );
}

function helmRelease(object: KubeObject): OwnerClaim | null {
  const name = textAt(object, "metadata", "annotations", "meta.helm.sh/release-name");
  if (name === undefined || textAt(object, "metadata", "labels", "app.kubernetes.io/managed-by") !== "Helm")
    return null;
  const namespace =
    textAt(object, "metadata", "annotations", "meta.helm.sh/release-namespace") ?? object.metadata.namespace;
  return { engine: "helm", name, ...(namespace === undefined ? {} : { namespace }) };
}

/** Does a claim of Argo CD mean this Application? A label is cut after 63 letters, and then at its last letter or digit. */
export function claimMeans(claim: OwnerClaim, application: KubeObject): boolean {
  const { name, namespace = "" } = application.metadata;
  if (claim.name === name && (claim.namespace ?? namespace) === namespace) return true;
  if (claim.weak !== true) return false;
  const said = claim.namespace === undefined ? claim.name : `${claim.namespace}_${claim.name}`;
  return said.length > 32 && [name, `${namespace}_${name}`].some((full) => full.length > 63 && cut(full) === said);
}

function cut(text: string): string {
  return text.slice(0, 63).replace(/[^a-zA-Z0-9]+$/, "");
}

/** Does an Application list the object among what it deploys? */
export function applicationLists(application: KubeObject, object: KubeObject): boolean {
  return listAt(application, "status", "resources").some(
    (item) =>
      textAt(item, "kind") === object.kind &&
      textAt(item, "name") === object.metadata.name &&
      (textAt(item, "group") ?? "") === groupOf(object.apiVersion) &&
      (textAt(item, "namespace") ?? "") === (object.metadata.namespace ?? ""),
  );
}

/** Does a Kustomization's inventory list the object? True where it has none yet. */
export function inventoryLists(kustomization: KubeObject, object: KubeObject): boolean {
  const entries = listAt(kustomization, "status", "inventory", "entries");
  if (entries.length === 0) return true;
  const { name, namespace = "" } = object.metadata;
  // A colon, as names of RBAC have it, is written as two underscores.
  const id = [namespace, name.replaceAll(":", "__"), groupOf(object.apiVersion), object.kind].join("_");
  return entries.some((entry) => textAt(entry, "id") === id);
}
