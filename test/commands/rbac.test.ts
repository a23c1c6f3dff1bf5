import { describe, expect, it } from "vitest";
import { manifestsFor as partFor } from "../../src/commands/rbac.ts";
import { Config } from "../../src/config/schema.ts";
import type { KubeObject } from "../../src/model.ts";
import { readRights, writeRights } from "../../src/remedies/rights.ts";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** Both parts, as they are printed without --part. */
const manifestsFor = (config: Config): KubeObject[] =>
  (config.mode === "remediate" ? (["reader", "writer"] as const) : (["reader"] as const)).flatMap((part) =>
    partFor(config, { account: "stanch", part }),
  );
const rulesOf = (object: KubeObject): readonly Rule[] => (object["rules"] ?? []) as readonly Rule[];
const roles = (objects: readonly KubeObject[]): KubeObject[] => objects.filter((object) => rulesOf(object).length > 0);
/** `verb resource.group` of every rule. */
const flat = (objects: readonly KubeObject[]): string[] =>
  roles(objects)
    .flatMap(rulesOf)
    .flatMap((rule) =>
      rule.apiGroups.flatMap((group) =>
        rule.resources.flatMap((resource) => rule.verbs.map((verb) => `${verb} ${resource}.${group}`)),
      ),
    )
    .toSorted();
const named = (objects: readonly KubeObject[], name: string): KubeObject[] =>
  objects.filter((object) => object.metadata.name === name);

describe("stanch rbac", () => {
  it("gives what doctor asks for, verb by verb, and nothing else", () => {
    const config = Config.parse({ mode: "remediate" });
    const wanted = [...readRights(config), ...writeRights(config)].map(
      ({ group, resource, subresource, verb }) =>
        `${verb} ${resource}${subresource === undefined ? "" : `/${subresource}`}.${group}`,
    );
    expect([...new Set(flat(manifestsFor(config)))]).toEqual([...new Set(wanted)].toSorted());
  });

  it("knows no wildcard, no Secret beyond its name, no write to a role, and nothing that loosens", () => {
    const all = flat(manifestsFor(Config.parse({ mode: "remediate" })));
    expect(all.filter((right) => right.includes("*"))).toEqual([]);
    expect(all.filter((right) => right.includes("secrets"))).toEqual(["list secrets."]);
    expect(all.filter((right) => /exec|attach|impersonate|escalate|bind /.test(right))).toEqual([]);
    expect(all.filter((right) => right.includes("networkpolic"))).toEqual([
      "get networkpolicies.networking.k8s.io",
      "list networkpolicies.networking.k8s.io",
    ]);
    expect(all.filter((right) => right.includes("rbac"))).toEqual([
      "get rolebindings.rbac.authorization.k8s.io",
      "get roles.rbac.authorization.k8s.io",
      "list rolebindings.rbac.authorization.k8s.io",
      "list roles.rbac.authorization.k8s.io",
    ]);
    const none = flat(manifestsFor(Config.parse({ observe: { secrets: "none" } })));
    expect(none.filter((right) => right.includes("secrets"))).toEqual([]);
  });

  it.each(["observe", "propose"] as const)("in mode %s nothing that a workload has can be written", (mode) => {
    const objects = manifestsFor(Config.parse({ mode }));
    expect(named(objects, "stanch-writer")).toEqual([]);
    const writes = flat(objects).filter((right) => !/^(get|list) /.test(right));
    expect(writes.every((right) => /incidents|events|leases|runs/.test(right))).toBe(true);
    expect(writes.length > 0).toBe(mode === "propose");
  });

  it("confines everything that has a namespace to the namespaces that are named", () => {
    const objects = manifestsFor(Config.parse({ mode: "remediate", scope: { namespaces: ["shop", "bank"] } }));
    const clusters = roles(objects).filter((object) => object.kind === "ClusterRole");
    expect(
      clusters
        .flatMap(rulesOf)
        .flatMap((rule) => rule.resources)
        .toSorted(),
    ).toEqual(["ingressclasses", "namespaces", "nodes", "persistentvolumes", "priorityclasses", "storageclasses"]);
    expect(named(objects, "stanch-writer").map((object) => `${object.kind} ${object.metadata.namespace}`)).toEqual([
      "ServiceAccount stanch-system",
      "Role shop",
      "RoleBinding shop",
      "Role bank",
      "RoleBinding bank",
    ]);
    const [own] = named(objects, "stanch-reader-own");
    expect([own?.metadata.namespace, own === undefined ? [] : rulesOf(own)]).toEqual([
      "stanch-system",
      [
        {
          apiGroups: ["coordination.k8s.io"],
          resources: ["leases"],
          resourceNames: ["stanch"],
          verbs: ["get", "update"],
        },
        { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["create"] },
        { apiGroups: ["stanch.dev"], resources: ["runs"], resourceNames: ["stanch"], verbs: ["get", "update"] },
        { apiGroups: ["stanch.dev"], resources: ["runs"], verbs: ["create"] },
      ],
    ]);
  });

  it("lets what deploys workloads be written only where a whole application may be held", () => {
    const writes = (holds: object): string[] =>
      flat(manifestsFor(Config.parse({ mode: "remediate", holds }))).filter(
        (right) => right.startsWith("patch ") && /argoproj|fluxcd/.test(right),
      );
    expect(writes({})).toEqual([]);
    expect(writes({ application: true })).toEqual([
      "patch applications.argoproj.io",
      "patch gitrepositories.source.toolkit.fluxcd.io",
      "patch helmreleases.helm.toolkit.fluxcd.io",
      "patch kustomizations.kustomize.toolkit.fluxcd.io",
    ]);
  });

  it("follows the remedies that are enabled", () => {
    const only = Config.parse({ mode: "remediate", remedies: { enabled: ["evict"] } });
    expect(named(manifestsFor(only), "stanch-writer").flatMap(rulesOf)).toEqual([
      { apiGroups: [""], resources: ["pods/eviction"], verbs: ["create"] },
    ]);
  });
});
