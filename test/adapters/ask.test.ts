import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { systemClock } from "../../src/adapters/clock.ts";
import { connectCluster } from "../../src/adapters/kubernetes.ts";

it("a program that says one byte now and then is not listened to for long, nor asked again", async () => {
  let asked = 0;
  const timers: NodeJS.Timeout[] = [];
  const server = http.createServer((_, response) => {
    asked += 1;
    response.writeHead(200);
    timers.push(setInterval(() => response.write("x"), 200));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const folder = await mkdtemp(join(tmpdir(), "stanch-ask-"));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const kubeconfig = join(folder, "kubeconfig");
    await writeFile(
      kubeconfig,
      JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "a", cluster: { server: url } }],
        users: [{ name: "a", user: {} }],
        contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
        "current-context": "a",
      }),
    );
    const cluster = await connectCluster({ kubeconfig, clock: systemClock });
    const began = Date.now();
    const pod = { apiVersion: "v1", kind: "Pod", namespace: "shop", name: "a" };
    expect(await cluster.ask(pod, { scheme: "HTTP", port: 80, path: "/" })).toBeNull();
    expect(Date.now() - began).toBeLessThan(9_000);
    expect(asked).toBe(1);
    cluster.close();
  } finally {
    timers.forEach(clearInterval);
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}, 30_000);
