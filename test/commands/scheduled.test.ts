import { afterEach, beforeEach, expect, it } from "vitest";
import { deployment, makeWorld, type World } from "../pipeline/world.ts";
import { command, flagsFor } from "./command.ts";

let world: World;
let at: Awaited<ReturnType<typeof flagsFor>>;
beforeEach(async () => {
  world = await makeWorld({ "apps/app.yaml": deployment({ image: "example.com/flagged:1.0.0" }) });
  at = await flagsFor(world);
  await world.deploy();
  world.cluster.advance(300);
});
afterEach(async () => {
  await at.close();
  await world[Symbol.asyncDispose]();
});

it.each([
  [undefined, 3],
  [true, 0],
])("what needs a person fails no Job: scheduled %s, exit code %s", async (scheduled, code) => {
  const said = await command("run", { ...at.flags, scheduled });
  expect(said.out).toMatch(/ESCALATED|REFUSED/);
  expect(said.code).toBe(code);
});

it("a fault still does", async () => {
  world.cluster.faults.add({ method: "POST", path: /incidents/, status: 500 });
  const said = await command("run", { ...at.flags, scheduled: true });
  expect(said.code, said.out + said.error).toBe(1);
});
