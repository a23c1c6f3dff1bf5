import { describe, expect, it } from "vitest";
import type { Program } from "../../src/demo/cluster/programs.ts";
import { incidentCrd } from "../../src/incident/crd.ts";
import type { KubeObject } from "../../src/model.ts";
import { acted, deployed, inGit, manifest, minutes, pods, ready, TOLD } from "./contained.ts";
import { phases } from "./incident.ts";
import { APPS, issues, runs, states } from "./issues.ts";
import { killAt } from "./kill.ts";
import type { World } from "./world.ts";

const PROBE = `          readinessProbe:
            exec: {command: [test, -f, /tmp/healthy]}
            periodSeconds: 15
`;
const entry = (over: object = {}) => ({
  name: "restore-health-file",
  namespaces: ["shop"],
  workloads: ["Deployment/app"],
  command: ["touch", "/tmp/healthy"],
  why: "The app removes its health file now and then.",
  ...over,
});
const settings = (over: object = {}) => ({ ...TOLD, remedies: { exec: [entry(over)] } });

/** It has its file until it loses it, and `touch` brings it back unless `broken`; what it says holds a secret. */
function program(lost: Set<number>, nth: number, ran: string[][], broken: () => boolean): Program {
  return {
    exec([name = "", ...words]) {
      if (name === "test") return lost.has(nth) ? { code: 1, output: "" } : { code: 0, output: "" };
      ran.push([name, ...words]);
      if (broken()) return { code: 3, output: "touch: read-only file system\n" };
      lost.delete(nth);
      return { code: 0, output: "password=hunter2-very-secret \u001b[31mdone\n" };
    },
  };
}

async function losing(options: { readonly broken?: boolean; readonly replicas?: number } = {}) {
  const lost = new Set<number>();
  const ran: string[][] = [];
  const replicas = options.replicas ?? 2;
  const world = await deployed(manifest({ container: PROBE, replicas }), (nth) =>
    program(lost, nth, ran, () => options.broken === true),
  );
  await world.until(() => ready(world) === replicas);
  await minutes(world, 5);
  lost.add(1);
  await world.until(() => ready(world) === replicas - 1);
  await minutes(world, 4);
  return { world, lost, ran };
}

const uids = (world: World): string[] =>
  pods(world)
    .map((pod) => pod.uid)
    .toSorted();

describe.concurrent("a file that a health check needs", { timeout: 180_000 }, () => {
  it("is restored by the command that was written down; its developers are told, and Git is not asked", async () => {
    const { world: made, ran } = await losing();
    await using world = made;
    const before = uids(world);
    const text = await runs(world, ["contained"], settings());
    expect(text).toMatch(/^Contained: run restore-health-file in app-\S+; pod app-\S+ is ready/);
    expect(text).toContain("The cause lies in the program and stays");
    expect(ran).toEqual([["touch", "/tmp/healthy"]]);
    expect(uids(world)).toEqual(before);
    expect(ready(world)).toBe(2);
    expect(phases(world)).toEqual(["Contained"]);
    expect(inGit(world)).toBe(0);
    const [issue] = issues(world, APPS);
    expect(issue?.body).toContain("**Live:** contained, not healed: run restore-health-file in app-");
    const said =
      world
        .incidents()[0]
        ?.status?.evidence.map((item) => item.text)
        .join("\n") ?? "";
    expect(said).toMatch(/What the command put out in pod app-\S+:\n/);
    expect(said).not.toContain("hunter2");
    expect(said).not.toContain("\u001b");
    expect(issue?.body).not.toContain("hunter2");
    // It stays open with its issue until another version comes.
    await minutes(world, 5);
    await runs(world, ["waiting"], settings());
    expect(states(world, APPS)).toEqual(["open"]);
    world.cluster.registry.push("example.com/cart:1.0.1", { exec: () => ({ code: 0, output: "" }) });
    await world.api.patch({ apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "app" }, [
      { op: "replace", path: "/spec/template/spec/containers/0/image", value: "example.com/cart:1.0.1" },
    ]);
    await minutes(world, 5);
    await runs(world, ["resolved"], settings());
    expect(states(world, APPS)).toEqual(["closed"]);
  });

  it("that cannot be restored: the command is run once in a pod, and never again", async () => {
    const { world: made, ran } = await losing({ broken: true });
    await using world = made;
    expect(await runs(world, ["escalated"], settings())).toMatch(
      /the command ended with exit code 3 in container app of pod/,
    );
    expect(world.incidents()[0]?.status?.evidence.at(-1)?.text).toContain("read-only file system");
    await minutes(world, 5);
    await runs(world, ["escalated"], settings());
    expect(ran).toHaveLength(1);
  });

  it("that is lost again in the same pod is not restored again", async () => {
    const { world: made, lost, ran } = await losing();
    await using world = made;
    await runs(world, ["contained"], settings());
    lost.add(1);
    await minutes(world, 5);
    expect(await runs(world, ["escalated"], settings())).toContain("it was run in every failing pod before");
    expect(ran).toHaveLength(1);
  });

  it.each<[string, object, (world: World) => void]>([
    ["no entry", TOLD, () => undefined],
    ["an entry for another image", settings({ images: ["other/*"] }), () => undefined],
    ["mode propose", { ...settings(), mode: "propose" }, () => undefined],
    ["the remedy switched off", { remedies: { ...settings().remedies, enabled: ["rollback"] } }, () => undefined],
    ["no right to it", settings(), (world) => world.cluster.deny({ group: "", resource: "pods/exec", verb: "create" })],
    [
      "half of the rights to it",
      settings(),
      (world) => world.cluster.deny({ group: "", resource: "pods/exec", verb: "get" }),
    ],
  ])("with %s nothing is run", async (_, given, prepare) => {
    const { world: made, ran } = await losing();
    await using world = made;
    prepare(world);
    await runs(world, ["escalated"], given);
    expect(ran).toEqual([]);
    expect(acted(world, "exec")).toEqual([]);
  });

  it("is not touched where the cluster's definition of incidents would forget what contains it", async () => {
    const { world: made, ran } = await losing();
    await using world = made;
    const older = JSON.parse(JSON.stringify(incidentCrd).replaceAll('"contains":', '"forgotten":')) as KubeObject;
    world.cluster.apply([older]);
    expect(await runs(world, ["escalated"], settings())).toContain("is older than this program");
    expect(ran).toEqual([]);
  });

  it.each(["before", "after"] as const)(
    "a run that is killed right %s the command runs it at most once in a pod",
    async (when) => {
      const { world: made, ran } = await losing({ replicas: 1 });
      await using world = made;
      const kill = killAt("exec", when);
      expect(await Promise.race([world.run(kill.wrap, settings()).then(() => "finished"), kill.died])).toBe("died");
      await minutes(world, 5);
      for (let round = 0; round < 3; round += 1) await world.run(undefined, settings());
      // Before it, nobody knows that it was not run: it is left to people.
      expect(ran).toHaveLength(when === "after" ? 1 : 0);
      expect(ready(world)).toBe(when === "after" ? 1 : 0);
      expect(inGit(world)).toBe(0);
    },
  );
});
