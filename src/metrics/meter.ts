import { inContext } from "../log.ts";
import type { Clock } from "../ports.ts";
import type { StepName } from "./labels.ts";
import { type Counts, seriesOf } from "./series.ts";
import type { CounterName, LabelsOf } from "./table.ts";

/** What one run counts, and where its time goes. */
export interface Meter {
  /** The run begins: time counts from here, and what was loaded before is not its own. */
  start(): void;
  count<N extends CounterName>(name: N, labels: LabelsOf<N>, by?: number): void;
  /** Does a step and keeps its time; log lines of it say so. A step within another takes its time from that one. */
  time<T>(step: StepName, work: () => T | Promise<T>): Promise<T>;
  /** Seconds by step so far; the sum is the time since the start. */
  steps(): Readonly<Partial<Record<StepName, number>>>;
  /** What was counted so far, by series. */
  counts(): Counts;
}

export function createMeter(clock: Pick<Clock, "now">): Meter {
  const counted: Record<string, number> = {};
  let spent: Partial<Record<StepName, number>> = {};
  const running: { readonly step: StepName }[] = [];
  let since = clock.now().getTime();
  /** The time since the last call belongs to the innermost step that runs. */
  const settle = (): void => {
    const now = clock.now().getTime();
    const step = running.at(-1)?.step ?? "other";
    spent[step] = (spent[step] ?? 0) + Math.max(0, now - since) / 1000;
    since = now;
  };
  return {
    start() {
      spent = {};
      since = clock.now().getTime();
    },
    count(name, labels, by = 1) {
      if (!(by >= 0) || !Number.isFinite(by)) return;
      const series = seriesOf(name, labels);
      counted[series] = (counted[series] ?? 0) + by;
    },
    async time(step, work) {
      settle();
      const entry = { step };
      running.push(entry);
      try {
        return await inContext({ step }, work);
      } finally {
        settle();
        const at = running.indexOf(entry);
        if (at >= 0) running.splice(at, 1);
      }
    },
    steps() {
      settle();
      return { ...spent };
    },
    counts: () => ({ ...counted }),
  };
}
