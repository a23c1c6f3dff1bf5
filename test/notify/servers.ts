import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a server does with its next request instead of answering as usual. */
export type Fault =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  | "hang"
  | "cut"
  /** Does what was asked, and the answer is lost on its way. */
  | "lost";

export interface SlackPost {
  readonly method: "post" | "update" | "hook";
  readonly channel: string;
  readonly ts: string;
  readonly thread?: string;
  readonly broadcast: boolean;
  readonly text: string;
  readonly blocks: readonly Block[];
  readonly id?: string;
}
type Text = { type: string; text: string; emoji?: boolean; verbatim?: boolean };
type Block = {
  type: string;
  text?: Text;
  elements?: (Text & { elements?: Text[] })[];
};

export interface EmbeddedSlack extends AsyncDisposable {
  readonly apiUrl: string;
  readonly hookUrl: string;
  readonly posts: SlackPost[];
  /** What Slack would have refused, with the rule. */
  readonly problems: string[];
  /** Faults of the next requests, in order; `none` is a request that goes well. */
  readonly faults: (Fault | "none")[];
  /** Requests, also those that came to nothing. */
  requests: number;
  /** Takes a message away, as a person may. */
  remove(ts: string): void;
}

export const SLACK_TOKEN = "xoxb-test-0123456789";
export const CHANNEL = "C0123456789";

/**
 * Slack as far as Stanch speaks to it. Limits: docs.slack.dev/reference/block-kit/blocks (50 blocks; header 150 plain_text; section text 3,000;
 * context 10 elements), docs.slack.dev/reference/methods/chat.postMessage (text 40,000), slackapi/bolt-js#2509 (all blocks about 13,000).
 */
export async function startSlack(): Promise<EmbeddedSlack> {
  const posts: SlackPost[] = [];
  const problems: string[] = [];
  const faults: (Fault | "none")[] = [];
  const alive = new Set<string>();
  let clock = 1_700_000_000_000_000;
  const state = { requests: 0 };

  const api = (method: string, body: URLSearchParams, token: string): object => {
    if (token !== `Bearer ${SLACK_TOKEN}`) return { ok: false, error: "invalid_auth" };
    if (method === "auth.test") return { ok: true, user: "stanch", team: "Acme", team_id: "T1", user_id: "U1" };
    const channel = body.get("channel") ?? "";
    if (channel !== CHANNEL) return { ok: false, error: "channel_not_found" };
    const text = body.get("text") ?? "";
    const blocks = JSON.parse(body.get("blocks") ?? "[]") as Block[];
    const wrong = problemsOf(text, blocks);
    problems.push(...wrong);
    if (wrong.length > 0) return { ok: false, error: "invalid_blocks" };
    if (method === "chat.update") {
      const ts = body.get("ts") ?? "";
      if (!alive.has(ts)) return { ok: false, error: "message_not_found" };
      posts.push({ method: "update", channel, ts, text, blocks, broadcast: false });
      return { ok: true, channel, ts, text };
    }
    if (method !== "chat.postMessage") return { ok: false, error: "unknown_method" };
    const thread = body.get("thread_ts") ?? undefined;
    if (thread !== undefined && !alive.has(thread)) return { ok: false, error: "thread_not_found" };
    if (body.get("unfurl_links") !== "false") problems.push("links would be unfurled");
    clock += 1_000_000;
    const ts = `${Math.floor(clock / 1e6)}.${String(clock % 1e6).padStart(6, "0")}`;
    alive.add(ts);
    const metadata = JSON.parse(body.get("metadata") ?? "{}") as { event_payload?: { id?: string } };
    const id = metadata.event_payload?.id;
    posts.push({
      method: "post",
      channel,
      ts,
      ...(thread === undefined ? {} : { thread }),
      broadcast: body.get("reply_broadcast") === "true",
      text,
      blocks,
      ...(id === undefined ? {} : { id }),
    });
    return { ok: true, channel, ts, message: { text } };
  };

  const server = await serve(async (request, response) => {
    state.requests += 1;
    const body = await textOf(request);
    const fault = faults.shift();
    if (fault === "hang") return;
    if (fault === "cut") return void request.socket.destroy();
    if (fault !== undefined && fault !== "lost" && fault !== "none") {
      response.writeHead(fault.status, fault.headers).end(fault.body ?? "");
      return;
    }
    let answer: string;
    if (request.url === "/services/T1/B1/secret") {
      const { text, blocks } = JSON.parse(body) as { text: string; blocks: Block[] };
      const wrong = problemsOf(text, blocks);
      problems.push(...wrong);
      if (wrong.length > 0) return void response.writeHead(400).end("invalid_blocks");
      posts.push({ method: "hook", channel: "", ts: "", text, blocks, broadcast: false });
      answer = "ok";
    } else {
      const method = (request.url ?? "").replace("/api/", "");
      answer = JSON.stringify(api(method, new URLSearchParams(body), request.headers.authorization ?? ""));
      response.setHeader("content-type", "application/json");
      response.setHeader("x-oauth-scopes", "chat:write");
    }
    if (fault === "lost") return void request.socket.destroy();
    response.end(answer);
  });
  return {
    apiUrl: `${server.url}/api/`,
    hookUrl: `${server.url}/services/T1/B1/secret`,
    posts,
    problems,
    faults,
    get requests() {
      return state.requests;
    },
    remove: (ts) => void alive.delete(ts),
    [Symbol.asyncDispose]: server.close,
  };
}

