/**
 * Time as the embedded cluster lives it. Work is put off with `after`; `catchUp` does all work that is due, in order,
 * and each piece sees the moment it was due as `now`. So a caller may let an hour pass at once, and what happens in it
 * happens in the right order with the right timestamps.
 */
export interface Timeline {
  /** Milliseconds since the epoch. */
  now(): number;
  /** RFC 3339 in whole seconds, as metav1.Time is written. */
  stamp(): string;
  /** The moment `seconds` from now (divided by the speed), in milliseconds since the epoch. */
  later(seconds: number): number;
  /** Seconds of the simulation since a moment: what passed, times the speed. */
  secondsSince(moment: number): number;
  /** Runs `work` once at a moment. A second request under the same key keeps the earlier time. */
  at(due: number, key: string, work: () => void): void;
  /** Runs `work` once, `seconds` from now (divided by the speed). A second request under the same key keeps the earlier time. */
  after(seconds: number, key: string, work: () => void): void;
  /** Does what is due. */
  catchUp(): void;
  /** Lets time pass: everything due in it is done. */
  advance(seconds: number): void;
  stop(): void;
}

interface Task {
  due: number;
  order: number;
  work: () => void;
}

/** `speed` divides every delay; timestamps stay those of `clock`. */
export function createTimeline(options: {
  clock: () => number;
  speed: number;
  onFault: (error: unknown) => void;
}): Timeline {
  const tasks = new Map<string, Task>();
  let offset = 0;
  let at: number | undefined;
  let order = 0;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const present = (): number => options.clock() + offset;

  function nextTask(limit: number): [string, Task] | undefined {
    let found: [string, Task] | undefined;
    for (const entry of tasks) {
      const [, task] = entry;
      if (task.due > limit) continue;
      if (found === undefined || task.due < found[1].due || (task.due === found[1].due && task.order < found[1].order))
        found = entry;
    }
    return found;
  }

  function run(limit: number): void {
    if (at !== undefined || stopped) return;
    try {
      for (let next = nextTask(limit); next !== undefined; next = nextTask(limit)) {
        tasks.delete(next[0]);
        at = next[1].due;
        try {
          next[1].work();
        } catch (error) {
          options.onFault(error);
        }
      }
    } finally {
      at = undefined;
    }
    arm();
  }

  function arm(): void {
    if (timer !== undefined || stopped || tasks.size === 0) return;
    let due = Number.POSITIVE_INFINITY;
    for (const task of tasks.values()) due = Math.min(due, task.due);
    // A foreign clock may stand still or leap, so it is looked at every 20 ms at least.
    timer = setTimeout(
      () => {
        timer = undefined;
        run(present());
      },
      Math.min(20, Math.max(1, due - present())),
    );
    timer.unref();
  }

  const now = (): number => at ?? present();
  const later = (seconds: number): number => now() + (seconds * 1000) / options.speed;

  function plan(due: number, key: string, work: () => void): void {
    const known = tasks.get(key);
    if (known !== undefined && known.due <= due) return;
    order += 1;
    tasks.set(key, { due, order, work });
    arm();
  }

  return {
    now,
    stamp: () => `${new Date(now()).toISOString().slice(0, 19)}Z`,
    later,
    secondsSince: (moment) => ((now() - moment) * options.speed) / 1000,
    at: plan,
    after: (seconds, key, work) => plan(later(seconds), key, work),
    catchUp: () => run(present()),
    advance(seconds) {
      const until = present() + seconds * 1000;
      run(until);
      offset += Math.max(0, until - present());
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      tasks.clear();
    },
  };
}
