import type { Deployer } from "../gitops/origin.ts";
import { ownerClaims } from "../gitops/owner-claim.ts";
import { flagAt, listAt, textAt } from "../kube/fields.ts";
import type { KubeObject, ObjectRef, Source } from "../model.ts";
import { writerOf } from "./writer.ts";

/** What an engine says itself that it deployed: an Application's resources, the inventory of a Kustomization or HelmRelease. */
export function trackedBy({ object }: Deployer): readonly ObjectRef[] {
  if (object.kind === "Application")
    return listAt(object, "status", "resources").flatMap((item) => {
      const [kind, name, version] = [textAt(item, "kind"), textAt(item, "name"), textAt(item, "version")];
      if (kind === undefined || name === undefined || version === undefined || flagAt(item, "hook")) return [];
      return [
        {
          apiVersion: apiVersion(textAt(item, "group"), version),
          kind,
          namespace: textAt(item, "namespace") ?? "",
          name,
        },
      ];
    });
  return listAt(object, "status", "inventory", "entries").flatMap((entry) => {
    // `<namespace>_<name>_<group>_<kind>`; a colon in a name is written as two underscores.
    const [, namespace, name, group, kind] = /^([^_]*)_(.+)_([^_]*)_([^_]+)$/.exec(textAt(entry, "id") ?? "") ?? [];
    if (name === undefined || kind === undefined) return [];
    const version = textAt(entry, "v") ?? "v1";
    return [
      { apiVersion: apiVersion(group, version), kind, namespace: namespace ?? "", name: name.replaceAll("__", ":") },
    ];
  });
}

/** Why an object that the engine tracks and Git does not declare is meant to stay; null: it is not. */
export function staysByRule({ metadata }: KubeObject): string | null {
  const { annotations = {} } = metadata;
  const options = (key: string): readonly string[] => (annotations[key] ?? "").split(",").map((text) => text.trim());
  if (options("argocd.argoproj.io/compare-options").includes("IgnoreExtraneous"))
    return "objects annotated compare-options: IgnoreExtraneous";
  if (options("argocd.argoproj.io/sync-options").includes("Prune=false"))
    return "objects annotated sync-options: Prune=false";
  if (annotations["kustomize.toolkit.fluxcd.io/prune"]?.toLowerCase() === "disabled")
    return "objects annotated kustomize.toolkit.fluxcd.io/prune: disabled";
  return annotations["helm.sh/resource-policy"] === "keep" ? "objects annotated helm.sh/resource-policy: keep" : null;
}

/** Made by a controller for another object, or on its way out. */
export function isChild({ metadata }: KubeObject): boolean {
  return (metadata.ownerReferences ?? []).length > 0 || metadata.deletionTimestamp !== undefined;
}

/** Does an object bear the marks of the Helm release that a source is? Its hooks bear none. */
export function isOfRelease({ metadata }: KubeObject, { helm, namespace }: Source): boolean {
  const { annotations = {}, labels = {} } = metadata;
  return (
    helm !== undefined &&
    labels["app.kubernetes.io/managed-by"] === "Helm" &&
    annotations["meta.helm.sh/release-name"] === helm.release &&
    annotations["meta.helm.sh/release-namespace"] === namespace &&
    annotations["helm.sh/hook"] === undefined
  );
}

/** Was an object with the marks of this owner made by a person, as a copy of one that it deployed? Controllers copy marks to what they make. */
export function isCopyByPerson(object: KubeObject, owner: ObjectRef): boolean {
  const marked = ownerClaims(object).some(
    (claim) =>
      claim.engine !== "helm" &&
      claim.weak !== true &&
      claim.name === owner.name &&
      (claim.namespace ?? owner.namespace) === owner.namespace,
  );
  const writers = (object.metadata.managedFields ?? []).map((entry) => writerOf(entry, "kustomization"));
  return marked && writers.length > 0 && writers.every((writer) => writer === "person");
}

function apiVersion(group: string | undefined, version: string): string {
  return group === undefined || group === "" ? version : `${group}/${version}`;
}
