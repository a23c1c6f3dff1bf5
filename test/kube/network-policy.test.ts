import { describe, expect, it } from "vitest";
import { letsThrough } from "../../src/kube/network-policy.ts";
import type { Json, KubeObject } from "../../src/model.ts";

const flow = { from: { app: "web" }, to: { app: "redis" }, port: 6379 };
const policy = (spec: { readonly [field: string]: Json }): KubeObject => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "p", namespace: "shop" },
  spec,
});
const redis = { matchLabels: { app: "redis" } };
const from = (app: string, port?: Json): Json => ({
  from: [{ podSelector: { matchLabels: { app } } }],
  ...(port === undefined ? {} : { ports: [{ port }] }),
});

describe("letsThrough", () => {
  it.each<[string, readonly KubeObject[], boolean | null]>([
    ["no policy at all", [], true],
    ["a policy of other pods", [policy({ podSelector: { matchLabels: { app: "db" } }, ingress: [] })], true],
    ["a policy that opens it", [policy({ podSelector: redis, ingress: [from("web", 6379)] })], true],
    ["any port", [policy({ podSelector: redis, ingress: [from("web")] })], true],
    ["a range of ports", [policy({ podSelector: redis, ingress: [{ ports: [{ port: 6000, endPort: 7000 }] }] })], true],
    ["another port", [policy({ podSelector: redis, ingress: [from("web", 6380)] })], false],
    ["UDP alone", [policy({ podSelector: redis, ingress: [{ ports: [{ port: 6379, protocol: "UDP" }] }] })], false],
    ["another client", [policy({ podSelector: redis, ingress: [from("front", 6379)] })], false],
    ["nothing", [policy({ podSelector: {}, policyTypes: ["Ingress"] })], false],
    [
      "nothing, but another policy that opens it",
      [policy({ podSelector: {} }), policy({ podSelector: redis, ingress: [from("web")] })],
      true,
    ],
    [
      "no way out of the client",
      [policy({ podSelector: { matchLabels: { app: "web" } }, policyTypes: ["Egress"] })],
      false,
    ],
    [
      "a way out",
      [policy({ podSelector: {}, policyTypes: ["Egress"], egress: [{ to: [{ podSelector: redis }] }] })],
      true,
    ],
    [
      "egress only where it is named",
      [policy({ podSelector: { matchLabels: { app: "web" } }, policyTypes: ["Ingress"], egress: [] })],
      true,
    ],
    [
      "an address block, which may be anybody",
      [policy({ podSelector: redis, ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }] })],
      null,
    ],
    ["a named port, which may be any", [policy({ podSelector: redis, ingress: [from("web", "redis")] })], null],
    ["every namespace", [policy({ podSelector: redis, ingress: [{ from: [{ namespaceSelector: {} }] }] })], true],
    [
      "namespaces by label",
      [policy({ podSelector: redis, ingress: [{ from: [{ namespaceSelector: { matchLabels: { a: "b" } } }] }] })],
      null,
    ],
  ])("%s", (_, policies, expected) => {
    expect(letsThrough(policies, flow)).toBe(expected);
  });
});
