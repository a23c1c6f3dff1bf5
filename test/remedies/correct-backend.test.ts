import { describe, expect, it } from "vitest";
import { keyOf } from "../../src/kube/ref.ts";
import type { KubeObject } from "../../src/model.ts";
import { workload } from "../detectors/snapshot-builder.ts";
import { commit, helps, refuses, tried, type World } from "./remedy-context.ts";

const REF = { apiVersion: "networking.k8s.io/v1", kind: "Ingress", namespace: "shop", name: "shop" };
const BACKEND = ["spec", "rules", 0, "http", "paths", 0, "backend", "service"];
const service = (name: string, ...ports: readonly object[]): KubeObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "shop" },
  spec: { ports: ports.length === 0 ? [{ name: "http", port: 80 }] : ports },
});
const ingressClass = (name: string): KubeObject => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "IngressClass",
  metadata: { name },
});

function world(
  backend: { readonly name: string; readonly port: object },
  others: readonly KubeObject[] | null,
  spec: object = {},
): World {
  const object: KubeObject = {
    apiVersion: REF.apiVersion,
    kind: REF.kind,
    metadata: { name: REF.name, namespace: REF.namespace },
    spec: {
      ...spec,
      rules: [{ host: "shop.example.com", http: { paths: [{ path: "/", backend: { service: backend } }] } }],
    },
  };
  return {
    workload: { ...workload(), ref: REF, object },
    symptom: { kind: "BrokenRoute", message: "It sends to Service storefornt, which does not exist." },
    container: null,
    others,
  };
}

describe("correct-backend", () => {
  it("points to the one Service that the name is a typo of", async () => {
    const mended = await helps(
      "correct-backend",
      world({ name: "storefornt", port: { number: 80 } }, [service("storefront"), service("checkout")]),
    );
    expect(mended).toMatchObject({
      title: "point storefornt → storefront",
      changes: [{ object: REF, path: [...BACKEND, "name"], from: "storefornt", to: "storefront" }],
    });
  });

  it("points a port to the only one of the Service, by number or by name as it was", async () => {
    const port = async (from: object, item: object) =>
      (await helps("correct-backend", world({ name: "storefront", port: from }, [service("storefront", item)])))
        .changes;
    expect(await port({ number: 8080 }, { port: 80 })).toEqual([
      { object: REF, path: [...BACKEND, "port", "number"], from: 8080, to: 80 },
    ]);
    expect(await port({ name: "web" }, { name: "http", port: 80 })).toEqual([
      { object: REF, path: [...BACKEND, "port", "name"], from: "web", to: "http" },
    ]);
    expect(await port({ name: "web" }, { port: 80 })).toEqual([
      { object: REF, path: [...BACKEND, "port"], from: { name: "web" }, to: { number: 80 } },
    ]);
  });

  it("points a class to the one that it is a typo of", async () => {
    const wrong = { ingressClassName: "ngnix" };
    const backend = { name: "storefront", port: { number: 80 } };
    expect(
      (await helps("correct-backend", world(backend, [service("storefront"), ingressClass("nginx")], wrong))).changes,
    ).toEqual([{ object: REF, path: ["spec", "ingressClassName"], from: "ngnix", to: "nginx" }]);
    expect(
      await refuses("correct-backend", world(backend, [service("storefront"), ingressClass("traefik")], wrong)),
    ).toMatch(/not exactly one that it is a typo of/);
  });

  it.each<[string, object, readonly KubeObject[] | null, RegExp]>([
    [
      "two Services are near",
      { name: "shop-apj", port: { number: 80 } },
      [service("shop-api"), service("shop-apl")],
      /several Services are near.*A person must say which is meant/,
    ],
    ["none is near", { name: "storefornt", port: { number: 80 } }, [service("checkout")], /none with port 80/],
    [
      "the near one lacks the port",
      { name: "storefornt", port: { number: 8443 } },
      [service("storefront")],
      /none with port 8443 whose name is near it/,
    ],
    [
      "the numbers differ, which are meaning",
      { name: "storefront-2", port: { number: 80 } },
      [service("storefront-1")],
      /no Service "storefront-2"/,
    ],
    [
      "the Service has several ports",
      { name: "storefront", port: { number: 8080 } },
      [service("storefront", { port: 80 }, { port: 443 })],
      /but the ports 80, 443; a person must say/,
    ],
    ["Services may not be read", { name: "storefornt", port: { number: 80 } }, null, /cannot be read/],
    ["all is there by now", { name: "storefront", port: { number: 80 } }, [service("storefront")], /by now/],
  ])("says no where %s", async (_, backend, others, sentence) => {
    expect(await refuses("correct-backend", world(backend as never, others))).toMatch(sentence);
  });

  it("sends requests nowhere that anybody names but the cluster's own objects", async () => {
    const one = world({ name: "storefornt", port: { number: 80 } }, [service("storefront"), service("admin")]);
    expect(await tried("correct-backend", { to: [{ wrong: "storefornt", right: "admin" }] }, one)).toBe(
      "it is not what the cluster's objects prove now",
    );
    expect(
      await tried("correct-backend", { to: [{ wrong: "storefornt", right: "storefront" }] }, { ...one, others: [] }),
    ).toMatch(/there is no Service/);
  });
});

