import type { Kind, Kinds } from "./kinds.ts";
import { apiVersionOf } from "./kinds.ts";

/**
 * The smallest OpenAPI v3 documents with which kubectl is content: the kinds, and which parameters their PATCH takes
 * (kubectl asks before it sends `fieldValidation` or `dryRun`). Undefined for other paths; kubectl then falls back.
 */
export function openApi(path: string, kinds: Kinds): unknown {
  const roots = new Map<string, Kind[]>();
  for (const kind of kinds.all()) {
    const root = kind.group === "" ? `api/${kind.version}` : `apis/${apiVersionOf(kind)}`;
    roots.set(root, [...(roots.get(root) ?? []), kind]);
  }
  if (path === "/openapi/v3") {
    return {
      paths: Object.fromEntries(
        [...roots.keys()].map((root) => [root, { serverRelativeURL: `/openapi/v3/${root}?hash=0` }]),
      ),
    };
  }
  const served = roots.get(path.replace(/^\/openapi\/v3\//, ""));
  if (served === undefined) return undefined;
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: "embedded" },
    paths: Object.fromEntries(served.map((kind) => [pathOf(kind), { patch: patchOf(kind) }])),
    components: { schemas: Object.fromEntries(served.map((kind) => [kind.kind, schemaOf(kind)])) },
  };
}

function pathOf(kind: Kind): string {
  const root = kind.group === "" ? `/api/${kind.version}` : `/apis/${apiVersionOf(kind)}`;
  return `${root}/${kind.namespaced ? "namespaces/{namespace}/" : ""}${kind.plural}/{name}`;
}

function gvk(kind: Kind): { group: string; version: string; kind: string } {
  return { group: kind.group, version: kind.version, kind: kind.kind };
}

function patchOf(kind: Kind): unknown {
  const parameters = ["dryRun", "fieldManager", "fieldValidation", "force"].map((name) => ({
    name,
    in: "query",
    schema: { type: "string" },
  }));
  return { parameters, responses: {}, "x-kubernetes-group-version-kind": gvk(kind) };
}

function schemaOf(kind: Kind): unknown {
  return {
    // What a definition of a custom resource says of it; Kubernetes' own kinds are not told.
    ...(kind.schema ?? { type: "object", "x-kubernetes-preserve-unknown-fields": true }),
    "x-kubernetes-group-version-kind": [gvk(kind)],
  };
}
