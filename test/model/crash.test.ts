import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ModelUse } from "../../src/incident/run-history.ts";
import type { Cluster } from "../../src/ports.ts";
import { type Bench, bench } from "./bench.ts";
import { answering, type MessagesApi, type Scripted, startMessagesApi } from "./messages-api.ts";
import { SCRIPTS } from "./scripts.ts";
import { twoPorts } from "./worlds.ts";

let api: MessagesApi;
beforeAll(async () => {
  api = await startMessagesApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const usage = { input: 5000, output: 300, cacheRead: 0, cacheWrite: 0 };
const GOOD: readonly Scripted[] = (SCRIPTS["two-ports"]?.script ?? []).map((one) => ({ ...one, usage }));
const BILLED = usage.input + usage.output;
const tokens = (use?: Partial<ModelUse>): number => (use?.inputTokens ?? 0) + (use?.outputTokens ?? 0);

/** A run of its own over what earlier ones have left. `dies`: at this write nothing goes on, before it or after it. */
async function run(left: Bench["objects"], dies: { at: number; when: "before" | "after" } | null) {
  const made = bench(twoPorts(), api.url);
  for (const [key, object] of left) made.objects.set(key, object);
  const never = new Promise<never>(() => undefined);
  const death = Promise.withResolvers<"died">();
  let writes = 0;
  const write =
    <A extends unknown[], R>(does: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      const here = writes === dies?.at;
      writes += 1;
      if (here && dies?.when === "before") {
        death.resolve("died");
        return never;
      }
      const result = await does(...args);
      if (!here) return result;
      death.resolve("died");
      return never;
    };
  const cluster = made.run.cluster as { -readonly [Key in "create" | "replace"]: Cluster[Key] };
  cluster.create = write(cluster.create);
  cluster.replace = write(cluster.replace);
  const found = await Promise.race([made.ask(made.incident()), death.promise]);
  const day = [...made.objects.values()].find((object) => object.kind === "Run")?.["model"] as Partial<ModelUse>;
  return { found, writes, objects: made.objects, advice: made.incident()?.status?.advice, day };
}

/** Nothing that was billed is missing where it is counted. */
function isCounted({ advice, day }: Awaited<ReturnType<typeof run>>, billed: number, where: string): void {
  expect(tokens(advice), where).toBeGreaterThanOrEqual(billed);
  expect(tokens(day), where).toBeGreaterThanOrEqual(billed);
}

describe("a run that ends while a model is asked", () => {
  it("neither forgets what it can have cost nor keeps the next one from asking once more, wherever it ends", async () => {
    api.script(GOOD);
    const whole = await run(new Map(), null);
    expect(whole.found).toMatchObject({ by: "model" });
    expect(tokens(whole.advice)).toBe(2 * BILLED);
    expect(tokens(whole.day)).toBe(2 * BILLED);
    expect(whole.advice).not.toHaveProperty("asked");
    expect(whole.writes).toBeGreaterThan(8);
    for (let at = 0; at < whole.writes; at += 1)
      for (const when of ["before", "after"] as const) {
        const where = `${when} write ${at}`;
        api.script(GOOD);
        const dead = await run(new Map(), { at, when });
        expect(dead.found, where).toBe("died");
        const billed = api.requests.length * BILLED;
        isCounted(dead, billed, where);
        api.script(GOOD);
        const next = await run(dead.objects, null);
        expect(next.found, where).toMatchObject({ by: "model" });
        isCounted(next, billed + api.requests.length * BILLED, where);
        expect(next.advice, where).not.toHaveProperty("asked");
      }
  });

  it("twice is not asked a third time: the rules' report is the answer", async () => {
    let left: Bench["objects"] = new Map();
    for (const times of [1, 2]) {
      // The last write: the answer is there and paid, and not kept.
      api.script(GOOD);
      const { writes } = await run(new Map(left), null);
      api.script(GOOD);
      const dead = await run(left, { at: writes - 1, when: "before" });
      expect(dead.found).toBe("died");
      expect(dead.advice).toMatchObject({ asked: times, outcome: "none" });
      left = dead.objects;
    }
    api.script(GOOD);
    const third = await run(left, null);
    expect(api.requests).toHaveLength(0);
    expect(third.found).toMatchObject({
      by: "rule",
      choices: [],
      rejected: expect.arrayContaining([
        { remedy: "model", reason: "the run that asked ended before the answer was kept" },
      ]),
    });
    isCounted(third, 4 * BILLED, "the third");
  });
});

describe("the budget of an incident", () => {
  const spent = { requests: 1, inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, dollars: 0.95 };
  it.each(["advice", "prose", "code"])("counts what was spent as %s", async (part) => {
    api.script([answering({ remedy: "none", needs: "A person must look." })]);
    const made = bench(twoPorts(), api.url);
    const { store } = made.run;
    const open: typeof store.open = async (finding) => {
      const incident = await store.open(finding);
      const earlier = { evidence: "other", key: "other", at: "", model: "", outcome: "none", said: "" };
      return { ...incident, status: { ...incident.status, [part]: { ...earlier, ...spent } } } as typeof incident;
    };
    Object.assign(made.run, { store: { ...store, open } });
    const found = await made.ask();
    expect(found.rejected.at(-1)?.reason).toMatch(/model\.budget\.incidentDollars/);
    expect(api.requests).toHaveLength(0);
  });
});
