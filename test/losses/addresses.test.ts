import { describe, expect, it } from "vitest";
import { formatPath } from "../../src/kube/field-path.ts";
import { lostAddresses } from "../../src/losses/addresses.ts";
import type { Json, KubeObject } from "../../src/model.ts";
import { deployment, inShop, recentCommit } from "./recent-commit.ts";

const service = (name = "api", port = 80, over: { readonly [field: string]: Json } = {}): KubeObject =>
  inShop("Service", name, { spec: { selector: { app: name }, ports: [{ port }], ...over } });
const web = (value: string, name = "API_URL"): KubeObject => deployment("web", { env: [{ name, value }] });
const lost = (now: KubeObject, before: KubeObject, ...rest: readonly KubeObject[]) =>
  lostAddresses(recentCommit([now, service(), ...rest], [before, service(), ...rest]));

describe("an address that a commit turned away", () => {
  it("asks for a port that the Service does not serve", () => {
    const [found] = lost(web("http://api:8081/"), web("http://api/"));
    expect(found).toMatchObject({ ref: { kind: "Deployment", name: "web" }, absent: [] });
    expect(found?.says).toBe(
      "Deployment shop/web asks for port 8081 of Service shop/api (API_URL) since commit {commit}, which is not there; before, it asked for port 80 of Service shop/api.",
    );
    expect(found?.fields?.map(formatPath)).toEqual(["spec.template.spec.containers[name=app].env[name=API_URL].value"]);
  });

  it("asks for a Service that Git does not declare, which the cluster must not have either", () => {
    expect(lost(web("http://apii/"), web("http://api/"))).toMatchObject([{ absent: ["apii"] }]);
    expect(lost(web("apii", "API_HOST"), web("api", "API_HOST"))).toMatchObject([{ absent: ["apii"] }]);
    expect(lost(web("api.shpo.svc", "API_HOST"), web("api.shop.svc", "API_HOST"))).toEqual([]);
  });

  it("stands in arguments, or in a ConfigMap that a workload has", () => {
    const [now, before] = [["--api=api:81"], ["--api=api:80"]].map((args) => deployment("web", { args }));
    expect(lost(now as KubeObject, before as KubeObject)).toHaveLength(1);
    const map = (url: string): KubeObject => inShop("ConfigMap", "settings", { data: { "api.url": url } });
    const uses = deployment("web", { envFrom: [{ configMapRef: { name: "settings" } }] });
    expect(lost(map("http://api:81"), map("http://api"), uses)).toMatchObject([
      { ref: { kind: "ConfigMap", name: "settings" }, clients: [uses] },
    ]);
    expect(lost(map("http://api:81"), map("http://api"))).toEqual([]);
  });

  it.each<[string, KubeObject, KubeObject, readonly KubeObject[]]>([
    ["it leads to another Service that is there", web("http://v2/"), web("http://api/"), [service("v2")]],
    ["it leads out of the cluster", web("https://api.example.com/"), web("http://api/"), []],
    ["it leads to the pod itself", web("http://localhost:8080/"), web("http://api/"), []],
    ["it led nowhere before", web("http://api:82/"), web("http://api:81/"), []],
    ["it is gone", web(""), web("http://api/"), []],
    ["it is new", web("http://api:81/"), deployment("web"), []],
    ["the variable is no host", web("apii", "APP_NAME"), web("api", "APP_NAME"), []],
    [
      "the clients choose the port",
      web("http://db:81/"),
      web("http://db/"),
      [service("db", 80, { clusterIP: "None" })],
    ],
    ["one of several is there", web("api:80,v2:80,v3:80"), web("api:80"), [service("v2")]],
    ["one more came, and what was there stayed", web("api:80,v3:80"), web("api:80"), []],
  ])("is nobody's loss where %s", (_, now, before, rest) => {
    expect(lost(now, before, ...rest)).toEqual([]);
  });

  it.each<[string, { readonly [field: string]: Json }]>([
    ["hosts of its own", { hostAliases: [{ ip: "192.0.2.1", hostnames: ["legacy"] }] }],
    ["domains of its own", { dnsConfig: { searches: ["corp.example.com"] } }],
  ])("is nobody's loss where the pod has %s", (_, pod) => {
    const asks = (value: string): KubeObject => deployment("web", { env: [{ name: "API_URL", value }] }, pod);
    expect(lost(asks("http://legacy/"), asks("http://api/"))).toEqual([]);
  });

  it("is nobody's loss where the Service is gone as well", () => {
    expect(lostAddresses(recentCommit([web("http://apii/")], [web("http://api/"), service()]))).toEqual([]);
  });

  it("never says a value", () => {
    const [found] = lost(web("http://user:hunter2@api:81/"), web("http://user:hunter2@api:80/"));
    expect(found?.says ?? "").not.toContain("hunter2");
  });
});
