import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";

const CLI = resolve(import.meta.dirname, "../../src/cli.ts");
/** A process 1, as in a container, where a signal that is not handled does nothing. */
const NAMESPACE = ["--user", "--map-root-user", "--pid", "--fork"];
const mayUnshare = spawnSync("unshare", [...NAMESPACE, "true"]).status === 0;
if (!mayUnshare)
  process.stderr.write("\nSKIPPED: how a run is stopped in a container, because unshare may not be used.\n");

it.skipIf(!mayUnshare)("told to stop, a run in a container ends at once and says so", { timeout: 30_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "stanch-stop-"));
  const sockets = new Set<Socket>();
  // An API server that never answers: the run is in the middle of something.
  const server = createServer((socket) => void sockets.add(socket));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address() as { port: number };
  const kubeconfig = join(folder, "kubeconfig");
  await writeFile(
    kubeconfig,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "a", cluster: { server: `http://127.0.0.1:${address.port}` } }],
      users: [{ name: "a", user: {} }],
      contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
      "current-context": "a",
    }),
  );
  const child = spawn("unshare", [...NAMESPACE, process.execPath, CLI, "run", "--kubeconfig", kubeconfig], {
    cwd: folder,
    env: { PATH: process.env["PATH"] },
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<number | null>((done) => child.on("close", done));
  try {
    while (sockets.size === 0) await sleep(20);
    const [program] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim().split(" ");
    process.kill(Number(program), "SIGTERM");
    const code = await Promise.race([ended, sleep(5000).then(() => "still at work")]);
    if (code === "still at work") process.kill(Number(program), "SIGKILL");
    expect(code).toBe(143);
    expect(
      said
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as object),
    ).toEqual([expect.objectContaining({ level: "warn", msg: "run stopped", signal: "SIGTERM" })]);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
});
