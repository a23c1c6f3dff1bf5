import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { createRegistry } from "../../src/adapters/registry.ts";
import { Config } from "../../src/config/schema.ts";
import { startCluster } from "../../src/demo/cluster/cluster.ts";
import { json, type RegistryServer, startRegistry } from "./registry-server.ts";

const registry = (settings: object = {}) =>
  createRegistry(Config.parse({ registry: { timeout: "1s", ...settings } }).registry);
const CREDENTIALS = { username: "robot", password: "hunter2-pull" };
const BASIC = `Basic ${Buffer.from("robot:hunter2-pull").toString("base64")}`;

describe("against the embedded registry, as a mirror", () => {
  it("tells present from absent, and lists tags", async () => {
    await using cluster = await startCluster({
      registry: {
        "ghcr.io/acme/cart:1.4.1": {},
        "ghcr.io/acme/cart:1.4.2": {},
        "quay.io/acme/cart:9.9.9": {},
        "nginx:1.27": {},
      },
    });
    const asked = registry({ mirrors: { "*": cluster.url } });
    expect(await asked.exists("ghcr.io/acme/cart:1.4.2")).toEqual({ state: "present" });
    expect(await asked.exists("ghcr.io/acme/cart:9.9.9")).toEqual({ state: "absent" });
    expect(await asked.exists("nginx:1.27")).toEqual({ state: "present" });
    // One mirror for all: it is told which registry it stands for.
    expect(await asked.tags("ghcr.io/acme/cart:x")).toEqual(["1.4.1", "1.4.2"]);
    expect(await asked.tags("quay.io/acme/cart")).toEqual(["9.9.9"]);
    expect(await asked.tags("ghcr.io/acme/none")).toBeNull();
  });

  it("takes no text for an image", async () => {
    expect(await registry().exists("not an image")).toMatchObject({ state: "absent" });
    expect(await registry().tags("http://127.0.0.1/x")).toBeNull();
  });
});

describe("paging of tags", () => {
  it("follows the same list only", async () => {
    await using server = await startRegistry((request, response) => {
      const last = new URL(request.url ?? "", "http://x").searchParams.get("last");
      const next = { null: "a", a: "b" }[String(last)];
      const link = next === undefined ? {} : { link: `</v2/acme/cart/tags/list?last=${next}&n=1000>; rel="next"` };
      json(response, { tags: [`after-${last}`] }, link as Record<string, string>);
    });
    expect(await registry().tags(`${server.host}/acme/cart`)).toEqual(["after-null", "after-a", "after-b"]);
  });

  it.each<[string, (self: RegistryServer, other: RegistryServer) => string]>([
    ["another host", (_, other) => `${other.url}/v2/acme/cart/tags/list?last=a`],
    ["another host without scheme", (_, other) => `//${other.host}/v2/acme/cart/tags/list`],
    ["the cloud's metadata", () => "http://169.254.169.254/latest/meta-data/"],
    ["another path of the host", () => "/admin/delete?everything=yes"],
    ["another repository", () => "/v2/acme/secret/tags/list"],
    ["a path that climbs", () => "/v2/acme/cart/tags/list/../../../../../admin"],
    ["a user in the address", (self) => `http://x:y@${self.host}/v2/acme/cart/tags/list`],
    ["a file", () => "file:///etc/passwd"],
    ["no address", () => "http://["],
  ])("does not follow a link to %s", async (_, link) => {
    await using other = await startRegistry((_request, response) => json(response, { tags: ["stolen"] }));
    await using server = await startRegistry((request, response, self) =>
      json(
        response,
        { tags: [`seen-${(request.url ?? "").length > 0}`] },
        { link: `<${link(self, other)}>; rel="next"` },
      ),
    );
    expect(await registry().tags(`${server.host}/acme/cart`)).toEqual(["seen-true"]);
    expect(server.seen.map((row) => row.path)).toEqual(["/v2/acme/cart/tags/list?n=1000"]);
    expect(other.seen).toEqual([]);
  });

  it("ends, even when the registry always names a next page", async () => {
    let page = 0;
    await using server = await startRegistry((_request, response) => {
      page += 1;
      json(response, { tags: [] }, { link: `</v2/acme/cart/tags/list?last=${page}>; rel="next"` });
    });
    expect(await registry().tags(`${server.host}/acme/cart`)).toEqual([]);
    expect(page).toBe(50);
  });

  it("takes no more than it can use, and only what may be a tag", async () => {
    const many = Array.from({ length: 6000 }, (_, index) => `t${index}`);
    await using server = await startRegistry((_request, response) =>
      json(response, { tags: ["a b", 7, null, "../x", ...many] }),
    );
    const tags = await registry().tags(`${server.host}/acme/cart`);
    expect(tags).toHaveLength(5000);
    expect(tags?.[0]).toBe("t0");
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ["429", (response) => json(response, {}, { "retry-after": "60" }, 429)],
    ["500", (response) => json(response, {}, {}, 500)],
    ["a page of HTML", (response) => void response.writeHead(200).end("<html>")],
    ["an answer without end", (response) => void response.writeHead(200).end("x".repeat(5 * 1024 * 1024))],
    ["a redirect", (response) => void response.writeHead(307, { location: "http://169.254.169.254/" }).end()],
    ["tags that are no list", (response) => json(response, { tags: { a: 1 } })],
    ["a cut connection", (response) => void response.destroy()],
  ])("has no tags on %s, and throws nothing", async (_, answer) => {
    await using server = await startRegistry((_request, response) => answer(response));
    expect((await registry().tags(`${server.host}/acme/cart`)) ?? []).toEqual([]);
  });
});

