import type { Delivery, Notice, NoticeThread } from "../model.ts";
import type { Clock, Log, Receiver } from "../ports.ts";

/** One message for one receiver. */
export interface Job {
  readonly receiver: Receiver;
  readonly notice: Notice;
  readonly thread: NoticeThread | undefined;
  /** Write the thread's first message anew instead of adding one. */
  readonly show?: boolean;
}

/** Carries messages within one run's time; a receiver that failed is left alone until the next run. */
export interface Courier {
  /** Whether a receiver may be told something in this run. */
  isOpen(name: string): boolean;
  /** Sends all at once; one answer for each. Never throws. */
  deliver(jobs: readonly Job[]): Promise<readonly Delivery[]>;
  /** Leaves a receiver alone from the start: it asked for it. */
  close(name: string): void;
  /** How long receivers asked to be left alone, in milliseconds. */
  readonly waits: ReadonlyMap<string, number>;
}

/** A pause that a receiver asks for and that is short enough to be made at once. */
const SHORT = 2000;
/** With less than this there is no use in beginning. */
const LEAST = 50;

export function createCourier({
  timeout,
  clock,
  log,
}: {
  readonly timeout: number;
  readonly clock: Clock;
  readonly log: Log;
}): Courier {
  const closed = new Set<string>();
  const waits = new Map<string, number>();
  let spent = 0;
  let told = false;

  function isOver(): boolean {
    if (timeout - spent >= LEAST) return false;
    if (!told) log.warn("the time for notifications is over; the next run goes on", { timeout });
    told = true;
    return true;
  }

  async function attempt({ receiver, notice, thread, show }: Job, limit: number): Promise<Delivery> {
    const signal = AbortSignal.timeout(Math.ceil(limit));
    const tooLate = new Promise<Delivery>((resolve) => {
      signal.addEventListener("abort", () => resolve({ outcome: "failed", reason: "no answer in time" }), {
        once: true,
      });
    });
    const sent =
      show === true && thread !== undefined && receiver.show !== undefined
        ? receiver.show(notice, thread, signal)
        : receiver.send(notice, thread, signal);
    const fault = (error: unknown): Delivery => ({
      outcome: "failed",
      reason: error instanceof Error ? error.message : String(error),
    });
    return Promise.race([sent.catch(fault), tooLate]);
  }

  async function carry(job: Job): Promise<Delivery> {
    const { name } = job.receiver;
    const left = timeout - spent;
    if (isOver()) return { outcome: "failed", reason: "the time for notifications is over" };
    // One that hangs leaves time for the others.
    const limit = Math.min(left, timeout / 2);
    const begun = clock.now().getTime();
    let delivery = await attempt(job, limit);
    const rest = limit - (clock.now().getTime() - begun);
    if (
      delivery.outcome === "failed" &&
      delivery.retryAfter !== undefined &&
      delivery.retryAfter <= Math.min(SHORT, rest - LEAST)
    ) {
      await clock.sleep(delivery.retryAfter);
      delivery = await attempt(job, Math.max(LEAST, limit - (clock.now().getTime() - begun)));
    }
    if (delivery.outcome === "failed") {
      closed.add(name);
      if (delivery.retryAfter !== undefined) waits.set(name, delivery.retryAfter);
      log.warn("receiver not told; the next run tries again", {
        receiver: name,
        event: job.notice.event,
        reason: delivery.reason,
      });
    }
    return delivery;
  }

  return {
    waits,
    isOpen: (name) => !closed.has(name) && !isOver(),
    close: (name) => void closed.add(name),
    async deliver(jobs) {
      const begun = clock.now().getTime();
      const answers = await Promise.all(jobs.map(carry));
      spent += clock.now().getTime() - begun;
      return answers;
    },
  };
}
