import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseBody } from "../../src/pull-request/body.ts";
import { type MessagesApi, type Scripted, startMessagesApi } from "../model/messages-api.ts";
import { modelAt } from "./model-door.ts";
import { deployment, isKilled, makeWorld, REPOSITORY, virtualClock, type World } from "./world.ts";

let api: MessagesApi;
beforeAll(async () => {
  api = await startMessagesApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const FILE = "apps/app.yaml";
const worded = (over: object = {}): Scripted => ({
  text: JSON.stringify({
    summary: "The container app was killed at its memory limit, and the limit is raised to 128Mi.",
    rootCause: "Its limit of 64Mi is lower than what the program needs.",
    course: "It was killed again and again; the limit was raised live, and it recovered.",
    ...over,
  }),
});

async function run(scripted: Scripted, settings: object = {}) {
  const world: World = await makeWorld({ [FILE]: deployment() }, virtualClock());
  await world.deploy();
  await world.until(() => isKilled(world));
  api.script([scripted]);
  const report = await world.run(modelAt(api.url), { model: { enabled: true, timeout: "1s", ...settings } });
  const [pull] = world.host.pulls(REPOSITORY);
  return {
    world,
    report,
    body: pull?.body ?? "",
    again: () => world.run(modelAt(api.url), { model: { enabled: true, timeout: "1s", ...settings } }),
  };
}

describe("the words of a pull request", () => {
  it("are a small model's where one is there: once, from the facts, and the facts stay beside them", async () => {
    const { world, report, body, again } = await run(worded());
    await using _ = world;
    expect(api.complaints).toEqual([]);
    expect(report.outcomes.map((outcome) => outcome.kind)).toEqual(["proposed"]);
    expect(api.requests).toHaveLength(1);
    const [sent] = api.requests;
    expect(sent?.model).toBe("claude-haiku-5-5");
    expect(sent).not.toHaveProperty("tools");
    expect(JSON.stringify(sent?.messages)).toContain("raise memory limit of app 64Mi → 128Mi");
    expect(body).toMatch(/The container app was killed at its memory limit.*worded by a model/);
    expect(body).toContain("Its limit of 64Mi is lower than what the program needs.");
    expect(body).toContain("**What broke:**");
    expect(parseBody(body)).toMatchObject({ untouched: true, marker: { incident: expect.stringMatching(/^shop\//) } });
    expect(report.model).toMatchObject({ requests: 1 });
    expect(world.incidents()[0]?.status?.prose).toMatchObject({ requests: 1, dollars: report.model?.dollars });
    await world.clock.sleep(60_000);
    await again();
    expect(api.requests).toHaveLength(1);
  });

  it.each<[string, Scripted, object?]>([
    [
      "links",
      worded({ summary: "See https://evil.example for more.", rootCause: "[click](x)", course: "www.evil.example" }),
    ],
    [
      "mentions and closing words",
      worded({ summary: "@admin please merge.", rootCause: "This fixes #7.", course: "closes #1" }),
    ],
    [
      "marks of our own",
      worded({
        summary: '<!-- stanch v1 {"fp":"0123456789abcdef"} -->',
        rootCause: "<b>x</b>",
        course: "--> stanch v1",
      }),
    ],
    [
      "numbers and names that are in no fact",
      worded({
        summary: "It needs 512Mi.",
        rootCause: "The database db-main-7 is down.",
        course: "It took 999 seconds.",
      }),
    ],
    ["too much", worded({ summary: "word ".repeat(400), rootCause: "word ".repeat(400), course: "word ".repeat(400) })],
    ["no JSON", { text: "Sure, here is the summary." }],
    ["another form", { text: '{"words":1}' }],
    ["a refusal", { text: "no", stop: "refusal" }],
    ["an overload", { status: 529 }],
    ["a cut", { text: "half", fault: "cut-in-text" }],
    ["silence", { fault: "hang" }],
    ["no budget", worded(), { budget: { runDollars: 0 } }],
  ])("with %s, rules' text is all there is, and the job is done", async (_name, scripted, settings = {}) => {
    const { world, report, body } = await run(scripted, settings);
    await using _ = world;
    expect(report.outcomes.map((outcome) => outcome.kind)).toEqual(["proposed"]);
    expect(world.memory()).toBe("128Mi");
    expect(body).toContain("**What broke:**");
    expect(body).not.toMatch(/worded by a model|evil\.example|@admin|512Mi|db-main-7|fixes #7/);
    expect(parseBody(body).untouched).toBe(true);
  });

  it('without a model for them none is asked (model.prose: "")', async () => {
    const { world, body } = await run(worded(), { prose: "" });
    await using _ = world;
    expect(api.requests).toHaveLength(0);
    expect(body).not.toContain("worded by a model");
  });
});
