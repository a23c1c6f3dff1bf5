import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { kubectl } from "../lab.ts";

const CLI = new URL("../../../src/cli.ts", import.meta.url).pathname;

/** Where a run is killed: before a write reaches the API server, or after the write was done and before its answer is read. */
export type Moment = "before" | "after";

/** A gate before the API server through which one run of the command line goes at a time. */
export interface Gate extends AsyncDisposable {
  /** Runs Stanch; `kill` is asked at each of its writes. Answers with what killed it, or null when it ended by itself. */
  run(token: string, kill: (write: string, moment: Moment) => boolean): Promise<string | null>;
  /** Kills the run that is under way for what was seen elsewhere. */
  kill(why: string): void;
}

/** Opens a gate for the runs of a configuration. */
export async function openGate(config: string): Promise<Gate> {
  const upstream = await apiServer();
  let running: { kill: (write: string, moment: Moment) => boolean; end: (write: string) => void } | null = null;

  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const write = writeOf(request.method ?? "GET", request.url ?? "/", body.toString("utf8"));
      const mine = running;
      const dies = (moment: Moment): boolean => {
        if (write === null || mine === null || !mine.kill(write, moment)) return false;
        mine.end(`${moment} ${write}`);
        request.socket.destroy();
        return true;
      };
      if (dies("before")) return;
      const { host: _, ...headers } = request.headers;
      const sent = https.request({ ...upstream, method: request.method, path: request.url, headers }, (answer) => {
        if (dies("after")) return void answer.resume();
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      sent.on("error", () => response.destroy());
      sent.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const kubeconfig = join(dirname(config), "gate.kubeconfig");
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await writeFile(
    kubeconfig,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "gate",
      contexts: [{ name: "gate", context: { cluster: "gate", user: "nobody" } }],
      clusters: [{ name: "gate", cluster: { server: address } }],
      users: [{ name: "nobody", user: {} }],
    }),
  );

  return {
    run: (token, kill) =>
      new Promise((resolve, reject) => {
        const child = spawn(process.execPath, [CLI, "run", "--config", config, "--kubeconfig", kubeconfig], {
          env: { ...process.env, GITHUB_TOKEN: token },
          stdio: "ignore",
        });
        let killedAt: string | null = null;
        running = {
          kill: (write, moment) => killedAt === null && kill(write, moment),
          end: (write) => {
            killedAt = write;
            // No handler runs, nothing is flushed: as a node dies.
            child.kill("SIGKILL");
          },
        };
        child.on("error", reject);
        child.on("exit", () => {
          running = null;
          resolve(killedAt);
        });
      }),
    kill: (why) => running?.end(why),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** The real API server, with the rights of KUBECONFIG. */
async function apiServer(): Promise<https.RequestOptions> {
  const view = JSON.parse(await kubectl(["config", "view", "--raw", "--minify", "--flatten", "-o", "json"])) as {
    clusters: { cluster: { server: string; "certificate-authority-data"?: string } }[];
    users: { user: { "client-certificate-data"?: string; "client-key-data"?: string; token?: string } }[];
  };
  const cluster = view.clusters[0]?.cluster;
  const user = view.users[0]?.user;
  if (cluster === undefined || user?.["client-certificate-data"] === undefined)
    throw new Error("the gate needs a kubeconfig with a client certificate, as the lab's is");
  const { hostname, port } = new URL(cluster.server);
  const text = (data: string | undefined): string => Buffer.from(data ?? "", "base64").toString("utf8");
  return {
    hostname,
    port,
    ca: text(cluster["certificate-authority-data"]),
    cert: text(user["client-certificate-data"]),
    key: text(user["client-key-data"]),
    agent: new https.Agent({ keepAlive: true }),
  };
}

/** Says what a request writes, so that the same step of another run has the same words; null: nothing that a job stands on. */
export function writeOf(method: string, url: string, body: string): string | null {
  const path = url.split("?")[0] ?? "";
  if (method === "GET" || url.includes("dryRun=")) return null;
  // A dead run's lease runs out, and events, summaries and questions for rights change nothing that counts.
  if (/\/(leases|events|runs|selfsubject\w+)(\/|$)/.test(path)) return null;
  const [, resource = path, , subresource] = /\/namespaces\/[^/]+\/([^/]+)(\/[^/]+)?(\/[^/]+)?$/.exec(path) ?? [];
  const parsed = JSON.parse(body === "" ? "null" : body) as unknown;
  const what = `${method} ${resource}${subresource ?? ""}`;
  if (Array.isArray(parsed)) {
    const steps = (parsed as { op: string; path: string }[]).filter((step) => step.op !== "test");
    return `${what} ${steps.map((step) => `${step.op} ${step.path.replaceAll(/\d+/g, "*")}`).join(", ")}`;
  }
  const phase = (parsed as { status?: { phase?: string } } | null)?.status?.phase;
  return phase === undefined ? what : `${what} ${phase}`;
}
