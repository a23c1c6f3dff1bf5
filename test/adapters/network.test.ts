import { describe, expect, it } from "vitest";
import { gitNetwork, goNetwork, proxiesOf, proxyFor, useProxies } from "../../src/adapters/network.ts";

const PROXY = "http://proxy.example.com:3128";
const way = (address: string, noProxy?: string, more: object = {}) =>
  proxyFor(new URL(address), { HTTPS_PROXY: PROXY, NO_PROXY: noProxy, ...more });

describe("the proxy for an address", () => {
  it("is HTTPS_PROXY, in either spelling, and none without it", () => {
    expect(way("https://api.example.com")).toBe(PROXY);
    expect(proxyFor(new URL("https://api.example.com"), { https_proxy: "http://small:1", HTTPS_PROXY: PROXY })).toBe(
      "http://small:1",
    );
    expect(proxyFor(new URL("https://api.example.com"), {})).toBeUndefined();
    expect(proxyFor(new URL("https://api.example.com"), { HTTPS_PROXY: "" })).toBeUndefined();
    expect(proxyFor(new URL("https://api.example.com"), { HTTP_PROXY: PROXY })).toBeUndefined();
  });

  it.each([
    ["https://localhost:6443", undefined],
    ["https://127.0.0.1:6443", undefined],
    ["https://[::1]:6443", undefined],
    ["https://api.example.com", "*"],
    ["https://api.example.com", "example.com"],
    ["https://example.com", "example.com"],
    ["https://api.example.com", ".example.com"],
    ["https://api.example.com", "*.example.com"],
    ["https://API.example.com", "other.net , Example.COM"],
    ["https://api.example.com:6443", "api.example.com:6443"],
    ["https://10.96.0.1", "10.0.0.0/8"],
    ["https://10.96.0.1", "10.96.0.1"],
    ["https://10.96.0.1:443", "10.96.0.1:443"],
    ["https://[fd00::1]", "fd00::/8"],
    ["https://[fd00::1]", "fd00::1"],
    ["https://kubernetes.default.svc", ".svc,.cluster.local"],
  ])("%s is reached directly with NO_PROXY=%s", (address, noProxy) => expect(way(address, noProxy)).toBeUndefined());

  it.each([
    ["https://api.example.com", ""],
    ["https://badexample.com", "example.com"],
    ["https://example.com", ".example.com"],
    ["https://example.com", "*.example.com"],
    ["https://api.example.com", "api.example.com:6443"],
    ["https://11.0.0.1", "10.0.0.0/8"],
    ["https://10.0.0.10", "10.0.0.1"],
    ["https://10.0.0.1", "10.0.0.0/99"],
    ["https://10.0.0.1", "ten/8"],
    ["https://10.0.0.1", "fd00::/8"],
    ["https://example.com.evil.net", "example.com"],
  ])("%s goes through the proxy with NO_PROXY=%s", (address, noProxy) => expect(way(address, noProxy)).toBe(PROXY));

  it("is none for the API server of the pod's own cluster, whatever NO_PROXY forgets", () => {
    expect(way("https://10.96.0.1", "", { KUBERNETES_SERVICE_HOST: "10.96.0.1" })).toBeUndefined();
    expect(way("https://[fd00::1]", "", { KUBERNETES_SERVICE_HOST: "fd00::1" })).toBeUndefined();
    expect(way("https://10.96.0.2", "", { KUBERNETES_SERVICE_HOST: "10.96.0.1" })).toBe(PROXY);
  });

  it.each(["socks5://me:pass-4711@proxy:1080", "proxy:3128", "me:pass-4711@proxy"])(
    "is refused without repeating it: %s",
    (value) => {
      for (const step of [
        () => proxyFor(new URL("https://api.example.com"), { HTTPS_PROXY: value }),
        () => useProxies({ HTTPS_PROXY: value }),
        () => useProxies({ HTTP_PROXY: value }),
      ]) {
        expect(step).toThrow(/HTTPS?_PROXY is no address of an HTTP proxy/);
        expect(step).not.toThrow(/4711/);
      }
    },
  );
});

describe("what programs are told of the network", () => {
  it("is nothing where there is nothing to tell", () => {
    expect(proxiesOf({ NO_PROXY: "x" })).toEqual({});
    expect(gitNetwork({ PATH: "/bin", GITHUB_TOKEN: "t" })).toEqual({});
    expect(goNetwork({ PATH: "/bin", GITHUB_TOKEN: "t" })).toEqual({});
  });

  it("is the proxies in small letters, which all of them read, and never loopback", () => {
    expect(proxiesOf({ HTTP_PROXY: "http://p:1", HTTPS_PROXY: " http://q:2\n", NO_PROXY: ".svc" })).toEqual({
      http_proxy: "http://p:1",
      https_proxy: "http://q:2",
      no_proxy: ".svc,localhost,127.0.0.1,::1",
    });
    expect(proxiesOf({ ALL_PROXY: "http://p:1", no_proxy: "*" })).toEqual({ all_proxy: "http://p:1", no_proxy: "*" });
  });

  it("is Node's additional authorities, unless the program has its own", () => {
    const extra = { NODE_EXTRA_CA_CERTS: "/ca/extra.pem" };
    expect(gitNetwork(extra)).toEqual({ GIT_SSL_CAINFO: "/ca/extra.pem" });
    expect(goNetwork(extra)).toEqual({ SSL_CERT_FILE: "/ca/extra.pem" });
    expect(gitNetwork({ ...extra, GIT_SSL_CAINFO: "/ca/git.pem" })).toEqual({ GIT_SSL_CAINFO: "/ca/git.pem" });
    expect(goNetwork({ ...extra, SSL_CERT_FILE: "/ca/go.pem", SSL_CERT_DIR: "/ca" })).toEqual({
      SSL_CERT_FILE: "/ca/go.pem",
      SSL_CERT_DIR: "/ca",
    });
  });
});
