import { StanchError } from "../errors.ts";
import type { KubeObject, Outcome } from "../model.ts";
import type { Clock, Cluster } from "../ports.ts";

/** The summary of one run, as metrics and people need it. */
export interface RunEntry {
  readonly at: string;
  readonly seconds: number;
  readonly mode: string;
  readonly version: string;
  readonly pods: number;
  readonly workloads: number;
  readonly namespaces?: number;
  readonly calls: number;
  /** Parts of the cluster that could not be read. */
  readonly gaps: number;
  /** Outcomes by kind. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly firstHotfixSeconds?: number;
  readonly firstPullRequestSeconds?: number;
  /** Stands in every log line of the run. */
  readonly id?: string;
  /** `done`, `attention`, `fault`, `config`. Absent: an older version wrote it. */
  readonly result?: string;
  /** Seconds by step. */
  readonly steps?: Readonly<Record<string, number>>;
  /** Findings by symptom. */
  readonly findings?: Readonly<Record<string, { readonly ripe: number; readonly unripe: number }>>;
  readonly model?: ModelUse;
}

/** What was asked of models, and what it cost. */
export interface ModelUse {
  readonly requests: number;
  /** Read, from the cache or not. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Of the input, what came from the cache. */
  readonly cacheReadTokens: number;
  readonly dollars: number;
}

/** What models cost on one day (UTC), so that a budget holds over runs. */
export interface DaySpend extends ModelUse {
  readonly day: string;
}

/** Amounts over all runs since the object was made: each run is a process of its own, and counters must not begin anew with it. */
export interface RunTotals {
  readonly since: string;
  /** When a run last came to its end. */
  readonly lastSuccessAt?: string;
  /** By series, such as `stanch_runs_total{result="done"}`. */
  readonly counters: Readonly<Record<string, number>>;
}

export interface RunHistory {
  /** The newest first. */
  readonly entries: readonly RunEntry[];
  /** Null: nothing was counted yet. */
  readonly totals: RunTotals | null;
}

interface Stored extends KubeObject {
  entries?: readonly RunEntry[];
  totals?: RunTotals;
  drift?: DriftEntry;
  model?: DaySpend;
}

export interface HistoryContext {
  readonly cluster: Pick<Cluster, "get" | "create" | "replace">;
  readonly clock: Clock;
  readonly namespace: string;
}

/** What a run adds to the history. */
export interface RunRecord {
  /** Absent: it is counted and not listed (a run that gave way to another). */
  readonly entry?: RunEntry;
  /** When it began, in milliseconds: totals that are made with it count since then. */
  readonly startedAt: number;
  /** It came to its end. */
  readonly success: boolean;
  /** Adds what it counted to the totals so far (null: there are none). */
  readonly count: (before: RunTotals["counters"] | null) => RunTotals["counters"];
}

/** When runs last compared the cluster with Git and told the repositories. */
export interface DriftEntry {
  readonly at: string;
  /** Not again before. */
  readonly nextAt: string;
  /** What could not be told. */
  readonly error?: string;
}

const NAME = "stanch";
const ATTEMPTS = 5;

/**
 * Keeps the summaries of the last runs, the newest first, and totals over all runs in one object of Stanch's own namespace
 * (`runs.stanch.dev`). Two writers at once lose neither an entry nor an amount. Throws StanchError; without the
 * CustomResourceDefinition `not-found`.
 */
export async function recordRun(record: RunRecord, keep: number, context: HistoryContext): Promise<void> {
  await change((found) => {
    const { entries, totals } = historyOf(found);
    const now = context.clock.now().toISOString();
    const lastSuccessAt = record.success ? now : totals?.lastSuccessAt;
    return {
      entries: (record.entry === undefined ? entries : [record.entry, ...entries]).slice(0, keep),
      totals: {
        since: totals?.since ?? new Date(record.startedAt).toISOString(),
        ...(lastSuccessAt === undefined ? {} : { lastSuccessAt }),
        counters: record.count(totals?.counters ?? null),
      },
    };
  }, context);
}

/** When runs last told of drift; undefined: never, or nobody remembers. Throws StanchError. */
export async function lastDrift({
  cluster,
  namespace,
}: Pick<HistoryContext, "cluster" | "namespace">): Promise<DriftEntry | undefined> {
  return ((await cluster.get(refIn(namespace))) as Stored | null)?.drift;
}

/** Throws StanchError, as `recordRun` does. */
export async function recordDrift(drift: DriftEntry, context: HistoryContext): Promise<void> {
  await change(() => ({ drift }), context);
}

/**
 * Changes the day's total: `how` sees what is stored (of another day: nothing) and says what it becomes, or null to leave it. Throws
 * StanchError, as `recordRun` does, and `config` when the cluster's definition is older than this program and drops what is written.
 */
export async function changeDaySpend(how: (now: DaySpend) => DaySpend | null, context: HistoryContext): Promise<void> {
  const day = context.clock.now().toISOString().slice(0, 10);
  const empty: DaySpend = { day, requests: 0, inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, dollars: 0 };
  const kept = await change((found) => {
    const model = how(found?.model?.day === day ? found.model : empty);
    return model === null ? null : { model };
  }, context);
  if (kept !== null && kept.model === undefined)
    throw new StanchError("config", "runs.stanch.dev is older than this program and does not keep what a model cost", {
      hint: "kubectl apply --server-side -f deploy/crd.yaml",
    });
}

const refIn = (namespace: string) => ({ apiVersion: "stanch.dev/v1alpha1", kind: "Run", namespace, name: NAME });

/** Writes what `how` says into the object and leaves every other key of it; null: nothing. Gives back what the cluster keeps. */
async function change(
  how: (found: Stored | null) => Partial<Stored> | null,
  context: HistoryContext,
): Promise<Stored | null> {
  const { cluster, clock, namespace } = context;
  const { apiVersion, kind, name } = refIn(namespace);
  for (let attempt = 1; ; attempt += 1) {
    const found = (await cluster.get(refIn(namespace))) as Stored | null;
    const next = how(found);
    if (next === null) return null;
    try {
      const kept =
        found === null
          ? await cluster.create({ apiVersion, kind, metadata: { name, namespace }, ...next })
          : await cluster.replace({ ...found, ...next } as KubeObject);
      return kept as Stored;
    } catch (error) {
      if (!(error instanceof StanchError) || error.code !== "conflict" || attempt >= ATTEMPTS) throw error;
      await clock.sleep(200 * attempt);
    }
  }
}

/** What is kept of earlier runs; empty where there is no object. Throws StanchError. */
export async function readHistory({
  cluster,
  namespace,
}: Pick<HistoryContext, "namespace"> & { readonly cluster: Pick<Cluster, "get"> }): Promise<RunHistory> {
  return historyOf((await cluster.get(refIn(namespace))) as Stored | null);
}

/** Totals that an older version did not keep, or that somebody broke, begin anew. */
function historyOf(found: Stored | null): RunHistory {
  const { entries, totals } = found ?? {};
  const counters: unknown = totals?.counters;
  const whole =
    typeof counters === "object" && counters !== null && !Number.isNaN(Date.parse(String(totals?.since ?? "")));
  return { entries: Array.isArray(entries) ? entries : [], totals: whole && totals !== undefined ? totals : null };
}

/** How many outcomes there are of each kind. */
export function countOutcomes(outcomes: readonly Outcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of outcomes) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
