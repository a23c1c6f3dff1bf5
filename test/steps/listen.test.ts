import { describe, expect, it } from "vitest";
import { stableKey } from "../../src/gitops/rendered.ts";
import type { KubeObject } from "../../src/model.ts";
import type { RecentCommit } from "../../src/recent.ts";
import { topicsOf } from "../../src/steps/listen.ts";
import { type WorkloadSpec, workload } from "../detectors/snapshot-builder.ts";
import { commit, configMap } from "../remedies/remedy-context.ts";

const recent = (now: readonly KubeObject[], before: readonly KubeObject[]): RecentCommit => ({
  commit: commit([]).commit,
  now,
  before: new Map(before.map((object) => [stableKey(object), object])),
  after: undefined,
});
/** What is heard of some lines after a commit. */
function heard(now: readonly KubeObject[], before: readonly KubeObject[], lines: readonly string[], container = "app") {
  const [own] = now;
  if (own === undefined) throw new Error("nothing is rendered");
  return topicsOf(own, recent(now, before)).flatMap((topic) => topic(lines, container));
}
const cart = (spec: WorkloadSpec = {}): KubeObject => workload({ name: "cart", ...spec }).object;
const env = (value: string): KubeObject => cart({ container: { env: [{ name: "DB_PORT", value }] } });
const redis: KubeObject = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "redis", namespace: "shop" },
  spec: { ports: [{ port: 6379 }] },
};
const RBAC = "rbac.authorization.k8s.io/v1";
const role = (...verbs: string[]): KubeObject => ({
  apiVersion: RBAC,
  kind: "Role",
  metadata: { name: "reader", namespace: "shop" },
  rules: [{ apiGroups: [""], resources: ["pods"], verbs }],
});
const binding = (name: string): KubeObject => ({
  apiVersion: RBAC,
  kind: "RoleBinding",
  metadata: { name: "reader", namespace: "shop" },
  roleRef: { kind: "Role", name: "reader" },
  subjects: [{ kind: "ServiceAccount", name }],
});
const REFUSED = "error: DB_PORT 5433: connection refused";
const UNRESOLVED = "Error: getaddrinfo ENOTFOUND redis";
const DENIED =
  'pods is forbidden: User "system:serviceaccount:shop:default" cannot list resource "pods" in API group "" in the namespace "shop"';
const LINES = ["serving on :80", REFUSED, UNRESOLVED, DENIED];

describe("of what a program says, only what a commit may explain is heard", () => {
  it("a variable that it changed, of this container", () => {
    expect(heard([env("5433")], [env("5432")], LINES)).toEqual([REFUSED]);
    expect(heard([env("5433")], [env("5432")], LINES, "proxy")).toEqual([]);
  });

  it("a ConfigMap that the workload reads", () => {
    const reads = cart({ container: { envFrom: [{ configMapRef: { name: "settings" } }] } });
    const now = [reads, configMap("settings", { DB_PORT: "5433" }), configMap("other", { redis: "x" })];
    const before = [reads, configMap("settings", { DB_PORT: "5432" }), configMap("other", { redis: "y" })];
    expect(heard(now, before, LINES)).toEqual([REFUSED]);
    expect(heard([cart(), ...now.slice(1)], [cart(), ...before.slice(1)], LINES)).toEqual([]);
  });

  it("names that it cannot resolve any more, where the commit changed how it does", () => {
    const [now, then] = ["Default", "ClusterFirst"].map((dnsPolicy) => cart({ podSpec: { dnsPolicy } })) as [
      KubeObject,
      KubeObject,
    ];
    expect(heard([now, redis], [then, redis], LINES)).toEqual([UNRESOLVED]);
    expect(heard([now], [then], LINES)).toEqual([]);
  });

  it("rights of its own account, where the commit changed a Role or a binding of it", () => {
    expect(
      heard([cart(), role("get"), binding("default")], [cart(), role("get", "list"), binding("default")], LINES),
    ).toEqual([DENIED]);
    expect(heard([cart(), role("get"), binding("nobody")], [cart(), role("get"), binding("default")], LINES)).toEqual([
      DENIED,
    ]);
    expect(
      heard([cart(), role("get"), binding("other")], [cart(), role("get", "list"), binding("other")], LINES),
    ).toEqual([]);
  });

  it("nothing where the commit changed nothing of it, or it is new", () => {
    expect(heard([cart()], [cart()], LINES)).toEqual([]);
    expect(heard([env("5433")], [], LINES)).toEqual([]);
  });
});
