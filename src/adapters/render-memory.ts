import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";

/** Bytes of memory that a renderer may take: large charts take some 200 MiB, and the chart's own limit is 1 GiB for everything. */
export const RENDER_BYTES = 512 * 1024 * 1024;

/** Milliseconds between two looks: at the speed of memory some 100 MiB. */
const LOOK_MS = 20;

/**
 * Kills a program that takes more memory than `bytes`, on Linux, and answers `true` from then on. A template can ask for any amount in one call,
 * and the container's own limit would end the whole run. It is looked at from outside, because no limit of the kernel's holds for Go without a
 * cgroup: RLIMIT_DATA forgets what is mapped over a reservation, and RLIMIT_AS counts what is only reserved. The looks end with the process.
 */
export function watchMemory(program: ChildProcess, bytes: number): () => boolean {
  let exceeded = false;
  const timer = setInterval(() => {
    if (residentOf(program.pid) <= bytes) return;
    exceeded = true;
    program.kill("SIGKILL");
  }, LOOK_MS);
  timer.unref();
  program.once("exit", () => clearInterval(timer));
  program.once("error", () => clearInterval(timer));
  return () => exceeded;
}

/** Bytes; 0 where it is not known. */
function residentOf(pid: number | undefined): number {
  if (pid === undefined) return 0;
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
