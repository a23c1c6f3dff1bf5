import { describe, expect, it, vi } from "vitest";
import { code, failing, NAMED, pulls } from "./code.ts";
import { NONE } from "./code-answers.ts";
import { APPS, issues, states } from "./issues.ts";
import { TOKEN } from "./world.ts";

vi.mock("../../src/code-fix/seek.ts", async () => ({ seekFix: (await import("./code-answers.ts")).scripted }));

describe.concurrent("no fix of a program is written", { timeout: 400_000 }, () => {
  it.each<[string, object, RegExp]>([
    ["where no model is wanted", { model: { enabled: false } }, /Reported in \S+$/],
    ["where no code of a model's is wanted", { model: { code: { enabled: false } } }, /Reported in \S+$/],
    ["where faults of programs are not told", { issues: { apps: false } }, /A person is needed(?!.*fix)/],
    ["where only a label names the repository", { apps: [] }, /acme\/cart is known by the label .*; name it in `apps`/],
    ["beyond model.code.perRun", { model: { code: { perRun: 0 } } }, /waits for the next run: a model was asked for 0/],
    ["by a model without a price", { model: { code: { model: "unknown-1" } } }, /what unknown-1 costs is not known/],
    [
      "in a repository that Stanch may not work with",
      { github: { repositories: ["acme/shop"] } },
      /none of the repositories that Stanch may work with/,
    ],
  ])("%s", async (_, settings, sentence) => {
    await using world = await failing();
    expect(await world.expect(["escalated"], settings)).toMatch(sentence);
    expect(world.asked()).toBe(0);
    expect(pulls(world)).toEqual([]);
  });

  it("without the right to push, in an archive, or for a log that says nothing", async () => {
    await using world = await failing();
    world.host.addToken(TOKEN, { login: "stanch[bot]", permission: "read" });
    expect(await world.expect(["escalated"])).toMatch(/stanch\[bot\] may not push to acme\/cart|No issue tells of it/);
    world.host.addToken(TOKEN, { login: "stanch[bot]", permission: "write" });
    world.host.archive(APPS);
    expect(await world.expect(["escalated"])).toContain(`${APPS} is archived`);
    expect(world.asked()).toBe(0);
    await using silent = await failing({ log: [] });
    expect(await silent.expect(["escalated"])).toContain("No fix of it is written: its log says nothing.");
    expect(silent.asked()).toBe(0);
  });

  it("in a public repository that nobody named, nor is it told of there", async () => {
    await using world = await failing({ open: true });
    expect(await world.expect(["escalated"], { apps: [] })).toContain("is public; name it in `apps`");
    expect([world.asked(), issues(world, APPS).length, pulls(world).length]).toEqual([0, 0, 0]);
    await world.expect(["escalated"], NAMED);
    expect(pulls(world)).toHaveLength(1);
  });

  it("by a run that observes, or that sees a storm", async () => {
    await using world = await failing({ others: ["second"] });
    await world.cycle({ mode: "observe" });
    expect(await world.expect(["escalated", "escalated"], { guard: { storm: 1 } })).not.toContain("fix");
    expect(world.asked()).toBe(0);
  });

  it("twice for the same: what was not paid is asked again, a refusal of the budget as well, and no more than two answers are paid", async () => {
    await using world = await failing();
    world.answer(() => ({ fixed: false, reason: "it could not be reached", paid: false }));
    expect(await world.expect(["escalated"])).toContain("No fix of it is written: it could not be reached.");
    expect(code(world)).toMatchObject({ asked: 0, evidence: "" });
    world.answer(async (_, { account }) => {
      const objection = await account.reserve({ tokens: 10, dollars: 5 });
      return { fixed: false, reason: objection ?? "it fitted", paid: false };
    });
    expect(await world.expect(["escalated"])).toMatch(/No fix of it is written: .*budget/);
    world.answer(NONE);
    await world.expect(["escalated"]);
    expect(world.asked()).toBe(3);
    expect(code(world)).toMatchObject({ asked: 1, dollars: 0.25 });
    await world.expect(["escalated"]);
    expect(world.asked()).toBe(3);
    // What was spent on the fix counts against the incident's budget.
    expect(world.incidents()[0]?.status?.code?.requests).toBe(1);
  });
});

describe.concurrent("two workloads of one program", { timeout: 400_000 }, () => {
  it("with the same fault share one pull request, asked for once", async () => {
    await using world = await failing({ others: ["second"] });
    const message = await world.expect(["escalated", "escalated"]);
    expect(message.match(/waits for people: \S+\/pull\/\d+/g)).toHaveLength(2);
    expect(world.asked()).toBe(1);
    expect(pulls(world)).toHaveLength(1);
    expect(code(world, "second")?.pullRequest?.number).toBe(code(world, "app")?.pullRequest?.number);
    expect(states(world, APPS)).toEqual(["open", "open"]);
  });
});
