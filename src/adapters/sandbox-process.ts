import { type ChildProcess, execFile, spawn } from "node:child_process";
import { closeSync, constants, openSync, readdirSync, readFileSync } from "node:fs";
import { Socket } from "node:net";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { outputTail } from "./output-tail.ts";

export interface ProcessRequest {
  /** `bwrap` and its arguments; the first word is looked up on `path`. */
  readonly argv: readonly string[];
  /** User and group to become first; only root can. */
  readonly user?: number;
  readonly path: string;
  /** A file of the seccomp program. */
  readonly filter: string;
  /** Where a pipe is made, by its path: a real one, so that `/dev/stdout` can be opened inside, which a socket cannot. */
  readonly pipe: string;
  readonly timeoutMs: number;
  readonly outputBytes: number;
  /** Aborted with a word on what was too much: then it is ended. */
  readonly enough?: AbortSignal;
}

export interface ProcessEnd {
  /** What the command exited with, as a shell counts (128 + signal); undefined: it was never started, or was ended by us. */
  readonly status: number | undefined;
  readonly timedOut: boolean;
  /** Why we ended it before its time. */
  readonly ended: string | undefined;
  readonly output: string;
  /** What bwrap and prlimit themselves complained about. */
  readonly errors: string;
  readonly ms: number;
}

export const STATUS_FD = 3;
export const FILTER_FD = 4;
/** Patience with the kernel, after everything was sent SIGKILL. */
const GONE_MS = 10_000;

/** Runs bwrap and waits until everything in its process table is gone. Throws where it cannot even be tried. */
export async function runBwrap(request: ProcessRequest): Promise<ProcessEnd> {
  const started = performance.now();
  const own = request.user === undefined ? {} : { uid: request.user, gid: request.user };
  await promisify(execFile)("mkfifo", ["-m", "600", request.pipe], { env: { PATH: request.path }, ...own });
  const pipe = new Socket({ fd: openSync(request.pipe, constants.O_RDONLY | constants.O_NONBLOCK), writable: false });
  try {
    const child = start(request, own);
    const output = outputTail(request.outputBytes);
    const errors = outputTail(4096);
    const status = outputTail(65_536);
    const drained = new Promise<void>((done) => pipe.once("close", () => done()));
    pipe.on("error", () => {}).on("data", (chunk: Buffer) => output.add(chunk));
    child.stderr?.on("data", (chunk: Buffer) => errors.add(chunk));
    const exited = new Promise<void>((done, fail) => child.once("error", fail).once("close", () => done()));

    let first: Inside | undefined;
    /** The first process of the sandbox: all others end with it. */
    const inside = () => {
      first ??= identify(statusOf(status.text()).first);
      return first;
    };
    (child.stdio[STATUS_FD] as Readable | null)?.on("data", (chunk: Buffer) => {
      status.add(chunk);
      inside();
    });

    let why: "time" | "supply" | undefined;
    const end = (reason: "time" | "supply") => {
      why ??= reason;
      const found = inside();
      if (found !== undefined && isThere(found)) signal(found.pid);
      // bwrap ends by itself when its child has; nothing is to depend on that, nor on its having said who its child is.
      setTimeout(() => child.exitCode ?? child.kill("SIGKILL"), found === undefined ? 0 : 500).unref();
    };
    const tooMuch = () => end("supply");
    const timer = setTimeout(() => end("time"), request.timeoutMs);
    request.enough?.addEventListener("abort", tooMuch);
    if (request.enough?.aborted === true) tooMuch();
    try {
      await exited;
    } finally {
      clearTimeout(timer);
      request.enough?.removeEventListener("abort", tooMuch);
    }
    await gone(inside());
    // Nobody is left who writes; what was written is still to be read.
    await Promise.race([drained, later(2000)]);
    return {
      status: why === undefined ? statusOf(status.text()).exit : undefined,
      timedOut: why === "time",
      ended: why === "supply" ? String(request.enough?.reason) : undefined,
      output: output.text(),
      errors: errors.text().trim(),
      ms: Math.round(performance.now() - started),
    };
  } finally {
    pipe.destroy();
  }
}

function start(request: ProcessRequest, own: { uid?: number; gid?: number }): ChildProcess {
  const [file = "", ...args] = request.argv;
  const writing = openSync(request.pipe, constants.O_WRONLY);
  const filter = openSync(request.filter, "r");
  const nothing = openSync("/dev/null", "r");
  const stdio: ("ignore" | "pipe" | number)[] = ["ignore", writing, "pipe", "pipe", filter];
  // bwrap hands on whatever is open, and so does Node with what it was itself started with.
  for (const fd of inheritable()) while (stdio.length <= fd) stdio.push(stdio.length === fd ? nothing : "ignore");
  try {
    return spawn(file, args, {
      // Nothing of ours is in it: what a process was started with stays readable in its /proc, also to what it starts.
      env: { PATH: request.path },
      cwd: "/",
      stdio,
      ...own,
    });
  } finally {
    for (const fd of [writing, filter, nothing]) closeSync(fd);
  }
}

/** Descriptors of this process that a child would get as well: those without `O_CLOEXEC`, in order. */
function inheritable(): readonly number[] {
  const closes = 0o2000000;
  return readdirSync("/proc/self/fd")
    .map(Number)
    .sort((a, b) => a - b)
    .filter((fd) => {
      try {
        const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"))?.[1];
        return (Number.parseInt(flags ?? "0", 8) & closes) === 0;
      } catch {
        // It was the one that the folder was read through.
        return false;
      }
    });
}

/** What bwrap said on `--json-status-fd`: the sandbox's first process, as it is seen from here, and what the command exited with. */
function statusOf(text: string): { readonly first: number | undefined; readonly exit: number | undefined } {
  const number = (name: string) => {
    const found = new RegExp(`"${name}": *(\\d+)`).exec(text)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  return { first: number("child-pid"), exit: number("exit-code") };
}

/** A process by its number and the time that it began at, so that no other is meant later. */
interface Inside {
  readonly pid: number;
  readonly began: string;
}

/** State and beginning of a process, from its `stat`: the name may hold anything, so they are counted from its last bracket. */
function stateOf(pid: number): { readonly state: string; readonly began: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "", began: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}

function identify(pid: number | undefined): Inside | undefined {
  const found = pid === undefined ? undefined : stateOf(pid);
  return pid === undefined || found === undefined ? undefined : { pid, began: found.began };
}

/** One that has ended and was not waited for is not there: the kernel lets it end only after everything in its process table. */
function isThere(inside: Inside): boolean {
  const found = stateOf(inside.pid);
  return found !== undefined && found.began === inside.began && !/[ZX]/.test(found.state);
}

function signal(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

async function gone(inside: Inside | undefined): Promise<void> {
  if (inside === undefined) return;
  for (const until = performance.now() + GONE_MS; isThere(inside); await later(5)) {
    signal(inside.pid);
    if (performance.now() > until) throw new Error("a process of the check could not be ended");
  }
}

const later = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));
