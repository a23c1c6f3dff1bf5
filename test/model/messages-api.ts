import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { MessageCreateParamsStreaming, StopReason } from "@anthropic-ai/sdk/resources/messages";
import { z } from "zod";

/**
 * An embedded Messages API over real HTTP. It checks every request against the shape that the SDK's types have, keeps every byte that it was
 * sent, and answers from a script. No model is behind it: what it says was written by the tests.
 */

const Cache = z.strictObject({ type: z.literal("ephemeral"), ttl: z.enum(["5m", "1h"]).optional() });
const Text = z.strictObject({ type: z.literal("text"), text: z.string().min(1), cache_control: Cache.optional() });
const Thinking = z.strictObject({ type: z.literal("thinking"), thinking: z.string(), signature: z.string() });
const ToolUse = z.strictObject({
  type: z.literal("tool_use"),
  id: z.string(),
  name: z.string(),
  input: z.unknown(),
  caller: z.unknown().optional(),
});
const ToolResult = z.strictObject({
  type: z.literal("tool_result"),
  tool_use_id: z.string(),
  content: z.string(),
  is_error: z.boolean().optional(),
  cache_control: Cache.optional(),
});
const Schema = z.looseObject({ type: z.literal("object"), additionalProperties: z.literal(false) });

/** What of `MessageCreateParams` Stanch sends; the API refuses fields that it does not know, and so does this. */
export const Request = z.strictObject({
  model: z.string().min(1),
  max_tokens: z.number().int().min(1),
  stream: z.literal(true),
  system: z.array(Text).optional(),
  messages: z
    .array(
      z.union([
        z.strictObject({ role: z.literal("user"), content: z.array(z.union([Text, ToolResult])).min(1) }),
        z.strictObject({ role: z.literal("assistant"), content: z.array(z.union([Text, Thinking, ToolUse])).min(1) }),
      ]),
    )
    .min(1),
  tools: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/),
        description: z.string(),
        strict: z.boolean().optional(),
        input_schema: Schema,
      }),
    )
    .optional(),
  output_config: z
    .strictObject({
      effort: z.enum(["low", "medium", "high", "xhigh", "max"]).optional(),
      format: z.strictObject({ type: z.literal("json_schema"), schema: Schema }),
    })
    .optional(),
});
type Sent = z.output<typeof Request>;

// Compile-time: what passes the check above is what the SDK's types allow.
const check = (sent: Sent) =>
  sent as Sent satisfies Pick<MessageCreateParamsStreaming, "model" | "max_tokens" | "stream">;
const typed = (sent: Sent): MessageCreateParamsStreaming => ({
  ...check(sent),
  system: sent.system?.map((block) => ({ type: block.type, text: block.text })) ?? [],
  messages: sent.messages as MessageCreateParamsStreaming["messages"],
  tools: (sent.tools ?? []) as unknown as NonNullable<MessageCreateParamsStreaming["tools"]>,
  output_config: (sent.output_config ?? {}) as NonNullable<MessageCreateParamsStreaming["output_config"]>,
});

export interface Scripted {
  readonly text?: string;
  readonly calls?: readonly { readonly name: string; readonly input: unknown }[];
  readonly stop?: StopReason;
  readonly thinking?: boolean;
  readonly usage?: {
    readonly input?: number;
    readonly output?: number;
    readonly cacheRead?: number;
    readonly cacheWrite?: number;
  };
  /** An error in the place of an answer. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** What goes wrong on the way. */
  readonly fault?:
    | "cut-before"
    | "cut-in-headers"
    | "cut-in-text"
    | "cut-before-stop"
    | "no-stop"
    | "garbage"
    | "html"
    | "error-event"
    | "error-first"
    | "hang"
    | "hang-in-text"
    | "empty";
}

/** The next answer to a request; the last of a list is given again and again. */
export type Script = readonly Scripted[] | ((sent: Sent, count: number) => Scripted);

