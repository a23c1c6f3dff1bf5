import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { startCluster } from "../../src/demo/cluster/cluster.ts";
import { type Body, type Client, createClient } from "./client.ts";
import { isReal, REAL } from "./target.ts";

const namespace = `conf-rights-${Math.random().toString(36).slice(2, 7)}`;
const REVIEWS = "/apis/authorization.k8s.io/v1";
const RULES = [
  { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "list", "patch"] },
  { apiGroups: [""], resources: ["pods/eviction"], verbs: ["create"] },
  { apiGroups: [""], resources: ["configmaps"], resourceNames: ["one"], verbs: ["get"] },
];

let client: Client;
const ends: (() => Promise<unknown>)[] = [];

/** A client of an account that holds these rules in the namespace and nothing else. */
async function restricted(): Promise<Client> {
  if (REAL === undefined) {
    const cluster = await startCluster({ registry: {} });
    ends.push(cluster.close);
    const admin = createClient(cluster.kubeconfig());
    await admin.call("POST", "/api/v1/namespaces", { body: { metadata: { name: namespace } } });
    admin.close();
    cluster.permit(RULES.map((rule) => ({ ...rule, namespace })));
    return createClient(cluster.kubeconfig());
  }
  const kubeconfig: Body = parse(readFileSync(REAL, "utf8"));
  const admin = createClient(readFileSync(REAL, "utf8"));
  ends.push(async () => {
    await admin.call("DELETE", `/api/v1/namespaces/${namespace}`);
    admin.close();
  });
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  const metadata = { name: "limited" };
  for (const [path, body] of [
    ["/api/v1/namespaces", { metadata: { name: namespace } }],
    [`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata }],
    [`${rbac}/roles`, { metadata, rules: RULES }],
    [
      `${rbac}/rolebindings`,
      {
        metadata,
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "limited" },
        subjects: [{ kind: "ServiceAccount", name: "limited", namespace }],
      },
    ],
  ] as const) {
    const made = await admin.call("POST", path, { body });
    if (made.code !== 201) throw new Error(made.text);
  }
  const asked = await admin.call("POST", `/api/v1/namespaces/${namespace}/serviceaccounts/limited/token`, {
    body: { spec: { expirationSeconds: 600 } },
  });
  const cluster = kubeconfig.clusters[0];
  return createClient(
    stringify({
      "current-context": "limited",
      contexts: [{ name: "limited", context: { cluster: cluster.name, user: "limited" } }],
      clusters: [cluster],
      users: [{ name: "limited", user: { token: asked.body.status.token } }],
    }),
  );
}

beforeAll(async () => {
  client = await restricted();
  // A real API server learns of a binding a moment later.
  for (
    let tries = 0;
    tries < 50 && !(await may({ verb: "get", group: "apps", resource: "deployments", namespace }));
    tries += 1
  )
    await new Promise((done) => setTimeout(done, 100));
}, 30_000);
afterAll(async () => {
  client?.close();
  for (const end of ends) await end();
});

async function may(resourceAttributes: object): Promise<boolean> {
  const { code, body } = await client.call("POST", `${REVIEWS}/selfsubjectaccessreviews`, {
    body: { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", spec: { resourceAttributes } },
  });
  expect(code).toBe(201);
  return body.status.allowed;
}
const review = (spec: object) =>
  client.call("POST", `${REVIEWS}/selfsubjectrulesreviews`, {
    body: { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectRulesReview", spec },
  });
const sorted = (rules: Body[]): string[] =>
  rules.map((rule) => JSON.stringify(rule, Object.keys(rule).toSorted())).toSorted();

describe("what an account may do", () => {
  it("is listed by namespace, with what everybody has", async () => {
    const { code, body } = await review({ namespace });
    expect(code).toBe(201);
    expect(body).toMatchObject({ kind: "SelfSubjectRulesReview", apiVersion: "authorization.k8s.io/v1", spec: {} });
    const everybody = [
      {
        apiGroups: ["authorization.k8s.io"],
        resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
        verbs: ["create"],
      },
      { apiGroups: ["authentication.k8s.io"], resources: ["selfsubjectreviews"], verbs: ["create"] },
    ];
    expect(sorted(body.status.resourceRules)).toEqual(sorted([...everybody, ...RULES]));
    const elsewhere = await review({ namespace: "default" });
    expect(sorted(elsewhere.body.status.resourceRules)).toEqual(sorted(everybody));
    const nowhere = await review({ namespace: "no-such-namespace" });
    expect(sorted(nowhere.body.status.resourceRules)).toEqual(sorted(everybody));
  });

  it("is not listed without a namespace", async () => {
    const { code, body } = await review({});
    expect([code, body.reason, body.message]).toEqual([400, "BadRequest", "no namespace on request"]);
  });

  it.each([
    [true, { group: "apps", resource: "deployments", verb: "patch" }],
    [false, { group: "apps", resource: "deployments", verb: "delete" }],
    [false, { group: "", resource: "deployments", verb: "patch" }],
    [true, { group: "", resource: "pods", subresource: "eviction", verb: "create" }],
    [false, { group: "", resource: "pods", verb: "create" }],
    [true, { group: "", resource: "configmaps", verb: "get", name: "one" }],
    [false, { group: "", resource: "configmaps", verb: "get", name: "two" }],
    [false, { group: "", resource: "configmaps", verb: "get" }],
    [false, { group: "*", resource: "*", verb: "*" }],
  ])("is answered by question: %s for %j", async (allowed, attributes) => {
    expect(await may({ ...attributes, namespace })).toBe(allowed);
    expect(await may({ ...attributes, namespace: "default" })).toBe(false);
    expect(await may(attributes)).toBe(false);
  });

  it("is what requests are held to", async () => {
    const list = await client.call("GET", `/apis/apps/v1/namespaces/${namespace}/deployments`);
    expect(list.code).toBe(200);
    for (const [method, path] of [
      ["GET", "/apis/apps/v1/deployments"],
      ["GET", `/api/v1/namespaces/${namespace}/configmaps/two`],
      ["GET", `/api/v1/namespaces/${namespace}/secrets`],
      ["DELETE", `/apis/apps/v1/namespaces/${namespace}/deployments/web`],
    ] as const)
      expect((await client.call(method, path)).code, path).toBe(403);
    expect((await client.call("GET", `/api/v1/namespaces/${namespace}/configmaps/one`)).code).toBe(404);
  });

  it(`runs against a ${isReal ? "real" : "embedded"} cluster`, () => {
    expect(client.server).toMatch(isReal ? /^https:/ : /^http:/);
  });
});
