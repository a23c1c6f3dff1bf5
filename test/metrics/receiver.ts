import http from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline, Readable } from "node:stream";
import { gunzipSync } from "node:zlib";

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** How a receiver behaves: answers with a status, says nothing, answers one byte at a time without an end, or hangs up. */
export type Behaviour =
  | number
  | "silent"
  | "dripping"
  | "hangs up"
  | { readonly redirect: string }
  | { readonly huge: number };

/** A page of so many times 64 KiB. */
function* pageOf(parts: number): Generator<string> {
  const part = "x".repeat(65_536);
  for (let sent = 0; sent < parts; sent += 1) yield part;
}

/** A receiver over HTTP that keeps what it was sent. */
export async function startReceiver(behave: () => Behaviour = () => 200) {
  const received: Received[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("error", () => undefined);
    request.on("end", () => {
      const raw = Buffer.concat(chunks);
      const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw;
      received.push({ method: request.method ?? "", path: request.url ?? "", headers: request.headers, body });
      const how = behave();
      if (typeof how === "number")
        response.writeHead(how, how === 429 ? { "retry-after": "1" } : {}).end(how === 200 ? "" : `no: ${how}`);
      else if (how === "hangs up") request.socket.destroy();
      else if (how === "dripping") {
        response.writeHead(500);
        const timer = setInterval(() => response.write("x"), 20);
        response.on("close", () => clearInterval(timer));
      } else if (typeof how === "object" && "redirect" in how)
        response.writeHead(307, { location: how.redirect }).end();
      else if (typeof how === "object") {
        response.writeHead(how.huge, { "content-length": 320 * 65_536 });
        // As fast as it is read, and no faster: who is measured shares this thread.
        pipeline(Readable.from(pageOf(320)), response, () => undefined);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
