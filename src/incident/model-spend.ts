import { StanchError } from "../errors.ts";
import type { KubeObject } from "../model.ts";
import type { Clock, Cluster } from "../ports.ts";

/** What models cost on one day (UTC), kept in the `Run` object, so that a budget holds over runs. */
export interface DaySpend {
  readonly day: string;
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly dollars: number;
}

interface Ledger extends KubeObject {
  model?: DaySpend;
}

/**
 * Changes the day's total by compare and swap: `change` sees what is stored (of another day: nothing) and says what it becomes, or null to
 * leave it. Throws StanchError when it cannot be stored; without the CustomResourceDefinition `not-found`.
 */
export async function changeDaySpend(
  change: (now: DaySpend) => DaySpend | null,
  context: { readonly cluster: Cluster; readonly clock: Clock; readonly namespace: string },
): Promise<DaySpend> {
  const { cluster, clock, namespace } = context;
  const ref = { apiVersion: "stanch.dev/v1alpha1", kind: "Run", namespace, name: "stanch" };
  const day = clock.now().toISOString().slice(0, 10);
  const empty: DaySpend = { day, requests: 0, inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, dollars: 0 };
  for (let attempt = 1; ; attempt += 1) {
    const found = (await cluster.get(ref)) as Ledger | null;
    const now = found?.model?.day === day ? found.model : empty;
    const next = change(now);
    if (next === null) return now;
    try {
      if (found === null)
        await cluster.create({
          apiVersion: ref.apiVersion,
          kind: ref.kind,
          metadata: { name: ref.name, namespace },
          model: next,
        });
      else await cluster.replace({ ...found, model: next } as KubeObject);
      return next;
    } catch (error) {
      if (!(error instanceof StanchError) || error.code !== "conflict" || attempt >= 3) throw error;
      await clock.sleep(200 * attempt);
    }
  }
}
