import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Fault, Faults } from "../faults.ts";
import { ApiError, statusOf } from "./api-error.ts";
import { tellCommand } from "./remote-command.ts";
import type { Command } from "./routes.ts";

/** One request, as the log keeps it. */
export interface RequestRecord {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Of writes: parsed where it is JSON, else the text. */
  readonly body?: unknown;
}

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly params: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** An answer; `stream` takes over the response. */
export type Answer =
  | {
      readonly status: number;
      readonly text: string;
      readonly type?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly stream: (response: ServerResponse) => void };

/** Serves `handle` on 127.0.0.1 with fault injection, a request log and errors turned into Status objects. */
export async function serve(options: {
  port: number;
  token: string | undefined;
  faults: Faults;
  requests: RequestRecord[];
  handle: (request: Request) => Answer;
  /** Requests that ask for a WebSocket: what a command did. */
  exec: (request: Request) => Command;
}): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    void receive(request, response, options);
  });
  server.keepAliveTimeout = 60_000;
  server.on("upgrade", (incoming, socket) => {
    void upgrade(incoming, socket, options);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });
  return { server, port: (server.address() as AddressInfo).port };
}

async function receive(
  incoming: IncomingMessage,
  response: ServerResponse,
  options: Parameters<typeof serve>[0],
): Promise<void> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const url = new URL(incoming.url ?? "/", "http://127.0.0.1");
    const request: Request = {
      method: incoming.method ?? "GET",
      path: url.pathname,
      params: url.searchParams,
      headers: incoming.headers,
      body: Buffer.concat(chunks).toString(),
    };
    options.requests.push(recordOf(request));
    if (options.requests.length > 20_000) options.requests.splice(0, 10_000);
    const fault = options.faults.take(request.method, `${url.pathname}${url.search}`);
    if (fault?.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
    if (fault?.closeConnection === true) {
      incoming.socket.destroy();
      return;
    }
    const answer = fault?.status === undefined ? answerOf(request, options) : faultAnswer(fault, fault.status);
    if ("stream" in answer) answer.stream(response);
    else send(response, answer);
  } catch {
    response.destroy();
  }
}

/** A request for a WebSocket: authorized, recorded and broken like any other. */
async function upgrade(incoming: IncomingMessage, socket: Duplex, options: Parameters<typeof serve>[0]): Promise<void> {
  socket.on("error", () => socket.destroy());
  const url = new URL(incoming.url ?? "/", "http://127.0.0.1");
  const { headers, method = "GET" } = incoming;
  const request: Request = { method, path: url.pathname, params: url.searchParams, headers, body: "" };
  options.requests.push(recordOf(request));
  const fault = options.faults.take(method, `${url.pathname}${url.search}`);
  if (fault?.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
  if (fault?.closeConnection === true) {
    socket.destroy();
    return;
  }
  try {
    if (fault?.status !== undefined) throw new ApiError(fault.status, REASONS[fault.status] ?? "", "injected fault");
    if (options.token !== undefined && headers.authorization !== `Bearer ${options.token}`)
      throw new ApiError(401, "Unauthorized", "Unauthorized");
    tellCommand(socket, headers, options.exec(request));
  } catch (error) {
    const known = error instanceof ApiError ? error : new ApiError(500, "InternalError", String(error));
    const text = `${JSON.stringify(statusOf(known))}\n`;
    socket.end(
      `HTTP/1.1 ${known.code} ${known.reason || "Error"}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
    );
  }
}

function recordOf({ method, path, params, body }: Request): RequestRecord {
  const record = { method, path, query: Object.fromEntries(params) };
  if (body === "") return record;
  try {
    return { ...record, body: JSON.parse(body) };
  } catch {
    return { ...record, body };
  }
}

function answerOf(request: Request, options: Parameters<typeof serve>[0]): Answer {
  try {
    if (options.token !== undefined && request.headers.authorization !== `Bearer ${options.token}`) {
      throw new ApiError(401, "Unauthorized", "Unauthorized");
    }
    return options.handle(request);
  } catch (error) {
    return errorAnswer(
      error instanceof ApiError
        ? error
        : new ApiError(500, "InternalError", `Internal error occurred: ${String(error)}`),
    );
  }
}

function errorAnswer(error: ApiError): Answer {
  return { status: error.code, text: `${JSON.stringify(statusOf(error))}\n` };
}

const REASONS: Record<number, string> = {
  403: "Forbidden",
  404: "NotFound",
  409: "Conflict",
  410: "Expired",
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServiceUnavailable",
  504: "Timeout",
};

function faultAnswer(fault: Fault, status: number): Answer {
  if (fault.body === undefined) {
    const { text } = errorAnswer(new ApiError(status, REASONS[status] ?? "", `injected fault ${status}`)) as {
      text: string;
    };
    return { status, text, ...(fault.headers === undefined ? {} : { headers: fault.headers }) };
  }
  const text = typeof fault.body === "string" ? fault.body : JSON.stringify(fault.body);
  return { status, text, ...(fault.headers === undefined ? {} : { headers: fault.headers }) };
}

function send(response: ServerResponse, answer: Exclude<Answer, { stream: unknown }>): void {
  const { status, text, type = "application/json", headers = {} } = answer;
  if (status === 204) {
    response.writeHead(204).end();
    return;
  }
  response.writeHead(status, {
    "content-type": type,
    "cache-control": "no-cache, private",
    "content-length": Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}
