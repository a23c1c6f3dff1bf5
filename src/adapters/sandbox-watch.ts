import { execFile } from "node:child_process";
import { readFile, statfs } from "node:fs/promises";

/** Something of which there is only so much: bytes of memory, bytes and files of a disk. */
export interface Supply {
  readonly of: "memory" | "disk";
  readonly free: number;
}

const MEMORY = "/sys/fs/cgroup/memory";
const EVERY_MS = 100;
/** Looking through the folder is the dearer question. */
const FOLDER_EVERY_MS = 500;
const FOLDER_TIMEOUT_MS = 60_000;

/**
 * Memory that is free, from `/proc/meminfo` and, where a limit is set on this container, from its `memory.max` and `memory.stat` (cgroup v2). Files
 * that are merely cached count as free.
 */
export function memorySupplies(texts: { meminfo: string; max: string; stat: string }): readonly Supply[] {
  const available = /^MemAvailable: +(\d+) kB$/m.exec(texts.meminfo)?.[1];
  const max = /^\d+$/.test(texts.max.trim()) ? Number(texts.max) : undefined;
  const taken = ["anon", "shmem", "slab_unreclaimable", "kernel_stack", "pagetables", "sock"]
    .map((name) => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(texts.stat)?.[1] ?? 0))
    .reduce((sum, value) => sum + value, 0);
  return [
    ...(available === undefined ? [] : [{ of: "memory" as const, free: Number(available) * 1024 }]),
    ...(max === undefined ? [] : [{ of: "memory" as const, free: max - taken }]),
  ];
}

async function supplies(folder: string): Promise<readonly Supply[]> {
  const read = (path: string) => readFile(path, "utf8").catch(() => "");
  const [meminfo, max, stat, disk] = await Promise.all([
    read("/proc/meminfo"),
    read(`${MEMORY}.max`),
    read(`${MEMORY}.stat`),
    statfs(folder).catch(() => null),
  ]);
  return [
    ...memorySupplies({ meminfo, max, stat }),
    ...(disk === null ? [] : [{ of: "disk" as const, free: disk.bavail * disk.bsize }]),
    // Some file systems count no files.
    ...(disk === null || disk.files === 0 ? [] : [{ of: "disk" as const, free: disk.ffree }]),
  ];
}

/** Of which supply less than a quarter of what was there at the start is left. */
export function exhausted(before: readonly Supply[], now: readonly Supply[]): Supply["of"] | null {
  const spent = before.find(({ of, free }, index) => now[index]?.of === of && now[index].free < free / 4);
  return spent?.of ?? null;
}

/** Bytes that the files of a folder take on disk; null: it took too long to find out. */
function folderBytes(folder: string, path: string): Promise<number | null> {
  return new Promise((done) => {
    execFile(
      "du",
      ["-s", "--block-size=1", "--", folder],
      { env: { PATH: path, LC_ALL: "C" }, timeout: FOLDER_TIMEOUT_MS, killSignal: "SIGKILL" },
      // It complains about what it may not look into, and about what vanishes meanwhile; the sum is there all the same.
      (error, stdout) => done(error?.killed === true ? null : Number.parseInt(stdout, 10) || 0),
    );
  });
}

/**
 * Watches what a program takes, which no limit of a process bounds, and calls `ended` once with what it took too much of. Answers how to stop watching.
 * It is late by up to a tenth of a second (memory and the disk as a whole) or half a second (the folder).
 */
export async function watchSupplies(
  folder: string,
  limits: { readonly diskBytes: number; readonly path: string },
  ended: (of: Supply["of"]) => void,
): Promise<() => void> {
  const before = await supplies(folder);
  const bytesBefore = (await folderBytes(folder, limits.path)) ?? 0;
  let over = false;
  const stop = () => {
    over = true;
  };
  const say = (of: Supply["of"]) => {
    if (over) return;
    stop();
    ended(of);
  };
  const repeat = async (everyMs: number, look: () => Promise<Supply["of"] | null>) => {
    while (!over) {
      const of = await look();
      if (of !== null) say(of);
      await new Promise((done) => setTimeout(done, everyMs).unref());
    }
  };
  void repeat(EVERY_MS, async () => exhausted(before, await supplies(folder)));
  void repeat(FOLDER_EVERY_MS, async () => {
    const bytes = await folderBytes(folder, limits.path);
    return bytes === null || bytes - bytesBefore > limits.diskBytes ? "disk" : null;
  });
  return stop;
}
