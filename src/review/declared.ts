import { baseName, hasHashedName } from "../gitops/rendered.ts";
import { fieldAt, listAt, textAt } from "../kube/fields.ts";
import type { KubeObject } from "../model.ts";

/**
 * Names by kind that a commit declares anywhere, with what controllers make from it. Said of everything that was read: what may be
 * there must not be missed.
 */
export function declaredNames(objects: Iterable<KubeObject>): { has(kind: string, name: string): boolean } {
  const names = new Set<string>();
  for (const object of objects) {
    const { kind, metadata } = object;
    names.add(`${kind}/${metadata.name}`);
    if (hasHashedName(kind)) names.add(`${kind}/${baseName(metadata.name)}`);
    for (const made of madeFrom(object)) names.add(made);
  }
  return {
    has: (kind, name) =>
      names.has(`${kind}/${name}`) || (hasHashedName(kind) && names.has(`${kind}/${baseName(name)}`)),
  };
}

/** Secrets, ConfigMaps and ServiceAccounts that controllers make of other objects: sealed-secrets, external-secrets, cert-manager, … */
function madeFrom(object: KubeObject): string[] {
  const { kind, metadata } = object;
  const secret = (name: string | undefined): string[] => (name === undefined || name === "" ? [] : [`Secret/${name}`]);
  switch (kind) {
    case "SealedSecret":
      return secret(textAt(object, "spec", "template", "metadata", "name") ?? metadata.name);
    case "ExternalSecret":
      return secret(textAt(object, "spec", "target", "name") ?? metadata.name);
    case "Certificate":
      return secret(textAt(object, "spec", "secretName"));
    case "Ingress":
      return listAt(object, "spec", "tls").flatMap((item) => secret(textAt(item, "secretName")));
    case "SecretProviderClass":
      return listAt(object, "spec", "secretObjects").flatMap((item) => secret(textAt(item, "secretName")));
    case "Bundle":
      return [`ConfigMap/${metadata.name}`, ...secret(metadata.name)];
    default:
      return [
        ...secret(textAt(object, "spec", "destination", "name")),
        ...secret(textAt(object, "spec", "secretName")),
        ...(fieldAt(object, "spec", "secretTemplate") === undefined ? [] : secret(metadata.name)),
      ];
  }
}
