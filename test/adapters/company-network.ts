import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { type AddressInfo, connect, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";

/** A certificate needs a program that makes one. */
export const canSign = spawnSync("openssl", ["version"]).status === 0;

export interface CompanyNetwork extends AsyncDisposable {
  /** Proxy and authority, as a pod is told of them. */
  readonly env: { readonly HTTPS_PROXY: string; readonly NODE_EXTRA_CA_CERTS: string };
  readonly password: string;
  /** The hosts' own address, without the proxy. */
  readonly front: string;
  /** PEM of the authority that signed all certificates. */
  readonly authority: string;
  /** What the proxy was asked to connect to, oldest first. */
  readonly tunnels: string[];
  /** What the proxy answers to the next requests instead of connecting. */
  refuse(status: string | null): void;
}

/**
 * A company's network: its hosts (`name → http URL behind it`) speak TLS by an authority that nobody else knows, their names resolve
 * nowhere, and a CONNECT proxy with a password is the only way to them.
 */
export async function startCompanyNetwork(hosts: Readonly<Record<string, string>>): Promise<CompanyNetwork> {
  const folder = mkdtempSync(join(tmpdir(), "stanch-company-"));
  const openssl = (words: string): void =>
    void execFileSync("openssl", words.split(" "), { cwd: folder, stdio: "pipe" });
  const key = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
  openssl(`${key} -subj /CN=authority -keyout ca.key -out ca.pem`);
  const names = Object.keys(hosts).map((name) => `DNS:${name}`);
  openssl(
    `${key} -CA ca.pem -CAkey ca.key -subj /CN=hosts -addext subjectAltName=${names.join(",")} -addext basicConstraints=critical,CA:FALSE -keyout leaf.key -out leaf.pem`,
  );
  const [leafKey, leaf] = [readFileSync(join(folder, "leaf.key")), readFileSync(join(folder, "leaf.pem"))];
  const front = https.createServer({ key: leafKey, cert: leaf }, (request, response) => {
    const { url = "", method = "", headers } = request;
    const behind = hosts[(headers.host ?? "").replace(/:\d+$/, "")];
    if (behind === undefined) return void response.writeHead(421).end();
    const back = http.request(`${behind}${url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    back.on("error", () => response.destroy());
    request.pipe(back);
  });
  const password = "proxy-password-8315";
  const tunnels: string[] = [];
  const sockets = new Set<Duplex>();
  let refusal: string | null = null;
  const proxy = http.createServer((_, response) => void response.writeHead(405).end());
  proxy.on("connect", (request, socket, head) => {
    socket.on("error", () => undefined);
    const expected = `Basic ${Buffer.from(`stanch:${password}`).toString("base64")}`;
    if (request.headers["proxy-authorization"] !== expected)
      return void socket.end(
        'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
      );
    tunnels.push(request.url ?? "");
    const host = (request.url ?? "").replace(/:\d+$/, "");
    if (refusal !== null) return void socket.end(`HTTP/1.1 ${refusal}\r\nContent-Length: 0\r\n\r\n`);
    if (hosts[host] === undefined) return void socket.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    const out = connect((front.address() as AddressInfo).port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      out.write(head);
      out.pipe(socket).pipe(out);
    });
    out.on("error", () => socket.destroy());
    // What became a tunnel is none of the server's connections any more.
    for (const end of [socket, out]) sockets.add(end);
  });
  const listen = (server: Server): Promise<void> => new Promise((done) => server.listen(0, "127.0.0.1", done));
  await Promise.all([listen(front), listen(proxy)]);
  return {
    env: {
      HTTPS_PROXY: `http://stanch:${password}@127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      NODE_EXTRA_CA_CERTS: join(folder, "ca.pem"),
    },
    password,
    front: `https://localhost:${(front.address() as AddressInfo).port}`,
    authority: readFileSync(join(folder, "ca.pem"), "utf8"),
    tunnels,
    refuse: (status) => {
      refusal = status;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      front.closeAllConnections();
      proxy.closeAllConnections();
      await Promise.all([front, proxy].map((server) => new Promise((done) => server.close(done))));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
