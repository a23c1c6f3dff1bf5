import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Hosts } from "../../src/compose.ts";
import type { ModelUse } from "../../src/incident/run-history.ts";
import type { Cluster } from "../../src/ports.ts";
import { answering, type MessagesApi, type Scripted, startMessagesApi } from "../model/messages-api.ts";
import { modelAt } from "./model-door.ts";
import { deployment, makeWorld, REPOSITORY, virtualClock, type World } from "./world.ts";

const FILE = "apps/tagged.yaml";
const TAGGED = deployment({ name: "tagged", image: "example.com/tagged:stabl" });
const usage = { input: 1000, output: 300, cacheRead: 0, cacheWrite: 0 };
const ANSWERS: readonly Scripted[] = [
  { usage, calls: [{ name: "file", input: { path: FILE } }] },
  {
    usage,
    ...answering(
      { remedy: "correct-image", container: "app", image: "example.com/tagged:stable" },
      [{ id: "t1", quote: "image: example.com/tagged:stabl" }],
      "The tag is mistyped.",
    ),
  },
];

let api: MessagesApi;
beforeAll(async () => {
  api = await startMessagesApi();
});
afterAll(() => api[Symbol.asyncDispose]());

type Doors = { api: Cluster; hosts: Hosts };
const door = (doors: Doors): Doors => modelAt(api.url)(doors);
const SETTINGS = { lease: "30s", model: { enabled: true, timeout: "5s" } };

async function broken(): Promise<World> {
  const world = await makeWorld({ [FILE]: TAGGED }, virtualClock());
  await world.deploy();
  await world.until(() =>
    world.cluster.list("v1", "Pod", "shop").some((pod) => JSON.stringify(pod).includes("ImagePullBackOff")),
  );
  // What the model that words the report says does not matter here: it is asked, and it costs.
  api.script((sent) => (sent.tools === undefined ? { usage, text: "no words" } : answerTo(sent.messages.length)));
  return world;
}
const answerTo = (messages: number): Scripted => ANSWERS[messages === 1 ? 0 : 1] ?? {};

/** Ends the run with an answer in its hands: it was paid, and nothing of it is kept. `turns`: messages of the request that it answers. */
function dying(
  turns: number,
  words: boolean,
): { readonly wrap: (doors: Doors) => Doors; readonly died: Promise<"died"> } {
  const death = Promise.withResolvers<"died">();
  const wrap = (doors: Doors): Doors => {
    const { hosts, ...more } = door(doors);
    const { model } = hosts;
    if (model === undefined) throw new Error("no model");
    const ask: typeof model.advisor.ask = async (request, limits) => {
      const said = await model.advisor.ask(request, limits);
      if (request.turns.length !== turns || (request.tools.length === 0) !== words) return said;
      death.resolve("died");
      return new Promise<never>(() => undefined);
    };
    return { ...more, hosts: { ...hosts, model: { ...model, advisor: { ask } } } };
  };
  return { wrap, died: death.promise };
}

/** Every token that was billed is counted where budgets look. */
function isCounted(world: World): void {
  const billed = api.requests.length * (usage.input + usage.output);
  const status = world.incidents()[0]?.status;
  const { model } = world.cluster.get("stanch.dev/v1alpha1", "Run", "stanch-system", "stanch") as never as {
    model: ModelUse;
  };
  const sum = (use?: ModelUse): number => (use === undefined ? 0 : use.inputTokens + use.outputTokens);
  expect(sum(status?.advice) + sum(status?.prose)).toBeGreaterThanOrEqual(billed);
  expect(sum(model)).toBeGreaterThanOrEqual(billed);
}

describe("a run that is killed with a model's answer in its hands", () => {
  it.each([
    // The question again, once, and the words of the pull request.
    ["on what to do: it is asked once more", 3, false],
    // The change keeps the plain words.
    ["that words the pull request: it is not asked again", 1, true],
  ] as const)("%s", async (_, turns, words) => {
    await using world = await broken();
    const { wrap, died } = dying(turns, words);
    expect(await Promise.race([world.run(wrap, SETTINGS), died])).toBe("died");
    isCounted(world);
    const kept = world.incidents()[0]?.status;
    expect(words ? kept?.prose?.key : kept?.advice?.asked).toEqual(words ? expect.stringMatching(/./) : 1);
    // The dead run's lease runs out; then the next runs find what was left and go on.
    await world.clock.sleep(150_000);
    for (let round = 0; round < 2; round += 1) {
      await world.run(door, SETTINGS);
      await world.clock.sleep(20_000);
    }
    expect(world.incidents()[0]?.status?.phase).toBe("Proposed");
    expect(world.host.pulls(REPOSITORY)).toHaveLength(1);
    // One question is two requests. Other evidence (another state of the pod) would be another question.
    expect(api.requests.filter((sent) => sent.tools === undefined)).toHaveLength(1);
    expect(api.requests.length).toBeLessThanOrEqual(5);
    isCounted(world);
  });
});
