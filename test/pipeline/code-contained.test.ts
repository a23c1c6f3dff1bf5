import { describe, expect, it, vi } from "vitest";
import { asking, code, pulls, TRACE } from "./code.ts";
import { AFTER, BEFORE, FILE, NONE } from "./code-answers.ts";
import { minutes, TOLD } from "./contained.ts";
import { phases } from "./incident.ts";
import { APPS, issues, states } from "./issues.ts";
import { deployImage, FIXED, rollingOut } from "./rolling-out.ts";

vi.mock("../../src/code-fix/seek.ts", async () => ({ seekFix: (await import("./code-answers.ts")).scripted }));

const settings = { ...TOLD, remedies: { enabled: ["pause"] } };

describe("a program whose fault is contained live", { timeout: 400_000 }, () => {
  it("gets a draft meanwhile, and stays contained until another version comes", async () => {
    await using world = asking(await rollingOut(TRACE));
    await world.host.commit(APPS, "main", { [FILE]: BEFORE }, { message: "Import" });
    // Out of reach at first: the next run asks again.
    world.answer(() => ({ fixed: false, reason: "it could not be reached", paid: false }));
    expect(await world.expect(["contained"], settings)).toContain("No fix of it is written: it could not be reached.");
    expect(phases(world)).toEqual(["Contained"]);
    const { FIX } = await import("./code-answers.ts");
    world.answer(FIX);
    const message = await world.expect(["waiting"], settings);
    expect(message).toMatch(
      /^Contained: pause the rollout.* Reported in \S+ A draft fix of the program waits for people: /,
    );
    expect(message).not.toContain("could not be reached");
    expect(pulls(world)).toHaveLength(1);
    expect(pulls(world)[0]).toMatchObject({ draft: true, state: "open" });
    expect(await world.host.read(APPS, pulls(world)[0]?.head ?? "", FILE)).toBe(AFTER);
    expect(issues(world, APPS)[0]?.body).toContain(`/pull/${pulls(world)[0]?.number})`);
    await world.expect(["waiting"], settings);
    expect(world.asked()).toBe(2);
    expect(phases(world)).toEqual(["Contained"]);

    await deployImage(world, FIXED);
    await minutes(world, 5);
    await world.expect(["rolled-back"], settings);
    await minutes(world, 10);
    await world.expect(["resolved"], settings);
    expect(states(world, APPS)).toEqual(["closed"]);
    expect(pulls(world)[0]?.state).toBe("open");
    expect(pulls(world)[0]?.comments.at(-1)?.body).toMatch(/^The symptom that this was written for is gone since /);
  });

  it("for which a model finds nothing is asked about once", async () => {
    await using world = asking(await rollingOut(TRACE));
    world.answer(NONE);
    expect(await world.expect(["contained"], settings)).toContain("No fix of it is written: ");
    await world.expect(["waiting"], settings);
    expect(world.asked()).toBe(1);
    expect(code(world)).toMatchObject({ outcome: "none" });
    expect(pulls(world)).toEqual([]);
  });
});
