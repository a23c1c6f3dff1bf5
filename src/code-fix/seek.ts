import type { Book } from "../advice/book.ts";
import type { Account, Exchange } from "../advice/converse.ts";
import type { Price } from "../advice/prices.ts";
import type { Redactor } from "../advice/redaction.ts";
import type { Config } from "../config/schema.ts";
import type { Diagnosis, FileEdit } from "../model.ts";
import type { Advisor, Checkout, CheckResult, Clock } from "../ports.ts";
import type { SoughtFix } from "./model.ts";

/** What is known of a program's fault, and where its code is. */
export interface FixQuestion {
  /** The finding with its evidence, the rules' reasons and the cause. */
  readonly diagnosis: Diagnosis;
  /** As the workload names it. */
  readonly image?: string;
  /** Of `apps`: `owner/name`. */
  readonly repository: string;
  /** Of `apps`: the folder that the program lives in. */
  readonly folder: string;
  /** Drawn anew for each exchange. */
  readonly delimiter: string;
}

export interface FixDoors {
  readonly advisor: Advisor;
  readonly account: Account;
  readonly redactor: Redactor;
  readonly clock: Clock;
  readonly settings: Config["model"];
  readonly price: Price;
  /** Called before each request and each check; what it throws ends everything (a lost lease). */
  readonly tick: () => Promise<void>;
  /** Longest time of one request beside `settings.timeout`. */
  readonly mostMs: number;
  readonly checkout: Checkout;
  /**
   * Runs the check command of `apps` on a private copy with these edits (none: as it is), for at most so many milliseconds. It keeps the lease
   * itself. Absent: there is no such command.
   */
  readonly check?: (edits: readonly FileEdit[], mostMs: number) => Promise<CheckResult>;
  /** Commit id that the image was built from, where that is known. */
  readonly deployed?: string;
}

/** A fix with all that was shown and said on the way. */
export type Sought = SoughtFix & { readonly book: Book; readonly exchange: Exchange };

/** Looks for a fix of a program's fault in its own repository: a bounded loop over a checkout. */
export async function seekFix(_question: FixQuestion, _doors: FixDoors): Promise<Sought> {
  throw new Error("not yet");
}