describe("what is not known", () => {
  it.each<[string, (response: ServerResponse) => void, RegExp]>([
    ["429", (response) => void response.writeHead(429, { "retry-after": "60" }).end(), /answers 429/],
    ["503", (response) => void response.writeHead(503).end(), /answers 503/],
    [
      "a redirect into a network",
      (response) => void response.writeHead(307, { location: "http://169.254.169.254/" }).end(),
      /answers 307/,
    ],
    ["no answer in time", () => undefined, /cannot be asked: .*timeout/i],
    ["a cut connection", (response) => void response.destroy(), /cannot be asked/],
  ])("%s is never taken for a missing image", async (_, answer, reason) => {
    await using server = await startRegistry((_request, response) => answer(response));
    const said = await registry().exists(`${server.host}/acme/cart:1`);
    expect(said.state).toBe("unknown");
    expect(said.reason).toMatch(reason);
    expect(said.reason).toContain(server.host);
  });

  it("an unreachable registry, and a mirror that is no address", async () => {
    expect(await registry().exists("127.0.0.1:9/acme/cart:1")).toMatchObject({ state: "unknown" });
    // The configuration refuses it; the adapter does not rely on that.
    const settings = { ...Config.parse({}).registry, mirrors: { "ghcr.io": "not an address" } };
    expect(await createRegistry(settings).exists("ghcr.io/acme/cart:1")).toEqual({
      state: "unknown",
      reason: "the mirror of ghcr.io is no URL",
    });
  });
});

describe("a redirect", () => {
  it("to a store is followed, without the credentials", async () => {
    await using store = await startRegistry((_request, response) => json(response, { tags: ["1"] }));
    await using server = await startRegistry((request, response) =>
      request.headers.authorization === BASIC
        ? response.writeHead(307, { location: `${store.url}${request.url}` }).end()
        : json(response, {}, { "www-authenticate": 'Basic realm="x"' }, 401),
    );
    expect(await registry().exists(`${server.host}/acme/cart:1`, CREDENTIALS)).toEqual({ state: "present" });
    expect(await registry().tags(`${server.host}/acme/cart`, CREDENTIALS)).toEqual(["1"]);
    expect(store.seen.map((row) => row.authorization)).toEqual(["", ""]);
  });

  it("in a circle ends", async () => {
    await using server = await startRegistry((request, response) =>
      response.writeHead(302, { location: request.url ?? "/" }).end(),
    );
    expect(await registry().exists(`${server.host}/acme/cart:1`)).toMatchObject({ state: "unknown" });
    expect(server.seen).toHaveLength(4);
  });

  it.each([
    "http://169.254.169.254/latest",
    "https://169.254.169.254/",
    "https://10.0.0.1/",
    "https://[fd00::1]/",
    "https://kubernetes/",
    "https://metadata.google.internal/",
    "http://example.com/",
    "https://u:p@example.com/",
    "file:///etc/passwd",
    "ftp://example.com/",
  ])("to %s is not followed", async (location) => {
    await using server = await startRegistry((_request, response) => response.writeHead(307, { location }).end());
    expect(await registry().exists(`${server.host}/acme/cart:1`)).toMatchObject({
      state: "unknown",
      reason: expect.stringMatching(/answers 307$/),
    });
  });
});

