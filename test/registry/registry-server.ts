import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly authorization: string;
}

export interface RegistryServer extends AsyncDisposable {
  readonly url: string;
  /** `127.0.0.1:5000`, as an image names it. */
  readonly host: string;
  readonly seen: Seen[];
}

/** A registry that answers as the test says. */
export async function startRegistry(
  answer: (request: IncomingMessage, response: ServerResponse, self: RegistryServer) => void,
): Promise<RegistryServer> {
  const seen: Seen[] = [];
  const server = http.createServer((request, response) => {
    const { method = "", url = "", headers } = request;
    seen.push({ method, path: url, authorization: headers.authorization ?? "" });
    answer(request, response, self);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const self: RegistryServer = {
    url: `http://${host}`,
    host,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return self;
}

export function json(
  response: ServerResponse,
  body: unknown,
  headers: Record<string, string> = {},
  status = 200,
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}
