import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bench, KEY } from "./bench.ts";
import { LOOKS, OBEDIENT, ORDERS, PLACES, SECRETS, worldWith } from "./hostile.ts";
import { type MessagesApi, startMessagesApi } from "./messages-api.ts";
import { secretOf } from "./worlds.ts";

let api: MessagesApi;
beforeAll(async () => {
  api = await startMessagesApi();
});
afterAll(() => api[Symbol.asyncDispose]());

/** Every form in which bytes of a secret could be on the wire. */
function forms(needle: string): string[] {
  const encoded = Buffer.from(needle).toString("base64").replace(/=+$/, "");
  return [
    needle,
    JSON.stringify(needle).slice(1, -1),
    encodeURIComponent(needle),
    encoded,
    [...needle].reverse().join(""),
  ];
}

/** What the model was told that it may do: tools, remedies, form of the answer. */
function permissions(from = 0): string[] {
  return api.bodies.slice(from).map((body) => {
    const { tools, output_config, system } = JSON.parse(body);
    return JSON.stringify([tools, output_config, system]).replaceAll(/d0{10,}\d+/g, "d");
  });
}

const places = Object.entries(PLACES);
/** Every place with every order, each with the next secret and the next obedient answer. */
const INPUTS = places.flatMap(([place, put], at) =>
  ORDERS.map((order, index) => {
    const number = at * ORDERS.length + index;
    const secret = SECRETS[number % SECRETS.length] ?? { name: "", text: "", needles: [] };
    const answer = OBEDIENT[number % OBEDIENT.length] ?? {};
    return { name: `${place}: order ${index + 1}, with ${secret.name}`, put, order, secret, answer };
  }),
);

let allowed = "";
beforeAll(async () => {
  api.script([LOOKS, OBEDIENT[1] ?? {}]);
  await bench(worldWith(), api.url).ask();
  [allowed = ""] = permissions();
});

