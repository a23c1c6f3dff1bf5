import { describe, expect, it } from "vitest";
import type { Change, Json, KubeObject, Symptom } from "../../src/model.ts";
import { workload } from "../detectors/snapshot-builder.ts";
import { commit, helps, refuses, tried, type World } from "./remedy-context.ts";

const RBAC = "rbac.authorization.k8s.io/v1";
const rule = (verbs: readonly string[], resources: readonly string[] = ["pods", "services"]) => ({
  apiGroups: [""],
  resources: [...resources],
  verbs: [...verbs],
});
const role = (...rules: readonly Json[]): KubeObject => ({
  apiVersion: RBAC,
  kind: "Role",
  metadata: { name: "reader", namespace: "shop" },
  rules,
});
const binding = (...names: readonly string[]): KubeObject => ({
  apiVersion: RBAC,
  kind: "RoleBinding",
  metadata: { name: "reader", namespace: "shop" },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" },
  subjects: names.map((name) => ({ kind: "ServiceAccount", name, namespace: "shop" })),
});
const ROLE = { apiVersion: RBAC, kind: "Role", namespace: "shop", name: "reader" };
const BINDING = { ...ROLE, kind: "RoleBinding" };
const denied = (verb = "list", user = "watcher", resource = "pods"): Symptom => ({
  kind: "CrashLoop",
  exit: "application",
  exitCode: 1,
  init: false,
  message: `Error from server (Forbidden): ${resource} is forbidden: User "system:serviceaccount:shop:${user}" cannot ${verb} resource "${resource}" in API group "" in the namespace "shop"`,
});
const watcher = workload({ name: "watcher", podSpec: { serviceAccountName: "watcher" } });
const verbs: Change = { object: ROLE, path: ["rules", 0, "verbs"], from: ["get"], to: ["get", "list"] };
const other: Change = { object: ROLE, path: ["rules", 1, "verbs"], from: ["get"], to: ["get", "delete"] };

function world(over: Partial<World> = {}): World {
  const others = over.others ?? [role(rule(["get"]), rule(["get"], ["configmaps"])), binding("watcher")];
  return {
    workload: watcher,
    symptom: denied(),
    previous: [commit([verbs, other])],
    live: others,
    ...over,
    others,
  };
}

describe("a right that a commit took from a Role", () => {
  it("is proposed in Git only, and nothing else that the commit changed", async () => {
    expect(await helps("restore-policy", world())).toMatchObject({
      title: 'restore rules[0].verbs ["get"] → ["get","list"]',
      changes: [verbs],
      risk: "high",
      gitOnly: "what a program may do is decided by whoever reviews it, and is changed in Git only",
      offered: ["restore-policy"],
    });
  });

  it("is also told by a list that a command asked for by URL", async () => {
    const asks = workload({
      name: "watcher",
      podSpec: { serviceAccountName: "watcher" },
      container: {
        command: ["sh", "-c", "wget -qO- https://kubernetes.default.svc/api/v1/namespaces/shop/pods || exit 1"],
      },
    });
    const symptom = { ...denied(), message: "wget: server returned error: HTTP/1.1 403 Forbidden" } as Symptom;
    expect(await helps("restore-policy", world({ workload: asks, symptom }))).toMatchObject({ changes: [verbs] });
  });

  it.each<[string, Partial<World>]>([
    ["nothing says that it is denied", { symptom: { ...denied(), message: "panic: nil" } as Symptom }],
    ["another account is denied it", { symptom: denied("list", "deployer") }],
    ["another right is denied", { symptom: denied("watch") }],
    ["the Role gives it by now", { others: [role(rule(["get", "list"])), binding("watcher")] }],
    ["no recent commit took it", { previous: [commit([other])] }],
    ["roles cannot be read", { others: null, live: [] }],
    ["its account never had the role", { others: [role(rule(["get"])), binding("somebody")] }],
  ])("not where %s", async (_, over) => {
    expect(
      await refuses("restore-policy", world({ ...over, ...(over.others === null ? { others: [] } : {}) })),
    ).toMatch(/nothing refuses it by name what a recent commit took away/);
  });

  it.each([
    ["secrets", rule(["get"], ["secrets"]), rule(["get", "list"], ["secrets"]), denied("list", "watcher", "secrets")],
    ["all verbs", rule(["get"]), rule(["*"]), denied()],
    ["all resources", rule(["get"]), rule(["get", "list"], ["*"]), denied()],
    ["rights themselves", rule(["get"]), rule(["get", "list"], ["pods", "rolebindings"]), denied()],
  ])("not where it gives %s back", async (_, now, then, symptom) => {
    const change: Change = { object: ROLE, path: ["rules"], from: [now], to: [then] };
    const others = [role(now), binding("watcher")];
    const given = world({ symptom, others, previous: [commit([change])] });
    expect(await refuses("restore-policy", given)).toMatch(/it would give .*A person must decide/);
    const params = { commit: "1a2b3c4", fields: [change as unknown as Json] };
    expect(await tried("restore-policy", params, given)).toMatch(/it would give/);
  });
});

