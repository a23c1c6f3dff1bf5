import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import type { Hotfix } from "../../src/model.ts";
import { milestoneSettings, milestonesOf } from "../../src/notify/milestones.ts";
import { idOf } from "../../src/notify/notice.ts";
import { isQuiet } from "../../src/notify/quiet.ts";
import { type Desk, events, hotfixed, makeDesk, pullRequest } from "./desk.ts";

const HOOK = { name: "hook", type: "webhook", url: "https://hooks.example/x" };
const NIGHT = { timeZone: "Europe/Berlin", hours: [{ from: "22:00", to: "07:00" }] };
const one = (more: object = {}, notify: object = {}) => ({ notify: { ...notify, receivers: [{ ...HOOK, ...more }] } });
const minutes = (count: number): number => count * 60_000;

function fix(desk: Desk, name: string): void {
  desk.add(name);
  desk.step(name, "Verified", "Recovered: 1 of 1 ready.", hotfixed(desk.clock.now()));
}

describe("what is due", () => {
  it("waits for the end of quiet hours when it is not grave, and is then told once, as the latest state", async () => {
    // 23:00 in Berlin.
    const desk = makeDesk({ ...one({ quiet: NIGHT }), followUp: { deployed: "3h" } }, "2026-07-01T21:00:00Z");
    await desk.run();
    fix(desk, "app");
    await desk.run();
    await desk.clock.sleep(minutes(1));
    desk.step("app", "Proposed", `Opened ${pullRequest().url}.`, { pullRequest: pullRequest() });
    for (let hour = 0; hour < 7; hour += 1) {
      await desk.run();
      await desk.clock.sleep(minutes(60));
    }
    expect(events(desk)).toEqual([]);
    desk.step("app", "Merged", "#1 was merged.", { mergedAt: desk.clock.now().toISOString() });
    // 06:01, and 07:01.
    await desk.run();
    expect(events(desk)).toEqual([]);
    await desk.clock.sleep(minutes(60));
    await desk.run();
    expect(events(desk)).toEqual(["merged"]);
    expect(desk.arrived[0]?.notice.earlier.map(({ event }) => event)).toEqual([
      "hotfix-applied",
      "pull-request-opened",
    ]);
    await desk.run();
    expect(events(desk)).toHaveLength(1);
  });

  it("wakes somebody for what is grave, with what led to it", async () => {
    const desk = makeDesk(one({ quiet: NIGHT }), "2026-07-01T21:00:00Z");
    await desk.run();
    fix(desk, "app");
    desk.step("app", "RolledBack", "Taken back.", {
      hotfix: {
        ...hotfixed(desk.clock.now()).hotfix,
        undo: { at: "", reason: "unchanged" },
        undoneAt: desk.clock.now().toISOString(),
      } as never,
    });
    await desk.run();
    expect(events(desk)).toEqual([]);
    desk.step("app", "Escalated", "The program leaks. A person is needed.");
    await desk.run();
    expect(events(desk)).toEqual(["escalated"]);
    expect(desk.arrived[0]?.notice).toMatchObject({ severity: "critical", earlier: [{ event: "hotfix-undone" }] });
    await desk.clock.sleep(minutes(600));
    await desk.run();
    expect(events(desk)).toEqual(["escalated"]);
  });

  it("is told once for one reason, however its wording changes, and again when it is another", async () => {
    const desk = makeDesk(one());
    await desk.run();
    desk.add("app");
    for (let time = 0; time < 5; time += 1) {
      desk.step("app", "Escalated", `Restarted ${time} times. A person is needed.`);
      await desk.run();
      await desk.clock.sleep(minutes(5));
    }
    expect(events(desk)).toEqual(["escalated"]);
    desk.step("app", "Resolved", "The symptom is gone.", { resolvedAt: desk.clock.now().toISOString() });
    await desk.run();
    desk.step("app", "Detected", "Came back", { recurrences: 1 });
    await desk.run();
    desk.step("app", "Escalated", "A person is needed.");
    await desk.run();
    expect(events(desk)).toEqual(["escalated", "resolved", "escalated"]);
    expect(new Set(desk.arrived.map(({ notice }) => notice.id)).size).toBe(3);
  });

  it("is filtered by severity, event and namespace; who heard that something is wrong hears that it is over", async () => {
    const desk = makeDesk({
      notify: {
        receivers: [
          { ...HOOK, name: "grave", severity: "critical" },
          { ...HOOK, name: "merges", events: ["merged"] },
          { ...HOOK, name: "other", namespaces: ["pay-*"] },
          { ...HOOK, name: "loud", severity: "warning" },
        ],
      },
    });
    await desk.run();
    fix(desk, "app");
    await desk.run();
    desk.step("app", "Merged", "#1 was merged.", { mergedAt: desk.clock.now().toISOString() });
    await desk.run();
    desk.step("app", "Resolved", "Over.", { resolvedAt: desk.clock.now().toISOString() });
    await desk.run();
    expect(events(desk, "grave")).toEqual([]);
    expect(events(desk, "merges")).toEqual(["merged"]);
    expect(events(desk, "other")).toEqual([]);
    expect(events(desk, "loud")).toEqual(["hotfix-applied", "resolved"]);
  });

  it("is not that something is over of which nobody knew", async () => {
    const desk = makeDesk(one());
    await desk.run();
    desk.add("app");
    await desk.run();
    desk.step("app", "Resolved", "The symptom is gone.", { resolvedAt: desk.clock.now().toISOString() });
    await desk.run();
    expect(events(desk)).toEqual([]);
  });

  it("is not that something is over of which only an earlier occurrence was told", async () => {
    const desk = makeDesk(one({ severity: "warning" }));
    await desk.run();
    fix(desk, "app");
    await desk.run();
    const resolve = async (): Promise<void> => {
      desk.step("app", "Resolved", "Over.", { resolvedAt: desk.clock.now().toISOString() });
      await desk.run();
      await desk.clock.sleep(minutes(60));
    };
    await resolve();
    expect(events(desk)).toEqual(["hotfix-applied", "resolved"]);
    desk.step("app", "Detected", "Came back", { recurrences: 1 });
    await desk.run();
    await resolve();
    expect(events(desk)).toHaveLength(2);
    desk.step("app", "Escalated", "A person is needed.", { recurrences: 2 });
    await desk.run();
    await resolve();
    expect(events(desk)).toEqual(["hotfix-applied", "resolved", "escalated", "resolved"]);
  });

  it("is not that something was taken back which was never applied, or which has ended as it was meant to", async () => {
    const desk = makeDesk(one());
    await desk.run();
    const at = (): string => desk.clock.now().toISOString();
    const applied = hotfixed(desk.clock.now());
    for (const name of ["refused", "paused", "fixed"]) desk.add(name);
    desk.step("refused", "Acting", "Applying live: evict.", applied);
    for (const name of ["paused", "fixed"]) desk.step(name, "Hotfixed", "Applied live.", applied);
    await desk.clock.sleep(1000);
    const undone = { ...(applied.hotfix as Hotfix), undo: { at: at(), reason: "it is over" }, undoneAt: at() };
    desk.step("refused", "RolledBack", "A PodDisruptionBudget forbids it.", { hotfix: undone });
    desk.step("paused", "RolledBack", "The pause is over.", {
      hotfix: { ...undone, contains: { template: "t", pods: [] } },
    });
    desk.step("fixed", "RolledBack", "Not healed.", { hotfix: undone });
    await desk.run();
    expect(desk.arrived.map(({ notice }) => [notice.event, notice.incident?.name])).toEqual([
      ["hotfix-undone", "fixed"],
    ]);
  });

  it("is a hotfix that stands too long, after a day, two, four; and a hold that is about to expire", async () => {
    const desk = makeDesk(one());
    await desk.run();
    fix(desk, "app");
    await desk.run();
    for (let day = 0; day < 9; day += 1) {
      await desk.clock.sleep(minutes(24 * 60));
      await desk.run();
    }
    expect(events(desk)).toEqual(["hotfix-applied", "waiting", "waiting", "waiting", "waiting"]);
    expect(desk.arrived.at(-1)?.notice.text).toBe("The hotfix stands for 8d. Git does not say it yet.");
    const expiresAt = new Date(desk.clock.now().getTime() + minutes(5 * 60)).toISOString();
    const object = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "app" };
    desk.step("app", "Verified", "Held.", {
      holds: [
        { kind: "flux-object", object, reason: "", takenAt: desk.clock.now().toISOString(), expiresAt, changes: [] },
      ],
    });
    await desk.run();
    expect(events(desk)).toHaveLength(5);
    await desk.clock.sleep(minutes(61));
    await desk.run();
    await desk.run();
    expect(events(desk).slice(5)).toEqual(["expiring"]);
    expect(desk.arrived.at(-1)?.notice.text).toMatch(/is held until .* UTC and is taken back then\./);
  });

  it("is one summary beyond the bound of one run, and nothing of it is told again", async () => {
    const desk = makeDesk(one({}, { perRun: 3 }));
    await desk.run();
    for (let index = 0; index < 30; index += 1) fix(desk, `app-${index}`);
    await desk.run();
    expect(events(desk)).toEqual(["hotfix-applied", "hotfix-applied", "hotfix-applied", "summary"]);
    expect(desk.arrived.at(-1)?.notice.lines).toHaveLength(21);
    expect(desk.arrived.at(-1)?.notice.lines.at(-1)).toBe("and 7 more");
    await desk.run();
    expect(desk.arrived).toHaveLength(4);
  });

  it("is one message in a storm; who is not told of the storm is told of each", async () => {
    const desk = makeDesk({
      notify: {
        receivers: [
          { ...HOOK, name: "all" },
          { ...HOOK, name: "team", namespaces: ["shop"] },
        ],
      },
    });
    await desk.run();
    for (let index = 0; index < 4; index += 1) {
      desk.add(`app-${index}`);
      desk.step(`app-${index}`, "Escalated", "11 findings at once. A person is needed.");
    }
    for (let times = 0; times < 3; times += 1) await desk.run({ ripe: 11 });
    expect(events(desk, "all")).toEqual(["storm"]);
    expect(events(desk, "team")).toEqual(Array(4).fill("escalated"));
    // Over: what still needs a person is told. Another storm is another message.
    desk.step("app-1", "Resolved", "Gone.", { resolvedAt: desk.clock.now().toISOString() });
    await desk.run();
    expect(events(desk, "all")).toEqual(["storm", "escalated", "escalated", "escalated"]);
    await desk.clock.sleep(minutes(5));
    await desk.run({ ripe: 12 });
    expect(events(desk, "all").filter((event) => event === "storm")).toHaveLength(2);
    const ids = desk.arrived.filter(({ notice }) => notice.event === "storm").map(({ notice }) => notice.id);
    expect(new Set(ids).size).toBe(2);
  });

  it("is that runs fail, once, when two in a row did; another run that holds the lease is none", async () => {
    const desk = makeDesk(one());
    const { StanchError } = await import("../../src/errors.ts");
    const error = new StanchError("code-host", "GitHub does not answer", { hint: "check github.apiUrl" });
    await desk.run({ error });
    await desk.run();
    await desk.run({ error });
    expect(events(desk)).toEqual([]);
    for (let times = 0; times < 3; times += 1) await desk.run({ error });
    expect(events(desk)).toEqual(["run-failing"]);
    expect(desk.arrived[0]?.notice.text).toBe("A run ended early: GitHub does not answer (check github.apiUrl)");
    await desk.run();
    for (let times = 0; times < 3; times += 1) await desk.run({ error: new StanchError("lease", "busy") });
    expect(desk.arrived).toHaveLength(1);
  });

  it("is left for later where a receiver asks for it", async () => {
    const desk = makeDesk(one());
    await desk.run();
    fix(desk, "app");
    desk.sends.push({ outcome: "failed", reason: "HTTP 429", retryAfter: minutes(30) });
    await desk.run();
    await desk.clock.sleep(minutes(10));
    await desk.run();
    expect(desk.arrived).toEqual([]);
    await desk.clock.sleep(minutes(21));
    await desk.run();
    expect(events(desk)).toEqual(["hotfix-applied"]);
    await desk.run();
    expect(JSON.stringify(desk.book())).not.toContain("notBefore");
  });

  it("holds no log lines unless that is asked for, and no secrets then", async () => {
    for (const evidence of [false, true]) {
      const desk = makeDesk(one({}, { evidence }));
      await desk.run();
      fix(desk, "app");
      await desk.run();
      const text = JSON.stringify(desk.arrived);
      expect(text.includes("ERROR out of memory")).toBe(evidence);
      expect(text).not.toContain("hunter2");
    }
  });
});

