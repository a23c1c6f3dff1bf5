import { describe, expect, it, vi } from "vitest";
import { code, failing, pulls, ship, TRACE } from "./code.ts";
import { AFTER, FILE } from "./code-answers.ts";
import { APP, phases } from "./incident.ts";
import { APPS, issues, loops, states } from "./issues.ts";
import type { World } from "./world.ts";

vi.mock("../../src/code-fix/seek.ts", async () => ({ seekFix: (await import("./code-answers.ts")).scripted }));

const deployImage = (world: World, value: string) =>
  world.api.patch(APP, [{ op: "replace", path: "/spec/template/spec/containers/0/image", value }]);
const comments = (world: World) => pulls(world)[0]?.comments.map((comment) => comment.body) ?? [];
const NEXT = "example.com/cart:1.1.0";

/** Another version, whose pods are the only ones that are looked at. */
async function replaced(world: World, image: string): Promise<void> {
  await deployImage(world, image);
  await world.clock.sleep(1_800_000);
}

describe.concurrent("a draft fix of a program", { timeout: 400_000 }, () => {
  it("that a person closed is a no: no other one is written, and the report stays", async () => {
    await using world = await failing();
    await world.expect(["escalated"]);
    world.host.closePull(APPS, 2, { as: "ada" });
    expect(await world.expect(["escalated"])).toContain("/pull/2 was closed: no other fix of this fault is written.");
    expect(code(world)).toHaveProperty("closedAt");
    expect(issues(world, APPS)[0]?.state).toBe("open");
    expect(issues(world, APPS)[0]?.body).not.toContain("/pull/2");
    // Also when nobody remembers, and in another version.
    for (const incident of world.incidents()) await world.store.remove(incident);
    ship(world, NEXT, TRACE);
    await replaced(world, NEXT);
    await loops(world);
    await world.expect(["escalated"]);
    expect(world.asked()).toBe(1);
    expect(pulls(world).map((pull) => pull.state)).toEqual(["closed"]);
    expect(phases(world)).toEqual(["Escalated"]);
  });

  it("that was merged waits for a version that has it; if that fails as well, there is a second one and no third", async () => {
    await using world = await failing();
    await world.expect(["escalated"]);
    const [pull] = pulls(world);
    if (pull !== undefined) pull.draft = false;
    await world.host.merge(APPS, 2, { as: "ada" });
    expect(await world.expect(["escalated"])).toContain("is merged; a version of the program that has it is awaited");
    expect(world.asked()).toBe(1);

    ship(world, NEXT, TRACE);
    await replaced(world, NEXT);
    await loops(world);
    world.answer(async (_, { checkout }) => ({
      fixed: true,
      edits: [{ file: FILE, before: (await checkout.read(FILE)) ?? "", after: `${AFTER}// twice\n` }],
      cause: "Again.",
      summary: "Look again",
      citations: [],
      checks: [],
      cautions: [],
    }));
    await world.expect(["escalated"]);
    expect(world.asked()).toBe(2);
    expect(pulls(world).map(({ state, head }) => [state, head.endsWith("-2")])).toEqual([
      ["closed", false],
      ["open", true],
    ]);
    const second = pulls(world)[1];
    if (second !== undefined) second.draft = false;
    await world.host.merge(APPS, 3, { as: "ada" });
    ship(world, "example.com/cart:1.2.0", TRACE);
    await replaced(world, "example.com/cart:1.2.0");
    await loops(world);
    expect(await world.expect(["escalated"])).toContain("a model was asked for one 2 times; a person must write it");
    expect(world.asked()).toBe(2);
    expect(pulls(world)).toHaveLength(2);
  });

  it("is told once when the symptom is gone, stays open, and is nothing that Stanch closes", async () => {
    await using world = await failing();
    await world.expect(["escalated"]);
    await replaced(world, "example.com/app:1.1.0");
    await world.api.patch(APP, [
      { op: "replace", path: "/spec/template/spec/containers/0/resources/limits/memory", value: "512Mi" },
    ]);
    await world.clock.sleep(1_800_000);
    await world.expect(["resolved"]);
    expect(states(world, APPS)).toEqual(["closed"]);
    expect(comments(world)).toEqual([expect.stringMatching(/^The symptom that this was written for is gone since /)]);
    await world.expect([]);
    expect(comments(world)).toHaveLength(1);
    expect(pulls(world)[0]).toMatchObject({ state: "open", draft: true });
    world.host.closePull(APPS, 2, { as: "ada" });
    await world.expect([]);
    expect(code(world)).toHaveProperty("closedAt");
    expect(phases(world)).toEqual(["Resolved"]);
  });

  it("is left to a person who pushes to it", async () => {
    await using world = await failing();
    await world.expect(["escalated"]);
    const head = pulls(world)[0]?.head ?? "";
    const mine = await world.host.commit(APPS, head, { [FILE]: "package main\n" }, { message: "By hand" });
    for (const incident of world.incidents()) await world.store.remove(incident);
    expect(await world.expect(["escalated"])).toContain("waits for people");
    expect(await world.host.read(APPS, head, FILE)).toBe("package main\n");
    expect(pulls(world)[0]?.headSha ?? mine).toBe(mine);
    expect(world.asked()).toBe(1);
  });

  it("is talked about on its own: what is not live cannot be undone, and a no silences", async () => {
    await using world = await failing();
    await world.expect(["escalated"]);
    world.host.addCollaborator(APPS, "ada", "write");
    const asks = (body: string) => world.host.comment(APPS, 2, { as: "ada", body });
    for (const verb of ["undo", "hold 2h", "retry", "explain"]) asks(`/stanch ${verb}`);
    await world.expect(["escalated"]);
    const answers = comments(world).slice(4);
    expect(answers).toEqual([
      expect.stringContaining("nothing of this pull request is live, so there is nothing to take back"),
      expect.stringContaining("so nothing is held"),
      expect.stringContaining("a model is not asked a second time about the same evidence"),
      expect.stringContaining("it is `Escalated`"),
    ]);
    expect(code(world)?.chat?.handled).toHaveLength(4);
    expect(world.incidents()[0]?.status?.chat).toBeUndefined();
    asks("/stanch ignore 3d");
    await world.expect(["closed"]);
    expect(pulls(world)[0]?.state).toBe("closed");
    expect(phases(world)).toEqual(["Silenced"]);
    expect(comments(world).at(-1)).toContain("This pull request is closed.");
    await world.expect([]);
    expect(world.asked()).toBe(1);
  });
});
