import type { Config } from "./config/schema.ts";
import type { ModelUse } from "./incident/run-history.ts";
import type { IncidentStore } from "./incident/store.ts";
import type { Meter } from "./metrics/meter.ts";
import type { FileEdit, Outcome } from "./model.ts";
import type { Reading } from "./observe/reading.ts";
import type {
  Advisor,
  CheckResult,
  Clock,
  Cluster,
  CodeHost,
  Log,
  Receiver,
  Registry,
  Renderer,
  ReviewHost,
} from "./ports.ts";
import type { Workbench } from "./workbench.ts";

/** Everything that one run works with: the doors, the settings, and what it has done so far. */
export interface Run {
  readonly config: Config;
  readonly cluster: Cluster;
  readonly codeHost: CodeHost & ReviewHost;
  readonly renderer: Renderer;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: IncidentStore;
  readonly workbench: Workbench;
  readonly reading: Reading;
  /** The model as an adviser; absent where none is configured. */
  readonly model?: ModelDoor;
  /** Where the check command of a program is run; absent: nowhere. */
  readonly checks?: CheckDoor;
  /** Who is told of incidents; absent: nobody. */
  readonly receivers?: readonly Receiver[];
  readonly dryRun: boolean;
  /** Version of Stanch, for reports. */
  readonly version: string;
  readonly tally: Tally;
  /** Counts and times for metrics. */
  readonly meter: Meter;
  /** Stands in every log line, and in the lease's holder. */
  readonly id: string;
  /** Keeps the lease; throws when another run took over. */
  readonly renew: () => Promise<void>;
  /** When the run began, and milliseconds from then to what users wait for. */
  readonly startedAt: number;
}

/** What asking a model needs. */
export interface ModelDoor {
  readonly advisor: Advisor;
  /** Secrets of this process, which must never be sent. */
  readonly secrets: readonly string[];
  /** A delimiter that nobody can guess. */
  draw(): string;
  /** Keeps an exchange (already redacted) under a name; absent: none is kept. */
  save?(name: string, text: string): Promise<void>;
}

/** Where a program's own check command is run on edits that nobody has looked at. */
export interface CheckDoor {
  /** Why it cannot be run here, as a sentence without a full stop; null: it can, as far as was tried. */
  unavailable(): Promise<string | null>;
  /**
   * Runs a command in `folder` of a private copy of a tree, with edits written into it, and removes the copy. The copy holds no credentials
   * and nothing of Git. `tick` is called again and again meanwhile; only what it throws is thrown.
   */
  run(request: CheckRequest): Promise<CheckResult>;
}

export interface CheckRequest {
  /** Absolute path of the tree. */
  readonly directory: string;
  readonly edits: readonly FileEdit[];
  /** In the tree. */
  readonly folder: string;
  readonly command: readonly string[];
  readonly timeoutMs: number;
  /** Milliseconds between two calls of `tick`. */
  readonly everyMs: number;
  readonly tick: () => Promise<void>;
}

/** Counted before each act, so that no ceiling is passed. */
export interface Tally {
  ripe: number;
  hotfixes: number;
  opened: number;
  /** Issues that were opened. */
  issues?: number;
  firstHotfixMs?: number;
  firstPullRequestMs?: number;
  /** Incidents about which a model was asked. */
  asked?: number;
  /** Fixes of programs that a model was asked for. */
  fixes?: number;
  /** What was asked of models, and what that cost; absent: nothing was. */
  model?: ModelUse;
}

export interface RunReport {
  readonly outcomes: readonly Outcome[];
  readonly scanned: {
    readonly pods: number;
    readonly workloads: number;
    readonly namespaces: number;
    readonly calls: number;
  };
  readonly gaps: readonly string[];
  /** Findings by symptom. */
  readonly findings: Readonly<Record<string, { readonly ripe: number; readonly unripe: number }>>;
  readonly seconds: number;
  readonly firstHotfixSeconds?: number;
  readonly firstPullRequestSeconds?: number;
  /** What was asked of models, and what that cost; absent: nothing was. */
  readonly model?: ModelUse;
}
