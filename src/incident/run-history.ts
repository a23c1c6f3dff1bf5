import { StanchError } from "../errors.ts";
import type { KubeObject, Outcome } from "../model.ts";
import type { Clock, Cluster } from "../ports.ts";
import type { DaySpend } from "./model-spend.ts";

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
  /** What models cost in this run. */
  readonly model?: Omit<DaySpend, "day">;
}

interface History extends KubeObject {
  entries?: readonly RunEntry[];
}

const NAME = "stanch";

/**
 * Keeps the summaries of the last runs, the newest first, in one object of Stanch's own namespace (`runs.stanch.dev`). Two writers at
 * once do not lose each other's entry. Throws StanchError; without the CustomResourceDefinition `not-found`.
 */
export async function recordRun(
  entry: RunEntry,
  keep: number,
  context: { readonly cluster: Cluster; readonly clock: Clock; readonly namespace: string },
): Promise<void> {
  const { cluster, clock, namespace } = context;
  const ref = { apiVersion: "stanch.dev/v1alpha1", kind: "Run", namespace, name: NAME };
  for (let attempt = 1; ; attempt += 1) {
    const found = (await cluster.get(ref)) as History | null;
    const entries = [entry, ...(found?.entries ?? [])].slice(0, keep);
    try {
      if (found === null)
        await cluster.create({
          apiVersion: ref.apiVersion,
          kind: ref.kind,
          metadata: { name: NAME, namespace },
          entries,
        });
      else await cluster.replace({ ...found, entries } as KubeObject);
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
