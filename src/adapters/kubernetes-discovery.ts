import { listAt, mapAt, textAt } from "../kube/fields.ts";
import type { Resource } from "../ports.ts";
import type { ApiClient } from "./kubernetes-http.ts";

/** Aggregated discovery (Kubernetes 1.26 and later) says kinds in two calls; an older server answers with groups alone. */
const AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

interface Group {
  readonly metadata?: { readonly name?: string };
  readonly name?: string;
  readonly versions?: readonly {
    readonly version?: string;
    readonly groupVersion?: string;
    readonly resources?: readonly { readonly responseKind?: { readonly kind?: string } }[];
  }[];
}

/**
 * Everything that the API server serves, as Helm's `.Capabilities.APIVersions` has it: `apps/v1` and `apps/v1/Deployment`. What it does not
 * tell is left out: a chart then takes it for not served.
 */
export async function apiVersions(api: ApiClient): Promise<readonly string[]> {
  const found = new Set(["v1"]);
  for (const path of ["/api", "/apis"]) {
    const answer = await api.call({ method: "GET", path, accept: AGGREGATED });
    if (answer.status !== 200) continue;
    const body = answer.body as { items?: readonly Group[]; groups?: readonly Group[] };
    for (const group of body.items ?? body.groups ?? [])
      for (const { version, groupVersion, resources = [] } of group.versions ?? []) {
        const name = group.metadata?.name ?? group.name ?? "";
        const at = groupVersion ?? (name === "" ? version : `${name}/${version}`);
        if (at === undefined) continue;
        found.add(at);
        for (const { responseKind } of resources)
          if (responseKind?.kind !== undefined) found.add(`${at}/${responseKind.kind}`);
      }
  }
  return [...found];
}

/** The OpenAPI 3 schema of one kind; null where the API server publishes none. */
export async function schemaOf(api: ApiClient, { group, version, kind }: Resource): Promise<unknown> {
  const path = `/openapi/v3/${group === "" ? `api/${version}` : `apis/${group}/${version}`}`;
  const answer = await api.call({ method: "GET", path });
  if (answer.status !== 200) return null;
  const schemas = Object.values(mapAt(answer.body, "components", "schemas") ?? {});
  const isOf = (schema: unknown): boolean =>
    listAt(schema, "x-kubernetes-group-version-kind").some(
      (name) => textAt(name, "group") === group && textAt(name, "version") === version && textAt(name, "kind") === kind,
    );
  return schemas.find(isOf) ?? null;
}
