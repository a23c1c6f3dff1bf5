import Anthropic, {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
} from "@anthropic-ai/sdk";
import { transformJSONSchema } from "@anthropic-ai/sdk/lib/transform-json-schema";
import type {
  ContentBlockParam,
  Message,
  MessageCreateParamsBase,
  MessageParam,
  Tool,
} from "@anthropic-ai/sdk/resources/messages";
import { StanchError } from "../errors.ts";
import type { Json } from "../model.ts";
import type { Advisor, AdvisorFault, AdvisorReply, AdvisorRequest, AdvisorTurn } from "../ports.ts";
import { fetchFault, neverSent } from "./network.ts";

export interface AnthropicOptions {
  readonly apiKey: string;
  /** "" is Anthropic's own. Plain http only to loopback. */
  readonly baseUrl: string;
}

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);
const CACHED = { type: "ephemeral" } as const;

/** Anthropic's Messages API: streamed, with prompt caching and structured output. Throws StanchError `config` for an address that is not safe. */
export function createAnthropic({ apiKey, baseUrl }: AnthropicOptions): Advisor {
  if (baseUrl !== "") {
    const { protocol, hostname } = new URL(baseUrl);
    if (protocol !== "https:" && !LOOPBACK.has(hostname))
      throw new StanchError("config", "model.baseUrl is plain http to another host than this one", {
        hint: "use https: the key and what was redacted would be readable on the way",
      });
  }
  const client = new Anthropic({
    apiKey,
    authToken: null,
    baseURL: baseUrl === "" ? "https://api.anthropic.com" : baseUrl,
    // Retries are counted against the budget and the lease, which only the caller knows.
    maxRetries: 0,
    logLevel: "off",
    openTelemetry: false,
  });
  return {
    async ask(request, { timeoutMs }) {
      let began = false;
      let unsent: unknown;
      // The SDK makes one fault of a connection that was never there and of an answer that never came.
      const watched: typeof fetch = (input, init) =>
        fetch(input, init).catch((error: unknown) => {
          if (neverSent(error)) unsent = error;
          throw error;
        });
      try {
        const stream = client.withOptions({ fetch: watched }).messages.stream(paramsOf(request), {
          signal: AbortSignal.timeout(Math.max(1, Math.floor(timeoutMs))),
          timeout: timeoutMs,
          maxRetries: 0,
        });
        stream.on("streamEvent", () => {
          began = true;
        });
        const message = await stream.finalMessage();
        const reply = replyOf(message);
        return reply === null
          ? { fault: { kind: "cut", message: "the model's answer broke off", billed: "unknown" } }
          : { reply };
      } catch (error) {
        return { fault: unsent === undefined ? faultOf(error, began) : unreachable(unsent, "nothing") };
      }
    },
  };
}

/** A request as the SDK takes it. Exported for the embedded API's tests. */
export function paramsOf(request: AdvisorRequest): MessageCreateParamsBase {
  const { model, maxTokens, effort, system, tools, turns, answer } = request;
  return {
    model,
    max_tokens: maxTokens,
    system: system.map((text, index) => ({ type: "text", text, ...(index === 0 ? { cache_control: CACHED } : {}) })),
    messages: turns.map((turn, index) => messageOf(turn, index === turns.length - 1)),
    ...(tools.length === 0
      ? {}
      : {
          tools: tools.map(
            (tool): Tool => ({
              name: tool.name,
              description: tool.description,
              strict: true,
              input_schema: transformJSONSchema(tool.input as never) as unknown as Tool["input_schema"],
            }),
          ),
        }),
    output_config: {
      format: {
        type: "json_schema",
        schema: transformJSONSchema(answer as never) as unknown as Record<string, unknown>,
      },
      ...(effort === undefined ? {} : { effort }),
    },
  };
}

/** The last message carries a cache mark: the next request of the same exchange begins with all of it. */
function messageOf(turn: AdvisorTurn, last: boolean): MessageParam {
  const mark = last ? { cache_control: CACHED } : {};
  if (turn.role === "model") return { role: "assistant", content: turn.content as unknown as ContentBlockParam[] };
  if (turn.role === "user") return { role: "user", content: [{ type: "text", text: turn.text, ...mark }] };
  return {
    role: "user",
    content: turn.results.map(({ call, text, failed }, index) => ({
      type: "tool_result",
      tool_use_id: call,
      content: text,
      ...(failed === true ? { is_error: true } : {}),
      ...(index === turn.results.length - 1 ? mark : {}),
    })),
  };
}

