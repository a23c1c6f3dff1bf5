import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OutputChunk, rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import configs, { ENTRIES } from "../../rolldown.config.ts";
import { isPermitted } from "../../scripts/third-party-licenses.ts";
import { version } from "../../src/version.ts";
import { flagsFor } from "../commands/command.ts";
import { deployment, isKilled, makeWorld, TOKEN } from "../pipeline/world.ts";

/** Like the image's folder: nothing is near it that Node could take a package from. */
let folder = "";
const chunks: OutputChunk[] = [];
const warnings: string[] = [];

/** The bundled program, in a process of its own. */
async function stanch(words: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [join(folder, "cli", "stanch.mjs"), ...words], {
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...env },
  });
  let out = "";
  let error = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (error += chunk.toString()));
  const code = await new Promise<number>((done) => child.on("close", (status) => done(status ?? -1)));
  return { code, out, error };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stanch-bundle-"));
  for (const { output, ...input } of configs) {
    if (output === undefined || Array.isArray(output)) throw new Error("one output each");
    await using bundle = await rolldown({ ...input, onLog: (_, log) => void warnings.push(log.message) });
    const written = await bundle.write({ ...output, dir: join(folder, (output.dir ?? "").replace(/^dist\//, "")) });
    chunks.push(...written.output.filter((file) => file.type === "chunk"));
  }
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the bundle", { timeout: 90_000 }, () => {
  it("is made of every entry that is here", () => {
    const here = ENTRIES.filter(({ input }) => existsSync(join(import.meta.dirname, "../..", input)));
    expect(here.map(({ name }) => name)).toContain("stanch");
    expect(configs).toHaveLength(here.length);
  });

  it("says its version and its help", async () => {
    expect(await stanch(["--version"])).toEqual({ code: 0, out: `stanch ${version}\n`, error: "" });
    const { code, out } = await stanch(["--help"]);
    expect(code).toBe(0);
    expect(out).toContain("  doctor ");
  });

  it("prints rights", async () => {
    const { code, out, error } = await stanch(["rbac"]);
    expect(error).toBe("");
    expect(code).toBe(0);
    expect(out).toContain("kind: ClusterRole");
  });

  it("does the whole job, against a cluster and a code host", async () => {
    await using world = await makeWorld({ "apps/app.yaml": deployment() });
    const { flags, close } = await flagsFor(world);
    const files = ["--kubeconfig", flags.kubeconfig, "--config", flags.config, "-o", "json"];
    try {
      await world.deploy();
      await world.until(() => isKilled(world));
      const scan = await stanch(["scan", ...files]);
      expect(scan.code, scan.error).toBe(3);
      expect(JSON.parse(scan.out).findings).toMatchObject([{ symptom: { kind: "OOMKilled" } }]);
      const run = await stanch(["run", ...files], { GITHUB_TOKEN: TOKEN });
      expect(JSON.parse(run.out).outcomes, run.error).toMatchObject([{ kind: "proposed" }]);
      expect(world.memory()).not.toBe("64Mi");
      expect(world.host.pulls("acme/shop")).toHaveLength(1);
      const doctor = await stanch(["doctor", ...files], { GITHUB_TOKEN: TOKEN });
      expect(JSON.parse(doctor.out), doctor.error).toContainEqual(
        expect.objectContaining({ check: "source", ok: true }),
      );
    } finally {
      await close();
    }
  });

  it("imports nothing but itself and Node", () => {
    const own = new Set(chunks.map((chunk) => chunk.fileName));
    const imported = new Set(chunks.flatMap((chunk) => [...chunk.imports, ...chunk.dynamicImports]));
    expect([...imported].filter((name) => !own.has(name) && !isBuiltin(name))).toEqual([]);
    expect(imported).toContain("node:https");
    // What a library requires and cannot be found would be a warning.
    expect(warnings).toEqual([]);
  });

  it("loads what a command needs, and not more", () => {
    const entry = chunks.find((chunk) => chunk.fileName === "stanch.mjs");
    expect(entry?.dynamicImports.length).toBeGreaterThan(5);
    expect(Buffer.byteLength(entry?.code ?? "")).toBeLessThan(20_000);
  });

  it("carries the licence of every package that is in it", async () => {
    const text = await readFile(join(folder, "cli", "THIRD_PARTY_LICENSES"), "utf8");
    for (const name of ["@kubernetes/client-node", "@octokit/rest", "simple-git", "undici", "yaml", "zod"])
      expect(text).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(\\S+\\)$`, "m"));
    expect(text).toContain("Permission is hereby granted, free of charge");
    // What only tests and builds use is not in it.
    expect(text).not.toMatch(/^(vitest|rolldown|fast-check) /m);
  });
});

describe("a licence", () => {
  it.each([
    ["MIT", true],
    ["(MIT OR GPL-3.0-only)", true],
    ["MIT AND Apache-2.0", true],
    ["MIT AND GPL-3.0-only", false],
    ["AGPL-3.0-only", false],
    ["unknown", false],
    ["SEE LICENSE IN LICENSE.md", false],
  ])("%s: permitted %s", (license, permitted) => expect(isPermitted(license)).toBe(permitted));
});
