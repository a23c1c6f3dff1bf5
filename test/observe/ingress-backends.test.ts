import { describe, expect, it } from "vitest";
import { StanchError } from "../../src/errors.ts";
import type { KubeObject } from "../../src/model.ts";
import { deadEnd, observeIngresses } from "../../src/observe/ingress-backends.ts";
import type { Reading } from "../../src/observe/reading.ts";
import type { Resource } from "../../src/ports.ts";

const NOW = new Date("2026-01-01T02:00:00Z");
const ingress = (spec: object, createdAt = "2026-01-01T01:00:00Z"): KubeObject => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name: "shop", namespace: "shop", creationTimestamp: createdAt },
  spec,
});
const to = (name: string, port: object) => ({
  rules: [{ http: { paths: [{ path: "/", backend: { service: { name, port } } }] } }],
});
const service = (name: string, ports: readonly object[], spec: object = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "shop" },
  spec: { ports, ...spec },
});
const CART = service("cart", [{ name: "http", port: 80 }]);

function reading(
  services: readonly KubeObject[],
  over: { readonly ingresses?: readonly KubeObject[]; readonly classes?: readonly string[] | "forbidden" } = {},
): Reading {
  return {
    clock: { now: () => NOW, sleep: async () => undefined },
    gaps: [],
    watched: (namespace: string) => namespace === "shop",
    async *pages() {
      yield over.ingresses ?? [];
    },
    cluster: {
      get: async ({ name }: { name: string }) => services.find((item) => item.metadata.name === name) ?? null,
      async *list({ kind }: Resource) {
        if (kind === "IngressClass" && over.classes === "forbidden") throw new StanchError("forbidden", "no");
        yield kind === "IngressClass" ? ((over.classes ?? []) as string[]).map((name) => ({ metadata: { name } })) : [];
      },
    },
  } as unknown as Reading;
}

describe("deadEnd", () => {
  it.each<[string, object, readonly KubeObject[], RegExp]>([
    ["a Service that does not exist", to("carts", { number: 80 }), [CART], /Service carts, which does not exist/],
    ["a port that it does not have", to("cart", { number: 8080 }), [CART], /port 8080 of Service cart/],
    ["a name that none of its ports has", to("cart", { name: "web" }), [CART], /port web of Service cart/],
    [
      "a default backend that does not exist",
      { defaultBackend: { service: { name: "gone", port: { number: 80 } } } },
      [],
      /Service gone/,
    ],
  ])("says %s", async (_, spec, services, sentence) => {
    expect(await deadEnd(reading(services), ingress(spec))).toMatch(sentence);
  });

  it.each<[string, object, readonly KubeObject[]]>([
    ["a number that is there", to("cart", { number: 80 }), [CART]],
    ["a name that is there", to("cart", { name: "http" }), [CART]],
    [
      "an external name, whose ports nobody lists",
      to("out", { number: 443 }),
      [service("out", [], { type: "ExternalName" })],
    ],
    ["a backend that is no Service", { defaultBackend: { resource: { kind: "StorageBucket", name: "static" } } }, []],
    ["an action of a load balancer, which is no Service", to("ssl-redirect", { name: "use-annotation" }), []],
    ["nothing at all", {}, []],
    ["rubbish", { rules: [null, { http: { paths: "x" } }, { http: { paths: [{ backend: { service: 7 } }] } }] }, []],
  ])("is silent about %s", async (_, spec, services) => {
    expect(await deadEnd(reading(services), ingress(spec))).toBeNull();
  });

  it("says a class that is not there only beside classes that are", async () => {
    const named = ingress({ ingressClassName: "ngnix" });
    expect(await deadEnd(reading([], { classes: ["nginx"] }), named)).toBe("IngressClass ngnix does not exist.");
    expect(await deadEnd(reading([], { classes: [] }), named)).toBeNull();
    expect(await deadEnd(reading([], { classes: "forbidden" }), named)).toBeNull();
    expect(await deadEnd(reading([], { classes: ["ngnix"] }), named)).toBeNull();
  });
});

describe("observeIngresses", () => {
  it("tells of those that were written lately, and of no other", async () => {
    const broken = to("carts", { number: 80 });
    const found = (object: KubeObject) => observeIngresses(reading([CART], { ingresses: [object] }));
    expect(await found(ingress(broken))).toMatchObject([{ ref: { kind: "Ingress", name: "shop" } }]);
    expect(await found(ingress(broken, "2025-12-01T00:00:00Z"))).toEqual([]);
    const elsewhere = ingress(broken);
    expect(await found({ ...elsewhere, metadata: { ...elsewhere.metadata, namespace: "other" } })).toEqual([]);
    const going = { ...elsewhere.metadata, deletionTimestamp: "2026-01-01T01:30:00Z" };
    expect(await found({ ...elsewhere, metadata: going })).toEqual([]);
  });

  it("says the gap where Ingresses may not be read, and none where there are none", async () => {
    const failing = (code: "forbidden" | "not-found"): Reading => ({
      ...reading([]),
      // biome-ignore lint/correctness/useYield: the first page already fails
      async *pages() {
        throw new StanchError(code, "no ingresses for you");
      },
    });
    const forbidden = failing("forbidden");
    expect(await observeIngresses(forbidden)).toEqual([]);
    expect(forbidden.gaps).toEqual(["ingresses cannot be read: no ingresses for you"]);
    const unserved = failing("not-found");
    expect(await observeIngresses(unserved)).toEqual([]);
    expect(unserved.gaps).toEqual([]);
  });
});
