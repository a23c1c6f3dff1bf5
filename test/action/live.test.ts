import { cp, readFile, writeFile } from "node:fs/promises";
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

const PUBLIC = {
  name: "shop",
  full_name: "acme/shop",
  private: false,
  default_branch: "main",
  permissions: { push: true },
};
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

  it("shows values to whom a published report would show them", async () => {
    const config = join(at.folder, "values.yaml");
    const own = JSON.parse(await readFile(at.flags.config, "utf8")) as { drift: object };
    for (const [values, shown] of [
      ["never", false],
      ["private", true],
      ["always", true],
    ] as const) {
      await writeFile(config, JSON.stringify({ ...own, drift: { ...own.drift, values } }));
      const said = await step({ config });
      expect(said, said.stdout).toMatchObject({ code: 1, outputs: { result: "drift", count: "1" } });
      expect(said.summary).toContain("containers[name=app].image");
      const everything = [said.stdout, said.summary, await readFile(said.outputs["report"] ?? "", "utf8")];
      expect([values, ...everything.map((text) => text.includes("example.com/app:1.1.0"))]).toEqual([
        values,
        // A marked line names who wrote it, and no value.
        expect.any(Boolean),
        shown,
        shown,
      ]);
      if (!shown) expect(everything.join("\n")).not.toContain("example.com/app");
    }
  }, 90_000);

  it("shows no values of a public repository", async () => {
    world.host.faults.add({ method: "GET", path: /^\/repos\/acme\/shop$/, times: 20, status: 200, body: PUBLIC });
    const said = await step();
    world.host.faults.clear();
    expect(said, said.stdout).toMatchObject({ code: 1, outputs: { result: "drift", count: "1" } });
    const everything = [said.stdout, said.summary, await readFile(said.outputs["report"] ?? "", "utf8")];
    expect(everything.join("\n")).not.toContain("example.com/app");
  }, 90_000);

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
