import { isLost } from "../advice/converse.ts";
import { bounded } from "../advice/frame.ts";
import type { Redactor } from "../advice/redaction.ts";
import { messageOf } from "../errors.ts";
import type { FileEdit } from "../model.ts";
import type { CheckResult, Clock } from "../ports.ts";

/** Runs of the check command, counted. */
export interface Checks {
  /** Runs it on edits, unless it said already what it says of exactly these; null: it may not be run any more. */
  run(edits: readonly FileEdit[], until: number): Promise<CheckResult | null>;
  /** What it said of exactly these edits. */
  of(edits: readonly FileEdit[]): CheckResult | undefined;
  /** Everything that it said, in order. */
  readonly results: readonly CheckResult[];
  left(): number;
}

const OUTPUT = 8000;

export function createChecks(doors: {
  readonly check?: (edits: readonly FileEdit[], mostMs: number) => Promise<CheckResult>;
  readonly redactor: Redactor;
  readonly clock: Clock;
  readonly tick: () => Promise<void>;
  readonly most: number;
}): Checks {
  const { check, redactor, clock, tick, most } = doors;
  const results: CheckResult[] = [];
  const known = new Map<string, CheckResult>();
  const keyOf = (edits: readonly FileEdit[]): string =>
    JSON.stringify(edits.map(({ file, after }) => [file, after]).toSorted());
  return {
    results,
    of: (edits) => known.get(keyOf(edits)),
    left: () => (check === undefined ? 0 : most - results.length),
    async run(edits, until) {
      const before = known.get(keyOf(edits));
      if (before !== undefined) return before;
      if (check === undefined || results.length >= most) return null;
      await tick();
      const time = until - clock.now().getTime();
      if (time <= 0) return null;
      const said = await check(edits, time).catch((error: unknown): CheckResult => {
        if (isLost(error)) throw error;
        return { ran: false, reason: `it could not be started: ${messageOf(error)}` };
      });
      const clean: CheckResult = said.ran
        ? { ...said, output: bounded(redactor.clean(said.output), OUTPUT, "end") }
        : { ...said, reason: redactor.clean(said.reason).slice(0, 300) };
      results.push(clean);
      known.set(keyOf(edits), clean);
      await tick();
      return clean;
    },
  };
}

/** What it said, for the model. */
export function toldCheck(result: CheckResult): string {
  if (!result.ran) return `The check command was not run: ${result.reason}.`;
  const how = result.timedOut
    ? "it was ended because its time was over"
    : result.exit === null
      ? "it was ended by a signal"
      : `exit status ${result.exit}`;
  return `The check command: ${how}, after ${(result.ms / 1000).toFixed(1)} s. The end of what it wrote:\n${result.output}`;
}

/** Did it pass? */
export const passed = (result: CheckResult): boolean => result.ran && result.exit === 0 && !result.timedOut;
