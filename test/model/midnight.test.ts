import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ModelUse } from "../../src/incident/run-history.ts";
import { bench } from "./bench.ts";
import { type MessagesApi, type Scripted, startMessagesApi } from "./messages-api.ts";
import { SCRIPTS } from "./scripts.ts";
import { twoPorts } from "./worlds.ts";

let api: MessagesApi;
beforeAll(async () => {
  api = await startMessagesApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const GOOD = SCRIPTS["two-ports"]?.script ?? [];
const cheap = {
  diagnosis: "test-model",
  prices: { "test-model": { input: 1, output: 10, cacheWrite: 1, cacheRead: 0.1 } },
  effort: "",
};
/** Ten seconds before midnight, by the bench's noon. */
const LATE = 12 * 3_600_000 - 10_000;

type Day = ModelUse & { readonly day: string };

/** What `during` does happens while the first request is on its way. */
async function asked(script: readonly Scripted[], during: (made: ReturnType<typeof bench>) => void) {
  const made = bench({ ...twoPorts(), model: cheap }, api.url);
  made.clock.ahead = LATE;
  api.script((_, count) => {
    if (count === 1) during(made);
    return script[count - 1] ?? script.at(-1) ?? {};
  });
  await made.ask();
  const run = [...made.objects.values()].find((object) => object.kind === "Run");
  return { ...made, day: run?.["model"] as Day, advice: made.incident()?.status?.advice };
}

describe("a request that begins on one day and ends on the next", () => {
  const midnight = (made: ReturnType<typeof bench>): void => {
    made.clock.ahead += 20_000;
  };

  it("counts for the new day with all that it used, and with nothing less", async () => {
    const { day, advice } = await asked(GOOD, midnight);
    expect(day).toMatchObject({
      day: "2026-01-02",
      requests: 2,
      inputTokens: advice?.inputTokens,
      outputTokens: advice?.outputTokens,
      dollars: advice?.dollars,
    });
    expect(day.dollars).toBeGreaterThan(0);
  });

  it("counts for the new day with all that it can have cost, where that is not known", async () => {
    const { day, advice } = await asked([{ text: "half", fault: "cut-in-text" }], midnight);
    expect(day).toMatchObject({ day: "2026-01-02", requests: 1, dollars: advice?.dollars });
    expect(day.dollars).toBeGreaterThan(0.08);
  });
});

it("the day's total is never below nothing, whatever became of the Run object in between", async () => {
  const { day } = await asked(GOOD.slice(1), ({ objects }) => {
    for (const [key, object] of objects) if (object.kind === "Run") objects.delete(key);
  });
  const { day: _, ...amounts } = day;
  for (const amount of Object.values(amounts)) expect(amount).toBeGreaterThanOrEqual(0);
});
