import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { messageOf } from "../errors.ts";
import type { CheckResult, Sandbox } from "../ports.ts";
import { executables } from "./programs.ts";
import {
  hardLimits,
  LIMITS,
  limitedCommand,
  NO_PROGRAM,
  type SandboxLimits,
  sandboxArguments,
} from "./sandbox-arguments.ts";
import { makeBox } from "./sandbox-box.ts";
import { seccompFilter } from "./sandbox-filter.ts";
import { FILTER_FD, type ProcessEnd, runBwrap, STATUS_FD } from "./sandbox-process.ts";
import { proofFault, QUESTIONS, refusal } from "./sandbox-proof.ts";
import { machineArguments, resolveToolchain, type Toolchain } from "./sandbox-toolchain.ts";
import { watchSupplies } from "./sandbox-watch.ts";

export interface SandboxOptions {
  /** The PATH to look for bwrap, and for programs of util-linux and coreutils on. */
  readonly path: string;
  /** Folders that programs may read beside the machine's own programs (`model.code.toolchain`). */
  readonly toolchain: readonly string[];
  /** Folders of Stanch's own, which no toolchain may touch: its cache, its home, where its configuration stands. */
  readonly closed: readonly string[];
  /** Where copies are made; the system's folder for temporary files. */
  readonly temporary?: string;
  readonly limits?: Partial<SandboxLimits>;
}

const PROOF_TIMEOUT_MS = 60_000;
/** What is needed beside coreutils, and the package that has it. */
const PROGRAMS = { bwrap: "bubblewrap", prlimit: "util-linux", choom: "util-linux" };

/** What is the same for every run. */
interface Ground {
  readonly filter: Buffer;
  readonly machine: readonly string[];
  readonly toolchain: readonly Toolchain[];
  readonly hard: Readonly<Record<string, number>>;
  readonly limits: SandboxLimits;
}

/**
 * A sandbox of bubblewrap (https://github.com/containers/bubblewrap) in user namespaces. Each run is on a copy of its directory, which is removed
 * afterwards. There is no way without it: where no sandbox can be made, nothing is run.
 */
export function createSandbox(options: SandboxOptions): Sandbox {
  let prepared: Promise<Ground | string> | undefined;
  const prepare = () => {
    prepared ??= ground(options).catch((error) => `the sandbox could not be tried: ${messageOf(error)}`);
    return prepared;
  };
  return {
    async unavailable() {
      const found = await prepare();
      return typeof found === "string" ? found : null;
    },
    async run(request) {
      const found = await prepare();
      if (typeof found === "string") return { ran: false, reason: found };
      try {
        return resultOf(await runInside(found, options, request), request.command, request.outputBytes);
      } catch (error) {
        return { ran: false, reason: `the check could not be started: ${messageOf(error).slice(0, 300)}` };
      }
    },
  };
}

/** What runs need, tried once; or why there can be no sandbox. */
async function ground(options: SandboxOptions): Promise<Ground | string> {
  if (process.platform !== "linux") return "a sandbox is made on Linux alone, with bubblewrap";
  const filter = seccompFilter(process.arch);
  if (filter === null) return `a sandbox is made on x86-64 and arm64 alone, and this is ${process.arch}`;
  for (const [program, name] of Object.entries(PROGRAMS))
    if ((await executables([program], options.path).next()).done === true)
      return `${program} is not installed where Stanch runs: install ${name}`;
  const toolchain = await resolveToolchain(options.toolchain, options.closed);
  if ("fault" in toolchain) return toolchain.fault;
  const found: Ground = {
    filter,
    toolchain,
    machine: await machineArguments(),
    hard: hardLimits(await readFile("/proc/self/limits", "utf8")),
    limits: { ...LIMITS, ...options.limits },
  };
  const tried = await runInside(found, options, {
    command: QUESTIONS,
    timeoutMs: PROOF_TIMEOUT_MS,
    outputBytes: 65_536,
  });
  if (tried.timedOut) return "bwrap did not answer within a minute";
  if (tried.status !== 0 || tried.errors !== "") return refusal(tried.errors);
  return (await proofFault(tried.output)) ?? found;
}

async function runInside(
  { filter, machine, toolchain, hard, limits }: Ground,
  options: SandboxOptions,
  request: {
    readonly directory?: string;
    readonly command: readonly string[];
    readonly timeoutMs: number;
    readonly outputBytes: number;
  },
): Promise<ProcessEnd> {
  const { path } = options;
  const box = await makeBox({
    ...(request.directory === undefined ? {} : { directory: request.directory }),
    temporary: options.temporary ?? tmpdir(),
    filter,
    path,
  });
  const enough = new AbortController();
  try {
    const unwatch = await watchSupplies(box.work, { diskBytes: limits.diskBytes, path }, (of) => enough.abort(of));
    const args = sandboxArguments({ ...box, machine, toolchain, limits, statusFd: STATUS_FD, filterFd: FILTER_FD });
    try {
      return await runBwrap({
        // When memory ends, the kernel takes these first; and whoever else works here is not made to wait for them.
        argv: [
          ...["nice", "-n", "5", "choom", "-n", "1000", "--", "bwrap", ...args, "--"],
          ...limitedCommand(request.command, limits, hard),
        ],
        ...(box.user === undefined ? {} : { user: box.user }),
        path,
        filter: box.filter,
        pipe: box.pipe,
        timeoutMs: request.timeoutMs,
        outputBytes: request.outputBytes,
        enough: enough.signal,
      });
    } finally {
      unwatch();
    }
  } finally {
    await box.remove();
  }
}

function resultOf(end: ProcessEnd, command: readonly string[], outputBytes: number): CheckResult {
  const { status, timedOut, ended, ms } = end;
  if (end.errors.includes(NO_PROGRAM))
    return { ran: false, reason: `${command[0]} is not installed where Stanch runs` };
  if (status === undefined && !timedOut && ended === undefined)
    return { ran: false, reason: `the sandbox ended before its time: ${end.errors.slice(0, 300) || "without a word"}` };
  if (end.errors !== "") return { ran: false, reason: `the sandbox failed: ${end.errors.slice(0, 300)}` };
  const why = ended === undefined ? "" : `\n(ended by Stanch: it took too much ${ended})\n`;
  return {
    ran: true,
    // A shell says it like this, and so does bwrap: 128 and the number of the signal.
    exit: status === undefined || (status > 128 && status <= 128 + 64) ? null : status,
    timedOut,
    output: `${end.output}${why}`.slice(-Math.max(outputBytes, why.length)),
    ms,
  };
}
