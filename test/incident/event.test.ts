import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { StanchError } from "../../src/errors.ts";
import { type Announcement, announcementsOf } from "../../src/incident/announcements.ts";
import { announce } from "../../src/incident/event.ts";
import type { Incident, IncidentStatus } from "../../src/incident/incident.ts";
import { createLog } from "../../src/log.ts";
import { createMeter } from "../../src/metrics/meter.ts";
import { countStep } from "../../src/metrics/transitions.ts";
import type { Containment, Hold, Hotfix, KubeObject } from "../../src/model.ts";
import { deployment, makeWorld, virtualClock, type World } from "../pipeline/world.ts";

const REF = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "app" };
const URL = "https://github.com/acme/shop/pull/7";
const PULL = { repository: "acme/shop", number: 7, url: URL, branch: "b", base: "main", head: "c", draft: false };
const HOTFIX: Hotfix = {
  changes: [{ object: REF, path: ["spec"], to: 1 }],
  appliedAt: "2026-03-01T10:00:00Z",
  objects: {},
};
const CONTAINS: Containment = { template: "t", pods: [] };
const HOLD: Hold = {
  kind: "flux-object",
  object: REF,
  reason: "",
  takenAt: "2026-03-01T10:00:00Z",
  expiresAt: "2026-03-02T10:00:00Z",
  changes: [],
};

function incident(status: Partial<IncidentStatus>): Incident {
  return {
    apiVersion: "stanch.dev/v1alpha1",
    kind: "Incident",
    metadata: { name: "app-oomkilled-1", namespace: "shop", uid: "u-1" },
    spec: { workload: REF, symptom: "OOMKilled", detector: "oom-killed", fingerprint: "0".repeat(16) },
    status: {
      phase: "Detected",
      message: "it fails",
      summary: "",
      detectedAt: "",
      lastSeenAt: "",
      recurrences: 0,
      details: { kind: "OOMKilled" },
      evidence: [],
      covers: [],
      tried: [],
      timeline: [],
      ...status,
    },
  };
}

type Step = [string, Partial<IncidentStatus>, Partial<IncidentStatus>, string[], Record<string, number>];
const applied = {
  hotfix: HOTFIX,
  plan: { remedy: "evict", params: {}, title: "raise it", risk: "low", reason: "it was killed", changes: [] },
};
const row = (result: string) => ({ remedy: "rollback", title: "", result, at: "" });
const to = (phase: string): Record<string, number> => ({
  [`stanch_incident_transitions_total{symptom="OOMKilled",phase="${phase}"}`]: 1,
});

