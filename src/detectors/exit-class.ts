import type { ContainerState, ExitClass, PodState, Termination } from "../model.ts";
import { isRecent, lastEnd } from "./subject.ts";

/** How a container fails to keep running. */
export interface BadEnd {
  readonly exit: ExitClass;
  /** 128 where no process ran. */
  readonly exitCode: number;
  /** What the kubelet or the container runtime said, or the termination message of the program. */
  readonly message?: string;
  /** The message is the program's own text. */
  readonly own: boolean;
  readonly end?: Termination;
}

/** Waiting reasons that say that the container cannot be started as it is specified; time does not heal them. */
const CANNOT_START = new Set([
  "RunContainerError",
  "CreateContainerError",
  "StartError",
  "ContainerCannotRun",
  "PreCreateHookError",
  "PreStartHookError",
  "PostStartHookError",
  "CreateContainerConfigError",
]);
const NEVER_RAN = new Set(["StartError", "ContainerCannotRun"]);
/** Ends that the kubelet made up because it lost sight of the container: a node that restarted. */
const LOST = new Set(["ContainerStatusUnknown", "Unknown"]);
const REFERENCE =
  /(?:configmap|secret) "[^"]+" not found|couldn't find key|failed to sync (?:configmap|secret) cache|not registered/i;

/**
 * Does this container crash: does it wait in back-off, can it not be started, or did it end badly within `recentMs`? Null
 * when not. A container that refers to configuration that is not there has not crashed, and an out-of-memory kill is
 * another symptom. `restarted`: it is meant to run for ever (not so for init containers and Jobs), so that even a clean
 * end is bad.
 */
export function badEnd(
  pod: PodState,
  container: ContainerState,
  restarted: boolean,
  now: number,
  recentMs: number,
): BadEnd | null {
  const { waiting } = container;
  const end = lastEnd(container);
  if (waiting !== undefined && CANNOT_START.has(waiting.reason)) {
    if (REFERENCE.test(waiting.message)) return null;
    // A hook that fails has a container that ran.
    const exitCode = end === undefined || NEVER_RAN.has(end.reason) ? 128 : end.exitCode;
    const message = waiting.message || end?.message;
    return {
      exit: waiting.reason === "PostStartHookError" ? "application" : "command",
      exitCode,
      own: false,
      ...(message === undefined ? {} : { message }),
      ...(end === undefined ? {} : { end }),
    };
  }
  if (end === undefined || end.reason === "OOMKilled" || LOST.has(end.reason)) return null;
  const looping = waiting?.reason === "CrashLoopBackOff";
  const down = container.terminated !== undefined;
  if (!looping && !down && !isRecent(end.finishedAt, now, recentMs)) return null;
  // A finished pod stays as it ended.
  if (down && pod.restartPolicy === "Always" && !isRecent(end.finishedAt, now, recentMs)) return null;
  if (end.exitCode === 0 && !(restarted && pod.restartPolicy === "Always")) return null;
  return {
    exit: classOf(end),
    exitCode: end.exitCode,
    own: !NEVER_RAN.has(end.reason),
    end,
    ...(end.message === undefined ? {} : { message: end.message }),
  };
}

/** What an exit code says (POSIX shells, signals as 128 + n). */
export function classOf(end: Pick<Termination, "reason" | "exitCode" | "signal">): ExitClass {
  if (NEVER_RAN.has(end.reason)) return "command";
  const code = end.exitCode === 0 && end.signal !== undefined ? 128 + end.signal : end.exitCode;
  if (code === 0) return "completed";
  if (code === 126 || code === 127) return "command";
  if (code === 137) return "killed";
  if (code === 143 || code === 130) return "terminated";
  // SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS
  return [132, 133, 134, 135, 136, 139, 159].includes(code) ? "fault" : "application";
}
