import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { flagsFor } from "../commands/command.ts";
import { deployment, makeWorld, TOKEN, type World } from "../pipeline/world.ts";
import { PATIENCE, runStep, type Step } from "./runner.ts";

vi.setConfig(PATIENCE);

let world: World;
let at: Awaited<ReturnType<typeof flagsFor>>;

beforeAll(async () => {
  world = await makeWorld({ "apps/app.yaml": deployment({ memory: "256Mi" }) });
  at = await flagsFor(world, { mode: "observe", drift: { wait: "0s" } });
  await world.deploy();
}, 60_000);
afterAll(async () => {
  await at.close();
  await world[Symbol.asyncDispose]();
});

const step = (inputs: Readonly<Record<string, string>> = {}): Promise<Step> =>
  runStep(
    world.host,
    at.folder,
    {
      mode: "drift",
      kubeconfig: at.flags.kubeconfig,
      config: at.flags.config,
      token: TOKEN,
      "fail-on": "drift",
      ...inputs,
    },
    { eventName: "schedule" },
  );
const errors = ({ commands }: Step): string =>
  commands
    .filter(({ name }) => name === "error")
    .map(({ message }) => message)
    .join("\n");

describe("drift by a read-only kubeconfig", () => {
  it("is none where the cluster is what Git says", async () => {
    const said = await step();
    expect(said, said.stdout).toMatchObject({ code: 0, outputs: { result: "clean", count: "0", drifted: "false" } });
  });

  it("is told with its field and line, and no write is tried", async () => {
    await world.api.patch({ apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "app" }, [
      { op: "replace", path: "/spec/template/spec/containers/0/image", value: "example.com/app:1.1.0" },
    ]);
    const before = world.cluster.get("apps/v1", "Deployment", "shop", "app")?.["spec"];
    const said = await step();
    expect(said, said.stdout).toMatchObject({ code: 1, outputs: { result: "drift", count: "1", drifted: "true" } });
    expect(said.summary).toContain("example.com/app:1.1.0");
    expect(said.commands.find(({ name }) => name === "warning")?.properties["file"]).toBe("apps/app.yaml");
    expect(world.cluster.get("apps/v1", "Deployment", "shop", "app")?.["spec"]).toEqual(before);
  });

  it("is an error where nothing is deployed from this repository, as far as is known", async () => {
    const config = join(at.folder, "elsewhere.yaml");
    await writeFile(config, JSON.stringify({ sources: [{ repository: "acme/other", path: "apps" }] }));
    const said = await step({ config });
    expect(said, said.stdout).toMatchObject({ code: 2, outputs: { result: "error", drifted: "false" } });
    expect(errors(said)).toContain("deployed from acme/shop");
  });

  it("is an error where what answers is no cluster, and where its kubeconfig or the repository cannot be had", async () => {
    const none = await step({ kubeconfig: "/nonexistent/kubeconfig" });
    expect(none).toMatchObject({ code: 2, outputs: { result: "error" } });
    expect(errors(none)).toContain("kubeconfig");
    const dead = join(at.folder, "dead");
    await cp(at.flags.kubeconfig, dead);
    await writeFile(dead, world.cluster.kubeconfig().replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, world.host.url));
    expect(await step({ kubeconfig: dead })).toMatchObject({ code: 2, outputs: { result: "error" } });
    world.host.faults.add({ path: /info\/refs/, status: 500, times: 50 });
    expect(await step()).toMatchObject({ code: 2, outputs: { result: "error" } });
    world.host.faults.clear();
  }, 90_000);
});