describe("observing", () => {
  const outcome = (name: string) => ({
    kind: "reported" as const,
    workload: { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name },
    symptom: "OOMKilled" as const,
    message: `${name} is killed for its memory. Would try raise-memory-limit.`,
  });
  it("tells nothing unless it is asked for, and then each finding once while it is there", async () => {
    const silent = makeDesk({ mode: "observe", ...one() });
    await silent.run({ report: { outcomes: [outcome("a")] } });
    expect(silent.arrived).toEqual([]);
    expect(silent.book()).toBeUndefined();

    const desk = makeDesk({ mode: "observe", ...one({}, { observe: true }) });
    await desk.run({ report: { outcomes: [outcome("a")] } });
    await desk.run({ report: { outcomes: [outcome("a"), outcome("b")] } });
    // Not everything was seen: what is not there may be there.
    await desk.run({ report: { outcomes: [], gaps: ["namespace shop"] } });
    await desk.run({ report: { outcomes: [outcome("a"), outcome("b")] } });
    expect(desk.arrived.map(({ notice }) => notice.lines.length)).toEqual([1, 1]);
    await desk.run({ report: { outcomes: [] } });
    await desk.run({ report: { outcomes: [outcome("a")] } });
    expect(events(desk)).toEqual(["finding", "finding", "finding"]);
  });
});