describe("restore-from-git of an Ingress", () => {
  const broken = (changes: Parameters<typeof commit>[0]): World => ({
    ...world({ name: "shopfront", port: { number: 80 } }, [service("storefront")]),
    previous: [commit(changes)],
  });

  it("puts a backend back, and leaves hosts and paths alone", async () => {
    const name = { object: REF, path: [...BACKEND, "name"], from: "shopfront", to: "storefront" };
    const host = { object: REF, path: ["spec", "rules", 0, "host"], from: "shop.example.com", to: "old.example.com" };
    expect((await helps("restore-from-git", broken([name, host]))).changes).toEqual([name]);
    expect(await refuses("restore-from-git", broken([host]))).toMatch(/changed nothing that explains the symptom/);
  });

  it("does not send to what is not there any more either", async () => {
    const name = { object: REF, path: [...BACKEND, "name"], from: "shopfront", to: "storefront" };
    expect(await refuses("restore-from-git", { ...broken([name]), others: [service("checkout")] })).toMatch(
      /it would then send to Service storefront, which does not exist/,
    );
  });

  it("takes no other field of an Ingress from anybody", async () => {
    const fields = [
      { object: REF, path: ["spec", "rules", 0, "host"], from: "shop.example.com", to: "evil.example.com" },
    ];
    expect(await tried("restore-from-git", { fields }, broken([]))).toMatch(/is no field that this remedy may restore/);
    const tls = [{ object: REF, path: ["spec", "tls"], to: [{ secretName: "other" }] }];
    expect(await tried("restore-from-git", { fields: tls }, broken([]))).toMatch(
      /is no field that this remedy may restore/,
    );
  });
});

describe("an Ingress that is as it was", () => {
  const SERVICE = { apiVersion: "v1", kind: "Service", namespace: "shop", name: "storefront" };

  it("is not pointed to the port that a commit gave the Service in place of its own", async () => {
    const now = service("storefront", { name: "http", port: 8000 });
    const back = {
      object: SERVICE,
      path: ["spec", "ports", 0, "port"],
      from: 8000,
      to: 80,
    };
    const given = world({ name: "storefront", port: { number: 80 } }, [now]);
    expect(await refuses("correct-backend", { ...given, previous: [commit([back])] })).toBe(
      "commit 1a2b3c4 took port 80 from Service storefront away, and the Ingress may be right",
    );
    expect(await helps("correct-backend", given)).toMatchObject({ changes: [{ from: 80, to: 8000 }] });
  });

  it("nor to another Service where a commit took its own away", async () => {
    const given = world({ name: "storefornt", port: { number: 80 } }, [service("storefront")]);
    const removed = {
      [keyOf({ ...SERVICE, name: "storefornt" })]: { commit: commit([]).commit, before: service("storefornt") },
    };
    expect(await refuses("correct-backend", { ...given, removed })).toMatch(/took Service storefornt away/);
  });
});