export interface MessagesApi extends AsyncDisposable {
  readonly url: string;
  /** Bodies of all requests, as they came. */
  readonly bodies: readonly string[];
  readonly requests: readonly Sent[];
  /** Headers of all requests. */
  readonly headers: readonly Readonly<Record<string, unknown>>[];
  /** What was wrong with requests. */
  readonly complaints: readonly string[];
  script(next: Script): void;
}

export async function startMessagesApi(first: Script = [{ text: "{}" }]): Promise<MessagesApi> {
  let script = first;
  const bodies: string[] = [];
  const requests: Sent[] = [];
  const headers: Record<string, unknown>[] = [];
  const complaints: string[] = [];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    request.setEncoding("utf8");
    for await (const chunk of request) body += chunk as string;
    bodies.push(body);
    headers.push({ ...request.headers });
    const problem = complaintOf(request, body);
    if (problem !== null) {
      complaints.push(problem);
      return error(response, 400, "invalid_request_error", problem);
    }
    const sent = Request.parse(JSON.parse(body));
    typed(sent);
    requests.push(sent);
    const scripted =
      typeof script === "function"
        ? script(sent, requests.length)
        : (script[requests.length - 1] ?? script.at(-1) ?? {});
    await send(scripted, sent, request, response);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((fault: unknown) => {
      complaints.push(String(fault));
      response.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    bodies,
    requests,
    headers,
    complaints,
    script(next) {
      script = next;
      requests.length = 0;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function complaintOf(request: IncomingMessage, body: string): string | null {
  if (request.method !== "POST" || request.url !== "/v1/messages")
    return `${request.method} ${request.url} is not served`;
  // Since 1.x the SDK sends the key as a bearer token.
  if (!/^Bearer \S+$/.test(request.headers.authorization ?? "")) return "no authorization";
  if (request.headers["anthropic-version"] !== "2026-10-21") return "another anthropic-version";
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return "the body is no JSON";
  }
  const parsed = Request.safeParse(json);
  if (!parsed.success)
    return parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
  const { messages, system = [] } = parsed.data;
  if (messages[0]?.role !== "user") return "the first message must be the user's";
  for (const [index, message] of messages.entries()) {
    const next = messages[index + 1];
    const uses = message.content.flatMap((block) => (block.type === "tool_use" ? [block.id] : []));
    const results =
      next === undefined
        ? []
        : next.content.flatMap((block) => (block.type === "tool_result" ? [block.tool_use_id] : []));
    if (uses.length > 0 && uses.join() !== results.join())
      return "every tool_use needs its tool_result in the next message";
  }
  const marks = JSON.stringify([system, messages]).match(/"cache_control"/g)?.length ?? 0;
  return marks > 4 ? "more than four cache marks" : null;
}

function error(response: ServerResponse, status: number, type: string, message: string, extra: object = {}): void {
  response.writeHead(status, { "content-type": "application/json", "request-id": "req_test", ...extra });
  response.end(JSON.stringify({ type: "error", error: { type, message } }));
}

const TYPES: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  500: "api_error",
  529: "overloaded_error",
};

async function send(scripted: Scripted, sent: Sent, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { fault, status } = scripted;
  if (status !== undefined)
    return error(
      response,
      status,
      TYPES[status] ?? "api_error",
      `scripted ${status}; you sent ${JSON.stringify(sent.messages).slice(0, 200)}`,
      scripted.headers,
    );
  if (fault === "cut-before") return void request.socket.destroy();
  if (fault === "hang") return;
  if (fault === "html") {
    response.writeHead(200, { "content-type": "text/html" });
    return void response.end("<html>a captive portal</html>");
  }
  response.writeHead(200, { "content-type": "text/event-stream", "request-id": "req_test" });
  if (fault === "cut-in-headers") {
    response.flushHeaders();
    return void setTimeout(() => request.socket.destroy(), 5);
  }
  if (fault === "empty") return void response.end();
  if (fault === "garbage") return void response.end("event: message_start\ndata: {not json\n\n");
  const write = (event: { type: string; [field: string]: unknown }): void =>
    void response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  const { usage = {}, text, calls = [], thinking = false } = scripted;
  const tokens = {
    input_tokens: usage.input ?? 10,
    output_tokens: 1,
    cache_read_input_tokens: usage.cacheRead ?? estimate(withoutLast(sent)),
    cache_creation_input_tokens: usage.cacheWrite ?? estimate(JSON.stringify(sent)) - estimate(withoutLast(sent)),
  };
  if (fault === "error-first") {
    write({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } });
    return void response.end();
  }
  write({
    type: "message_start",
    message: {
      id: "msg_test",
      type: "message",
      role: "assistant",
      model: sent.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      stop_details: null,
      usage: tokens,
    },
  });
  if (fault === "error-event") {
    write({ type: "error", error: { type: "overloaded_error", message: "Overloaded" } });
    return void response.end();
  }
  let index = 0;
  const block = (start: object, deltas: readonly object[]): void => {
    write({ type: "content_block_start", index, content_block: start });
    for (const delta of deltas) write({ type: "content_block_delta", index, delta });
    write({ type: "content_block_stop", index });
    index += 1;
  };
  if (thinking)
    block({ type: "thinking", thinking: "", signature: "" }, [
      { type: "thinking_delta", thinking: "" },
      { type: "signature_delta", signature: "EqQBCgIYAhIkZDk0YjU1ZmEtM2Y4ZC00MmI5LWExZjQtaWQ3OGE2NzU0MzIx" },
    ]);
  if (text !== undefined) {
    const half = Math.ceil(text.length / 2);
    if (fault === "cut-in-text" || fault === "hang-in-text") {
      write({ type: "content_block_start", index, content_block: { type: "text", text: "" } });
      write({ type: "content_block_delta", index, delta: { type: "text_delta", text: text.slice(0, half) } });
      if (fault === "cut-in-text") setTimeout(() => request.socket.destroy(), 5);
      return;
    }
    block({ type: "text", text: "" }, [
      { type: "text_delta", text: text.slice(0, half) },
      { type: "text_delta", text: text.slice(half) },
    ]);
  }
  for (const [number, call] of calls.entries()) {
    const json = JSON.stringify(call.input);
    block({ type: "tool_use", id: `toolu_${sent.messages.length}_${number}`, name: call.name, input: {} }, [
      { type: "input_json_delta", partial_json: json.slice(0, 3) },
      { type: "input_json_delta", partial_json: json.slice(3) },
    ]);
  }
  if (fault === "cut-before-stop") return void setTimeout(() => request.socket.destroy(), 5);
  if (fault === "no-stop") return void response.end();
  write({
    type: "message_delta",
    delta: {
      stop_reason: scripted.stop ?? (calls.length > 0 ? "tool_use" : "end_turn"),
      stop_sequence: null,
      stop_details: null,
    },
    usage: { output_tokens: usage.output ?? estimate((text ?? "") + JSON.stringify(calls)) + 400 },
  });
  write({ type: "message_stop" });
  response.end();
}

/** Tokens by their characters, as a rule of thumb. */
export function estimate(text: string): number {
  return Math.ceil(text.length / 3.5);
}

/** What an earlier request of the same exchange has put into the cache; nothing for the first. */
function withoutLast(sent: Sent): string {
  return sent.messages.length === 1 ? "" : JSON.stringify({ ...sent, messages: sent.messages.slice(0, -2) });
}

/** An answer as JSON. */
export function answering(
  choice: object,
  citations: readonly { readonly id: string; readonly quote: string }[] = [],
  cause = "It fails.",
): Scripted {
  return { text: JSON.stringify({ cause, choice, citations }) };
}
