import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatFix } from "../../src/code-fix/recording.ts";
import { command } from "../commands/command.ts";
import { type FixBench, startFixBench } from "./bench.ts";
import { inMemory } from "./in-memory.ts";
import { PROGRAMS } from "./worlds.ts";

let bench: FixBench;
let folder: string;
let file: string;
beforeAll(async () => {
  bench = await startFixBench();
  folder = await mkdtemp(join(tmpdir(), "stanch-fix-explain-"));
  file = join(folder, "exchange.json");
  const { world, script } = PROGRAMS["python"] ?? { world: {}, script: [] };
  const { sought, question, settings, redactor } = await bench.ask(
    { ...world, checkout: inMemory(world.files ?? {}), code: { lines: 20 } },
    script,
  );
  const incident = "shop/cart";
  await writeFile(
    file,
    formatFix({ at: "2026-01-01T12:00:00Z", incident, version: "0.0.0", question, sought, settings, redactor }),
  );
}, 60_000);
afterAll(async () => {
  await bench[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

describe("stanch explain --replay FILE of a fix of code", () => {
  it("makes the edits again, without a call, a cluster or the repository", async () => {
    const before = bench.api.bodies.length;
    const { out, code } = await command("explain", { env: {}, replay: file });
    expect(code).toBe(0);
    expect(out).toContain("of shop/cart, by Stanch 0.0.0 with claude-opus-5-5, in acme/cart:");
    expect(out).toContain('  search {"text":"price_of"');
    expect(out).toContain("Then: it edited services/cart/app/prices.py");
    expect(out).toMatch(/passed {2}limits: its edits are within all limits/);
    expect(out).toContain('+        raise KeyError(f"no price of {item}")');
    expect(bench.api.bodies.length).toBe(before);
  });

  it("an answer that was tampered with does not pass the same checks", async () => {
    const given = JSON.parse(await readFile(file, "utf8"));
    for (const [forge, says] of [
      [
        (text: string) => text.replaceAll("services/cart/app/prices.py", "services/other/prices.py"),
        /nothing is edited/,
      ],
      [(text: string) => text.replaceAll("if entry is None", "eval(entry) or None"), /nothing is edited/],
      [(text: string) => text.replaceAll("NoneType", "SomeType"), /There is no fix|quotes/],
    ] as const) {
      const forged = join(folder, "forged.json");
      const { replies, ...rest } = given;
      await writeFile(forged, JSON.stringify({ ...rest, replies: JSON.parse(forge(JSON.stringify(replies))) }));
      const { out, code } = await command("explain", { env: {}, replay: forged });
      if (code === 3) expect(out).toMatch(says);
      else expect(out).toMatch(/failed {2}quotes/);
    }
  });

  it("limits are those of the exchange, and a recording of something else is named", async () => {
    const given = JSON.parse(await readFile(file, "utf8"));
    const strict = join(folder, "strict.json");
    await writeFile(
      strict,
      JSON.stringify({ ...given, code: { ...given.code, limits: { ...given.code.limits, lines: 1 } } }),
    );
    expect(await command("explain", { env: {}, replay: strict })).toMatchObject({ code: 3 });
    await writeFile(strict, JSON.stringify({ ...given, code: { ...given.code, more: 1 } }));
    expect((await command("explain", { env: {}, replay: strict })).error).toMatch(
      /the recorded exchange is wrong: code/,
    );
  });
});