const STEPS: Step[] = [
  ["a diagnosis is nobody's news", {}, { phase: "Diagnosed" }, [], to("Diagnosed")],
  [
    "a hotfix",
    { phase: "Acting" },
    { phase: "Hotfixed", ...applied },
    ["StanchHotfix"],
    { ...to("Hotfixed"), 'stanch_hotfixes_total{event="applied"}': 1 },
  ],
  [
    "its verification",
    { phase: "Hotfixed", ...applied },
    { phase: "Verified", ...applied, tried: [row("recovered: ready")] },
    ["StanchVerified"],
    { ...to("Verified"), 'stanch_remedies_total{remedy="rollback",result="recovered"}': 1 },
  ],
  [
    "one that is worse, marked before it is undone",
    { phase: "Hotfixed", ...applied },
    { phase: "Hotfixed", ...applied, tried: [row("worse: more crashes")] },
    [],
    { 'stanch_remedies_total{remedy="rollback",result="worse"}': 1 },
  ],
  [
    "the decision to undo",
    { phase: "Hotfixed", ...applied },
    { phase: "Hotfixed", hotfix: { ...HOTFIX, undo: { at: "", reason: "" } } },
    [],
    {},
  ],
  [
    "the undo",
    { phase: "Hotfixed", ...applied },
    { phase: "RolledBack", hotfix: { ...HOTFIX, undoneAt: "2026-03-01T11:00:00Z" } },
    ["StanchRolledBack"],
    { ...to("RolledBack"), 'stanch_hotfixes_total{event="undone"}': 1 },
  ],
  [
    "the end of one that was refused: it was never applied",
    { phase: "Acting", ...applied },
    { phase: "RolledBack", hotfix: { ...HOTFIX, undoneAt: "2026-03-01T10:00:01Z" } },
    ["StanchRolledBack"],
    to("RolledBack"),
  ],
  [
    "the end of what contains, as it was meant",
    { phase: "Contained", hotfix: { ...HOTFIX, contains: CONTAINS } },
    { phase: "RolledBack", hotfix: { ...HOTFIX, contains: CONTAINS, undoneAt: "2026-03-01T11:00:00Z" } },
    ["StanchReleased"],
    to("RolledBack"),
  ],
  [
    "the undo when a hold is over",
    { phase: "Proposed", ...applied, holds: [HOLD] },
    { phase: "Proposed", holds: [HOLD], hotfix: { ...HOTFIX, undoneAt: "2026-03-02T10:00:01Z" } },
    ["StanchHoldExpired"],
    { 'stanch_hotfixes_total{event="undone"}': 1 },
  ],
  [
    "a pull request",
    { phase: "Verified" },
    { phase: "Proposed", pullRequest: PULL },
    ["StanchPullRequest"],
    { ...to("Proposed"), 'stanch_pull_requests_total{event="opened"}': 1 },
  ],
  [
    "one that is updated",
    { phase: "Proposed", pullRequest: PULL },
    { phase: "Proposed", pullRequest: PULL, message: "Updated" },
    [],
    {},
  ],
  [
    "one that is met again after the hotfix was lost",
    { phase: "Verified", pullRequest: PULL },
    { phase: "Proposed", pullRequest: PULL },
    ["StanchPullRequest"],
    to("Proposed"),
  ],
  [
    "the merge",
    { phase: "Proposed", pullRequest: PULL },
    { phase: "Merged", pullRequest: PULL },
    ["StanchMerged"],
    { ...to("Merged"), 'stanch_pull_requests_total{event="merged"}': 1 },
  ],
  ["a merge that waits", { phase: "Merged", message: "a" }, { phase: "Merged", message: "b" }, [], {}],
  [
    "the end",
    { phase: "Merged", pullRequest: PULL },
    { phase: "Resolved", pullRequest: PULL },
    ["StanchResolved"],
    to("Resolved"),
  ],
  [
    "a no",
    { phase: "Proposed", pullRequest: PULL },
    { phase: "Silenced", pullRequest: PULL },
    ["StanchSilenced"],
    { ...to("Silenced"), 'stanch_pull_requests_total{event="closed"}': 1 },
  ],
  ["a person is needed", { phase: "Diagnosed" }, { phase: "Escalated" }, ["StanchEscalated"], to("Escalated")],
  [
    "needed for another thing",
    { phase: "Escalated", message: "a" },
    { phase: "Escalated", message: "b" },
    ["StanchEscalated"],
    {},
  ],
  ["still needed", { phase: "Escalated", message: "a" }, { phase: "Escalated", message: "a" }, [], {}],
  [
    "it came back: what was tried begins anew",
    { phase: "Resolved", tried: [row("recovered: x")] },
    { phase: "Detected", tried: [] },
    [],
    to("Detected"),
  ],
];

describe("what a step is worth", () => {
  it.each(STEPS)("%s", (_, then, now, reasons, counts) => {
    const said = announcementsOf(incident(then), incident(now));
    expect(said.map((one) => one.reason)).toEqual(reasons);
    for (const { message } of said) if (now.pullRequest !== undefined) expect(message).toContain(URL);
    const meter = createMeter({ now: () => new Date(0) });
    countStep(incident(then), incident(now), meter);
    expect(meter.counts()).toEqual(counts);
  });

  it("an incident that was just made is counted, and not told: the symptom tells itself", () => {
    expect(announcementsOf(null, incident({}))).toEqual([]);
    const meter = createMeter({ now: () => new Date(0) });
    countStep(null, incident({}), meter);
    expect(meter.counts()).toEqual(to("Detected"));
  });
});

const escalated = (message: string): [Incident, Incident] => [
  incident({ phase: "Diagnosed" }),
  incident({ phase: "Escalated", message }),
];

async function worldWithApp(): Promise<World> {
  const world = await makeWorld({ "apps/app.yaml": deployment() }, virtualClock());
  await world.deploy();
  return world;
}

function contextOf(world: World, over: Partial<World["api"]> = {}) {
  let text = "";
  const write = (more: string): void => {
    text += more;
  };
  const log = createLog({ format: "json", level: "debug", interactive: false, write, now: world.clock.now });
  return { context: { cluster: { ...world.api, ...over }, clock: world.clock, log }, text: () => text };
}

const events = (world: World): KubeObject[] =>
  world.cluster.list("v1", "Event", "shop").filter((event) => event["reportingComponent"] === "stanch");

