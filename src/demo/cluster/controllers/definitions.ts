import type { KubeObject } from "../../../model.ts";
import type { Api } from "../server/api.ts";
import type { Kind, Schema } from "../server/kinds.ts";

interface Version {
  name: string;
  served?: boolean;
  schema?: { openAPIV3Schema?: Schema };
  subresources?: { status?: unknown };
}

interface Definition {
  group: string;
  scope: string;
  names: {
    kind: string;
    plural: string;
    singular?: string;
    shortNames?: string[];
    listKind?: string;
    categories?: string[];
  };
  versions: Version[];
}

/** The kinds that a CustomResourceDefinition defines. */
function kindsOf(spec: Definition): Kind[] {
  const { group, scope, names, versions } = spec;
  return versions
    .filter((version) => version.served !== false)
    .map((version) => ({
      group,
      version: version.name,
      kind: names.kind,
      plural: names.plural,
      singular: names.singular ?? names.kind.toLowerCase(),
      short: names.shortNames ?? [],
      namespaced: scope === "Namespaced",
      status: version.subresources?.status !== undefined,
      generation: true,
      schema: version.schema?.openAPIV3Schema ?? { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    }));
}

/** Serves the resource and says so in the definition's status. */
export function registerDefinition(api: Api, object: KubeObject): void {
  const spec = object.spec as Definition;
  for (const kind of kindsOf(spec)) api.kinds.add(kind);
  const stamp = api.timeline.stamp();
  const old = (object.status as { conditions?: { type: string; lastTransitionTime: string }[] } | undefined)
    ?.conditions;
  const condition = (type: string, reason: string, message: string): unknown => ({
    type,
    status: "True",
    lastTransitionTime: old?.find((each) => each.type === type)?.lastTransitionTime ?? stamp,
    reason,
    message,
  });
  const status = {
    conditions: [
      condition("NamesAccepted", "NoConflicts", "no conflicts found"),
      condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    ],
    acceptedNames: spec.names,
    storedVersions: spec.versions.map((version) => version.name),
  };
  api.update(api.kinds.of(object), object, { ...object, status }, { manager: "kube-apiserver", subresource: "status" });
}

/** Stops serving the resource; its objects go with it. */
export function unregisterDefinition(api: Api, object: KubeObject): void {
  const spec = object.spec as Definition;
  for (const kind of kindsOf(spec)) for (const each of api.store.list(kind)) api.store.remove(kind, each);
  api.kinds.remove(spec.group, spec.names.plural);
}
