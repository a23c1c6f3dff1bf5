import type { Launch, Program, ProgramSource } from "../programs.ts";
import type { Container, ContainerState, Terminated } from "../shapes.ts";

/** One probe of one running container. */
export interface ProbeRun {
  next: number;
  failures: number;
  successes: number;
}

/** What the kubelet knows of one container of one pod. Moments are milliseconds since the epoch. */
export interface Box {
  readonly name: string;
  readonly init: boolean;
  container: Container;
  state: ContainerState;
  last: Terminated | undefined;
  restarts: number;
  id: string;
  /** Full reference and digest of the image, once it was found. */
  image: string;
  imageId: string;
  started: boolean;
  ready: boolean;
  program: Program | undefined;
  startedAt: number;
  /** When something is to be done next. */
  due: number;
  /** Failed pulls in a row, and crashes in a row. */
  pulls: number;
  crashes: number;
  pulling: boolean;
  /** The end that is planned for the running program. */
  exit: { at: number; code: number; reason: string } | undefined;
  probes: Partial<Record<"readiness" | "liveness" | "startup", ProbeRun>>;
}

export function newBox(container: Container, init: boolean, due: number): Box {
  return {
    name: container.name,
    init,
    container,
    state: { waiting: { reason: "ContainerCreating" } },
    last: undefined,
    restarts: 0,
    id: "",
    image: "",
    imageId: "",
    started: false,
    ready: false,
    program: undefined,
    startedAt: 0,
    due,
    pulls: 0,
    crashes: 0,
    pulling: false,
    exit: undefined,
    probes: {},
  };
}

/** Seconds before the restart after the n-th crash in a row: at once, then 10, 20, 40 … 300. */
export function crashDelay(crashes: number): number {
  return crashes <= 1 ? 0 : Math.min(300, 10 * 2 ** (crashes - 2));
}

/** `1m20s`, as Go prints durations. */
export function goDuration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds % 60}s`;
}

export function resolveProgram(source: ProgramSource, launch: Launch): Program {
  return typeof source === "function" ? source(launch) : source;
}

/** Lines that a program writes when it starts, and how it ends when it cannot work with what it was given. */
export function firstSteps(
  program: Program,
  launch: Launch,
  memoryLimit: number | undefined,
): { lines: string[]; exit?: { seconds: number; code: number; reason: string } } {
  const lines = [...(program.log ?? [])];
  if (program.memory !== undefined && memoryLimit !== undefined && memoryLimit < program.memory) {
    return { lines, exit: { seconds: 0.8, code: 137, reason: "OOMKilled" } };
  }
  for (const { name, values, log } of program.requires ?? []) {
    const value = launch.env[name];
    if (value !== undefined && (values === undefined || values.includes(value))) continue;
    lines.push(
      log ??
        (value === undefined
          ? `fatal: required environment variable ${name} is not set`
          : `fatal: ${name} has an invalid value: ${value}`),
    );
    return { lines, exit: { seconds: 0.3, code: 1, reason: "Error" } };
  }
  if (program.exit === undefined) return { lines };
  const { code, afterSeconds = 0.2 } = program.exit;
  return { lines, exit: { seconds: afterSeconds, code, reason: code === 0 ? "Completed" : "Error" } };
}
