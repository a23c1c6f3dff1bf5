import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { createRegistry } from "../../src/adapters/registry.ts";
import { Config } from "../../src/config/schema.ts";
import { startCluster } from "../../src/demo/cluster/cluster.ts";
import { json, type RegistryServer, startRegistry } from "./registry-server.ts";

const registry = (settings: object = {}) =>
  createRegistry(Config.parse({ registry: { timeout: "1s", ...settings } }).registry);
const SOURCE = "org.opencontainers.image.source";
const digestOf = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const sized = (text: string, more: object = {}) => ({ digest: digestOf(text), size: Buffer.byteLength(text), ...more });

/** The contents of one image by path below its repository. */
function contents(options: { labels?: object | null; annotations?: object; index?: object } = {}) {
  const config = JSON.stringify({ config: { Labels: options.labels ?? null } });
  const manifest = JSON.stringify({ config: sized(config), layers: [], annotations: options.annotations });
  const attestation = JSON.stringify({ config: sized("{}"), layers: [] });
  const index = JSON.stringify({
    annotations: options.index,
    manifests: [
      { ...sized(attestation), platform: { os: "unknown", architecture: "unknown" } },
      { ...sized(attestation), platform: { os: "linux", architecture: "arm64" } },
      { ...sized(manifest), platform: { os: "linux", architecture: "amd64" } },
    ],
  });
  const files: Record<string, string> = {
    "manifests/1": index,
    "manifests/single": manifest,
    [`manifests/${digestOf(manifest)}`]: manifest,
    [`manifests/${digestOf(index)}`]: index,
    [`blobs/${digestOf(config)}`]: config,
  };
  return { files, config, manifest, index };
}

const serving = (files: Readonly<Record<string, string>>, headers: Record<string, string> = {}) =>
  startRegistry((request, response) => {
    const text = files[(request.url ?? "").replace("/v2/acme/cart/", "").replace(/\?.*/, "")];
    if (text === undefined) return json(response, { errors: [] }, {}, 404);
    response.writeHead(200, { "content-type": "application/json", ...headers }).end(text);
  });

describe("labels of an image", () => {
  it("come from index, manifest and configuration, of linux/amd64", async () => {
    const { files, index, config, manifest } = contents({
      labels: { [SOURCE]: "https://github.com/acme/cart", a: "config", b: "config" },
      annotations: { a: "manifest" },
      index: { b: "index", c: "index" },
    });
    await using server = await serving(files);
    expect(await registry().labels(`${server.host}/acme/cart:1`)).toEqual({
      digest: digestOf(index),
      labels: { [SOURCE]: "https://github.com/acme/cart", a: "manifest", b: "config", c: "index" },
    });
    expect(server.seen.map((row) => row.path.replace("/v2/acme/cart/", ""))).toEqual([
      "manifests/1",
      `manifests/${digestOf(manifest)}`,
      `blobs/${digestOf(config)}`,
    ]);
    const image = `${server.host}/acme/cart:2@${digestOf(index)}`;
    expect(await registry().labels(image)).toMatchObject({ digest: digestOf(index), labels: { c: "index" } });
    expect(await registry().labels(`${server.host}/acme/cart:single`)).toMatchObject({ digest: digestOf(manifest) });
  });

  it("of the embedded registry are its programs'", async () => {
    await using cluster = await startCluster({
      registry: { "ghcr.io/acme/cart:1": { labels: { [SOURCE]: "https://x/acme/cart" } }, "ghcr.io/acme/bare:1": {} },
    });
    const asked = registry({ mirrors: { "*": cluster.url } });
    const said = await asked.labels("ghcr.io/acme/cart:1");
    expect(said).toMatchObject({ labels: { [SOURCE]: "https://x/acme/cart" } });
    const digest = "digest" in said ? said.digest : "";
    expect(await asked.labels(`ghcr.io/acme/cart@${digest}`)).toEqual(said);
    expect(await asked.labels("ghcr.io/acme/bare:1")).toMatchObject({ labels: {} });
    expect(await asked.labels("ghcr.io/acme/none:1")).toEqual({
      unknown: expect.stringMatching(/does not tell: it answers 404 for manifests\/1/),
    });
    expect(await asked.labels("no image")).toEqual({ unknown: "no image is no image reference" });
  });

  it("stay with what is text, and of a length that people write", async () => {
    const { files } = contents({ labels: { a: 7, b: "x".repeat(5000), c: null, d: "fine" } });
    await using server = await serving(files);
    expect(await registry().labels(`${server.host}/acme/cart:1`)).toMatchObject({ labels: { d: "fine" } });
  });
});

