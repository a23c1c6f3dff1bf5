import type { IncomingMessage, ServerResponse } from "node:http";
import type { Answer } from "./answer.ts";

/** The token of an Authorization header; git sends it as a password. */
export function tokenOf(authorization: string): string | null {
  const [kind = "", value = ""] = authorization.split(" ");
  if (value === "") return null;
  return /^basic$/i.test(kind) ? (Buffer.from(value, "base64").toString("utf8").split(":")[1] ?? "") : value;
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** A request's body; nothing when it is no JSON. */
export function parse(text: string): Record<string, unknown> {
  try {
    return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
  } catch {
    return {};
  }
}

export function send(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = body === undefined ? "" : JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "x-ratelimit-limit": "5000",
    "x-ratelimit-remaining": "4990",
    "x-ratelimit-reset": String(Math.ceil(Date.now() / 1000) + 3600),
    ...headers,
  });
  response.end(text);
}

/** One page of a list, and where the next one is. */
export function sendPage(
  response: ServerResponse,
  status: number,
  { items = [], key }: Answer,
  url: URL,
  address: string,
): void {
  const size = Math.min(100, Number(url.searchParams.get("per_page") ?? 30) || 30);
  const page = Math.max(1, Number(url.searchParams.get("page") ?? 1) || 1);
  const next = new URL(`${address}${url.pathname}${url.search}`);
  next.searchParams.set("page", String(page + 1));
  const rows = items.slice((page - 1) * size, page * size);
  send(
    response,
    status,
    key === undefined ? rows : { total_count: items.length, [key]: rows },
    items.length > page * size ? { link: `<${next}>; rel="next"` } : {},
  );
}
