import { describe, expect, it } from "vitest";
import { lostRights } from "../../src/losses/rights.ts";
import type { Json, KubeObject } from "../../src/model.ts";
import { deployment, inShop, recentCommit } from "./recent-commit.ts";

type Rule = {
  readonly groups?: readonly string[];
  readonly resources: readonly string[];
  readonly verbs?: readonly string[];
};

const role = (name: string, ...rules: readonly Rule[]): KubeObject =>
  inShop("Role", name, {
    rules: rules.map(({ groups = [""], resources, verbs = ["list"] }) => ({
      apiGroups: [...groups],
      resources: [...resources],
      verbs: [...verbs],
    })),
  });
const account = (name = "reader"): KubeObject => inShop("ServiceAccount", name);
const binding = (roleName: string, name = "reader", more: { readonly [field: string]: Json } = {}): KubeObject =>
  inShop("RoleBinding", "binds", {
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: roleName },
    subjects: [{ kind: "ServiceAccount", name, ...more }],
  });
const pods: Rule = { resources: ["pods"] };
const deployments: Rule = { groups: ["apps"], resources: ["deployments"] };
const lostOf = (now: KubeObject, before: KubeObject, subject?: string, ...rest: readonly KubeObject[]) => {
  const others = rest.length > 0 ? rest : [account(), binding(now.metadata.name)];
  return lostRights(recentCommit([now, ...others], [before, ...others], subject));
};

describe("a Role that is named for what it gives no more", () => {
  it("is missed by the account that it is bound to", () => {
    const [lost] = lostOf(role("pod-reader-role", deployments), role("pod-reader-role", pods));
    expect(lost).toMatchObject({
      ref: { kind: "Role", name: "pod-reader-role" },
      rights: [
        {
          verb: "list",
          group: "",
          resource: "pods",
          namespace: "shop",
          account: { namespace: "shop", name: "reader" },
        },
      ],
    });
    expect(lost?.says).toBe(
      "Role shop/pod-reader-role gives nothing on pods since commit {commit}, for which it is named: ServiceAccount shop/reader lost the right to list pods.",
    );
  });

  it("counts for an account that only a workload names", () => {
    const runs = deployment("web", {}, { serviceAccountName: "reader" });
    const now = role("pods", deployments);
    expect(lostOf(now, role("pods", pods), undefined, runs, binding("pods"))).toMatchObject([{ clients: [runs] }]);
  });

  it.each<[string, KubeObject, KubeObject]>([
    ["it is named for nothing of it", role("reader", deployments), role("reader", pods)],
    [
      "it still gives something on it",
      role("pod-reader", { resources: ["pods"], verbs: ["get"] }),
      role("pod-reader", pods),
    ],
    ["it still gives a part of it", role("pod-reader", { resources: ["pods/log"] }), role("pod-reader", pods)],
    ["it gives all", role("pod-reader", { resources: ["*"] }), role("pod-reader", pods)],
    ["it lost other rights", role("pod-reader", pods), role("pod-reader", pods, deployments)],
    ["it lost nothing", role("pod-reader", pods, deployments), role("pod-reader", pods)],
    [
      "the right was on one object only",
      role("pod-reader", deployments),
      inShop("Role", "pod-reader", {
        rules: [{ apiGroups: [""], resources: ["pods"], resourceNames: ["one"], verbs: ["get"] }],
      }),
    ],
  ])("is nobody's loss where %s", (_, now, before) => {
    expect(lostOf(now, before)).toEqual([]);
  });

  it("is nobody's loss where the commit says that it takes rights", () => {
    for (const subject of ["Restrict the reader", "least privilege", "Drop what nobody needs", "RBAC: tidy up"])
      expect(lostOf(role("pod-reader", deployments), role("pod-reader", pods), subject), subject).toEqual([]);
  });

  it("is nobody's loss where nothing binds it, or to nobody that Git declares", () => {
    const [now, before] = [role("pod-reader", deployments), role("pod-reader", pods)];
    expect(lostOf(now, before, undefined, account())).toEqual([]);
    expect(lostOf(now, before, undefined, binding("pod-reader"))).toEqual([]);
    expect(lostOf(now, before, undefined, account(), binding("other"))).toEqual([]);
  });
});