describe("authentication", () => {
  /** Asks for a Bearer token at `realm`, gives one to whom `may` lets. */
  const guarded = (options: { realm?: (self: RegistryServer) => string; may?: (authorization: string) => boolean }) =>
    startRegistry((request: IncomingMessage, response: ServerResponse, self: RegistryServer) => {
      const url = new URL(request.url ?? "", self.url);
      const authorization = request.headers.authorization ?? "";
      if (url.pathname === "/token") {
        const good = options.may?.(authorization) ?? true;
        return json(
          response,
          good ? { token: `T-${url.searchParams.get("scope")}-${url.searchParams.get("service")}` } : {},
          {},
          good ? 200 : 401,
        );
      }
      if (authorization === "Bearer T-repository:acme/cart:pull-reg") return json(response, { tags: ["1"] });
      const realm = options.realm?.(self) ?? `${self.url}/token`;
      return json(
        response,
        {},
        { "www-authenticate": `Bearer realm="${realm}",service="reg",scope="repository:acme/secret:push"` },
        401,
      );
    });

  it("gets a token as nobody, for this repository and for pulling only", async () => {
    await using server = await guarded({});
    expect(await registry().exists(`${server.host}/acme/cart:1`)).toEqual({ state: "present" });
    expect(server.seen.map((row) => row.path.split("?")[0])).toEqual([
      "/v2/acme/cart/manifests/1",
      "/token",
      "/v2/acme/cart/manifests/1",
    ]);
    expect(server.seen[1]).toMatchObject({ authorization: "" });
    expect(await registry().tags(`${server.host}/acme/cart`)).toEqual(["1"]);
  });

  it("uses credentials where there are some", async () => {
    await using server = await guarded({ may: (authorization) => authorization === BASIC });
    expect(await registry().exists(`${server.host}/acme/cart:1`)).toMatchObject({
      state: "unknown",
      reason: expect.stringContaining("401"),
    });
    expect(await registry().exists(`${server.host}/acme/cart:1`, CREDENTIALS)).toEqual({ state: "present" });
    const basic = await startRegistry((request, response) =>
      request.headers.authorization === BASIC
        ? json(response, { tags: ["1"] })
        : json(response, {}, { "www-authenticate": 'Basic realm="x"' }, 401),
    );
    expect(await registry().tags(`${basic.host}/acme/cart`, CREDENTIALS)).toEqual(["1"]);
    expect(await registry().tags(`${basic.host}/acme/cart`)).toBeNull();
    await basic[Symbol.asyncDispose]();
  });

  it("never shows credentials to a mirror", async () => {
    await using server = await guarded({});
    const asked = registry({ mirrors: { "ghcr.io": server.url } });
    expect(await asked.exists("ghcr.io/acme/cart:1", CREDENTIALS)).toEqual({ state: "present" });
    expect(server.seen.filter((row) => row.authorization.startsWith("Basic"))).toEqual([]);
    expect(server.seen[0]?.path).toBe("/v2/acme/cart/manifests/1?ns=ghcr.io");
  });

  it("asks a mirror below its own path", async () => {
    await using server = await startRegistry((_request, response) => json(response, { tags: ["1"] }));
    const asked = registry({ mirrors: { "ghcr.io": `${server.url}/proxy/ghcr/` } });
    expect(await asked.tags("ghcr.io/acme/cart")).toEqual(["1"]);
    expect(server.seen[0]?.path).toBe("/proxy/ghcr/v2/acme/cart/tags/list?n=1000&ns=ghcr.io");
  });

  it.each([
    ["plain http to another host", () => "http://auth.example.com/token"],
    ["a file", () => "file:///etc/passwd"],
    ["no address", () => "nonsense"],
    ["the cloud's metadata", () => "http://169.254.169.254/token"],
    ["a bare address", () => "https://10.0.0.1/token"],
  ])("does not fetch a token from %s", async (_, realm) => {
    await using server = await guarded({ realm });
    expect(await registry().exists(`${server.host}/acme/cart:1`, CREDENTIALS)).toMatchObject({ state: "unknown" });
    expect(server.seen).toHaveLength(1);
  });
});
