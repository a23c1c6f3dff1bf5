import { describe, expect, it, vi } from "vitest";
import { code, type Failing, failing, pulls } from "./code.ts";
import { AFTER, BEFORE, FILE } from "./code-answers.ts";
import { phases } from "./incident.ts";
import { APPS, states } from "./issues.ts";
import { killAt, RENEWAL } from "./kill.ts";

vi.mock("../../src/code-fix/seek.ts", async () => ({ seekFix: (await import("./code-answers.ts")).scripted }));

type Fault = Parameters<Failing["host"]["faults"]["add"]>[0];

/** It is proposed all the same, by a run without the fault, and nothing is asked twice. */
async function isProposed(world: Failing, asked = 1, begun = 1): Promise<void> {
  expect(pulls(world)).toHaveLength(1);
  expect(pulls(world)[0]).toMatchObject({ state: "open", draft: true });
  expect(await world.host.read(APPS, pulls(world)[0]?.head ?? "", FILE)).toBe(AFTER);
  expect(code(world)).toMatchObject({ asked, pullRequest: { number: pulls(world)[0]?.number } });
  expect(code(world)).not.toHaveProperty("fix");
  expect(world.asked()).toBe(begun);
  expect(states(world, APPS)).toEqual(["open"]);
  expect(phases(world)).toEqual(["Escalated"]);
}

describe.concurrent("the run ends as without a model, and the next one proposes it:", { timeout: 400_000 }, () => {
  const times = 9;
  it.each<[string, Fault | null, RegExp]>([
    [
      "pull requests cannot be listed",
      { method: "GET", path: /cart\/pulls$/, status: 403, times },
      /No fix of it could be proposed/,
    ],
    [
      "none can be opened (403)",
      { method: "POST", path: /cart\/pulls$/, status: 403, times },
      /No fix of it could be proposed/,
    ],
    [
      "none can be opened (409)",
      { method: "POST", path: /cart\/pulls$/, status: 409, times },
      /No fix of it could be proposed/,
    ],
    [
      "the host fails (502)",
      { method: "POST", path: /cart\/pulls$/, status: 502, times },
      /No fix of it could be proposed/,
    ],
    [
      "the host takes no drafts",
      {
        method: "POST",
        path: /cart\/pulls$/,
        status: 422,
        times,
        body: { message: "Draft pull requests are not supported in this repository." },
      },
      /Draft pull requests are not supported/,
    ],
    [
      "the branch cannot be asked for",
      { method: "GET", path: /cart\/git\/ref\//, status: 403, times },
      /No fix of it could be proposed/,
    ],
    [
      "its commits cannot be read",
      { method: "GET", path: /pulls\/\d+\/commits/, status: 403, times },
      /No fix of it could be proposed/,
    ],
    ["labels cannot be set", { method: "POST", path: /\/labels$/, status: 404, times }, /waits for people/],
    ["a hook refuses the push", null, /could not be pushed: the host refuses a push/],
  ])("%s", async (_, fault, sentence) => {
    await using world = await failing();
    if (fault === null) await world.host.protect(APPS, ["stanch/*"]);
    else world.host.faults.add(fault);
    expect(await world.expect(["escalated"])).toMatch(sentence);
    expect(pulls(world).length).toBeLessThan(2);
    world.host.faults.clear();
    await world.host.protect(APPS, []);
    await world.expect(["escalated"]);
    await isProposed(world);
  });

  it("a person has taken the branch before: theirs is never overwritten", async () => {
    await using world = await failing();
    world.host.faults.add({ method: "POST", path: /cart\/pulls$/, status: 403, times });
    await world.expect(["escalated"]);
    const branch = `stanch/test/code-cart-${code(world)?.fault.slice(0, 8)}`;
    await world.host.commit(APPS, branch, { [FILE]: "mine\n" }, { message: "By hand" });
    world.host.faults.clear();
    expect(await world.expect(["escalated"])).toContain("has commits of a person and no open pull request");
    expect(await world.host.read(APPS, branch, FILE)).toBe("mine\n");
    expect(pulls(world)).toEqual([]);
  });

  it("the file was changed meanwhile: the same edits are not forced on it, and it is asked once more", async () => {
    await using world = await failing();
    world.host.faults.add({ method: "POST", path: /cart\/pulls$/, status: 403, times });
    await world.expect(["escalated"]);
    await world.host.commit(APPS, "main", { [FILE]: `// moved\n${BEFORE}` }, { message: "Moved" });
    world.host.faults.clear();
    expect(await world.expect(["escalated"])).toContain("was changed where the fix edits it");
    expect(pulls(world)).toEqual([]);
    await world.expect(["escalated"]);
    expect(world.asked()).toBe(2);
    expect(pulls(world)).toHaveLength(1);
  });
});

/** Every write of a run that has a fix written, in order. */
const WRITES = [
  "create Lease",
  "create Incident",
  "Incident Detected",
  "create issue",
  "Incident Escalated",
  "create Event StanchEscalated",
  "create Event StanchEscalated, second time",
  // That it is asked; the money that is set aside for it, by the day and by the incident, and what it cost; the answer.
  "Incident Escalated, second time",
  "create Run",
  "Incident Escalated, second time",
  "Run undefined",
  "Incident Escalated, second time",
  "publish",
  "create pull request",
  "Incident Escalated, second time",
  "create Event StanchCodeFix",
  "create Event StanchCodeFix, second time",
  "add labels",
  "update issue",
  "Incident Escalated, second time",
  "create Event StanchEscalated, second time",
  "create Event StanchEscalated, second time",
  "Run undefined, second time",
  "release Lease",
];
const ASKED = 7;
const RESERVED = 9;
/** Places that concern the fix; right before each is like right after the one before it, but for what is done on GitHub. */
const PLACES = [
  ...[3, 4, ASKED, RESERVED, 11, 12, 13, 14, 17, 18, 19].map((place) => [place, "after"] as const),
  ...[12, 13].map((place) => [place, "before"] as const),
];

describe.concurrent("a run that is killed", { timeout: 400_000 }, () => {
  it.each(PLACES.map(([place, when]) => [WRITES[place] ?? "", when, place] as const))(
    "at %s (right %s it, write %i) is finished by the next, which asks nothing again",
    async (_, when, place) => {
      await using world = await failing();
      const kill = killAt(place, when);
      const ended = await Promise.race([world.cycle({}, kill.wrap).then(() => "finished" as const), kill.died]);
      expect(ended).toBe("died");
      for (let round = 0; round < 2; round += 1) {
        await world.clock.sleep(300_000);
        await world.expect(["escalated"]);
      }
      // Killed before there was an answer, it counts as asked all the same: no crash makes it be asked without end.
      await isProposed(world, place === ASKED || place === RESERVED ? 2 : 1, place === RESERVED ? 2 : 1);
      expect(world.host.issues(APPS)[0]?.body).toContain(`/pull/${pulls(world)[0]?.number})`);
      // What was set aside for a question whose end nobody saw stands as spent.
      if (place === RESERVED) expect(code(world)?.dollars).toBeGreaterThan(0.25);
      else expect(code(world)?.dollars).toBe(0.25);
    },
  );

  it("makes exactly the writes that are tried here", async () => {
    await using world = await failing();
    const kill = killAt("nowhere", "before");
    await world.cycle({}, kill.wrap);
    expect(kill.writes.filter((name) => name !== RENEWAL)).toEqual(WRITES);
  });
});
