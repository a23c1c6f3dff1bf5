import { matchesGlob } from "../config/scope.ts";
import { listAt, mapAt, textAt } from "../kube/fields.ts";
import { groupOf } from "../kube/ref.ts";
import { matchesRequirements, parseSelector } from "../kube/selectors.ts";
import type { KubeObject } from "../model.ts";
import { type PathExpression, parseJqPath, parsePointer } from "./jq-path.ts";

/** What somebody decided not to be told: which fields of which objects. */
export interface IgnoreRule {
  /** For people: `Application argocd/shop ignoreDifferences /spec/replicas`. */
  readonly label: string;
  means(object: KubeObject): boolean;
  readonly paths: readonly PathExpression[];
  /** Field managers whose fields are left out. */
  readonly managers: readonly string[];
}

/** Rules, and sentences about those that are not understood. */
export interface ReadRules {
  readonly rules: readonly IgnoreRule[];
  readonly notUnderstood: readonly string[];
}

/** Entries of an Application's `ignoreDifferences`, and of our own `drift.ignore`: group, kind, name and namespace as globs. */
export function argoRules(where: string, entries: readonly unknown[]): ReadRules {
  return merged(
    entries.map((entry) => {
      const [group = "", kind = "", name = "", namespace = ""] = ["group", "kind", "name", "namespace"].map((key) =>
        textAt(entry, key),
      );
      // Many stars in a stranger's pattern could take forever.
      if ([group, kind, name, namespace].some((glob) => (glob.match(/\*/g) ?? []).length > 4))
        return {
          rules: [],
          notUnderstood: [`${where}: a pattern with so many stars is not followed and hides nothing`],
        };
      return fieldsOf(where, entry, (object) => {
        const { metadata, apiVersion } = object;
        return (
          matchesGlob(group, groupOf(apiVersion)) &&
          matchesGlob(kind, object.kind) &&
          (name === "" || matchesGlob(name, metadata.name)) &&
          (namespace === "" || matchesGlob(namespace, metadata.namespace ?? ""))
        );
      });
    }),
  );
}

/** What one entry names, for objects that `means` knows: JSON pointers, jq paths, field managers. */
export function fieldsOf(where: string, entry: unknown, means: IgnoreRule["means"]): ReadRules {
  const rules: IgnoreRule[] = [];
  const notUnderstood: string[] = [];
  for (const pointer of texts(entry, "jsonPointers"))
    rules.push({ label: `${where} ${short(pointer)}`, means, paths: [parsePointer(pointer)], managers: [] });
  for (const text of texts(entry, "jqPathExpressions")) {
    const path = parseJqPath(text);
    if (path === null)
      notUnderstood.push(`${where}: the jq expression ${short(text)} is not understood and hides nothing`);
    else rules.push({ label: `${where} ${short(text)}`, means, paths: [path], managers: [] });
  }
  const managers = texts(entry, "managedFieldsManagers");
  if (managers.length > 0)
    rules.push({ label: `${where} managedFieldsManagers ${short(managers.join(", "))}`, means, paths: [], managers });
  return { rules, notUnderstood };
}

/** Entries of Flux: `paths` are JSON pointers, and `target` selects as Kustomize's patches do. */
export function fluxRules(where: string, entries: readonly unknown[]): ReadRules {
  return merged(
    entries.map((entry) => {
      const means = targetOf(mapAt(entry, "target"));
      if (means === null)
        return { rules: [], notUnderstood: [`${where}: a target is not understood, and its rule hides nothing`] };
      const rules = texts(entry, "paths").map((pointer) => ({
        label: `${where} ${short(pointer)}`,
        means,
        paths: [parsePointer(pointer)],
        managers: [],
      }));
      return { rules, notUnderstood: [] };
    }),
  );
}

/** https://fluxcd.io/flux/components/helm/helmreleases/#ignore-rules; no target is every object. */
function targetOf(target: unknown): IgnoreRule["means"] | null {
  if (target === undefined) return () => true;
  const [kind, name, namespace] = ["kind", "name", "namespace"].map((key) => patternOf(textAt(target, key) ?? ""));
  const labels = parseSelector(textAt(target, "labelSelector") ?? "");
  const annotations = parseSelector(textAt(target, "annotationSelector") ?? "");
  if (kind == null || name == null || namespace == null || !labels.ok || !annotations.ok) return null;
  const [group, version] = [textAt(target, "group"), textAt(target, "version")];
  return (object) => {
    const { metadata, apiVersion } = object;
    return (
      kind(object.kind) &&
      name(metadata.name) &&
      namespace(metadata.namespace ?? "") &&
      (group === undefined || group === "" || group === groupOf(apiVersion)) &&
      (version === undefined || version === "" || apiVersion.endsWith(version)) &&
      matchesRequirements(labels.requirements, metadata.labels) &&
      matchesRequirements(annotations.requirements, metadata.annotations)
    );
  };
}

/** An anchored regular expression of a stranger's: only what cannot take forever. Null: another one. */
function patternOf(text: string): ((value: string) => boolean) | null {
  if (text === "") return () => true;
  if (
    text.length > 200 ||
    !/^[\w.|()\-*+?^$[\]]*$/.test(text) ||
    /[)*+?\]][*+]/.test(text.replaceAll(/\[[^\]]*\]/g, "x"))
  )
    return null;
  // Two open quantifiers may already be squared; more are not followed.
  if ((text.match(/[*+]/g) ?? []).length > 2) return null;
  try {
    const pattern = new RegExp(`^(?:${text})$`);
    return (value) => pattern.test(value);
  } catch {
    return null;
  }
}

export function merged(all: readonly ReadRules[]): ReadRules {
  return { rules: all.flatMap(({ rules }) => rules), notUnderstood: all.flatMap((read) => read.notUnderstood) };
}

function texts(entry: unknown, key: string): string[] {
  return listAt(entry, key).filter(
    (text): text is string => typeof text === "string" && text !== "" && text.length <= 2000,
  );
}

/** Somebody else's text in one line. */
function short(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
