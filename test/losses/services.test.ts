import { describe, expect, it } from "vitest";
import { lostPorts, lostServices } from "../../src/losses/services.ts";
import { lostWays } from "../../src/losses/ways.ts";
import type { Json, KubeObject } from "../../src/model.ts";
import { recentCommit } from "./recent-commit.ts";

const service = (port: number, over: { readonly [field: string]: Json } = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "api", namespace: "shop" },
  spec: { selector: { app: "api" }, ports: [{ port, targetPort: 80 }], ...over },
});
const deployment = (name: string, url?: string): KubeObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace: "shop" },
  spec: {
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: "app", ...(url === undefined ? {} : { env: [{ name: "URL", value: url }] }) }] },
    },
  },
});
const ingress = (port: number): KubeObject => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name: "shop", namespace: "shop" },
  spec: { rules: [{ http: { paths: [{ backend: { service: { name: "api", port: { number: port } } } }] } }] },
});
const web = deployment("web", "http://api/");

describe("a port that a commit took from a Service", () => {
  it("is missed by whoever names it", () => {
    const [lost] = lostPorts(recentCommit([service(8080), web], [service(80), web]));
    expect(lost).toMatchObject({ ref: { kind: "Service", name: "api" }, what: "port 80 of Service shop/api (URL)" });
    expect(lost?.clients).toEqual([web]);
    expect(lostPorts(recentCommit([service(8080), ingress(80)], [service(80), ingress(80)]))).toHaveLength(1);
  });

  it.each<[string, readonly KubeObject[], readonly KubeObject[]]>([
    ["nobody names it", [service(8080), deployment("web")], [service(80), deployment("web")]],
    ["it is still there", [service(80), web], [service(80, { type: "NodePort" }), web]],
    [
      "another client asks for the new one already",
      [service(8080), web, deployment("app", "http://api:8080")],
      [service(80), web],
    ],
    ["the Service is new", [service(8080), web], [web]],
    ["the Service is headless", [service(8080, { clusterIP: "None" }), web], [service(80, { clusterIP: "None" }), web]],
  ])("is not where %s", (_, now, before) => {
    expect(lostPorts(recentCommit(now, before))).toEqual([]);
  });
});

describe("a Service that a commit took out of Git", () => {
  it("is missed by whoever names it, and by nobody else", () => {
    expect(lostServices(recentCommit([web], [service(80), web]))).toMatchObject([{ now: undefined, clients: [web] }]);
    expect(lostServices(recentCommit([deployment("web")], [service(80), web]))).toEqual([]);
    expect(lostServices(recentCommit([service(80), web], [service(80), web]))).toEqual([]);
  });
});

describe("a way that NetworkPolicies let through", () => {
  const policy = (app: string, port = 80): KubeObject => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "api", namespace: "shop" },
    spec: {
      podSelector: { matchLabels: { app: "api" } },
      ingress: [{ from: [{ podSelector: { matchLabels: { app } } }], ports: [{ port }] }],
    },
  });
  const rest = [service(80), web, deployment("api")];

  it.each([
    ["from", policy("front")],
    ["port", policy("web", 81)],
  ])("is missed in its %s", (_, now) => {
    expect(lostWays(recentCommit([now, ...rest], [policy("web"), ...rest]))).toMatchObject([
      {
        ref: { kind: "NetworkPolicy", name: "api" },
        what: "port 80 of Service shop/api (URL) through NetworkPolicy shop/api",
        flows: [{ from: { app: "web" }, to: { app: "api" }, port: 80 }],
      },
    ]);
  });

  it("is not where the client never got through, or does not ask", () => {
    expect(lostWays(recentCommit([policy("front"), ...rest], [policy("app"), ...rest]))).toEqual([]);
    const quiet = [service(80), deployment("web"), deployment("api")];
    expect(lostWays(recentCommit([policy("front"), ...quiet], [policy("web"), ...quiet]))).toEqual([]);
  });
});
