import { expect, it } from "vitest";
import type { RunReport } from "../../src/run.ts";
import { deployment, makeWorld, REPOSITORY, virtualClock } from "./world.ts";

const said = (report: RunReport): string[] => report.outcomes.map((outcome) => outcome.kind);
const FILE = "apps/app.yaml";

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
