import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { vi } from "vitest";
import type { Flags } from "../../src/commands/flags.ts";
import { StanchError } from "../../src/errors.ts";
import type { World } from "../pipeline/world.ts";
import { REPOSITORY, TOKEN } from "../pipeline/world.ts";

const ROOT = resolve(import.meta.dirname, "../..");

export interface Said {
  readonly code: number;
  readonly out: string;
  /** Log lines, or the fault and its hint. */
  readonly error: string;
}

const COMMANDS = {
  run: () => import("../../src/commands/run.ts"),
  scan: () => import("../../src/commands/scan.ts"),
  drift: () => import("../../src/commands/drift.ts"),
  incidents: () => import("../../src/commands/incidents.ts"),
  undo: () => import("../../src/commands/undo.ts"),
  explain: () => import("../../src/commands/explain.ts"),
  doctor: () => import("../../src/commands/doctor.ts"),
  metrics: () => import("../../src/commands/metrics.ts"),
  notify: () => import("../../src/commands/notify.ts"),
};

/** A command as the command line calls it, with what it prints. */
export async function command(
  name: keyof typeof COMMANDS,
  flags: Omit<Partial<Flags>, "interactive">,
  words: string[] = [],
): Promise<Said> {
  const { main } = await COMMANDS[name]();
  let out = "";
  let error = "";
  const stdout = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  const stderr = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    error += String(text);
    return true;
  });
  try {
    const code = await main({ env: {}, ...flags, interactive: false }, words);
    return { code, out, error };
  } catch (thrown) {
    if (!(thrown instanceof StanchError)) throw thrown;
    const code = thrown.code === "config" ? 2 : thrown.code === "lease" ? 4 : 1;
    return { code, out, error: `${error}${thrown.message}\n${thrown.hint ?? ""}` };
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
}

/** The program itself, in a process of its own. */
export async function program(words: readonly string[], options: { readonly preload?: string } = {}): Promise<Said> {
  const preload = options.preload === undefined ? [] : ["--import", options.preload];
  const child = spawn(process.execPath, [...preload, join(ROOT, "src/cli.ts"), ...words], {
    // No cluster, token or home of the developer's. Node keeps what it compiled for the next start.
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: "/nonexistent",
      NODE_COMPILE_CACHE: join(tmpdir(), "stanch-test-compiled"),
    },
    cwd: tmpdir(),
  });
  let out = "";
  let error = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (error += chunk.toString()));
  const code = await new Promise<number>((done) => child.on("close", (status) => done(status ?? -1)));
  return { code, out, error };
}

/** Kubeconfig and configuration files for a world, as flags. */
export async function flagsFor(world: World, settings: object = {}) {
  const folder = await mkdtemp(join(tmpdir(), "stanch-command-"));
  const kubeconfig = join(folder, "kubeconfig");
  const config = join(folder, "stanch.yaml");
  await writeFile(kubeconfig, world.cluster.kubeconfig());
  const write = (more: object): Promise<void> =>
    writeFile(
      config,
      JSON.stringify({
        mode: "remediate",
        cluster: "test",
        sources: [{ repository: REPOSITORY, path: "apps", namespaces: ["shop"] }],
        github: { apiUrl: world.host.apiUrl, pause: "0s" },
        git: { cache: join(folder, "git") },
        registry: { mirrors: { "*": world.cluster.url } },
        verify: { least: "200ms", patience: "6s", poll: "50ms" },
        ...more,
      }),
    );
  await write(settings);
  return {
    flags: { kubeconfig, config, env: { PATH: process.env["PATH"], GITHUB_TOKEN: TOKEN } },
    folder,
    configure: write,
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
