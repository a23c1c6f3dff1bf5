import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { deployment, makeWorld, type World } from "../pipeline/world.ts";
import { flagsFor } from "./command.ts";

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
  [
    "run",
    () => import("../../src/commands/run.ts"),
    /^Read \d+ pods? of 1 workload in \d+ namespaces? \(\d+ calls\)\.$/,
  ],
  ["scan", () => import("../../src/commands/scan.ts"), /^NAMESPACE +WORKLOAD/],
] as const)("on a terminal the result of %s begins on a line of its own", async (_, load, first) => {
  let screen = "";
  const write = (text: unknown): boolean => {
    screen += String(text);
    return true;
  };
  const out = vi.spyOn(process.stdout, "write").mockImplementation(write);
  const error = vi.spyOn(process.stderr, "write").mockImplementation(write);
  try {
    const { main } = await load();
    await main({ ...at.flags, interactive: true });
  } finally {
    out.mockRestore();
    error.mockRestore();
  }
  expect(screen).toContain("… reading");
  // What a carriage return leads back over is written over.
  const shown = screen.split("\n").map((line) => line.slice(line.lastIndexOf("\r") + 1));
  expect(shown[0]).toMatch(first);
});
