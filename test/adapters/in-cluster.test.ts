import { execFileSync, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../src/adapters/clock.ts";
import { connectCluster } from "../../src/adapters/kubernetes.ts";
import { type EmbeddedCluster, startCluster } from "../../src/demo/cluster/cluster.ts";
import { RESOURCES } from "../../src/kube/resources.ts";

/** Inside a pod: the mounted service account, TLS by the cluster's own authority, a token from a file. */
const TOKEN = "service-account-token-0123456789";
const MOUNT = "var/run/secrets/kubernetes.io/serviceaccount";
let cluster: EmbeddedCluster;
let folder = "";
let front: https.Server;
let connections = 0;

/** A certificate needs a program that makes one. */
const canSign = spawnSync("openssl", ["version"]).status === 0;
if (!canSign) process.stderr.write("skipped: no openssl on the PATH, the service account is not tested\n");

beforeAll(async () => {
  if (!canSign) return;
  folder = await mkdtemp(join(tmpdir(), "stanch-pod-"));
  cluster = await startCluster({ registry: {}, token: TOKEN });
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const words =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=kube -addext subjectAltName=IP:127.0.0.1";
  execFileSync("openssl", [...words.split(" "), "-keyout", key, "-out", cert], { stdio: "ignore" });
  front = https.createServer({ key: await readFile(key), cert: await readFile(cert) }, (request, response) => {
    const { url = "", method = "", headers } = request;
    const back = http.request(`${cluster.url}${url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(back);
  });
  front.on("secureConnection", () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  await mkdir(join(folder, MOUNT), { recursive: true });
  await writeFile(join(folder, MOUNT, "ca.crt"), await readFile(cert));
  await writeFile(join(folder, MOUNT, "token"), TOKEN);
  await writeFile(join(folder, MOUNT, "namespace"), "stanch-system");
  vi.stubEnv("KUBERNETES_SERVICE_HOST", "127.0.0.1");
  vi.stubEnv("KUBERNETES_SERVICE_PORT", String((front.address() as AddressInfo).port));
  // What the SDK does where the mount is there, which a test cannot put at the root of the disk.
  vi.spyOn(KubeConfig.prototype, "loadFromDefault").mockImplementation(function (this: KubeConfig) {
    this.loadFromCluster(`${folder}/`.replace(/\/$/, ""));
  });
});
afterAll(async () => {
  if (!canSign) return;
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  front.closeAllConnections();
  await new Promise<void>((resolve) => front.close(() => resolve()));
  await cluster.close();
  await rm(folder, { recursive: true, force: true });
});

describe.skipIf(!canSign)("in a pod", () => {
  it("uses the service account, over one kept connection", async () => {
    const api = await connectCluster({ clock: systemClock });
    expect(api.server).toMatch(/^https:\/\/127\.0\.0\.1:/);
    expect(await api.version()).toMatch(/^v1\./);
    for (let call = 0; call < 5; call += 1)
      for await (const page of api.list(RESOURCES.Namespace)) expect(page.length).toBeGreaterThan(3);
    api.close();
    expect(connections).toBe(1);
  });

  it("says when the service account's token is not accepted any more", async () => {
    await writeFile(join(folder, MOUNT, "token"), "expired");
    const api = await connectCluster({ clock: systemClock });
    await expect(api.version()).rejects.toMatchObject({
      code: "forbidden",
      hint: expect.stringContaining("mount a service account token"),
    });
    api.close();
  });

  it("says when the certificate is not the cluster's", async () => {
    await writeFile(join(folder, MOUNT, "ca.crt"), "");
    const api = await connectCluster({ clock: systemClock });
    await expect(api.version()).rejects.toMatchObject({
      code: "cluster",
      hint: expect.stringContaining("certificate-authority"),
    });
    api.close();
  });
});
