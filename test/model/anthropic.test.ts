import { type AddressInfo, createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAnthropic } from "../../src/adapters/anthropic.ts";
import { neverSent } from "../../src/adapters/network.ts";
import { answerJsonSchema } from "../../src/advice/answer.ts";
import { TOOLS } from "../../src/advice/tools.ts";
import { ADVISED } from "../../src/config/model-section.ts";
import { StanchError } from "../../src/errors.ts";
import type { AdvisorFault, AdvisorRequest } from "../../src/ports.ts";
import { canSign, startCompanyNetwork } from "../adapters/company-network.ts";
import { type MessagesApi, type Scripted, startMessagesApi } from "./messages-api.ts";

const KEY = "test-key-of-nobody";
let api: MessagesApi;
beforeAll(async () => {
  api = await startMessagesApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const request: AdvisorRequest = {
  model: "claude-opus-5-5",
  maxTokens: 1000,
  effort: "medium",
  system: ["Fixed.", "Of this exchange."],
  tools: TOOLS,
  turns: [{ role: "user", text: "What is wrong?" }],
  answer: answerJsonSchema(ADVISED),
};
const advisor = () => createAnthropic({ apiKey: KEY, baseUrl: api.url });

async function ask(scripted: Scripted, over: Partial<AdvisorRequest> = {}, timeoutMs = 3000) {
  api.script([scripted]);
  return advisor().ask({ ...request, ...over }, { timeoutMs });
}

async function fault(scripted: Scripted, timeoutMs?: number): Promise<AdvisorFault> {
  const said = await ask(scripted, {}, timeoutMs);
  if (!("fault" in said)) throw new Error(`it answered: ${JSON.stringify(said)}`);
  expect(JSON.stringify(said.fault)).not.toContain("What is wrong?");
  return said.fault;
}

/** A port that was open and is not any more. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("a request", () => {
  it("is what the API takes: streamed, cached, with strict tools and a form for the answer", async () => {
    await ask({ text: "{}" });
    expect(api.complaints).toEqual([]);
    const [sent] = api.requests;
    expect(sent?.system?.map((block) => block.cache_control)).toEqual([{ type: "ephemeral" }, undefined]);
    expect(sent?.messages.at(-1)?.content.at(-1)).toMatchObject({ cache_control: { type: "ephemeral" } });
    expect(sent?.tools?.map((tool) => [tool.name, tool.strict])).toEqual(TOOLS.map((tool) => [tool.name, true]));
    expect(sent?.output_config).toMatchObject({ effort: "medium", format: { type: "json_schema" } });
    // What newer models refuse: forced tools, sampling, thinking switched by hand.
    expect(api.bodies.at(-1)).not.toMatch(/tool_choice|temperature|top_p|"thinking":/);
    expect(api.headers.at(-1)).toMatchObject({ authorization: `Bearer ${KEY}`, "x-stainless-retry-count": "0" });
  });

  it("gives back what the model said as it said it, signatures of its thinking included", async () => {
    const first = await ask({ thinking: true, calls: [{ name: "events", input: {} }] });
    if (!("reply" in first)) throw new Error("no reply");
    const { reply } = first;
    expect(reply).toMatchObject({ stop: "calls", calls: [{ name: "events", input: {} }] });
    await ask(
      { text: "{}" },
      {
        turns: [
          ...request.turns,
          { role: "model", content: reply.content },
          { role: "results", results: [{ call: reply.calls[0]?.id ?? "", text: "none", failed: true }] },
        ],
      },
    );
    expect(api.complaints).toEqual([]);
    expect(api.requests[0]?.messages[1]?.content).toMatchObject([
      { type: "thinking", signature: expect.stringMatching(/^EqQB/) },
      { type: "tool_use", name: "events" },
    ]);
    expect(api.requests[0]?.messages[2]?.content).toMatchObject([{ type: "tool_result", is_error: true }]);
  });

  it("without effort says nothing of it, for models that know none", async () => {
    const { effort: _, ...plain } = request;
    api.script([{ text: "{}" }]);
    await advisor().ask(plain, { timeoutMs: 3000 });
    expect(api.requests[0]?.output_config).not.toHaveProperty("effort");
  });

  it("goes over plain http to this host only", () => {
    expect(() => createAnthropic({ apiKey: KEY, baseUrl: "http://gateway.example" })).toThrow(StanchError);
    expect(() => createAnthropic({ apiKey: KEY, baseUrl: "https://gateway.example" })).not.toThrow();
  });
});

describe("a reply", () => {
  it.each([
    ["end_turn", "end"],
    ["stop_sequence", "end"],
    ["max_tokens", "length"],
    ["model_context_window_exceeded", "length"],
    ["refusal", "refusal"],
    ["pause_turn", "pause"],
  ] as const)("that stops with %s is read as %s", async (stop, read) => {
    expect(await ask({ text: "words", stop })).toMatchObject({ reply: { stop: read, text: "words" } });
  });

  it("tells its tokens, those of the cache apart", async () => {
    expect(await ask({ text: "x", usage: { input: 7, output: 11, cacheRead: 13, cacheWrite: 17 } })).toMatchObject({
      reply: { usage: { inputTokens: 7, outputTokens: 11, cacheReadTokens: 13, cacheWriteTokens: 17 } },
    });
  });
});

describe("a fault is a value, with what it may have cost", () => {
  it.each<[string, Scripted, Partial<AdvisorFault>]>([
    [
      "429 with seconds",
      { status: 429, headers: { "retry-after": "7" } },
      { kind: "rate-limit", retryAfterMs: 7000, billed: "nothing" },
    ],
    [
      "429 with milliseconds",
      { status: 429, headers: { "retry-after-ms": "250" } },
      { kind: "rate-limit", retryAfterMs: 250 },
    ],
    ["429 without a word on when", { status: 429 }, { kind: "rate-limit", billed: "nothing" }],
    [
      "529",
      { status: 529, headers: { "retry-after": "1" } },
      { kind: "overloaded", retryAfterMs: 1000, billed: "nothing" },
    ],
    ["500", { status: 500 }, { kind: "overloaded", billed: "unknown" }],
    ["504 of a gateway", { status: 504 }, { kind: "overloaded", billed: "unknown" }],
    ["400", { status: 400 }, { kind: "refused", billed: "nothing" }],
    ["401", { status: 401 }, { kind: "refused", message: expect.stringContaining("ANTHROPIC_API_KEY") as never }],
    ["404", { status: 404 }, { kind: "refused", message: expect.stringContaining("no such model") as never }],
    ["overloaded in the stream", { fault: "error-event" }, { kind: "overloaded", billed: "unknown" }],
    [
      "overloaded before anything else in the stream",
      { fault: "error-first" },
      { kind: "overloaded", billed: "nothing" },
    ],
    ["a socket that is closed after the body", { fault: "cut-before" }, { kind: "unreachable", billed: "unknown" }],
    ["nothing in the stream", { fault: "empty" }, { billed: "unknown" }],
    ["a stream that is cut after its headers", { fault: "cut-in-headers" }, {}],
    ["a stream that is cut in a word", { text: "half of it", fault: "cut-in-text" }, { billed: "unknown" }],
    ["a stream that is cut before its end", { text: "all of it", fault: "cut-before-stop" }, { billed: "unknown" }],
    ["a stream that ends without an end", { text: "all of it", fault: "no-stop" }, { kind: "cut", billed: "unknown" }],
    ["no JSON in the stream", { fault: "garbage" }, { billed: "unknown" }],
    ["a web page", { fault: "html" }, { billed: "unknown" }],
  ])("%s", async (_, scripted, says) => expect(await fault(scripted)).toMatchObject(says));

  it.each<[string, Scripted]>([
    ["never answers", { fault: "hang" }],
    ["stops in the middle of a word", { text: "half of it", fault: "hang-in-text" }],
  ])("an API that %s is waited for no longer than it may", async (_, scripted) => {
    const began = Date.now();
    expect(await fault(scripted, 300)).toMatchObject({ kind: "timeout", billed: "unknown" });
    expect(Date.now() - began).toBeLessThan(2000);
  });

  const at = async (baseUrl: string, timeoutMs = 3000): Promise<Partial<AdvisorFault>> => {
    const said = await createAnthropic({ apiKey: KEY, baseUrl }).ask(request, { timeoutMs });
    return "fault" in said ? said.fault : {};
  };
  const free = (more: string) => ({ kind: "unreachable", billed: "nothing", message: expect.stringContaining(more) });

  it("that came before a connection cost nothing: no such name, a closed port, no TLS, a certificate of nobody", async () => {
    expect(await at("https://model.invalid")).toMatchObject(free("model.invalid"));
    expect(await at(`http://127.0.0.1:${await closedPort()}`)).toMatchObject(free("ECONNREFUSED"));
    expect(await at(api.url.replace("http:", "https:"))).toMatchObject(free("wrong version number"));
  });

  it.skipIf(!canSign)(
    "a certificate of an authority that nobody knows is looked at before anything is sent",
    async () => {
      await using network = await startCompanyNetwork({ localhost: api.url });
      const before = api.bodies.length;
      expect(await at(network.front)).toMatchObject(free("certificate"));
      expect(api.bodies.length).toBe(before);
    },
  );

  it.each([
    ["a connection that takes too long", { name: "ConnectTimeoutError", code: "UND_ERR_CONNECT_TIMEOUT" }, true],
    ["a machine that does not answer", { code: "ETIMEDOUT", syscall: "connect" }, true],
    ["an answer that does not come", { code: "ETIMEDOUT", syscall: "read" }, false],
    ["headers that do not come", { code: "UND_ERR_HEADERS_TIMEOUT" }, false],
    ["a connection that is reset", { code: "ECONNRESET", syscall: "read" }, false],
    ["a TLS alert in the middle", { code: "ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC" }, false],
  ])("%s: was it never sent?", (_, cause, never) => {
    expect(neverSent(new TypeError("fetch failed", { cause: Object.assign(new Error("x"), cause) }))).toBe(never);
    const both = new AggregateError([Object.assign(new Error("x"), cause), new Error("another")]);
    expect(neverSent(both)).toBe(false);
  });

  it("is tried once: retries are the caller's", async () => {
    await fault({ status: 529 });
    expect(api.requests).toHaveLength(1);
  });
});