describe("a registry that lies", () => {
  const good = contents({ labels: { [SOURCE]: "https://github.com/acme/cart" } });
  const other = JSON.stringify({ config: { Labels: { [SOURCE]: "https://github.com/evil/cart" } } });
  it.each<[string, Record<string, string>, RegExp, string?, Record<string, string>?]>([
    ["about the blob", { [`blobs/${digestOf(good.config)}`]: other }, /is not what its digest says/],
    ["about the manifest", { [`manifests/${digestOf(good.manifest)}`]: good.index }, /is not what its digest says/],
    ["about what was asked for by digest", { [`manifests/${digestOf(good.index)}`]: good.manifest }, /not what/, "@"],
    ["about its own digest", {}, /not what/, ":1", { "docker-content-digest": digestOf("x") }],
    ["with an index of itself", { "manifests/1": "{}" }, /of no kind that is known/],
    ["with no image in its index", { "manifests/1": '{"manifests":[]}' }, /names no image/],
    ["with a page", { "manifests/1": "<html>hunter2" }, /manifests\/1 is no JSON/],
    ["with too much", { "manifests/1": `${good.index}${" ".repeat(2 ** 21)}` }, /too large/],
    ["with no end", { "manifests/1": " ".repeat(5 * 2 ** 20) }, /too large/],
    ["about sizes", { "manifests/1": '{"config":{"digest":"sha256:1","size":1e12}}' }, /no kind/],
  ])("%s tells nothing", async (_, files, reason, version = ":1", headers = {}) => {
    await using server = await serving({ ...good.files, ...files }, headers);
    const image = `${server.host}/acme/cart${version === "@" ? `@${digestOf(good.index)}` : version}`;
    const said = await registry().labels(image);
    expect(said).toEqual({ unknown: expect.stringMatching(reason) });
    expect(JSON.stringify(said)).not.toContain("hunter2");
  });

  it("with indexes without end is left", async () => {
    let asked = 0;
    await using server = await startRegistry((_request, response) => {
      asked += 1;
      const next = `{"manifests":[{"digest":"sha256:${"0".repeat(64)}","size":1}]}`;
      response.writeHead(200).end(next);
    });
    expect(await registry().labels(`${server.host}/acme/cart:1`)).toHaveProperty("unknown");
    expect(asked).toBeLessThanOrEqual(3);
  });

  it.each<[string, (response: ServerResponse, self: RegistryServer) => void]>([
    [
      "a redirect into a network",
      (response) => void response.writeHead(307, { location: "http://169.254.169.254/" }).end(),
    ],
    ["no answer in time", () => undefined],
    ["a cut connection", (response) => void response.destroy()],
    ["401", (response) => json(response, {}, { "www-authenticate": 'Bearer realm="http://10.0.0.1/"' }, 401)],
  ])("%s is a sentence, and no fault", async (_, answer) => {
    await using server = await startRegistry((_request, response, self) => answer(response, self));
    expect(await registry().labels(`${server.host}/acme/cart:1`)).toEqual({
      unknown: expect.stringContaining(server.host),
    });
  });

  it("blobs of a store are followed to it, without the credentials", async () => {
    const { files } = contents({ labels: { a: "b" } });
    const config = Object.keys(files).find((name) => name.startsWith("blobs/")) ?? "";
    await using store = await startRegistry((_request, response) => response.writeHead(200).end(files[config]));
    await using server = await startRegistry((request, response) => {
      const part = (request.url ?? "").replace("/v2/acme/cart/", "");
      if (request.headers.authorization === undefined)
        return json(response, {}, { "www-authenticate": 'Basic realm="x"' }, 401);
      return part === config
        ? response.writeHead(307, { location: `${store.url}/blob` }).end()
        : response.writeHead(200).end(files[part]);
    });
    const credentials = { username: "robot", password: "hunter2" };
    expect(await registry().labels(`${server.host}/acme/cart:1`, credentials)).toMatchObject({ labels: { a: "b" } });
    expect(store.seen.map((row) => row.authorization)).toEqual([""]);
  });
});
