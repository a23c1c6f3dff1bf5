import { expect } from "vitest";
import type { RunReport } from "../../src/run.ts";
import { deployment, isKilled, makeWorld, REPOSITORY, virtualClock, type World } from "./world.ts";

export const FILE = "apps/app.yaml";

/** Deployed, and killed for its memory often enough to count. */
export async function broken(): Promise<World> {
  const world = await makeWorld({ [FILE]: deployment() }, virtualClock());
  await world.deploy();
  await world.until(() => isKilled(world));
  return world;
}

/** Hotfixed live, with an open pull request. */
export async function proposed(settings: object = {}): Promise<World> {
  const world = await broken();
  expect(said(await world.run(undefined, settings))).toEqual(["proposed"]);
  expect(pulls(world)).toEqual(["open"]);
  return world;
}

export const said = (report: RunReport): string[] => report.outcomes.map((outcome) => outcome.kind);
export const message = (report: RunReport): string => report.outcomes.map((outcome) => outcome.message).join("\n");
export const pulls = (world: World): string[] => world.host.pulls(REPOSITORY).map((pull) => pull.state);
export const phases = (world: World): (string | undefined)[] =>
  world.incidents().map((incident) => incident.status?.phase);
export const branch = (world: World): string => world.host.pulls(REPOSITORY)[0]?.head ?? "";
export const onMain = (world: World, memory: string): Promise<string> =>
  world.host.commit(REPOSITORY, "main", { [FILE]: deployment({ memory }) }, { message: "By hand" });
export const owners = (world: World): (string | undefined)[] =>
  (world.cluster.get("apps/v1", "Deployment", "shop", "app")?.metadata.managedFields ?? []).map(
    (entry) => entry.manager,
  );
export const APP = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "app" };

/** Somebody applies the old manifest, or the deployer does. */
export async function revertLive(world: World): Promise<void> {
  const file = await world.host.read(REPOSITORY, "main", FILE);
  await world.api.patch(APP, [
    {
      op: "replace",
      path: "/spec/template/spec/containers/0/resources/limits/memory",
      value: /memory: (\w+)/.exec(file)?.[1] ?? "",
    },
  ]);
  await world.until(() => isKilled(world));
}
