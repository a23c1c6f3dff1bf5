import { readFile } from "node:fs/promises";
import { describe, expect, it, vi } from "vitest";
import type { DriftReport } from "../../src/drift/model.ts";
import { field, item, report, root } from "../drift/reports.ts";
import { publish } from "./publish.ts";
import { APP_TOKEN, PATIENCE, REPOSITORY, type Step, startWorld, TOKEN, type World } from "./runner.ts";

vi.setConfig(PATIENCE);

const PUBLISHER = "stanch[bot]";
const FILES = { "deploy/app.yaml": "a: 1\n" };

const reportOf = (change: Partial<DriftReport> = {}, hoursAgo = 0): DriftReport =>
  report({ takenAt: new Date(Date.now() - hoursAgo * 3_600_000).toISOString(), ...change });

const CLEAN = { roots: [root({ items: [], inSync: 3 })] };

const drift = (world: World, inputs: Readonly<Record<string, string>> = {}): Promise<Step> =>
  world.step({ mode: "drift", publisher: PUBLISHER, cluster: "prod", ...inputs }, { eventName: "schedule" });

const errors = (step: Step): string =>
  step.commands
    .filter(({ name }) => name === "error")
    .map(({ message }) => message)
    .join("\n");

describe("drift by the report that the cluster published", () => {
  it("is said: summary, marked lines, outputs; and fails when it is told to", async () => {
    await using world = await startWorld(FILES);
    await publish(world, APP_TOKEN, reportOf());
    const step = await drift(world, { "fail-on": "drift" });
    expect(step).toMatchObject({ code: 1, outputs: { result: "drift", drifted: "true", count: "1" } });
    expect(step.summary).toContain("`Deployment shop/cart`");
    expect(step.summary).toContain("spec.replicas");
    expect(step.commands).toContainEqual(
      expect.objectContaining({
        name: "warning",
        properties: expect.objectContaining({ file: "deploy/app.yaml", line: "7" }),
      }),
    );
    const file = JSON.parse(await readFile(step.outputs["report"] ?? "", "utf8")) as {
      clusters: { report: DriftReport }[];
    };
    expect(file.clusters[0]?.report.roots[0]?.items[0]?.class).toBe("drift");
    expect((await drift(world)).code).toBe(0);
    expect((await drift(world, { "fail-on": "never" })).code).toBe(0);
  });

  it("is none when there is none", async () => {
    await using world = await startWorld(FILES);
    await publish(world, APP_TOKEN, reportOf(CLEAN));
    const step = await drift(world, { "fail-on": "drift" });
    expect(step).toMatchObject({ code: 0, outputs: { result: "clean", drifted: "false", count: "0" } });
    expect(errors(step)).toBe("");
  });

  it("is narrowed to `roots`, and a folder that the report does not know is an error", async () => {
    await using world = await startWorld(FILES);
    await publish(world, APP_TOKEN, reportOf({ roots: [root(), root({ id: "b", path: "other", items: [] })] }));
    expect(await drift(world, { roots: "oth*", "fail-on": "drift" })).toMatchObject({
      code: 0,
      outputs: { result: "clean" },
    });
    const wrong = await drift(world, { roots: "othr" });
    expect(wrong).toMatchObject({ code: 2, outputs: { result: "error" } });
    expect(errors(wrong)).toContain('the report has no source in a folder "othr"');
  });

  it.each([
    ["there is none", async () => undefined, /stanch\[bot\] has published no drift report of cluster prod/],
    [
      "it is old",
      async (world: World) => publish(world, APP_TOKEN, reportOf(CLEAN, 30)),
      /is 30h old, and `max-age` is 24h/,
    ],
    [
      "it is of the future",
      async (world: World) => publish(world, APP_TOKEN, reportOf(CLEAN, -3)),
      /taken in the future/,
    ],
    [
      "it is of another cluster",
      async (world: World) => publish(world, APP_TOKEN, reportOf({ ...CLEAN, cluster: "dev" })),
      /no drift report of cluster prod/,
    ],
    [
      "it is of another branch",
      async (world: World) =>
        publish(world, APP_TOKEN, reportOf({ roots: [root({ branch: "next", items: [], inSync: 3 })] })),
      /branch main/,
    ],
    [
      "somebody else wrote it",
      async (world: World) => {
        world.host.addToken("evil-token-0123456789", { login: "evil[bot]", permission: "write", app: "evil" });
        await publish(world, "evil-token-0123456789", reportOf(CLEAN));
      },
      /stanch\[bot\] has published no drift report/,
    ],
    [
      "a workflow of the repository wrote it",
      async (world: World) => publish(world, TOKEN, reportOf(CLEAN)),
      /stanch\[bot\] has published no drift report/,
    ],
  ] as const)('is an error and never "no drift" when %s', async (_, prepare, message) => {
    await using world = await startWorld(FILES);
    await prepare(world);
    for (const failOn of ["drift", "error"]) {
      const step = await drift(world, { "fail-on": failOn });
      expect(step).toMatchObject({ code: 2, outputs: { result: "error", drifted: "false" } });
      expect(errors(step)).toMatch(message);
      expect(step.summary).toContain("It is not known whether the cluster is what Git says.");
    }
  });

  it("is an error when the text was changed by hand, or GitHub does not answer", async () => {
    await using world = await startWorld(FILES);
    await publish(world, APP_TOKEN, reportOf());
    const [check] = world.host.checks(REPOSITORY);
    if (check === undefined) throw new Error("nothing was published");
    const text = check.text ?? "";
    check.text = text.replace('"drift"', '"pending"');
    expect(errors(await drift(world))).toContain("somebody changed the published report");
    check.text = text;
    world.host.faults.add({ path: /check-runs/, status: 500, times: 30 });
    const step = await drift(world);
    expect(step).toMatchObject({ code: 2, outputs: { result: "error" } });
    world.host.faults.clear();
    expect(await drift(world)).toMatchObject({ outputs: { result: "drift" } });
  });

  it("is an error when a part of the cluster could not be read, whatever else is clean", async () => {
    await using world = await startWorld(FILES);
    await publish(world, APP_TOKEN, reportOf({ ...CLEAN, gaps: ["secrets cannot be listed"] }));
    const step = await drift(world);
    expect(step).toMatchObject({ code: 2, outputs: { result: "error" } });
    expect(errors(step)).toContain("secrets cannot be listed");
  });

  it("is the worst of several clusters", async () => {
    await using world = await startWorld(FILES);
    await publish(world, APP_TOKEN, reportOf(CLEAN));
    await publish(world, APP_TOKEN, reportOf({ cluster: "staging" }));
    expect(await drift(world, { cluster: "prod\nstaging", "fail-on": "drift" })).toMatchObject({
      code: 1,
      outputs: { result: "drift", count: "1" },
    });
    expect(await drift(world, { cluster: "prod, qa" })).toMatchObject({ code: 2, outputs: { result: "error" } });
  });

  it("takes no value for a command of the runner", async () => {
    await using world = await startWorld(FILES);
    const evil = "::error::pwned ##[add-mask]x @octocat";
    const items = [
      item({ text: evil, fields: [field({ text: evil, live: { value: evil }, git: { value: `a\n${evil}` } })] }),
    ];
    await publish(
      world,
      APP_TOKEN,
      reportOf({
        roots: [root({ items, path: evil })],
        hidden: [{ rule: evil, count: 1, repositories: [{ repository: REPOSITORY, count: 1 }] }],
      }),
    );
    const step = await drift(world);
    expect(step.commands.filter(({ name }) => !["debug", "warning", "notice"].includes(name))).toEqual([]);
    expect(step.summary).not.toMatch(/(?<![\w\u200b`])@octocat(?!.*`)/);
  });
});
