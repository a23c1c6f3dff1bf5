import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createSandbox } from "../../src/adapters/sandbox.ts";
import { LIMITS, limitedCommand, type SandboxLimits, sandboxArguments } from "../../src/adapters/sandbox-arguments.ts";
import { makeBox } from "../../src/adapters/sandbox-box.ts";
import { seccompFilter } from "../../src/adapters/sandbox-filter.ts";
import { FILTER_FD, runBwrap, STATUS_FD } from "../../src/adapters/sandbox-process.ts";
import { machineArguments } from "../../src/adapters/sandbox-toolchain.ts";
import type { CheckResult, Sandbox } from "../../src/ports.ts";

export const PATH = process.env["PATH"] ?? "";

/** Can it be tested here? Says loudly if not. Perl is what plays the attacker: it makes any system call, and Debian is never without it. */
export async function canSandbox(): Promise<boolean> {
  const reason =
    spawnSync("perl", ["-e", "1"]).status === 0
      ? await createSandbox({ path: PATH, toolchain: [], closed: [] }).unavailable()
      : "there is no perl";
  if (reason !== null) process.stderr.write(`\nSKIPPED: every test of the real sandbox, because ${reason}.\n`);
  return reason === null;
}

export interface Bench {
  /** Where copies are made; empty after each run. */
  readonly temporary: string;
  /** What is run on. */
  readonly directory: string;
  write(files: Readonly<Record<string, string>>): void;
  sandbox(limits?: Partial<SandboxLimits>): Sandbox;
  /** A shell's script in the sandbox. */
  sh(script: string, options?: Options): Promise<CheckResult & { readonly ran: true }>;
  /** The same with arguments of bwrap left out: what each of them is good for. Answers what was written. */
  without(options: readonly string[], script: string): Promise<string>;
  close(): void;
}

interface Options {
  readonly limits?: Partial<SandboxLimits>;
  readonly timeoutMs?: number;
  readonly outputBytes?: number;
}

export function makeBench(): Bench {
  const root = mkdtempSync(join(tmpdir(), "stanch-bench-"));
  const [temporary, directory] = [join(root, "temporary"), join(root, "directory")];
  for (const folder of [temporary, directory]) mkdirSync(folder);
  // Root's sandboxes run as somebody else, who must get there.
  for (const folder of [root, temporary]) chmodSync(folder, 0o711);
  const make = (limits: Partial<SandboxLimits>) =>
    createSandbox({ path: PATH, toolchain: [], closed: [], temporary, limits });
  const usual = make({});
  const sandbox = (limits?: Partial<SandboxLimits>) => (limits === undefined ? usual : make(limits));
  return {
    temporary,
    directory,
    sandbox,
    write(files) {
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(directory, name)), { recursive: true });
        writeFileSync(join(directory, name), text);
      }
    },
    async sh(script, { limits, timeoutMs = 60_000, outputBytes = 100_000 } = {}) {
      const result = await sandbox(limits).run({ directory, command: ["sh", "-c", script], timeoutMs, outputBytes });
      if (!result.ran) throw new Error(result.reason);
      return result;
    },
    async without(options, script) {
      const box = await makeBox({ directory, temporary, filter: seccompFilter(process.arch) as Buffer, path: PATH });
      try {
        const machine = await machineArguments();
        const fds = { statusFd: STATUS_FD, filterFd: FILTER_FD };
        const args = leaveOut(sandboxArguments({ ...box, machine, toolchain: [], limits: LIMITS, ...fds }), options);
        const command = limitedCommand(["sh", "-c", script], LIMITS, {});
        const end = await runBwrap({
          argv: ["bwrap", ...args, "--", ...command],
          ...(box.user === undefined ? {} : { user: box.user }),
          path: PATH,
          filter: box.filter,
          pipe: box.pipe,
          timeoutMs: 60_000,
          outputBytes: 100_000,
        });
        return `${end.errors}${end.output}`;
      } finally {
        await box.remove();
      }
    },
    close: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Without an option and what belongs to it, as `["--seccomp", "4"]` names it. Fails where it is not there. */
export function leaveOut(args: readonly string[], option: readonly string[]): readonly string[] {
  const at = args.findIndex((_, index) => option.every((word, offset) => args[index + offset] === word));
  if (at < 0) throw new Error(`${option.join(" ")} is not among the arguments`);
  return [...args.slice(0, at), ...args.slice(at + option.length)];
}

/** Numbers of the processes of this machine whose command line has a word in it. */
export function processesWith(word: string): readonly number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      if (!Number.isInteger(pid) || pid === process.pid) return false;
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0").includes(word);
      } catch {
        return false;
      }
    });
}
