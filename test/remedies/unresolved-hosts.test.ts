import { describe, expect, it } from "vitest";
import type { Evidence, Symptom } from "../../src/model.ts";
import { hostIn } from "../../src/remedies/service-hosts.ts";
import { unresolvedHosts } from "../../src/remedies/unresolved-hosts.ts";
import { workload } from "../detectors/snapshot-builder.ts";
import { findingOf } from "./remedy-context.ts";

const crash = (message: string): Symptom => ({
  kind: "CrashLoop",
  exit: "application",
  exitCode: 1,
  init: false,
  message,
});

describe("what programs say", () => {
  it.each([
    'psycopg2.OperationalError: could not translate host name "cart-db" to address: Name or service not known',
    "Error: getaddrinfo ENOTFOUND cart-db cart-db:5432",
    "Error: getaddrinfo EAI_AGAIN cart-db",
    "dial tcp: lookup cart-db on 10.96.0.10:53: no such host",
    "dial tcp: lookup cart-db on [fd00::a]:53: no such host",
    "Caused by: java.net.UnknownHostException: cart-db",
    "java.net.UnknownHostException: cart-db: Name or service not known",
    "wget: bad address 'cart-db:80'",
    "curl: (6) Could not resolve host: cart-db",
    "ssh: Could not resolve hostname cart-db: Name does not resolve",
    "ERROR 2005 (HY000): Unknown MySQL server host 'cart-db' (-2)",
    'nginx: [emerg] host not found in upstream "cart-db" in /etc/nginx/nginx.conf:3',
    "redis.exceptions.ConnectionError: Error -2 connecting to cart-db:6379. Name or service not known.",
    "ping: cart-db: Temporary failure in name resolution",
    "NameResolutionError: Failed to resolve 'cart-db' ([Errno -2] Name or service not known)",
    "System.Net.Sockets.SocketException: Name or service not known (cart-db:5432)",
    "[cart] Connecting to CART-DB.:5432\n[cart] FATAL: DB connection failed: [Errno -2] Name does not resolve",
    "could not connect to postgres://u:p@cart-db/x: nodename nor servname provided, or not known",
  ])("%s", (message) =>
    expect(unresolvedHosts(findingOf({ workload: workload(), symptom: crash(message) }))).toContain("cart-db"),
  );

  it("other failures name none", () => {
    for (const message of [
      "connection refused: cart-db:5432",
      "timeout connecting to cart-db:5432",
      "",
      "404 not found",
    ])
      expect(unresolvedHosts(findingOf({ workload: workload(), symptom: crash(message) }))).toEqual([]);
  });

  it.each([
    ["letters", "a".repeat(16_384)],
    ["dots", "a.".repeat(8192)],
    ["signs", "getaddrinfo ".repeat(1400)],
    ["almost a sign", `${"a".repeat(16_000)}: name or service not know`],
    ["hosts before a sign", `${"a-".repeat(8000)}: name or service not known`],
    ["schemes", "a://".repeat(4096)],
    ["quotes", "\"'`(".repeat(4096)],
  ])("a line of sixteen thousand %s is looked at in pieces", (_, line) => {
    const evidence: Evidence[] = [{ id: "e1", kind: "log", text: `${line}\nlookup cart-db: no such host` }];
    const finding = { ...findingOf({ workload: workload(), symptom: crash(line) }), evidence };
    const hosts = unresolvedHosts(finding);
    expect(hosts).toContain("cart-db");
    for (const host of hosts) expect(host.length).toBeLessThan(254);
  });

  it("a value that is longer than an address is none", () => {
    expect(hostIn(`http://cart-db/${"a".repeat(1000)}`, "shop")?.service).toBe("cart-db");
    expect(hostIn(`http://cart-db/${"a".repeat(1_000_000)}`, "shop")).toBeNull();
    expect(hostIn("a".repeat(2000), "shop")).toBeNull();
    expect(hostIn(`${"a@".repeat(900)}b`, "shop")).toBeNull();
  });
});
