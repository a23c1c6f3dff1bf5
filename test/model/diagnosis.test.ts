import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { consult } from "../../src/advice/consult.ts";
import { parseExchange, replay } from "../../src/advice/exchange.ts";
import { makeRedactor } from "../../src/advice/redaction.ts";
import { bench } from "./bench.ts";
import { type MessagesApi, startMessagesApi } from "./messages-api.ts";
import { SCRIPTS } from "./scripts.ts";
import { KINDS } from "./worlds.ts";

let api: MessagesApi;
beforeAll(async () => {
  api = await startMessagesApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const FOLDER = join(import.meta.dirname, "transcripts");

describe.each(Object.entries(KINDS))("%s", (kind, world) => {
  const { script, expect: wanted } = SCRIPTS[kind] ?? { script: [], expect: { by: "rule" } };

  it("is asked, checked and kept", async () => {
    api.script(script);
    const { ask, incident, saved, run } = bench(world(), api.url);
    const found = await ask();
    expect(api.complaints).toEqual([]);
    expect(found.by).toBe(wanted.by);
    expect(found.choices.map((choice) => [choice.remedy, choice.by])).toEqual(
      wanted.remedy === undefined ? [] : [[wanted.remedy, "model"]],
    );
    if (wanted.says !== undefined) expect(found.rejected.at(-1)?.reason).toMatch(wanted.says);
    expect(incident()?.status?.advice).toMatchObject({
      outcome: wanted.remedy === undefined ? "none" : "choice",
      requests: script.length,
      dollars: expect.any(Number),
    });
    expect(run.tally.model?.dollars).toBeGreaterThan(0);

    const [text = ""] = saved.values();
    const file = join(FOLDER, `${kind}.json`);
    if (process.env["STANCH_UPDATE"] === "1") writeFileSync(file, text);
    expect(existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {}).toEqual(JSON.parse(text));
  });

  it("comes to the same when its recording is replayed, without a call", async () => {
    const recording = parseExchange(readFileSync(join(FOLDER, `${kind}.json`), "utf8"));
    const before = api.bodies.length;
    const { run } = bench(world(), "http://127.0.0.1:9");
    const { advisor, look, open } = replay(recording);
    const said = await consult(
      { allowed: recording.allowed as never, summaries: {}, delimiter: recording.delimiter, open },
      {
        advisor,
        look,
        account: { reserve: async () => null, settle: async () => undefined },
        redactor: makeRedactor([]),
        clock: run.clock,
        settings: run.config.model,
        price: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
        tick: async () => undefined,
        mostMs: 1000,
      },
    );
    expect("answer" in said ? said.answer.choice.remedy : said.problem).toBe(wanted.remedy ?? "none");
    expect(api.bodies.length).toBe(before);
  });
});
