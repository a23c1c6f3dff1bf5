import { describe, expect, it, vi } from "vitest";
import { good, reviewed } from "./reviewed.ts";
import { PATIENCE, startWorld } from "./runner.ts";
import { KUSTOMIZE } from "./trees.ts";

vi.setConfig(PATIENCE);

describe("wrong input", () => {
  it.each([
    [{ mode: "reviw" }, /input `mode` is "reviw".*did you mean review\?/],
    [{ mode: "" }, /input `mode` is not set/],
    [{ mode: "review", "fail-on": "always" }, /input `fail-on` is "always".*use drift, problems, error, never/],
    [{ mode: "review", comment: "yes" }, /input `comment` is "yes".*use true or false/],
    [{ mode: "review", "comment-name": "a b" }, /input `comment-name`/],
    [{ mode: "drift", "max-age": "1 day" }, /input `max-age` is "1 day".*90m, 24h or 7d/],
    [{ mode: "drift" }, /input `publisher` is not set.*my-stanch\[bot\]/],
    [{ mode: "drift", publisher: "a b" }, /input `publisher` is "a b"/],
    [{ mode: "review", "github-api-url": "nowhere" }, /input `github-api-url`/],
  ])("%j is an error that names the input and the fix", async (inputs, message) => {
    await using world = await startWorld({ "a.yaml": "a: 1\n" });
    const step = await world.step(inputs);
    expect(step).toMatchObject({ code: 2, outputs: { result: "error" } });
    expect(step.commands.filter(({ name }) => name === "error").map((command) => command.message)).toEqual([
      expect.stringMatching(message),
    ]);
  });

  it.each([
    ["no JSON", "{", "pull_request", /payload \(GITHUB_EVENT_PATH\) cannot be read/],
    ["no pull request", {}, "pull_request", /is none of a pull request: repository/],
    [
      "another event",
      {},
      "push",
      /started by "push", which is no pull request → run `mode: review` in a workflow with `on: pull_request`/,
    ],
    [
      "a strange commit",
      {
        repository: { full_name: "a/b", default_branch: "main" },
        pull_request: {
          number: 1,
          body: null,
          head: { sha: "--upload-pack=evil", ref: "x", repo: null },
          base: { sha: "x", ref: "main", repo: { full_name: "a/b" } },
        },
      },
      "pull_request",
      /none of a pull request: pull_request\.head\.sha/,
    ],
  ])("a payload with %s is an error", async (_, event, eventName, message) => {
    await using world = await startWorld({ "a.yaml": "a: 1\n" });
    const step = await world.step({ mode: "review" }, { event, eventName });
    expect(step).toMatchObject({ code: 2, outputs: { result: "error" } });
    expect(step.commands.find(({ name }) => name === "error")?.message).toMatch(message);
  });

  it("names a configuration that is not there, or is wrong", async () => {
    await using world = await startWorld({ ...KUSTOMIZE, "stanch.yaml": "sorces: []\n" });
    const none = await reviewed(world, good, { config: "ops/stanch.yaml" });
    expect(none.commands.find(({ name }) => name === "error")?.message).toMatch(
      /input `config`: there is no file ops\/stanch.yaml in the base/,
    );
    const wrong = await reviewed(world, good);
    expect(wrong.commands.find(({ name }) => name === "error")?.message).toMatch(
      /unknown key "sorces"; did you mean "sources"/,
    );
  });
});
