import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../src/adapters/clock.ts";
import { connectCluster } from "../../src/adapters/kubernetes.ts";
import type { Finding } from "../../src/commands/check.ts";
import { checkExcess, checkRights } from "../../src/commands/check-rights.ts";
import { Config } from "../../src/config/schema.ts";
import { type EmbeddedCluster, startCluster } from "../../src/demo/cluster/cluster.ts";
import type { PermittedRule } from "../../src/demo/cluster/server/authorization.ts";
import type { Cluster } from "../../src/ports.ts";
import { generatedRules } from "./generated-rules.ts";

let folder = "";
let server: EmbeddedCluster;
let cluster: Cluster;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "stanch-rights-"));
  server = await startCluster({ registry: {} });
  server.apply(["shop", "stanch-system"].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })));
  const kubeconfig = join(folder, "kubeconfig");
  await writeFile(kubeconfig, server.kubeconfig());
  cluster = await connectCluster({ kubeconfig, clock: systemClock });
});
afterEach(async () => {
  cluster.close();
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const REMEDIATE = Config.parse({ mode: "remediate" });
async function excess(config: Config = REMEDIATE, strict = false): Promise<Finding> {
  const [line, ...more] = await checkExcess(cluster, config, strict);
  expect(more).toEqual([]);
  return line as Finding;
}
const more = (rule: Partial<PermittedRule>): PermittedRule => ({
  apiGroups: [""],
  resources: ["pods"],
  verbs: ["get"],
  ...rule,
});

it.each([
  ["observe", {}],
  ["propose", { observe: { secrets: "none" } }],
  ["remediate", {}],
  ["remediate", { holds: { application: true }, registry: { usePullSecrets: true } }],
  ["remediate", { scope: { namespaces: ["shop", "default"] } }],
  ["remediate", { scope: { namespaces: ["shop"], deployers: ["argocd", "shop"] }, holds: { application: true } }],
  ["remediate", { remedies: { enabled: ["evict"] } }],
])("exactly the generated rights are all that is needed, and none too many: %s %j", async (mode, settings) => {
  const config = Config.parse({ mode, ...settings });
  server.permit(generatedRules(config));
  expect((await checkRights(cluster, config)).filter((line) => !line.ok)).toEqual([]);
  expect((await excess(config, true)).text).toBe("none: nothing dangerous is held that is not needed");
});

it.each<[string, PermittedRule, string]>([
  ["into containers", more({ resources: ["pods/exec"], verbs: ["create"] }), "create pods/exec"],
  ["everything", more({ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }), "* *.*"],
  ["every verb on one", more({ apiGroups: ["apps"], resources: ["deployments"], verbs: ["*"] }), "* deployments.apps"],
  ["Secrets' contents", more({ resources: ["secrets"], verbs: ["watch"] }), "watch secrets"],
  [
    "more rights",
    more({ apiGroups: ["rbac.authorization.k8s.io"], resources: ["clusterroles"], verbs: ["escalate", "bind"] }),
    "escalate, bind clusterroles.rbac.authorization.k8s.io",
  ],
  ["another's words", more({ resources: ["users"], verbs: ["impersonate"] }), "impersonate users"],
  ["to delete", more({ verbs: ["delete"] }), "delete pods"],
  ["one Secret", more({ resources: ["secrets"], resourceNames: ["db"], verbs: ["get"] }), "get secrets db"],
  [
    "any Lease of its namespace",
    more({
      apiGroups: ["coordination.k8s.io"],
      resources: ["leases"],
      verbs: ["update"],
      namespace: "stanch-system",
    }),
    "update leases.coordination.k8s.io in stanch-system",
  ],
  ["in one namespace", more({ verbs: ["create"], namespace: "shop" }), "create pods in shop"],
])("%s", async (_, rule, named) => {
  server.permit([...generatedRules(REMEDIATE), rule]);
  expect(await excess()).toMatchObject({ ok: true, warning: true, text: `held and not needed: ${named}` });
  expect(await excess(REMEDIATE, true)).toMatchObject({ ok: false, text: `held and not needed: ${named}` });
  const allowing = Config.parse({ mode: "remediate", rights: { excess: "refuse", allow: [named] } });
  // One right is allowed by its name, wherever it is held.
  expect((await excess(allowing)).ok).toBe(!/,| in /.test(named));
});

it("what is needed in one namespace is an excess in others", async () => {
  const config = Config.parse({ mode: "remediate", scope: { namespaces: ["shop"] } });
  server.permit([
    ...generatedRules(config),
    more({ apiGroups: ["apps"], resources: ["deployments"], verbs: ["patch"] }),
  ]);
  expect((await excess(config)).text).toBe("held and not needed: patch deployments.apps in stanch-system, kube-system");
});

it("an authorizer that lists nothing is asked for the worst", async () => {
  server.faults.add({
    path: /selfsubjectrulesreviews/,
    status: 201,
    body: { status: { resourceRules: [], incomplete: true } },
  });
  server.deny({ group: "", resource: "pods/exec", verb: "create" });
  const { text } = await excess();
  expect(text).toContain("impersonate users");
  expect(text).not.toContain("pods/exec");
  // To list them is needed, and therefore no excess.
  expect(text).toContain("get, watch, create, update, patch, delete secrets;");
});

it("what cannot be asked is a failure, and no silence", async () => {
  server.faults.add({ path: /selfsubjectrulesreviews/, status: 403 });
  expect(await excess()).toMatchObject({ ok: false, fix: expect.stringContaining("system:basic-user") });
});

it("each verb less is named, and only it", async () => {
  const config = Config.parse({ mode: "remediate", holds: { application: true } });
  const rules = generatedRules(config);
  const taken = rules.flatMap((rule, index) =>
    rule.resources.flatMap((resource) => rule.verbs.map((verb) => ({ index, rule, resource, verb }))),
  );
  expect(taken.length).toBeGreaterThan(60);
  for (const { index, rule, resource, verb } of taken) {
    const left = rules.flatMap((each, at) =>
      at === index
        ? [
            { ...each, resources: each.resources.filter((other) => other !== resource) },
            { ...each, resources: [resource], verbs: each.verbs.filter((other) => other !== verb) },
          ]
        : [each],
    );
    server.permit(left);
    const missing = (await checkRights(cluster, config)).filter((line) => !line.ok);
    const [group = ""] = rule.apiGroups;
    const name = `${verb} ${resource}${group === "" ? "" : `.${group}`}`;
    const one = rule.resourceNames === undefined ? "" : ` "${rule.resourceNames[0]}"`;
    const where = rule.namespace === undefined ? "" : ` in ${rule.namespace}`;
    // What an other rule gives, too, is not missing.
    const twice =
      taken.filter((row) => row.verb === verb && row.resource === resource && row.rule.apiGroups[0] === group).length >
      1;
    expect(
      missing.map((line) => line.text),
      name,
    ).toEqual(
      twice && rule.resourceNames === undefined && rule.namespace === undefined
        ? []
        : [`missing: ${name}${one}${where}`],
    );
  }
}, 60_000);

it("what belongs to no namespace is held by no Role, whatever a review in a namespace would say", async () => {
  const config = Config.parse({ mode: "observe", scope: { namespaces: ["shop"] } });
  const inShop = generatedRules(config).map((rule) =>
    rule.resources.includes("nodes") ? { ...rule, namespace: "shop" } : rule,
  );
  server.permit(inShop);
  const missing = (await checkRights(cluster, config)).filter((line) => !line.ok);
  expect(missing.map((line) => line.text)).toContain("missing: list nodes");
});

it("a scope of which nothing is left is no scope", async () => {
  const config = Config.parse({ mode: "observe", scope: { namespaces: ["kube-system"] } });
  expect((await checkRights(cluster, config)).filter((line) => !line.ok)).toEqual([
    {
      check: "scope",
      ok: false,
      text: "no namespace is watched: scope.namespaces names none but those that are left out (kube-system)",
      fix: expect.stringContaining("scope.namespaces"),
    },
  ]);
});
