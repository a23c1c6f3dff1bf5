import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type GitBench, REPOSITORY, startGitBench } from "./git-bench.ts";

let bench: GitBench;
const servers: (http.Server | https.Server)[] = [];

beforeAll(async () => {
  bench = await startGitBench();
  await bench.host.addRepository(REPOSITORY, { commits: [{ message: "Import", files: { "a.yaml": "a: 1\n" } }] });
});
afterAll(async () => {
  for (const server of servers) server.close();
  await bench[Symbol.asyncDispose]();
});

/** Passes everything on to the code host, and counts. */
async function relay(tls?: { readonly key: Buffer; readonly cert: Buffer }): Promise<{ port: number; seen: string[] }> {
  const seen: string[] = [];
  const target = new URL(bench.host.apiUrl);
  const pass = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    seen.push(request.url ?? "");
    // A proxy is asked for a whole URL.
    const path = new URL(request.url ?? "", target).pathname + new URL(request.url ?? "", target).search;
    const onward = http.request(
      { host: target.hostname, port: target.port, path, method: request.method, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    request.pipe(onward);
  };
  const server = tls === undefined ? http.createServer(pass) : https.createServer(tls, pass);
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { port: (server.address() as AddressInfo).port, seen };
}

const gitPath = (): string => `${REPOSITORY}.git`;

describe("git reaches the network as the process does", () => {
  it("through the proxy, but for what is to be reached directly", async () => {
    const proxy = await relay();
    const http_proxy = `http://127.0.0.1:${proxy.port}`;
    const open = (no_proxy: string, remote: string) =>
      bench
        .repositories({ remote, env: { http_proxy, no_proxy, GITHUB_TOKEN: "never-passed-on" } })
        .open(REPOSITORY, "main");
    const checkout = await open("", `http://code.invalid/${gitPath()}`);
    expect(await checkout.read("a.yaml")).toBe("a: 1\n");
    await checkout.close();
    expect(proxy.seen.length).toBeGreaterThan(1);
    expect(proxy.seen.every((url) => url.startsWith("http://code.invalid/"))).toBe(true);
    await expect(open("code.invalid", `http://code.invalid/${gitPath()}`)).rejects.toThrow(/code\.invalid/);
  });

  it("and trusts the bundle that it is told to, and no other", async () => {
    const key = join(bench.folder, "key.pem");
    const cert = join(bench.folder, "ca.pem");
    const san = "subjectAltName=IP:127.0.0.1";
    await promisify(execFile)("openssl", [
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-days",
      "1",
      "-subj",
      "/CN=stanch-test",
      "-addext",
      san,
      "-keyout",
      key,
      "-out",
      cert,
    ]);
    const { port, seen } = await relay({ key: readFileSync(key), cert: readFileSync(cert) });
    const remote = `https://127.0.0.1:${port}/${gitPath()}`;
    await expect(bench.repositories({ remote }).open(REPOSITORY, "main")).rejects.toThrow(/certificate/i);
    expect(seen).toEqual([]);
    for (const name of ["GIT_SSL_CAINFO", "SSL_CERT_FILE"]) {
      const checkout = await bench.repositories({ remote, env: { [name]: cert } }).open(REPOSITORY, "main");
      expect(await checkout.read("a.yaml")).toBe("a: 1\n");
      await checkout.close();
    }
  });
});
