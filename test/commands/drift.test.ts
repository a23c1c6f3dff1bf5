import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DriftReport } from "../../src/drift/model.ts";
import { deployment, makeWorld, type World } from "../pipeline/world.ts";
import { command, flagsFor } from "./command.ts";

let world: World;
let at: Awaited<ReturnType<typeof flagsFor>>;

beforeAll(async () => {
  world = await makeWorld({
    "apps/app.yaml": deployment({ memory: "256Mi" }),
    "apps/fine.yaml": deployment({ name: "fine", memory: "256Mi" }),
  });
  at = await flagsFor(world, { mode: "observe", drift: { wait: "0s" } });
  await world.deploy();
}, 30_000);
afterAll(async () => {
  await at.close();
  await world[Symbol.asyncDispose]();
});

const report = async (): Promise<{ report: DriftReport; code: number }> => {
  const { out, code, error } = await command("drift", { ...at.flags, output: "json" });
  try {
    return { report: JSON.parse(out) as DriftReport, code };
  } catch {
    throw new Error(`${code} ${out} ${error}`);
  }
};

describe("stanch drift", () => {
  it("finds nothing where the cluster is what Git says", async () => {
    const said = await report();
    expect(said.report.roots).toMatchObject([{ compared: 2, inSync: 2, items: [] }]);
    expect(said.code).toBe(0);
  });

  it("names the field that a person changed", async () => {
    const live = world.cluster.get("apps/v1", "Deployment", "shop", "app");
    expect(live).toBeDefined();
    await world.api.patch({ apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "app" }, [
      { op: "replace", path: "/spec/template/spec/containers/0/image", value: "example.com/app:1.1.0" },
    ]);
    const said = await report();
    expect(said.report.roots[0]?.items).toMatchObject([
      {
        class: "drift",
        object: { name: "app" },
        fields: [{ text: "spec.template.spec.containers[name=app].image", by: { writer: "stanch" } }],
      },
    ]);
    expect(said.code).toBe(3);
  });
});