describe("Events", () => {
  it("count the same words again, and begin another for other words", async () => {
    await using world = await worldWithApp();
    const { context, text } = contextOf(world);
    for (let run = 0; run < 4; run += 1) {
      await announce(...escalated("A person must choose an image."), context);
      await world.clock.sleep(300_000);
    }
    await announce(...escalated("A person must raise the quota."), context);
    expect(text()).toBe("");
    const said = events(world).map((event) => [
      (event["involvedObject"] as { kind: string }).kind,
      event["message"],
      event["count"],
    ]);
    expect(said.toSorted()).toEqual([
      ["Deployment", "A person must choose an image.", 4],
      ["Deployment", "A person must raise the quota.", 1],
      ["Incident", "A person must choose an image.", 4],
      ["Incident", "A person must raise the quota.", 1],
    ]);
    const [again] = events(world).filter((event) => event["count"] === 4);
    const span = Date.parse(String(again?.["lastTimestamp"])) - Date.parse(String(again?.["firstTimestamp"]));
    expect(span).toBe(900_000);
    expect(again).toMatchObject({
      type: "Warning",
      reason: "StanchEscalated",
      reportingComponent: "stanch",
      source: { component: "stanch" },
    });
  });

  it("are found at the object by its uid, and name each other", async () => {
    await using world = await worldWithApp();
    await announce(...escalated("x"), contextOf(world).context);
    const uid = world.cluster.get("apps/v1", "Deployment", "shop", "app")?.metadata.uid;
    const of = (kind: string) =>
      events(world).find((event) => (event["involvedObject"] as { kind: string }).kind === kind);
    expect(uid).toBeDefined();
    expect(of("Deployment")).toMatchObject({
      involvedObject: { ...REF, uid },
      related: { kind: "Incident", uid: "u-1" },
    });
    expect(of("Incident")).toMatchObject({
      involvedObject: { kind: "Incident", uid: "u-1" },
      related: { ...REF, uid },
    });
  });

  it("are as short as Kubernetes wants them, whole letters, and hold no credentials", async () => {
    await using world = await worldWithApp();
    const { context, text } = contextOf(world);
    await announce(...escalated(`token ghp_0123456789abcdefghijABCDEFGHIJ012345 ${"🩹ü".repeat(2000)}`), context);
    expect(text()).toBe("");
    for (const event of events(world)) {
      const message = String(event["message"]);
      expect(Buffer.byteLength(message)).toBeLessThanOrEqual(1024);
      expect(message).not.toContain("ghp_");
      expect(message).toMatch(/[🩹ü]…$/u);
      expect(message.isWellFormed()).toBe(true);
    }
    expect(events(world)).toHaveLength(2);
  });

  it.each<[string, Partial<World["api"]>]>([
    [
      "may not be written",
      {
        create: async () => {
          throw new StanchError("forbidden", "events is forbidden");
        },
      },
    ],
    [
      "fail with anything",
      {
        create: async () => {
          throw new TypeError("socket");
        },
      },
    ],
    [
      "are there, and may not be counted",
      {
        create: async () => {
          throw new StanchError("conflict", "exists");
        },
        list: async function* () {
          yield [{ apiVersion: "v1", kind: "Event", metadata: { name: "none" } }];
          throw new StanchError("forbidden", "no list");
        },
      },
    ],
    [
      "are about what may not be read",
      {
        get: async () => {
          throw new StanchError("forbidden", "no get");
        },
        create: async () => {
          throw new StanchError("cluster", "away");
        },
      },
    ],
  ])("that %s stop nothing, and are a line at debug", async (_, over) => {
    await using world = await worldWithApp();
    const { context, text } = contextOf(world, over);
    await announce(...escalated("x"), context);
    const lines = text()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, string>);
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatchObject({ level: "debug", msg: "event not written" });
  });

  it("of what is gone are written without its uid", async () => {
    await using world = await worldWithApp();
    const [before, after] = escalated("x");
    const gone = { ...after, spec: { ...after.spec, workload: { ...REF, name: `gone-${"x".repeat(230)}` } } };
    await announce(before, gone, contextOf(world).context);
    expect(events(world)).toHaveLength(2);
    for (const event of events(world)) expect(event.metadata.name.length).toBeLessThanOrEqual(253);
  });
});

it("an announcement has a reason in CamelCase", () => {
  const all: Announcement[] = STEPS.flatMap(([, then, now]) => announcementsOf(incident(then), incident(now)));
  for (const { reason } of all) expect(reason).toMatch(/^Stanch([A-Z][a-z]+)+$/);
});

it("every reason stands in the documentation's table, and no other", () => {
  const read = (path: string) => readFileSync(resolve(import.meta.dirname, "../..", path), "utf8");
  const reasons = (text: string, pattern: RegExp) => [...new Set([...text.matchAll(pattern)].map(([, name]) => name))];
  const said = reasons(read("src/incident/announcements.ts"), /"(Stanch[A-Z][A-Za-z]+)"/g);
  expect(said.length).toBeGreaterThan(8);
  const told = reasons(read("docs/metrics.md"), /^\| `(Stanch\w+)` +\| (?:Normal|Warning) /gm);
  expect(told.toSorted()).toEqual(said.toSorted());
});
