import { describe, expect, it } from "vitest";
import { Config } from "../../src/config/schema.ts";
import { parseImage } from "../../src/kube/image.ts";
import { credentialsIn } from "../../src/kube/pull-secret.ts";
import type { KubeObject, ObjectRef } from "../../src/model.ts";
import { pullCredentials } from "../../src/observe/pull-credentials.ts";
import { readRights } from "../../src/remedies/rights.ts";

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64");
const auth = (name: string) => ({ auth: Buffer.from(`${name}:p:w`).toString("base64") });
const secret = (data: object): KubeObject => ({ apiVersion: "v1", kind: "Secret", metadata: { name: "pull" }, data });
const config = (auths: object): KubeObject => secret({ ".dockerconfigjson": encode({ auths }) });
const chosen = (auths: object, image: string) => {
  const parsed = parseImage(image);
  return parsed === null ? null : (credentialsIn(config(auths), parsed)?.username ?? null);
};

describe("a pull secret", () => {
  it.each<[string, object, string, string | null]>([
    ["the host", { "ghcr.io": auth("a") }, "ghcr.io/acme/cart:1", "a"],
    ["another host", { "ghcr.io": auth("a") }, "quay.io/acme/cart:1", null],
    ["a host that ends alike", { "ghcr.io": auth("a") }, "evil-ghcr.io/acme/cart:1", null],
    ["Docker Hub by its old name", { "https://index.docker.io/v1/": auth("a") }, "nginx:1", "a"],
    ["the longest path", { "ghcr.io": auth("a"), "ghcr.io/acme": auth("b") }, "ghcr.io/acme/cart:1", "b"],
    ["a path that only begins alike", { "ghcr.io/acme": auth("b") }, "ghcr.io/acme-evil/cart:1", null],
    ["one label by a star", { "*.example.com": auth("a") }, "eu.example.com/cart:1", "a"],
    ["two labels by a star", { "*.example.com": auth("a") }, "a.b.example.com/cart:1", null],
    ["a scheme and a port", { "https://reg.example.com:5000": auth("a") }, "reg.example.com:5000/cart:1", "a"],
    ["username and password", { "ghcr.io": { username: "u", password: "p" } }, "ghcr.io/acme/cart:1", "u"],
    ["nothing usable", { "ghcr.io": { auth: "!!!" } }, "ghcr.io/acme/cart:1", null],
  ])("is chosen by %s", (_, auths, image, username) => expect(chosen(auths, image)).toBe(username));

  it("keeps colons in a password, and reads the old form", () => {
    const image = parseImage("ghcr.io/acme/cart:1");
    if (image === null) throw new Error("no image");
    expect(credentialsIn(config({ "ghcr.io": auth("a") }), image)).toEqual({ username: "a", password: "p:w" });
    expect(credentialsIn(secret({ ".dockercfg": encode({ "ghcr.io": auth("old") }) }), image)?.username).toBe("old");
  });

  it.each([
    {},
    { ".dockerconfigjson": "%%%" },
    { ".dockerconfigjson": encode(7) },
    { ".dockerconfigjson": encode({ auths: [] }) },
  ])("that is none holds nothing: %j", (data) => {
    const image = parseImage("ghcr.io/acme/cart:1");
    expect(image === null ? null : credentialsIn(secret(data), image)).toBeNull();
  });
});

describe("credentials for a workload", () => {
  const workload: KubeObject = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "cart", namespace: "shop" },
    spec: {
      template: { spec: { imagePullSecrets: [{ name: "none" }, { name: "forbidden" }, { name: "pull" }, 7, {}] } },
    },
  };
  const doors = (usePullSecrets: boolean, asked: ObjectRef[]) => ({
    config: Config.parse({ registry: { usePullSecrets } }),
    cluster: {
      async get(ref: ObjectRef) {
        asked.push(ref);
        if (ref.name === "forbidden") throw new Error("forbidden");
        return ref.name === "pull" ? config({ "ghcr.io": auth("robot") }) : null;
      },
    },
  });

  it("are read only where the configuration says so", async () => {
    const asked: ObjectRef[] = [];
    expect(await pullCredentials(workload, "ghcr.io/acme/cart:1", doors(false, asked))).toBeUndefined();
    expect(asked).toEqual([]);
    expect(await pullCredentials(workload, "ghcr.io/acme/cart:1", doors(true, asked))).toEqual({
      username: "robot",
      password: "p:w",
    });
    expect(asked.map((ref) => `${ref.kind} ${ref.namespace}/${ref.name}`)).toEqual([
      "Secret shop/none",
      "Secret shop/forbidden",
      "Secret shop/pull",
    ]);
    expect(await pullCredentials(workload, "quay.io/acme/cart:1", doors(true, asked))).toBeUndefined();
  });

  it("need a right that is asked for only then", () => {
    const reads = (usePullSecrets: boolean) =>
      readRights(Config.parse({ registry: { usePullSecrets } }))
        .filter((need) => need.resource === "secrets")
        .map((need) => need.verb);
    expect(reads(false)).toEqual(["list"]);
    expect(reads(true)).toEqual(["list", "get"]);
  });
});
