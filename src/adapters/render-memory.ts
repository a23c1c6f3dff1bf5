import { readFile } from "node:fs/promises";
import { executables } from "./programs.ts";
import { hardLimits } from "./sandbox-arguments.ts";

/** Bytes of memory that a renderer may take: large charts take some 200 MiB, and the chart's own limit is 1 GiB for everything. */
export const RENDER_BYTES = 512 * 1024 * 1024;

/** A program and its arguments, to be run as they are. */
export interface Invocation {
  readonly file: string;
  readonly args: readonly string[];
}

/**
 * The same program under a limit of the memory that it writes to (RLIMIT_DATA of setrlimit(2); what Go only reserves does not count), where Linux
 * and util-linux's prlimit are there; otherwise as it is. A template can ask for any amount in one call: only the kernel can refuse it, and
 * without a limit the container's own would end the whole run.
 */
export async function withMemoryLimit(program: Invocation, bytes: number, path: string): Promise<Invocation> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => null);
  if (limits === null) return program;
  for await (const prlimit of executables(["prlimit"], path)) {
    // Nobody may raise a hard limit.
    const data = Math.min(bytes, hardLimits(limits)["Max data size"] ?? bytes);
    return { file: prlimit, args: ["--core=0", `--data=${data}`, "--", program.file, ...program.args] };
  }
  return program;
}

/** Does a program say that it got no more memory? In the words of Go's runtime and of the C library. */
export const saysNoMemory = (text: string): boolean =>
  /^(fatal error: .*(out of memory|cannot allocate memory)|.*: memory exhausted|.*Cannot allocate memory$)/m.test(text);
