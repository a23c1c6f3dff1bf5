import { matchesGlob } from "../config/scope.ts";
import { fieldAt, listAt, mapAt, textAt } from "../kube/fields.ts";
import { groupOf } from "../kube/ref.ts";
import type { KubeObject, ObjectRef } from "../model.ts";

/**
 * Does an Application put live changes back by itself? `selfHeal` is off unless it is set; what is not understood is taken for on.
 * https://argo-cd.readthedocs.io/en/stable/user-guide/auto_sync/
 */
export function healsItself(app: KubeObject): boolean {
  const policy = fieldAt(app, "spec", "syncPolicy");
  if (policy === undefined || policy === null) return false;
  const automated = fieldAt(policy, "automated");
  if (mapAt(policy) !== undefined && (automated === undefined || automated === null)) return false;
  if (mapAt(automated) === undefined) return true;
  if (fieldAt(automated, "enabled") === false) return false;
  const selfHeal = fieldAt(automated, "selfHeal");
  return selfHeal !== undefined && selfHeal !== null && selfHeal !== false;
}

/**
 * Does an Application deploy to another cluster than Argo CD's own? Under another name or address it may be the same one, which nobody but Argo CD
 * knows.
 */
export function isElsewhere(app: KubeObject): boolean {
  const server = textAt(app, "spec", "destination", "server") ?? "";
  if (server !== "") return !/^https:\/\/kubernetes\.default(?:\.svc(?:\.cluster\.local)?)?(?::443)?\/?$/.test(server);
  return !["", "in-cluster"].includes(textAt(app, "spec", "destination", "name") ?? "");
}

/**
 * Was an Application told to leave the fields of an object to the field manager `stanch`, when it compares and when it syncs?
 * https://argo-cd.readthedocs.io/en/stable/user-guide/diffing/ (group and kind are globs; an absent name or namespace is any)
 */
export function coversFields(app: KubeObject, ref: ObjectRef): boolean {
  if (!listAt(app, "spec", "syncPolicy", "syncOptions").includes("RespectIgnoreDifferences=true")) return false;
  return listAt(app, "spec", "ignoreDifferences").some((rule) => {
    const [name = "", namespace = ""] = [textAt(rule, "name"), textAt(rule, "namespace")];
    return (
      listAt(rule, "managedFieldsManagers").includes("stanch") &&
      matchesGlob(textAt(rule, "group") ?? "", groupOf(ref.apiVersion)) &&
      matchesGlob(textAt(rule, "kind") ?? "", ref.kind) &&
      (name === "" || name === ref.name) &&
      (namespace === "" || namespace === ref.namespace)
    );
  });
}
