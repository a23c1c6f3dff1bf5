import type { Toolchain } from "./sandbox-toolchain.ts";

/** What one run may take at most. */
export interface SandboxLimits {
  /** Bytes of writable private memory of each process (RLIMIT_DATA). */
  readonly processBytes: number;
  /** Bytes of one file (RLIMIT_FSIZE). */
  readonly fileBytes: number;
  /** Bytes by which the work folder may grow. Looked at twice a second, so that it is passed by what is written in between. */
  readonly diskBytes: number;
  /** Bytes of /tmp, which is memory. */
  readonly tmpBytes: number;
  /** Processes and threads (RLIMIT_NPROC). */
  readonly processes: number;
  /** Open files of each process (RLIMIT_NOFILE). */
  readonly openFiles: number;
}

const MIB = 1024 * 1024;
export const LIMITS: SandboxLimits = {
  processBytes: 2048 * MIB,
  fileBytes: 1024 * MIB,
  diskBytes: 1024 * MIB,
  tmpBytes: 512 * MIB,
  processes: 1024,
  openFiles: 4096,
};

/** Where the work folder is inside: the same everywhere, so that output says nothing of the machine. */
export const INSIDE = "/check";
/** Who the program is inside. Outside it is whoever runs Stanch, or `SANDBOX_UID` where that is root. */
const USER = 1000;
/** Root runs a sandbox as this user, who owns nothing: limits on processes do not hold for root, and files of root open to root. */
export const SANDBOX_UID = 65_533;

/** What stands in the sandbox's own /etc, beside what is the machine's. */
export const ETC: Readonly<Record<string, string>> = {
  passwd: `root:x:0:0::/nonexistent:/usr/sbin/nologin\ncheck:x:${USER}:${USER}::/tmp/home:/bin/sh\n`,
  group: `root:x:0:\ncheck:x:${USER}:\n`,
  hosts: "127.0.0.1 localhost\n::1 localhost\n",
};

/** The whole environment of the program. */
export function environmentInside(toolchain: readonly Toolchain[]): Readonly<Record<string, string>> {
  return {
    PATH: [...toolchain.map(({ programs }) => programs), "/usr/local/bin", "/usr/bin", "/bin"].join(":"),
    HOME: "/tmp/home",
    TMPDIR: "/tmp",
    LANG: "C.UTF-8",
    TZ: "UTC",
    USER: "check",
    CI: "true",
    // There is no network: these say so at once, instead of after many tries.
    GOPROXY: "off",
    GOTOOLCHAIN: "local",
    npm_config_offline: "true",
    npm_config_update_notifier: "false",
  };
}

export interface SandboxLayout {
  /** Host's path of the work folder. */
  readonly work: string;
  /** Host's folder with the files of `ETC`. */
  readonly etc: string;
  /** Arguments that bring in what the machine itself has (`machineArguments`). */
  readonly machine: readonly string[];
  readonly toolchain: readonly Toolchain[];
  readonly limits: SandboxLimits;
  /** Descriptors that bwrap is given. */
  readonly statusFd: number;
  readonly filterFd: number;
}

/** The arguments of bwrap before the command. Later mounts lie over earlier ones; what is mounted last is the root, read-only. */
export function sandboxArguments(layout: SandboxLayout): readonly string[] {
  const { work, etc, machine, toolchain, limits } = layout;
  const environment = Object.entries(environmentInside(toolchain));
  return [
    // A user, a process table, a network of nothing but its own loopback (which is up), and nothing of the machine's shared memory or names.
    ...["--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"],
    // No namespace can be made inside, so that no capability is to be had there.
    "--disable-userns",
    ...["--uid", String(USER), "--gid", String(USER), "--hostname", "check"],
    ...["--cap-drop", "ALL"],
    // Without the first, a program could type into the terminal that Stanch runs in; without the second, it would outlive Stanch.
    ...["--new-session", "--die-with-parent"],
    "--clearenv",
    ...environment.flatMap(([name, value]) => ["--setenv", name, value]),
    ...machine,
    ...Object.keys(ETC).flatMap((name) => ["--ro-bind", `${etc}/${name}`, `/etc/${name}`]),
    ...["--proc", "/proc"],
    // Each of these is memory: bounded, or not to be written to.
    ...["--dev", "/dev", "--perms", "1777", "--size", String(64 * MIB), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"],
    ...["--perms", "1777", "--size", String(limits.tmpBytes), "--tmpfs", "/tmp", "--dir", "/tmp/home"],
    ...toolchain.flatMap(({ folder, source }) => ["--ro-bind", source, folder]),
    ...["--bind", work, INSIDE, "--remount-ro", "/", "--chdir", INSIDE],
    ...["--json-status-fd", String(layout.statusFd), "--seccomp", String(layout.filterFd)],
  ];
}

/** Said on the error stream, which is closed to the command itself, when there is no such program. */
export const NO_PROGRAM = "stanch: no such program";

/**
 * What runs inside: limits, then the command with both of its streams in one. What stands on the error stream afterwards comes from bwrap and
 * prlimit alone. `hard` are the limits of this process, which nobody may raise.
 */
export function limitedCommand(
  command: readonly string[],
  limits: SandboxLimits,
  hard: Readonly<Record<string, number>>,
): readonly string[] {
  const least = (name: string, value: number) => `${Math.min(value, hard[name] ?? value)}`;
  return [
    "prlimit",
    "--core=0",
    `--data=${least("Max data size", limits.processBytes)}`,
    `--fsize=${least("Max file size", limits.fileBytes)}`,
    `--nofile=${least("Max open files", limits.openFiles)}`,
    `--nproc=${least("Max processes", limits.processes)}`,
    "--",
    "/bin/sh",
    "-c",
    `command -v "$1" >/dev/null 2>&1 || { echo "${NO_PROGRAM}" >&2; exit 127; }\nexec "$@" 2>&1`,
    "sh",
    ...command,
  ];
}

/** The hard limits of `/proc/self/limits` that are numbers, by their names there. */
export function hardLimits(text: string): Readonly<Record<string, number>> {
  return Object.fromEntries(
    text.split("\n").flatMap((line) => {
      const found = /^(Max [a-z ]+?) {2,}(?:\S+) +(\d+) /.exec(line);
      return found === null ? [] : [[found[1] ?? "", Number(found[2])] as const];
    }),
  );
}