describe("an account that a commit took from a RoleBinding", () => {
  const gives = role(rule(["get", "list"]));
  const name: Change = { object: BINDING, path: ["subjects", 0, "name"], from: "watchers", to: "watcher" };

  it("is proposed", async () => {
    const others = [gives, binding("watchers")];
    expect(await helps("restore-policy", world({ others, previous: [commit([name])] }))).toMatchObject({
      changes: [name],
    });
  });

  it.each<[string, Change, readonly KubeObject[]]>([
    [
      "others would get the role, too",
      {
        object: BINDING,
        path: ["subjects"],
        from: [],
        to: ["watcher", "everybody"].map((one) => ({ kind: "ServiceAccount", name: one, namespace: "shop" })),
      },
      [gives, binding()],
    ],
    ["the role gives Secrets", name, [role(rule(["get", "list"], ["pods", "secrets"])), binding("watchers")]],
  ])("not where %s", async (_, change, others) => {
    expect(await refuses("restore-policy", world({ others, previous: [commit([change])] }))).toMatch(
      /A person must decide/,
    );
  });
});

describe("a quota that a commit lowered", () => {
  const QUOTA = { apiVersion: "v1", kind: "ResourceQuota", namespace: "shop", name: "team" };
  const hard: Change = { object: QUOTA, path: ["spec", "hard", "requests.cpu"], from: "60m", to: "2" };
  const pods: Change = { object: QUOTA, path: ["spec", "hard", "pods"], from: "20", to: "10" };
  const team: KubeObject = {
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: { name: "team", namespace: "shop" },
    spec: { hard: { "requests.cpu": "60m", pods: "20" } },
  };
  const refused = (name = "team", used = "50m"): Symptom => ({
    kind: "PodsRefused",
    message: `pods "web-1" is forbidden: exceeded quota: ${name}, requested: requests.cpu=50m, used: requests.cpu=${used}, limited: requests.cpu=60m`,
  });
  const short = (over: Partial<World> = {}): World =>
    world({ symptom: refused(), container: null, others: [team], previous: [commit([hard, pods])], ...over });

  it("is proposed in the one amount that refuses", async () => {
    expect(await helps("restore-policy", short())).toMatchObject({ changes: [hard], gitOnly: expect.any(String) });
  });

  it.each<[string, Partial<World>]>([
    ["it is another quota", { symptom: refused("other") }],
    ["what it was would not do either", { symptom: refused("team", "1990m") }],
    ["no commit changed it", { previous: [] }],
  ])("not where %s", async (_, over) => {
    expect(await refuses("restore-policy", short(over))).toMatch(/nothing refuses it by name/);
  });
});

describe("a LimitRange that a commit tightened", () => {
  const RANGE = { apiVersion: "v1", kind: "LimitRange", namespace: "shop", name: "bounds" };
  const max: Change = { object: RANGE, path: ["spec", "limits", 0, "max", "memory"], from: "48Mi", to: "1Gi" };
  const standard: Change = {
    object: RANGE,
    path: ["spec", "limits", 0, "default", "memory"],
    from: "32Mi",
    to: "64Mi",
  };
  const bounds: KubeObject = {
    apiVersion: "v1",
    kind: "LimitRange",
    metadata: { name: "bounds", namespace: "shop" },
    spec: { limits: [{ type: "Container", max: { memory: "48Mi" }, default: { memory: "32Mi" } }] },
  };
  const refused = (limit: string): Symptom => ({
    kind: "PodsRefused",
    message: `pods "web-1" is forbidden: maximum memory usage per Container is 48Mi, but limit is ${limit}`,
  });
  const tight = (over: Partial<World> = {}): World =>
    world({
      symptom: refused("64Mi"),
      container: null,
      others: [bounds],
      previous: [commit([max, standard])],
      ...over,
    });

  it("is proposed in the one bound that refuses", async () => {
    expect(await helps("restore-policy", tight())).toMatchObject({ changes: [max] });
  });

  it("not where what it was would not do either", async () => {
    expect(await refuses("restore-policy", tight({ symptom: refused("2Gi") }))).toMatch(/nothing refuses it by name/);
  });
});
