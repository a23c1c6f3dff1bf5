import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../src/adapters/clock.ts";
import { connectCluster } from "../../src/adapters/kubernetes.ts";
import { type EmbeddedCluster, startCluster } from "../../src/demo/cluster/cluster.ts";
import type { Cluster } from "../../src/ports.ts";

const POD = { apiVersion: "v1", kind: "Pod", namespace: "shop", name: "app" };
const BOUNDS = { timeoutMs: 5000, outputBytes: 1000 };
const TOKEN = "a-token-0123456789";
const ran: (readonly string[])[] = [];

/** It echoes, writes much, or ends with the code that it is told. */
function program(argv: readonly string[]) {
  ran.push(argv);
  const [name, ...words] = argv;
  if (name === "echo") return { code: 0, output: `${words.join(" ")}\n` };
  return name === "flood" ? { code: 0, output: "x".repeat(200_000) } : { code: Number(words[0] ?? 1), output: "no\n" };
}

let embedded: EmbeddedCluster;
let cluster: Cluster;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stanch-exec-"));
  embedded = await startCluster({
    registry: { "example.com/app:1": { exec: program }, "example.com/ends:1": { exit: { code: 1 } } },
    speed: 40,
    token: TOKEN,
  });
  await writeFile(join(folder, "kubeconfig"), embedded.kubeconfig());
  cluster = await connectCluster({ kubeconfig: join(folder, "kubeconfig"), clock: systemClock });
  const pod = (name: string, image: string) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "shop" },
    spec: { containers: [{ name: "app", image }] },
  });
  embedded.apply([
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
    pod("app", "example.com/app:1"),
    pod("waits", "example.com/none:1"),
  ]);
  await vi.waitFor(
    () => expect(embedded.get("v1", "Pod", "shop", "app")?.["status"]).toMatchObject({ phase: "Running" }),
    10_000,
  );
});

afterAll(async () => {
  cluster.close();
  await embedded.close();
  await rm(folder, { recursive: true, force: true });
});

describe("a command in a container", () => {
  it("is run word by word, and says what it wrote and how it ended", async () => {
    const words = ["echo", "a b", "$(id)", "'; rm -rf /", "ü&x=y", "--", ""].filter((word) => word !== "");
    const before = cluster.calls();
    expect(await cluster.exec(POD, "app", words, BOUNDS)).toEqual({
      exitCode: 0,
      output: `${words.slice(1).join(" ")}\n`,
    });
    expect(ran.at(-1)).toEqual(words);
    expect(cluster.calls()).toBe(before + 1);
  });

  it("that fails says so", async () =>
    expect(await cluster.exec(POD, "app", ["false", "42"], BOUNDS)).toEqual({ exitCode: 42, output: "no\n" }));

  it("is listened to for so many bytes", async () => {
    const { exitCode, output } = await cluster.exec(POD, "app", ["flood"], BOUNDS);
    expect([exitCode, output.length]).toEqual([0, 1000]);
  });

  it.each<[string, string, string, RegExp, string]>([
    ["in a pod that is not there", "gone", "app", /answers 404/, "not-found"],
    ["in a container that is not there", "app", "proxy", /answers 400/, "invalid"],
    ["in a container that does not run", "waits", "app", /answers 500/, "cluster"],
  ])("%s is a typed fault", async (_, name, container, text, code) =>
    expect(cluster.exec({ ...POD, name }, container, ["echo"], BOUNDS)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(text),
    }),
  );

  it("that the server breaks off before it began, or answers with a fault, is a fault", async () => {
    embedded.faults.add({ method: "GET", path: /exec/, closeConnection: true, times: 1 });
    await expect(cluster.exec(POD, "app", ["echo"], BOUNDS)).rejects.toMatchObject({ code: "cluster" });
    embedded.faults.add({ method: "GET", path: /exec/, status: 503, times: 1 });
    await expect(cluster.exec(POD, "app", ["echo"], BOUNDS)).rejects.toMatchObject({ code: "cluster" });
  });

  it("needs both rights: to create and to get", async () => {
    embedded.deny({ group: "", resource: "pods/exec", verb: "create" });
    await expect(cluster.exec(POD, "app", ["echo"], BOUNDS)).rejects.toMatchObject({ code: "forbidden" });
    expect(ran.filter(([name]) => name === "echo")).toHaveLength(1);
  });
});

/** A server that says yes to a WebSocket and then does only what it is told to. */
async function against(goesOn: (socket: Duplex) => void, work: (cluster: Cluster) => Promise<void>): Promise<void> {
  const server = createServer();
  const sockets: Duplex[] = [];
  server.on("upgrade", (request, socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    const accept = createHash("sha1")
      .update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\nsec-websocket-protocol: v4.channel.k8s.io\r\n\r\n`,
    );
    goesOn(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const file = join(folder, "other");
  const { port } = server.address() as AddressInfo;
  await writeFile(file, embedded.kubeconfig().replace(/http:\/\/[\d.:]+/, `http://127.0.0.1:${port}`));
  const other = await connectCluster({ kubeconfig: file, clock: systemClock });
  try {
    await work(other);
  } finally {
    other.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** A frame that a server sends: channel and text. */
const message = (channel: number, text: string): Buffer => {
  const data = Buffer.concat([Buffer.from([channel]), Buffer.from(text)]);
  return Buffer.concat([Buffer.from([0x82, 126, data.length >> 8, data.length & 0xff]), data]);
};

describe("a command of which", () => {
  it.each<[string, (socket: Duplex) => void, number | null, string]>([
    ["nothing more is heard", () => undefined, null, ""],
    ["something is heard and no end", (socket) => socket.write(message(2, "begun")), null, "begun"],
    ["the connection breaks", (socket) => setTimeout(() => socket.destroy(), 50), null, ""],
    ["the end is no JSON", (socket) => socket.write(message(3, "{")), null, ""],
    [
      "an unknown channel speaks",
      (socket) => socket.write(Buffer.concat([message(9, "x"), message(3, '{"status":"Success"}')])),
      0,
      "",
    ],
    [
      "the runtime cannot start it",
      (socket) => socket.write(message(3, '{"status":"Failure","reason":"InternalError","message":"no such file"}')),
      126,
      "",
    ],
  ])("%s ends in time and says what is known", async (_, goesOn, exitCode, output) =>
    against(goesOn, async (other) =>
      expect(await other.exec(POD, "app", ["sleep"], { ...BOUNDS, timeoutMs: 400 })).toEqual({ exitCode, output }),
    ),
  );
});
