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
  readonly calls: number;
  /** Parts of the cluster that could not be read. */
  readonly gaps: number;
  /** Outcomes by kind. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly firstHotfixSeconds?: number;
  readonly firstPullRequestSeconds?: number;
}

/** When runs last compared the cluster with Git and told the repositories. */
export interface DriftEntry {
  readonly at: string;
  /** Not again before. */
  readonly nextAt: string;
  /** What could not be told. */
  readonly error?: string;
}

interface History extends KubeObject {
  entries?: readonly RunEntry[];
  drift?: DriftEntry;
}

interface Place {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly namespace: string;
}

const NAME = "stanch";

/**
 * Keeps the summaries of the last runs, the newest first, in one object of Stanch's own namespace (`runs.stanch.dev`). Two writers at
 * once do not lose each other's entry. Throws StanchError; without the CustomResourceDefinition `not-found`.
 */
export async function recordRun(entry: RunEntry, keep: number, place: Place): Promise<void> {
  await change(({ entries = [] }) => ({ entries: [entry, ...entries].slice(0, keep) }), place);
}

/** When runs last told of drift; undefined: never, or nobody remembers. Throws StanchError. */
export async function lastDrift({ cluster, namespace }: Place): Promise<DriftEntry | undefined> {
  return ((await cluster.get(refIn(namespace))) as History | null)?.drift;
}

/** Throws StanchError, as `recordRun` does. */
export async function recordDrift(drift: DriftEntry, place: Place): Promise<void> {
  await change(() => ({ drift }), place);
}

const refIn = (namespace: string) => ({ apiVersion: "stanch.dev/v1alpha1", kind: "Run", namespace, name: NAME });

async function change(how: (found: Partial<History>) => Partial<History>, place: Place): Promise<void> {
  const { cluster, clock, namespace } = place;
  const { apiVersion, kind, name } = refIn(namespace);
  for (let attempt = 1; ; attempt += 1) {
    const found = (await cluster.get(refIn(namespace))) as History | null;
    try {
      if (found === null) await cluster.create({ apiVersion, kind, metadata: { name, namespace }, ...how({}) });
      else await cluster.replace({ ...found, ...how(found) } as KubeObject);
      return;
    } catch (error) {
      if (!(error instanceof StanchError) || error.code !== "conflict" || attempt >= 3) throw error;
      await clock.sleep(200 * attempt);
    }
  }
}

/** How many outcomes there are of each kind. */
export function countOutcomes(outcomes: readonly Outcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of outcomes) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
