import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { StanchError } from "../../src/errors.ts";
import type { Incident } from "../../src/incident/incident.ts";
import { bench, type ModelWorld } from "./bench.ts";
import { answering, type MessagesApi, type Script, type Scripted, startMessagesApi } from "./messages-api.ts";
import { SCRIPTS } from "./scripts.ts";
import { twoPorts, twoTags } from "./worlds.ts";

let api: MessagesApi;
beforeAll(async () => {
  api = await startMessagesApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const GOOD = SCRIPTS["two-ports"]?.script ?? [];
const CITED = [{ id: "e1", quote: "listening for requests" }];
const choice = { remedy: "correct-probe", container: "app", probes: [{ probe: "livenessProbe", port: 8080 }] };

async function asked(script: Script, over: Partial<ModelWorld> = {}) {
  api.script(script);
  const made = bench({ ...twoPorts(), ...over }, api.url);
  const found = await made.ask();
  return { ...made, found, said: found.rejected.find((row) => row.remedy === "model")?.reason ?? "" };
}

/** Rules' report, whole, and one sentence on why no model's word is in it. */
function isRules({ found }: Awaited<ReturnType<typeof asked>>): void {
  expect(found.by).toBe("rule");
  expect(found.choices).toEqual([]);
  expect(found.rejected.map((row) => row.remedy)).toEqual([
    "rollback",
    "restore-from-git",
    "correct-probe",
    "correct-probe-path",
    "revert-commit",
    "model",
  ]);
}

describe("whatever happens on the way, the rules' report is the answer", () => {
  it.each<[string, Scripted, RegExp]>([
    ["a refusal", { text: "I cannot help with that.", stop: "refusal" }, /the model refused to answer/],
    ["an answer that is cut off", { text: '{"cause":', stop: "max_tokens" }, /cut off at model.maxTokens/],
    ["words in the place of an answer", { text: "It looks like the port is wrong." }, /is no JSON/],
    ["an empty answer", { text: " " }, /is no JSON/],
    ["JSON of another form", { text: '{"remedy":"rollback"}' }, /another form/],
    ["JSON's null", { text: "null" }, /another form/],
    ["a huge answer", { text: `{"cause":"${"x".repeat(30_000)}"}` }, /too long/],
    ["a fault of the API", { status: 500 }, /has a fault \(500\)/],
    ["an overload that does not pass", { status: 529, headers: { "retry-after": "1" } }, /overloaded \(529\)/],
    ["a rate limit that does not pass", { status: 429, headers: { "retry-after": "2" } }, /limits requests/],
    ["a rate limit for an hour", { status: 429, headers: { "retry-after": "3600" } }, /limits requests/],
    ["a key that is not taken", { status: 401 }, /ANTHROPIC_API_KEY is not accepted/],
    ["a request that is not taken", { status: 400 }, /does not take the request/],
    ["a fault of a gateway", { status: 504 }, /has a fault \(504\)/],
    ["a connection that is cut at once", { fault: "cut-before" }, /cannot be reached/],
    ["a connection that is cut after the headers", { fault: "cut-in-headers" }, /./],
    ["a connection that is cut in a word", { text: "half", fault: "cut-in-text" }, /./],
    ["a connection that is cut before the end", { text: "{}", fault: "cut-before-stop" }, /./],
    ["a stream without an end", { text: "{}", fault: "no-stop" }, /broke off|cannot be read/],
    ["a fault in the stream", { fault: "error-event" }, /overloaded/],
    ["garbage", { fault: "garbage" }, /cannot be read/],
    ["a web page", { fault: "html" }, /cannot be read/],
    ["a look that never ends", { calls: [{ name: "events", input: {} }] }, /no answer within 8 requests/],
    ["a pause that never ends", { text: "…", stop: "pause_turn" }, /no answer within 8 requests/],
    [
      "a choice that it may not make",
      answering({ remedy: "raise-memory-limit", container: "app", memory: "1Gi" }, CITED),
      /may not choose/,
    ],
    ["an unknown remedy", answering({ remedy: "reboot" }, CITED), /may not choose/],
    [
      "a choice that the plan refuses",
      answering({ ...choice, probes: [{ probe: "livenessProbe", port: 22 }] }, CITED),
      /does not pass: port 22 is not declared/,
    ],
    ["no citations", answering(choice, []), /cites nothing/],
    ["a citation of what was not shown", answering(choice, [...CITED, { id: "t7", quote: "listening" }]), /not shown/],
    [
      "an invented quote",
      answering(choice, [{ id: "e1", quote: "port 8080 is certainly right" }]),
      /nothing that it quotes was shown/,
    ],
    ["a quote of a single letter", answering(choice, [{ id: "e1", quote: "l" }]), /nothing that it quotes was shown/],
    [
      "a change that was not shown",
      answering({ remedy: "restore-from-git", changes: ["c1"] }, CITED),
      /a change that was not shown/,
    ],
  ])("%s", async (_, scripted, says) => {
    const result = await asked([scripted]);
    isRules(result);
    expect(result.said).toMatch(says);
    expect(api.complaints).toEqual([]);
  });

  it.each(["hang", "hang-in-text"] as const)(
    "an API that does not go on (%s) is waited for no longer than it may",
    async (fault) => {
      const began = Date.now();
      const result = await asked([{ text: "half", fault }], { model: { timeout: "1s" } });
      isRules(result);
      expect(result.said).toMatch(/did not answer in time/);
      expect(Date.now() - began).toBeLessThan(4000);
    },
  );

  it("the time of all requests together is bounded", async () => {
    const result = await asked([{ status: 529, headers: { "retry-after": "15" } }], { model: { patience: "20s" } });
    isRules(result);
    expect(result.clock.ahead).toBeLessThanOrEqual(20_000);
  });

  it("what cannot be looked at is told to the model, and it goes on", async () => {
    api.script(GOOD);
    const made = bench(twoPorts(), api.url);
    Object.assign(made.run.cluster, {
      async logs() {
        throw new StanchError("forbidden", "no right to read logs");
      },
    });
    const found = await made.ask();
    expect(api.requests[1]?.messages[2]?.content[0]).toMatchObject({
      content: expect.stringContaining("It cannot be read: no right to read logs"),
    });
    // Its citation was of what could not be read.
    expect(found.by).toBe("rule");
  });

  it("a lost lease is thrown: somebody else writes now", async () => {
    api.script(GOOD);
    const made = bench(twoPorts(), api.url);
    Object.assign(made.run, {
      async renew() {
        throw new StanchError("lease", "another run is at work");
      },
    });
    await expect(made.ask()).rejects.toMatchObject({ code: "lease" });
    expect(api.requests).toHaveLength(0);
  });
});

describe("a little patience", () => {
  it("a rate limit that passes is waited for as long as the API asks", async () => {
    const result = await asked((_, count) =>
      count === 1 ? { status: 429, headers: { "retry-after": "7" } } : (GOOD[count - 2] ?? {}),
    );
    expect(result.found.by).toBe("model");
    expect(result.clock.ahead).toBe(7000);
  });

  it("so is an overload, twice", async () => {
    const result = await asked((_, count) => (count <= 2 ? { status: 529 } : (GOOD[count - 3] ?? {})));
    expect(result.found.by).toBe("model");
    expect(result.clock.ahead).toBe(3000);
  });

  it("a pause goes on where it was", async () => {
    const result = await asked((_, count) =>
      count === 1 ? { text: "wait", stop: "pause_turn" } : (GOOD[count - 2] ?? {}),
    );
    expect(result.found.by).toBe("model");
    expect(api.complaints).toEqual([]);
  });

  it("looks beyond model.calls are refused, and an answer is asked for", async () => {
    const calls = Array.from({ length: 4 }, () => ({ name: "events", input: {} }));
    await asked([{ calls }, GOOD[1] ?? {}], { model: { calls: 2 } });
    const results = api.requests[1]?.messages[2]?.content ?? [];
    expect(results.map((block) => block.type === "tool_result" && block.is_error === true)).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });
});

describe("money", () => {
  const price = { "test-model": { input: 1, output: 10, cacheWrite: 1, cacheRead: 0.1 } };
  const cheap = { diagnosis: "test-model", prices: price, effort: "" };

  it.each([
    ["incidentDollars", 0.01],
    ["runDollars", 0.01],
    ["dayDollars", 0.01],
    ["incidentTokens", 5000],
    ["runTokens", 5000],
    ["dayTokens", 5000],
  ])("nothing is sent where the most that it can cost does not fit into %s", async (name, value) => {
    const result = await asked(GOOD, { model: { budget: { [name]: value } } });
    isRules(result);
    expect(result.said).toContain(`(model.budget.${name})`);
    expect(api.requests).toHaveLength(0);
  });

  it("a budget that ends in the middle ends the exchange", async () => {
    const usage = { input: 50_000, output: 1000 };
    const result = await asked([{ ...GOOD[0], usage }, GOOD[1] ?? {}], {
      model: { ...cheap, budget: { incidentDollars: 0.15 } },
    });
    isRules(result);
    expect(result.said).toMatch(/budget of the incident would be passed/);
    expect(api.requests).toHaveLength(1);
    expect(result.incident()?.status?.advice).toMatchObject({
      requests: 1,
      dollars: expect.closeTo(0.06 + usageOf(0), 6),
    });
  });

  /** What the first request put into the cache, in dollars of the test model. */
  function usageOf(index: number): number {
    return Math.round(Math.ceil(JSON.stringify(api.requests[index]).length / 3.5)) / 1e6;
  }

  it("is reserved before a request and settled after it, in the Run object, the incident and the run", async () => {
    const during: unknown[] = [];
    api.script((_, count) => {
      during.push(structuredClone([...made.objects.values()].find((object) => object.kind === "Run")?.["model"]));
      return GOOD[count - 1] ?? {};
    });
    const made = bench({ ...twoPorts(), model: cheap }, api.url);
    await made.ask();
    const run = [...made.objects.values()].find((object) => object.kind === "Run")?.["model"] as { dollars: number };
    const [first] = during as { dollars: number }[];
    // 8000 tokens of answer at $10 a million, and every byte as a token.
    expect(first?.dollars).toBeGreaterThan(0.08);
    expect(run.dollars).toBeLessThan(first?.dollars ?? 0);
    const advice = made.incident()?.status?.advice;
    expect(run).toMatchObject({
      day: "2026-01-01",
      requests: 2,
      dollars: advice?.dollars,
      inputTokens: advice?.inputTokens,
    });
    expect(made.run.tally.model).toMatchObject({
      requests: 2,
      dollars: advice?.dollars,
      cacheReadTokens: advice?.cacheReadTokens,
    });
    expect(advice?.cacheReadTokens).toBeGreaterThan(0);
  });

  it("what may have been billed counts in full", async () => {
    const result = await asked([{ text: "half", fault: "cut-in-text" }], { model: cheap });
    expect(result.run.tally.model?.dollars).toBeGreaterThan(0.08);
    // Not even asked for again in the same run: each time would stand as spent.
    for (const scripted of [{ fault: "cut-before" }, { status: 504 }, { status: 500 }] as const) {
      const result = await asked([scripted], { model: cheap });
      isRules(result);
      expect(api.requests).toHaveLength(1);
      expect(result.run.tally.model).toMatchObject({ requests: 1 });
      for (const spent of [result.run.tally.model, result.incident()?.status?.advice])
        expect(spent?.dollars).toBeGreaterThan(0.08);
    }
    const refused = await asked([{ status: 400 }], { model: cheap });
    expect(refused.run.tally.model).toMatchObject({ requests: 1, dollars: 0 });
  });

  it("of another day does not count, of another run on the same day does", async () => {
    const spent = {
      day: "2026-01-01",
      requests: 9,
      inputTokens: 1,
      outputTokens: 1,
      cacheReadTokens: 0,
      dollars: 9.99,
    };
    for (const [day, by] of [
      ["2026-01-01", "rule"],
      ["2025-12-31", "model"],
    ] as const) {
      api.script(GOOD);
      const made = bench(twoPorts(), api.url);
      await made.run.cluster.create({
        apiVersion: "stanch.dev/v1alpha1",
        kind: "Run",
        metadata: { name: "stanch", namespace: "stanch-system" },
        model: { ...spent, day },
      });
      expect((await made.ask()).by).toBe(by);
    }
  });

  it("that cannot be stored is not spent", async () => {
    api.script(GOOD);
    const made = bench(twoPorts(), api.url);
    const { create } = made.run.cluster;
    Object.assign(made.run.cluster, {
      async create(object: { kind: string }) {
        if (object.kind === "Run") throw new StanchError("not-found", "no runs.stanch.dev");
        return create(object as never);
      },
    });
    const found = await made.ask();
    expect(found.rejected.at(-1)?.reason).toMatch(
      /cannot be stored \(no runs.stanch.dev\), and without that no budget holds/,
    );
    expect(api.requests).toHaveLength(0);
  });

  it("of a model that nobody knows is not spent", async () => {
    const result = await asked(GOOD, { model: { diagnosis: "claude-next" } });
    isRules(result);
    expect(result.said).toMatch(/what claude-next costs is not known; set model.prices/);
    expect(api.requests).toHaveLength(0);
  });

  it("no more incidents are asked about in one run than model.perRun", async () => {
    const result = await asked(GOOD, { model: { perRun: 0 } });
    isRules(result);
    expect(result.said).toMatch(/waits for the next run/);
    expect(api.requests).toHaveLength(0);
  });
});

describe("the same is never asked twice", () => {
  it("unless its evidence changed; numbers, times and names of pods are no change", async () => {
    api.script(GOOD);
    const made = bench(twoPorts(), api.url);
    expect((await made.ask()).by).toBe("model");
    expect(api.requests).toHaveLength(2);
    const again = await made.ask(made.incident());
    expect(again.by).toBe("model");
    expect(again.choices.map((one) => one.remedy)).toEqual(["correct-probe"]);
    expect(api.requests).toHaveLength(2);

    api.script(GOOD);
    const before = made.incident();
    const { text } = twoPorts().finding?.evidence?.[0] ?? { text: "" };
    const same = bench(
      {
        ...twoPorts(),
        finding: {
          evidence: [{ id: "e1", kind: "log", text: text.replace("8080", "8081") }],
          summary: "The livenessProbe fails: connection refused.",
        },
      },
      api.url,
    );
    for (const [key, object] of made.objects) same.objects.set(key, object);
    await same.ask(before);
    expect(api.requests).toHaveLength(0);

    const other = bench(
      { ...twoPorts(), finding: { evidence: [{ id: "e1", kind: "log", text: `${text}\nfatal: no route` }] } },
      api.url,
    );
    for (const [key, object] of made.objects) other.objects.set(key, object);
    await other.ask(before);
    expect(api.requests.length).toBeGreaterThan(0);
    expect(other.incident()?.status?.advice?.dollars).toBeGreaterThan(before?.status?.advice?.dollars ?? 0);
  });

  it("a no is kept, too", async () => {
    const result = await asked([{ text: "nonsense" }]);
    expect(result.incident()?.status?.advice).toMatchObject({ outcome: "rejected", requests: 1 });
    await result.ask(result.incident());
    expect(api.requests).toHaveLength(1);
  });

  it("what has not answered is asked again", async () => {
    const result = await asked([{ status: 401 }]);
    api.script(GOOD);
    expect((await result.ask(result.incident())).by).toBe("model");
  });

  it("a kept choice is planned anew: what is not right any more is not done", async () => {
    api.script(GOOD);
    const made = bench(twoPorts(), api.url);
    await made.ask();
    Object.assign(made.context, { live: () => null });
    const found = await made.ask(made.incident());
    expect(found.choices).toEqual([]);
    // What is live is part of the evidence: it is asked anew, and nothing passes.
    expect(found.by).toBe("rule");
  });
});

describe("a model is not asked", () => {
  it.each<[string, Partial<ModelWorld>, (made: ReturnType<typeof bench>) => void]>([
    ["where none is configured", {}, ({ run }) => Object.assign(run, { model: undefined })],
    ["in a rehearsal", {}, ({ run }) => Object.assign(run, { dryRun: true })],
    ["where nothing may be written", { settings: { mode: "observe" } }, () => undefined],
    ["in a storm", {}, ({ run }) => Object.assign(run.tally, { ripe: 11 })],
    ["where it may choose nothing", { model: { remedies: [] } }, () => undefined],
    ["where what it may choose is not enabled", { settings: { remedies: { enabled: ["evict"] } } }, () => undefined],
  ])("%s", async (_, over, change) => {
    api.script(GOOD);
    const made = bench({ ...twoPorts(), ...over }, api.url);
    change(made);
    const found = await made.ask();
    expect(found.by).toBe("rule");
    expect(found.rejected.map((row) => row.remedy)).not.toContain("model");
    expect(api.requests).toHaveLength(0);
  });

  it("while a remedy that rules have proved is left to try; once it was tried, it is asked, and not offered that one", async () => {
    const world = { ...twoTags(), registry: { "ghcr.io/acme/cart": ["1.4.2-alpine"] } };
    api.script([answering({ remedy: "none", needs: "A person must look." }, [])]);
    const made = bench(world, api.url);
    expect((await made.ask()).choices[0]?.by).toBeUndefined();
    expect(api.requests).toHaveLength(0);
    const tried = [{ remedy: "correct-image", title: "", result: "unchanged: no", at: "" }];
    const found = await made.ask({ status: { phase: "RolledBack", tried } } as unknown as Incident);
    expect(api.requests).toHaveLength(1);
    expect(api.bodies.at(-1)).not.toContain('"const":"correct-image"');
    expect(found.rejected.at(-1)).toMatchObject({ remedy: "model" });
  });
});
