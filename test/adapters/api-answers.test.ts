import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { systemClock } from "../../src/adapters/clock.ts";
import { connectCluster } from "../../src/adapters/kubernetes.ts";
import type { Cluster } from "../../src/ports.ts";

/** Against an API server that answers every call in one way. */
async function against(answer: http.RequestListener, work: (cluster: Cluster) => Promise<void>): Promise<void> {
  const server = http.createServer(answer);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const folder = await mkdtemp(join(tmpdir(), "stanch-api-"));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const kubeconfig = join(folder, "kubeconfig");
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "a", cluster: { server: url } }],
      users: [{ name: "a", user: {} }],
      contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
      "current-context": "a",
    };
    await writeFile(kubeconfig, JSON.stringify(config));
    const cluster = await connectCluster({ kubeconfig, clock: systemClock });
    await work(cluster);
    cluster.close();
  } finally {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

it("a program that says one byte now and then is not listened to for long, nor asked again", async () => {
  let asked = 0;
  const timers: NodeJS.Timeout[] = [];
  const drip: http.RequestListener = (_, response) => {
    asked += 1;
    response.writeHead(200);
    timers.push(setInterval(() => response.write("x"), 200));
  };
  await against(drip, async (cluster) => {
    const began = Date.now();
    const pod = { apiVersion: "v1", kind: "Pod", namespace: "shop", name: "a" };
    expect(await cluster.ask(pod, { scheme: "HTTP", port: 80, path: "/" })).toBeNull();
    expect(Date.now() - began).toBeLessThan(9_000);
    expect(asked).toBe(1);
  });
  timers.forEach(clearInterval);
}, 30_000);

const object = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "a", namespace: "shop" } };

it.each([
  "failed to create typed patch object (shop/a; apps/v1, Kind=Deployment): .spec.imagee: field not declared in schema",
  "failed to convert new object (shop/a; apps/v1, Kind=Deployment) to proper version: quantities must match the regular expression",
])("a manifest that fits no schema is refused, whatever the number of the answer is: %s", async (message) => {
  let asked = 0;
  const refuse: http.RequestListener = (_, response) => {
    asked += 1;
    response.writeHead(500).end(JSON.stringify({ kind: "Status", apiVersion: "v1", message, code: 500 }));
  };
  await against(refuse, async (cluster) => {
    await expect(cluster.dryRunApply(object)).rejects.toMatchObject({ code: "invalid" });
    expect(asked).toBe(1);
  });
});

it("of a long refusal the end is kept, which says why", async () => {
  const message = `spec.template: Invalid value: "${"x".repeat(5000)}": field is immutable`;
  const refuse: http.RequestListener = (_, response) => {
    response.writeHead(422).end(JSON.stringify({ kind: "Status", apiVersion: "v1", message, code: 422 }));
  };
  await against(refuse, async (cluster) => {
    await expect(cluster.dryRunApply(object)).rejects.toThrow(/^.{900,1100}: field is immutable$/);
  });
});
