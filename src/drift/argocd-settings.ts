import { matchesGlob } from "../config/scope.ts";
import { parseValues } from "../gitops/yaml-parse.ts";
import { listAt, mapAt, textAt, textsAt } from "../kube/fields.ts";
import { groupOf } from "../kube/ref.ts";
import type { Json, KubeObject } from "../model.ts";
import { fieldsOf, merged, type ReadRules } from "./ignore-rule.ts";

/** Fields of which Argo CD was told that they are amounts or durations (`knownTypeFields`). */
export interface KnownField {
  means(object: KubeObject): boolean;
  /** `spec.max.memory`; list items do not count. */
  readonly field: string;
  readonly type: "amount" | "duration";
}

const PREFIX = "resource.customizations.";

/**
 * What the ConfigMap `argocd-cm` says of comparing: `resource.customizations.ignoreDifferences.<group>_<Kind>` (or `all`), the older
 * `resource.customizations`, and `knownTypeFields`. https://argo-cd.readthedocs.io/en/stable/user-guide/diffing/
 */
export function readArgoSettings(settings: KubeObject): ReadRules & { readonly known: readonly KnownField[] } {
  const { namespace = "", name } = settings.metadata;
  const where = `ConfigMap ${namespace}/${name}`;
  const found: ReadRules[] = [];
  const known: KnownField[] = [];
  const rule = (key: string, title: string, text: string): void => {
    const value = parsed(text);
    if (value === undefined) found.push(unread(`${where} ${title}`));
    else found.push(fieldsOf(`${where} ${title}`, value, meaning(key)));
  };
  for (const [key, text] of Object.entries(textsAt(settings, "data"))) {
    const [, what, of = ""] = /^resource\.customizations\.(ignoreDifferences|knownTypeFields)\.(.+)$/.exec(key) ?? [];
    if (what === "ignoreDifferences") rule(of, key.slice(PREFIX.length), text);
    else if (what === "knownTypeFields") known.push(...knownFields(of, parsed(text)));
    else if (key === "resource.customizations") {
      const all = parsed(text);
      if (mapAt(all) === undefined && all !== null) found.push(unread(`${where} ${key}`));
      for (const [of, entry] of Object.entries(mapAt(all) ?? {})) {
        const inner = textAt(entry, "ignoreDifferences");
        if (inner !== undefined) rule(of.replace("/", "_"), `ignoreDifferences of ${of.slice(0, 80)}`, inner);
        known.push(...knownFields(of.replace("/", "_"), mapAt(entry)?.["knownTypeFields"]));
      }
    }
  }
  return { ...merged(found), known };
}

function knownFields(of: string, list: unknown): KnownField[] {
  const means = meaning(of);
  return listAt({ list }, "list").flatMap((item): KnownField[] => {
    const [field, type = ""] = [textAt(item, "field"), textAt(item, "type")];
    if (field === undefined) return [];
    if (/(^|\/)Quantity$/.test(type)) return [{ means, field, type: "amount" }];
    return /(^|\/)Duration$/.test(type) ? [{ means, field, type: "duration" }] : [];
  });
}

/** `apps_Deployment`, `ConfigMap` of the core group, `*.example.com_*`, `all`. */
function meaning(of: string): (object: KubeObject) => boolean {
  if (of === "all" || of === "*_*") return () => true;
  const at = of.indexOf("_");
  const [group, kind] = at < 0 ? ["", of] : [of.slice(0, at), of.slice(at + 1)];
  return (object) => matchesGlob(group, groupOf(object.apiVersion)) && matchesGlob(kind, object.kind);
}

/** Undefined: it is no YAML. */
function parsed(text: string): Json | undefined {
  if (text.length > 200_000) return undefined;
  try {
    return parseValues(text)[0] ?? null;
  } catch {
    return undefined;
  }
}

function unread(where: string): ReadRules {
  return { rules: [], notUnderstood: [`${where} is no YAML, and hides nothing`] };
}