describe("a rule that gives nothing", () => {
  it.each<[string, Rule, string]>([
    [
      "has a resource in a group that has it not",
      { groups: ["apps"], resources: ["pods"] },
      '"pods" is no resource of the API group "apps"',
    ],
    ["has a resource in the singular", { resources: ["pod"] }, '"pod" is no resource of the API group ""'],
    ["has a mistyped resource", { resources: ["podss"] }, '"podss" is no resource of the API group ""'],
    ["has a mistyped verb", { resources: ["pods"], verbs: ["lst"] }, 'there is no verb "lst"'],
  ])("%s, whatever the commit says and the Role is called", (_, rule, why) => {
    const [lost] = lostOf(role("reader", rule), role("reader", pods), "Restrict the rights of the reader");
    expect(lost?.says).toContain(`gives nothing (${why})`);
    expect(lost?.rights).toMatchObject([{ verb: "list", group: "", resource: "pods" }]);
  });

  it.each<[string, Rule]>([
    ["is about a group that anybody may serve", { groups: ["example.com"], resources: ["pods"] }],
    ["names something else beside it", { resources: ["pod", "services"] }],
    ["takes the place of a right on something else", { groups: ["apps"], resources: ["services"] }],
    ["has a verb of somebody's own beside a known one", { resources: ["services"], verbs: ["lst", "get"] }],
  ])("is none where it %s", (_, rule) => {
    expect(lostOf(role("reader", rule), role("reader", pods))).toEqual([]);
  });

  it("that stood there before is nobody's loss", () => {
    const idle: Rule = { groups: ["apps"], resources: ["pods"] };
    expect(lostOf(role("reader", idle), role("reader", idle, pods))).toEqual([]);
  });
});

describe("a RoleBinding to nobody", () => {
  const reader = role("pod-reader", pods);
  const lost = (now: KubeObject, before: KubeObject, ...rest: readonly KubeObject[]) =>
    lostRights(recentCommit([now, reader, account(), ...rest], [before, reader, account(), ...rest]));

  it("is missed by the account that is declared and bound no more", () => {
    const found = lost(binding("pod-reader", "raeder"), binding("pod-reader"));
    expect(found).toMatchObject([{ ref: { kind: "RoleBinding", name: "binds" }, rights: [{ resource: "pods" }] }]);
    expect(found[0]?.says).toContain("names ServiceAccount shop/raeder since commit {commit}, which is not declared");
    expect(lost(binding("pod-reader", "reader", { namespace: "default" }), binding("pod-reader"))).toHaveLength(1);
  });

  it.each<[string, KubeObject, readonly KubeObject[]]>([
    ["the new account is declared", binding("pod-reader", "raeder"), [account("raeder")]],
    ["the new account is another one", binding("pod-reader", "backup"), []],
    [
      "another binding gives it the role",
      binding("pod-reader", "raeder"),
      [{ ...binding("pod-reader"), metadata: { name: "also", namespace: "shop" } }],
    ],
  ])("is nobody's loss where %s", (_, now, rest) => {
    expect(lost(now, binding("pod-reader"), ...rest)).toEqual([]);
  });
});

it("rules and subjects of any shape break nothing", () => {
  const odd = inShop("Role", "pod-reader", {
    rules: [null, 3, { verbs: "list", resources: [1, null], apiGroups: {} }] as Json,
  });
  expect(lostOf(odd, role("pod-reader", pods), undefined, account(), binding("pod-reader"))).toHaveLength(1);
  const strange = inShop("RoleBinding", "binds", { subjects: [null, "x", { kind: "ServiceAccount" }] as Json });
  expect(lostRights(recentCommit([strange, account()], [binding("pod-reader"), account()]))).toEqual([]);
});

it("a Role of any size is looked at within bounds", () => {
  const many = Array.from({ length: 3000 }, (_, index) => `things${index}`);
  const large = role("pod-reader", ...Array(200).fill({ groups: many, resources: ["pods", ...many], verbs: many }));
  const [found] = lostOf(role("pod-reader", deployments), large);
  expect(found?.rights?.length ?? 0).toBeLessThanOrEqual(2000);
});
