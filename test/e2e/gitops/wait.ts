import { setTimeout as sleep } from "node:timers/promises";

/** A busy machine is slower than one that has nothing else to do, of which the seconds speak. */
const PATIENCE = 3;

/** Asks until `probe` answers null; throws with its last words when the time is over. Faults of the question count as words. */
export async function eventually(
  what: string,
  seconds: number,
  probe: () => Promise<string | null>,
  every = 500,
): Promise<void> {
  const end = Date.now() + seconds * PATIENCE * 1000;
  let last: string | null = "it was never asked";
  for (;;) {
    last = await probe().catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
    if (last === null) return;
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds * PATIENCE} s. ${last}`);
    await sleep(every);
  }
}

/** Watches that `probe` answers null for as long as this; throws at the first word, with the second in which it came. */
export async function steadily(what: string, seconds: number, probe: () => Promise<string | null>): Promise<void> {
  const started = Date.now();
  while (Date.now() - started < seconds * 1000) {
    const said = await probe();
    if (said !== null) throw new Error(`${what}: after ${Math.round((Date.now() - started) / 1000)} s: ${said}`);
    await sleep(1000);
  }
}