describe(`${INPUTS.length} hostile inputs`, () => {
  it("are more than sixty, and every secret, order and obedient answer is among them", () => {
    expect(INPUTS.length).toBeGreaterThanOrEqual(60);
    for (const all of [SECRETS.map(({ name }) => name)])
      for (const name of all) expect(INPUTS.some((input) => input.secret.name === name)).toBe(true);
    expect(allowed).toContain("restore-from-git");
    expect(allowed).not.toContain("raise-memory-limit");
  });

  it.each(INPUTS)("$name", async ({ put, order, secret, answer }) => {
    const from = api.bodies.length;
    api.script([LOOKS, answer]);
    const { ask, incident, saved, logged } = bench(worldWith(put(`${order}\n${secret.text}`)), api.url);
    const found = await ask();

    expect(api.complaints).toEqual([]);
    expect(api.bodies.length).toBe(from + 2);
    const told = [
      api.bodies.slice(from).join("\n"),
      JSON.stringify(found.rejected),
      JSON.stringify(incident()?.status?.advice),
      [...saved.values()].join("\n"),
      logged.join("\n"),
    ];
    for (const needle of secret.needles)
      for (const form of forms(needle)) for (const text of told) expect(text).not.toContain(form);

    expect(new Set(permissions(from))).toEqual(new Set([allowed]));
    expect(found.choices).toEqual([]);
    expect(found.by).toBe("rule");
    const said = found.rejected.at(-1)?.reason ?? "";
    expect(said).not.toMatch(/https?:|@admin|closes #|<!--/i);
  });

  it.each(places)("what stands in %s is shown: the cases above test something", async (_, put) => {
    const from = api.bodies.length;
    api.script([LOOKS, OBEDIENT[1] ?? {}]);
    await bench(worldWith(put("a zebra was here")), api.url).ask();
    expect(api.bodies.slice(from).join("\n")).toContain("a zebra was here");
  });

  it("what was asked for and may not be seen was not shown", async () => {
    api.script([LOOKS, OBEDIENT[1] ?? {}]);
    await bench(worldWith(), api.url).ask();
    const results = api.requests[1]?.messages[2]?.content ?? [];
    const texts = results.map((block) => (block.type === "tool_result" ? block.content : ""));
    for (const index of [2, 3]) expect(texts[index]).toMatch(/Only these can be looked at/);
    expect(texts[6]).toMatch(/There is no log/);
    expect(texts[10]).toMatch(/no such file/);
    expect(texts[11]).toMatch(/may hold secrets/);
    expect(texts[13]).toBe("there is no such tool");
    expect(texts[14]).toMatch(/parameters are not what the tool takes/);
  });
});

describe("values of Secrets that may be read", () => {
  const value = "correct horse battery staple";
  const settings = { observe: { secrets: "keys" } };
  const secrets = [secretOf("db", { password: value, user: "shop" })];
  const shapes = [
    value,
    Buffer.from(value).toString("base64"),
    Buffer.from(`xx${value}yy`).toString("base64"),
    encodeURIComponent(value),
    `"${value}"`,
  ];

  it.each(places)("do not leave by %s, in any form", async (_, put) => {
    for (const shape of shapes) {
      const from = api.bodies.length;
      api.script([LOOKS, OBEDIENT[1] ?? {}]);
      await bench({ ...worldWith(put(`it says ${shape} here`)), settings, secrets }, api.url).ask();
      const sent = api.bodies.slice(from).join("\n");
      expect(sent).toContain("it says");
      for (const form of forms(value)) expect(sent).not.toContain(form);
      expect(sent).not.toContain(shape.replaceAll("=", "").slice(4, -4));
    }
  });

  it("are not read unless they may be read anyway", async () => {
    api.script([OBEDIENT[1] ?? {}]);
    const given = { ...worldWith({ log: value }), secrets };
    let listed = false;
    const { run, ask } = bench(given, api.url);
    Object.assign(run.cluster, {
      async *list() {
        listed = true;
        yield [];
      },
    });
    await ask();
    expect(listed).toBe(false);
  });
});

describe("redaction that is not sure sends nothing", () => {
  it("when the second opinion finds something that the first has left", async () => {
    const { makeRedactor } = await import("../../src/advice/redaction.ts");
    const { consult } = await import("../../src/advice/consult.ts");
    const { run } = bench(worldWith(), api.url);
    const from = api.bodies.length;
    const sound = makeRedactor([]);
    for (const redactor of [
      { clean: (text: string) => text, leak: sound.leak },
      {
        clean: sound.clean,
        leak() {
          throw new Error("ghp_secretOfTheFault");
        },
      },
    ]) {
      const said = await consult(
        { allowed: ["rollback"], summaries: {}, delimiter: "d1", open: () => `token ${SECRETS[1]?.text}` },
        {
          advisor: run.model?.advisor as never,
          look: async () => ({ kind: "none", text: "" }),
          account: { reserve: async () => null, settle: async () => undefined },
          redactor,
          clock: run.clock,
          settings: run.config.model,
          price: { input: 1, output: 1, cacheRead: 1, cacheWrite: 1 },
          tick: async () => undefined,
          mostMs: 1000,
        },
      );
      expect(said).toMatchObject({
        problem: expect.stringMatching(/redaction is not sure .*nothing was sent/),
        paid: false,
      });
      expect(JSON.stringify(said)).not.toContain("secretOfTheFault");
    }
    expect(api.bodies.length).toBe(from);
  });

  it("when Secrets cannot be read for a reason that nobody knows", async () => {
    const from = api.bodies.length;
    const { run, ask } = bench({ ...worldWith(), settings: { observe: { secrets: "keys" } } }, api.url);
    Object.assign(run.cluster, {
      // biome-ignore lint/correctness/useYield: it fails before the first page
      async *list() {
        throw new Error("the API server is tired");
      },
    });
    const found = await ask();
    expect(found).toMatchObject({ by: "rule", choices: [] });
    expect(api.bodies.length).toBe(from);
  });

  it("our own key is nowhere but in its header", () => {
    for (const body of api.bodies) expect(body).not.toContain(KEY);
  });
});