/** What of a message Slack would refuse, or would read as something else than the text that it is. */
export function problemsOf(text: string, blocks: readonly Block[]): string[] {
  const found: string[] = [];
  if (text.trim() === "" || text.length > 40_000) found.push("text is missing or too long");
  found.push(...markupOf(text));
  if (blocks.length === 0 || blocks.length > 50) found.push(`${blocks.length} blocks`);
  if (JSON.stringify(blocks).length > 13_000 + blocks.length * 200) found.push("blocks are too long together");
  for (const block of blocks) {
    const most = { header: 150, section: 3000 }[block.type];
    const length = block.text?.text.length ?? 0;
    if (most !== undefined && (length < 1 || length > most)) found.push(`${block.type} of ${length} characters`);
    if (block.type === "header" && block.text?.type !== "plain_text") found.push("a header that is not plain_text");
    if (block.type === "context" && (block.elements ?? []).length > 10) found.push("too many elements");
    if (block.text?.type === "mrkdwn") found.push(...markupOf(block.text.text));
    if (block.text?.type === "mrkdwn" && block.text.verbatim !== true)
      found.push("mrkdwn that Slack would look for links in");
    if (!["header", "section", "context", "rich_text"].includes(block.type)) found.push(`unexpected ${block.type}`);
  }
  if ([text, ...textsOf(blocks)].some((said) => /(?!\n)\p{Cc}|\u202e/u.test(said))) found.push("control characters");
  if (/:\/\//.test(JSON.stringify(blocks).replaceAll(/<https?:\/\/[^|>]*\|/g, "")))
    found.push("an address outside of a link");
  return found;
}

/** Every string in it. */
function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

/** Mentions and links in mrkdwn that are none of ours. */
function markupOf(text: string): string[] {
  const found: string[] = [];
  for (const [whole] of text.matchAll(/<[^>]*>/g))
    if (!/^<https?:\/\/[^|<>\s]+\|[^<>]+>$/.test(whole)) found.push(`markup ${whole}`);
  if (/@(here|channel|everyone)\b/.test(text)) found.push("a mention of all");
  if (/&(?!amp;|lt;|gt;)/.test(text)) found.push("an ampersand that is not escaped");
  return found;
}

export interface WebhookRequest {
  readonly headers: Record<string, string>;
  readonly body: string;
}

export interface WebhookServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: WebhookRequest[];
  readonly faults: Fault[];
}

/** A receiver of webhooks that keeps what it gets. */
export async function startWebhook(): Promise<WebhookServer> {
  const requests: WebhookRequest[] = [];
  const faults: Fault[] = [];
  const server = await serve(async (request, response) => {
    const body = await textOf(request);
    const fault = faults.shift();
    if (fault === "hang") return;
    if (fault === "cut") return void request.socket.destroy();
    if (fault === undefined || fault === "lost")
      requests.push({ headers: request.headers as Record<string, string>, body });
    if (fault === "lost") return void request.socket.destroy();
    if (fault !== undefined) return void response.writeHead(fault.status, fault.headers).end(fault.body ?? "");
    response.writeHead(204).end();
  });
  return { url: `${server.url}/hook`, requests, faults, [Symbol.asyncDispose]: server.close };
}

async function serve(
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<{ url: string; close: () => Promise<void> }> {
  const server: Server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