describe("whatever fails", () => {
  type Action =
    | { readonly do: "wait"; readonly minutes: number }
    | { readonly do: "step" }
    | { readonly do: "run"; readonly sends: ("down" | "lost")[]; readonly writes: ("fails" | "conflict")[] };
  const action: fc.Arbitrary<Action> = fc.oneof(
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant("wait" as const), minutes: fc.integer({ min: 1, max: 2000 }) }),
    },
    { weight: 3, arbitrary: fc.constant({ do: "step" as const }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("run" as const),
        sends: fc.array(fc.constantFrom("down" as const, "lost" as const), { maxLength: 2 }),
        writes: fc.array(fc.constantFrom("fails" as const, "conflict" as const), { maxLength: 3 }),
      }),
    },
  );

  /** A life in which everything happens that may, again and again. */
  function step(desk: Desk, at: number): void {
    const now = desk.clock.now();
    const life = [
      () => desk.step("app", "Detected", "Came back", { recurrences: Math.floor(at / 6) }),
      () => desk.step("app", "Verified", "Recovered.", hotfixed(now)),
      () => desk.step("app", "Proposed", `Opened ${pullRequest(at).url}.`, { pullRequest: pullRequest(at) }),
      () => desk.step("app", "Escalated", `A person is needed (${at}).`),
      () => desk.step("app", "Merged", `#${at} was merged.`, { mergedAt: now.toISOString() }),
      () => desk.step("app", "Resolved", "Over.", { resolvedAt: now.toISOString() }),
    ];
    life[at % life.length]?.();
  }

  it("nothing is told twice but for a crash or a lost answer, and then with the same id; and nothing is lost", async () => {
    const settings = one({ quiet: NIGHT });
    const config = parseConfig(JSON.stringify(settings));
    const quiet = config.notify.receivers[0]?.quiet;
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 4, maxLength: 40 }), async (actions) => {
        const desk = makeDesk(settings);
        await desk.run();
        desk.add("app");
        let steps = 0;
        let doubts = 0;
        const settle = async (): Promise<void> => {
          await desk.run();
          if (isQuiet(quiet, desk.clock.now())) return;
          const incident = [...desk.incidents.values()][0];
          if (incident === undefined) throw new Error("it is gone");
          const told = desk.arrived.map(({ notice }) => notice);
          for (const { key, event, at } of milestonesOf(incident, milestoneSettings(config), desk.clock.now())) {
            // That it is over is told to whom it was told that it began.
            if (event === "resolved" && told.length === 0) continue;
            const id = idOf(["test", "uid-app", key]);
            const isTold = told.some(
              (notice) => notice.id === id || notice.earlier.some((row) => row.event === event && row.at === at),
            );
            expect(isTold, `${key} was never told`).toBe(true);
          }
        };
        for (const it of actions) {
          if (it.do === "wait") await desk.clock.sleep(minutes(it.minutes));
          else if (it.do === "step") {
            steps += 1;
            step(desk, steps);
            await desk.clock.sleep(1000);
          } else {
            desk.sends.push(...it.sends);
            desk.writes.push(...it.writes);
            // Every lost answer and every failed write may cost one message too many.
            doubts += it.sends.filter((how) => how === "lost").length + it.writes.length;
            await desk.run();
            desk.sends.length = 0;
            desk.writes.length = 0;
          }
        }
        await settle();
        await desk.clock.sleep(minutes(12 * 60));
        await settle();
        const ids = desk.arrived.map(({ notice }) => notice.id);
        expect(ids.length - new Set(ids).size).toBeLessThanOrEqual(doubts);
        const before = ids.length;
        await desk.run();
        expect(desk.arrived).toHaveLength(before);
        // What is kept does not grow with the life of an incident.
        expect([...desk.incidents.values()][0]?.status?.notified?.[0]?.keys.length ?? 0).toBeLessThan(45);
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  it("without faults nothing at all is told twice", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 30 }), async (waits) => {
        const desk = makeDesk(one({ quiet: NIGHT }));
        await desk.run();
        desk.add("app");
        for (const [index, wait] of waits.entries()) {
          step(desk, index + 1);
          await desk.clock.sleep(minutes(wait) + 1000);
          await desk.run();
          await desk.run();
        }
        const ids = desk.arrived.map(({ notice }) => notice.id);
        expect(new Set(ids).size).toBe(ids.length);
      }),
      { numRuns: 100 },
    );
  }, 60_000);
});
