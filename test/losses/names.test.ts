import { describe, expect, it } from "vitest";
import { formatPath } from "../../src/kube/field-path.ts";
import { lostNames } from "../../src/losses/names.ts";
import type { Json, KubeObject } from "../../src/model.ts";
import { deployment, inShop, recentCommit } from "./recent-commit.ts";

type Pod = { readonly [field: string]: Json };
const service = inShop("Service", "api", { spec: { ports: [{ port: 80 }] } });
const asks = { env: [{ name: "API_HOST", value: "api" }] };
const lost = (now: Pod, before: Pod = {}, container: Pod = asks, rest: readonly KubeObject[] = [service]) =>
  lostNames(
    recentCommit([deployment("web", container, now), ...rest], [deployment("web", container, before), ...rest]),
  );

describe("names that a workload cannot resolve any more", () => {
  it.each<[string, Pod, string]>([
    ["it asks the node's name servers", { dnsPolicy: "Default" }, "spec.template.spec.dnsPolicy"],
    ["it is on the node's network", { hostNetwork: true }, "spec.template.spec.hostNetwork"],
    [
      "it asks others",
      { dnsPolicy: "None", dnsConfig: { nameservers: ["192.0.2.1"] } },
      "spec.template.spec.dnsPolicy",
    ],
  ])("are lost where %s", (_, pod, path) => {
    const [found] = lost(pod);
    expect(found?.says).toContain(
      "asks for Service shop/api (API_HOST), whose name its pods cannot resolve since commit",
    );
    expect(found?.fields?.map(formatPath)).toContain(path);
  });

  it.each<[string, Pod, Pod]>([
    ["on the node's network, with the policy for it", { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" }, {}],
    ["of its own search list", { dnsPolicy: "None", dnsConfig: { searches: ["shop.svc.cluster.local"] } }, {}],
    ["that it could not resolve before", { dnsPolicy: "Default" }, { dnsPolicy: "Default", hostNetwork: true }],
    ["in its own list of hosts", { dnsPolicy: "Default", hostAliases: [{ ip: "192.0.2.1", hostnames: ["api"] }] }, {}],
    ["with the default said", { dnsPolicy: "ClusterFirst" }, {}],
  ])("are not lost: %s", (_, now, before) => {
    expect(lost(now, before)).toEqual([]);
  });

  it("are not lost by who asks for no Service, or for none of the namespace", () => {
    expect(lost({ dnsPolicy: "Default" }, {}, {})).toEqual([]);
    expect(lost({ dnsPolicy: "Default" }, {}, asks, [])).toEqual([]);
    expect(lost({ dnsPolicy: "Default" }, {}, { env: [{ name: "NAME", value: "api" }] })).toEqual([]);
    expect(lost({ dnsPolicy: "Default" }, {}, { env: [{ name: "API_HOST", value: "api.bank.svc" }] })).toEqual([]);
    expect(lost({ dnsPolicy: "Default" }, {}, { args: ["--api", "http://api/"] })).toHaveLength(1);
  });
});
