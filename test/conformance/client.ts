import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { parse } from "yaml";

/** Anything JSON; a test knows what it asked for. */
// biome-ignore lint/suspicious/noExplicitAny: responses of a foreign API are looked into field by field
export type Body = any;

export interface Response {
  readonly code: number;
  readonly type: string;
  readonly text: string;
  /** Parsed when it is JSON. */
  readonly body: Body;
}

export interface Call {
  readonly body?: unknown;
  readonly type?: string;
  readonly accept?: string;
  /** Called with every line of a stream; the call ends when it answers true or the server closes. */
  readonly onLine?: (line: string) => boolean;
}

/** The plainest client there is, so that what is tested is the server. */
export interface Client {
  readonly server: string;
  call(method: string, path: string, call?: Call): Promise<Response>;
  close(): void;
}

/** A client for the current context of a kubeconfig (client certificates or a token). */
export function createClient(kubeconfig: string): Client {
  const config: Body = parse(kubeconfig);
  const context: Body = config.contexts.find((each: Body) => each.name === config["current-context"]).context;
  const cluster: Body = config.clusters.find((each: Body) => each.name === context.cluster).cluster;
  const user: Body = config.users.find((each: Body) => each.name === context.user).user;
  const decode = (text: string | undefined): string | undefined =>
    text === undefined ? undefined : Buffer.from(text, "base64").toString();
  const secure = cluster.server.startsWith("https:");
  const tls = {
    ca: decode(cluster["certificate-authority-data"]),
    cert: decode(user["client-certificate-data"]),
    key: decode(user["client-key-data"]),
  };
  const agent = secure ? new HttpsAgent({ keepAlive: true, ...tls }) : new HttpAgent({ keepAlive: true });
  const send = secure ? httpsRequest : httpRequest;

  async function call(method: string, path: string, { body, type, accept, onLine }: Call = {}): Promise<Response> {
    const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
    const headers: Record<string, string> = { "user-agent": "conformance/1", accept: accept ?? "application/json" };
    if (text !== undefined) headers["content-type"] = type ?? "application/json";
    if (user.token !== undefined) headers.authorization = `Bearer ${user.token}`;
    return await new Promise((resolve, reject) => {
      const outgoing = send(`${cluster.server}${path}`, { method, headers, agent }, (incoming) => {
        let all = "";
        let rest = "";
        incoming.setEncoding("utf8");
        incoming.on("data", (chunk: string) => {
          all += chunk;
          if (onLine === undefined) return;
          const lines = (rest + chunk).split("\n");
          rest = lines.pop() ?? "";
          if (lines.some((line) => onLine(line))) outgoing.destroy();
        });
        const done = (): void => {
          const json = (incoming.headers["content-type"] ?? "").includes("json") && onLine === undefined;
          const parsed = json && all !== "" ? JSON.parse(all) : undefined;
          resolve({
            code: incoming.statusCode ?? 0,
            type: incoming.headers["content-type"] ?? "",
            text: all,
            body: parsed,
          });
        };
        incoming.on("close", done);
      });
      outgoing.on("error", (error) => (onLine === undefined ? reject(error) : undefined));
      outgoing.end(text);
    });
  }

  return { server: cluster.server, call, close: () => agent.destroy() };
}
