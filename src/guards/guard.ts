import type { Config } from "../config/schema.ts";
import type { HoldChoice } from "../gitops/holds.ts";
import type { KubeObject, Plan, Verdict } from "../model.ts";

/** One rule that may stop a plan. The rules stand in order in index.ts; the first that does not pass gives the verdict. */
export interface Guard {
  readonly id: string;
  /** One sentence for the catalogue. */
  readonly summary: string;
  /** Null: no objection. */
  check(plan: Plan, context: GuardContext): Exclude<Verdict, { decision: "live" }> | null;
}

/** What guards may know; gathered before, so that each rule is pure. */
export interface GuardContext {
  readonly settings: Config;
  readonly now: Date;
  /** Live objects that the plan changes, by `keyOf`; null: not there. */
  readonly live: ReadonlyMap<string, KubeObject | null>;
  /** For each of them that an engine deploys, by `keyOf`: the hold that a live change would stand under, or why there is none. */
  readonly holds: ReadonlyMap<string, HoldChoice>;
  /** The namespace objects' annotations, by name. */
  readonly namespaces: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** Ripe findings of this run. */
  readonly ripe: number;
  /** Live changes made in this run. */
  readonly hotfixes: number;
  /** Pull requests opened in this run, and open now. */
  readonly opened: number;
  readonly open: number;
  /** When an object was last changed live by Stanch, by `keyOf`. */
  readonly lastChange: ReadonlyMap<string, Date>;
  /** Hotfixes of this incident that failed before. */
  readonly failedAttempts: number;
  /** Whether writing is possible: the rights were checked. */
  readonly missingRights: readonly string[];
}