const STOPS: Readonly<Record<string, AdvisorReply["stop"]>> = {
  end_turn: "end",
  stop_sequence: "end",
  tool_use: "calls",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  refusal: "refusal",
  pause_turn: "pause",
};

/** Null where the answer has no end. */
function replyOf(message: Message): AdvisorReply | null {
  const stop = message.stop_reason === null ? undefined : STOPS[message.stop_reason];
  if (stop === undefined) return null;
  const { usage } = message;
  return {
    stop,
    text: message.content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join(""),
    calls: message.content.flatMap((block) =>
      block.type === "tool_use" ? [{ id: block.id, name: block.name, input: block.input }] : [],
    ),
    content: JSON.parse(JSON.stringify(message.content)) as Json[],
    usage: {
      inputTokens: usage.input_tokens,
      outputTokens: usage.output_tokens,
      cacheReadTokens: usage.cache_read_input_tokens ?? 0,
      cacheWriteTokens: usage.cache_creation_input_tokens ?? 0,
    },
  };
}

const unreachable = (error: unknown, billed: AdvisorFault["billed"]): AdvisorFault => ({
  kind: "unreachable",
  message: `the model's API cannot be reached: ${fetchFault(error)}`.slice(0, 300),
  billed,
});

/** Refused before anything was worked on. A fault of the API's own, or of a gateway before it, may come after the work. */
function isRefusal(status: number | undefined, type: string | null): boolean {
  if (type === "rate_limit_error" || type === "overloaded_error" || status === 529) return true;
  return status !== undefined && status >= 400 && status < 500;
}

/**
 * What the SDK throws once there may have been a connection, in our words. Nothing was billed only where that is sure. Nothing of the API's own
 * text is repeated: it may quote what was sent.
 */
function faultOf(error: unknown, began: boolean): AdvisorFault {
  if (error instanceof APIConnectionTimeoutError || error instanceof APIUserAbortError)
    return { kind: "timeout", message: "the model did not answer in time (model.timeout)", billed: "unknown" };
  if (error instanceof APIConnectionError)
    return began
      ? { kind: "cut", message: "the connection to the model broke off", billed: "unknown" }
      : unreachable(error, "unknown");
  if (!(error instanceof APIError))
    return { kind: began ? "cut" : "unreadable", message: "the model's answer cannot be read", billed: "unknown" };
  const { status, type } = error as { status: number | undefined; type: string | null };
  const billed = !began && isRefusal(status, type) ? "nothing" : "unknown";
  const wait = retryAfter(error.headers as Headers | undefined);
  const retry = wait === undefined ? {} : { retryAfterMs: wait };
  if (status === 429 || type === "rate_limit_error")
    return { kind: "rate-limit", message: "the model's API limits requests at the moment (429)", billed, ...retry };
  if (status === 529 || type === "overloaded_error")
    return { kind: "overloaded", message: "the model's API is overloaded (529)", billed, ...retry };
  if (status !== undefined && status >= 500)
    return { kind: "overloaded", message: `the model's API has a fault (${status})`, billed, ...retry };
  return {
    kind: "refused",
    message: `the model's API does not take the request (${status ?? "in the stream"}${HINTS[status ?? 0] ?? ""})`,
    billed,
  };
}

const HINTS: Readonly<Record<number, string>> = {
  400: ": the model may not take a setting, such as model.effort",
  401: ": ANTHROPIC_API_KEY is not accepted",
  402: ": there is no credit",
  403: ": the key may not use this model",
  404: ": there is no such model",
  413: ": it is too large",
};

/** Milliseconds of `retry-after-ms` or `retry-after` (seconds, or a date). */
function retryAfter(headers: Headers | undefined): number | undefined {
  const ms = Number.parseFloat(headers?.get("retry-after-ms") ?? "");
  if (Number.isFinite(ms)) return Math.max(0, ms);
  const text = headers?.get("retry-after") ?? "";
  const seconds = Number.parseFloat(text);
  if (Number.isFinite(seconds) && /^[\d.]+$/.test(text.trim())) return Math.max(0, seconds * 1000);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
