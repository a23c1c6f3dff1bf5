import { expect, it } from "vitest";
import type { RunReport } from "../../src/run.ts";
import { deployment, makeWorld, REPOSITORY, virtualClock } from "./world.ts";

const said = (report: RunReport): string[] => report.outcomes.map((outcome) => outcome.kind);
const FILE = "apps/app.yaml";
const OPTED_OUT = `  annotations: {stanch.dev/ignore: "true"}\n`;

it("what the API server refuses since a commit is put back in Git, and the cluster is left as it is", async () => {
  const good = deployment({ memory: "256Mi" });
  await using world = await makeWorld({ [FILE]: good }, virtualClock());
  await world.deploy();
  await world.clock.sleep(60_000);
  const version = world.cluster.get("apps/v1", "Deployment", "shop", "app")?.metadata.resourceVersion;
  const bad = good.replace("limits: {memory: 256Mi}", "limits: {memory: lots}");
  await world.host.commit(REPOSITORY, "main", { [FILE]: bad }, { message: "More", date: world.clock.now() });
  const report = await world.run();
  expect(said(report), JSON.stringify(report.outcomes)).toEqual(["proposed"]);
  expect(world.cluster.get("apps/v1", "Deployment", "shop", "app")?.metadata.resourceVersion).toBe(version);
  const [pull] = world.host.pulls(REPOSITORY);
  expect(pull?.draft, pull?.body).toBe(false);
  expect(await world.host.read(REPOSITORY, pull?.head ?? "", FILE)).toBe(good);
  await world.host.merge(REPOSITORY, 1, { as: "ada" });
  expect(said(await world.run())).toEqual(["resolved"]);
  expect(said(await world.run())).toEqual([]);
}, 60_000);

it("an API version that the cluster does not serve goes back, and nothing else of the commit", async () => {
  const good = deployment({ memory: "256Mi" });
  await using world = await makeWorld({ [FILE]: good }, virtualClock());
  await world.deploy();
  await world.clock.sleep(60_000);
  const next = good.replace("memory: 256Mi", "memory: 300Mi");
  const bad = next.replace("apiVersion: apps/v1", "apiVersion: apps/v1beta1");
  await world.host.commit(REPOSITORY, "main", { [FILE]: bad }, { message: "More", date: world.clock.now() });
  const report = await world.run();
  expect(said(report), JSON.stringify(report.outcomes)).toEqual(["proposed"]);
  const [pull] = world.host.pulls(REPOSITORY);
  expect(pull?.draft, pull?.body).toBe(false);
  expect(await world.host.read(REPOSITORY, pull?.head ?? "", FILE)).toBe(next);
}, 60_000);

const JOB = `apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: shop}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: app, image: "example.com/app:1.0.0"}]
`;

const GOOD = deployment({ memory: "256Mi" });

it.each([
  ["a field that cannot be changed", GOOD, GOOD.replaceAll("{app: app}", "{app: other}")],
  ["a placeholder that the deployer fills in", GOOD, GOOD.replace("replicas: 1", `replicas: ${"$"}{COUNT}`)],
  ["an object that is opted out", GOOD, deployment({ memory: "lots", annotations: OPTED_OUT })],
  ["a Job's template", JOB, JOB.replace("1.0.0", "1.1.0")],
])(
  "Git is right about %s",
  async (_, good, next) => {
    await using world = await makeWorld({ [FILE]: good }, virtualClock());
    await world.deploy();
    await world.clock.sleep(60_000);
    await world.host.commit(REPOSITORY, "main", { [FILE]: next }, { message: "Next", date: world.clock.now() });
    const report = await world.run();
    expect(said(report), JSON.stringify(report.outcomes)).toEqual([]);
  },
  60_000,
);

it("only what the commit itself changed goes back, not what came after it", async () => {
  const good = deployment({ memory: "256Mi" });
  await using world = await makeWorld({ [FILE]: good }, virtualClock());
  await world.deploy();
  await world.clock.sleep(60_000);
  const bad = good.replace("limits: {memory: 256Mi}", "limits: {memory: lots}");
  const later = (text: string): string => text.replace("app:1.0.0", "app:1.1.0");
  for (const [text, message] of [
    [bad, "More"],
    [later(bad), "Release"],
  ] as const)
    await world.host.commit(REPOSITORY, "main", { [FILE]: text }, { message, date: world.clock.now() });
  const report = await world.run();
  expect(said(report), JSON.stringify(report.outcomes)).toEqual(["proposed"]);
  const [pull] = world.host.pulls(REPOSITORY);
  expect(await world.host.read(REPOSITORY, pull?.head ?? "", FILE)).toBe(later(good));
}, 60_000);

it("what is not asked about any more is not over for that", async () => {
  const good = deployment({ memory: "256Mi" });
  const off = { remedies: { enabled: ["evict"] } };
  await using world = await makeWorld({ [FILE]: good }, virtualClock());
  await world.deploy();
  await world.clock.sleep(60_000);
  const bad = good.replace("limits: {memory: 256Mi}", "limits: {memory: lots}");
  await world.host.commit(REPOSITORY, "main", { [FILE]: bad }, { message: "More", date: world.clock.now() });
  expect(said(await world.run(undefined, off))).toEqual(["escalated"]);
  await world.clock.sleep(25 * 3_600_000);
  expect(said(await world.run(undefined, off))).toEqual([]);
  expect(world.incidents()[0]?.status?.phase).toBe("Escalated");
  await world.host.commit(REPOSITORY, "main", { [FILE]: good }, { message: "Mend", date: world.clock.now() });
  expect(said(await world.run(undefined, off))).toEqual(["resolved"]);
}, 60_000);
