import { describe, expect, it } from "vitest";
import { sameAsLive, sameField } from "../../src/gitops/field-equality.ts";
import { diffObjects } from "../../src/gitops/object-diff.ts";
import { formatPath } from "../../src/kube/field-path.ts";
import type { Json, KubeObject } from "../../src/model.ts";

function deployment(spec: Json, extra: Partial<KubeObject> = {}): KubeObject {
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "cart", namespace: "shop" }, spec, ...extra };
}

function paths(a: Json, b: Json): string[] {
  return diffObjects(deployment(a), deployment(b)).map(
    (change) => `${formatPath(change.path)}: ${JSON.stringify(change.from)} → ${JSON.stringify(change.to)}`,
  );
}

describe("diffObjects", () => {
  it("matches items of lists by their merge key, not by their place", () => {
    const before = { containers: [{ name: "app", image: "a:1" }] };
    const after = {
      containers: [
        { name: "proxy", image: "p:1" },
        { name: "app", image: "a:2" },
      ],
    };
    expect(paths(before, after)).toEqual([
      'spec.containers[name=app].image: "a:1" → "a:2"',
      'spec.containers[name=proxy]: undefined → {"name":"proxy","image":"p:1"}',
    ]);
  });

  it("goes by position or takes the list whole where there is no merge key", () => {
    expect(paths({ args: ["-a", "-b"] }, { args: ["-a", "-c"] })).toEqual(['spec.args[1]: "-b" → "-c"']);
    expect(paths({ args: ["-a"] }, { args: ["-a", "-c"] })).toEqual(['spec.args: ["-a"] → ["-a","-c"]']);
    expect(
      paths(
        {
          ports: [
            { port: 53, protocol: "TCP" },
            { port: 53, protocol: "UDP" },
          ],
        },
        {
          ports: [
            { port: 53, protocol: "TCP" },
            { port: 54, protocol: "UDP" },
          ],
        },
      ),
    ).toEqual(["spec.ports[1].port: 53 → 54"]);
  });

  it("compares amounts as amounts, and absent with null and empty as the same", () => {
    expect(
      paths(
        { resources: { limits: { cpu: 1, memory: "1Gi" } } },
        { resources: { limits: { cpu: "1000m", memory: "1024Mi" } } },
      ),
    ).toEqual([]);
    expect(paths({ template: null, env: [] }, { resources: { limits: {} } })).toEqual([]);
    expect(paths({ volumes: [{ name: "a" }] }, { volumes: [{ name: "a", emptyDir: {} }] })).toEqual([
      "spec.volumes[name=a].emptyDir: undefined → {}",
    ]);
  });

  it("keeps what only looks the same apart", () => {
    expect(paths({ env: [{ name: "A", value: "1" }] }, { env: [{ name: "A", value: "1.0" }] })).toHaveLength(1);
    expect(paths({ resources: { limits: { cpu: 1 } } }, { resources: { limits: { cpu: "2" } } })).toHaveLength(1);
  });

  it("does not look at status and server-side metadata", () => {
    const live = deployment(
      {},
      {
        status: { replicas: 1 },
        metadata: { name: "cart", namespace: "shop", uid: "u", resourceVersion: "7", generation: 3 },
      },
    );
    expect(diffObjects(deployment({}), live)).toEqual([]);
  });

  it("takes an object that appears or goes as one change", () => {
    expect(diffObjects(undefined, deployment({}))).toMatchObject([{ path: [], to: { kind: "Deployment" } }]);
    expect(diffObjects(undefined, undefined)).toEqual([]);
  });
});

describe("sameAsLive", () => {
  it("knows what the API server fills in", () => {
    expect(sameAsLive(["spec", "replicas"], undefined, 1)).toBe(true);
    expect(sameAsLive(["spec", "replicas"], undefined, 2)).toBe(false);
    expect(
      sameAsLive(
        ["spec", "x", "livenessProbe"],
        { httpGet: { path: "/", port: 80 } },
        {
          httpGet: { path: "/", port: 80, scheme: "HTTP" },
          timeoutSeconds: 1,
          periodSeconds: 10,
          successThreshold: 1,
          failureThreshold: 3,
        },
      ),
    ).toBe(true);
    expect(sameAsLive(["spec", "x", "livenessProbe"], { httpGet: { path: "/" } }, { httpGet: { path: "/b" } })).toBe(
      false,
    );
  });

  it("does not take text for a number where that changes the meaning", () => {
    expect(sameField(["data", "n"], "1", 1)).toBe(false);
    expect(sameField(["spec", "port"], "80", 80)).toBe(true);
  });
});
