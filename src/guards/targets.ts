import { describeRef, keyOf } from "../kube/ref.ts";
import type { KubeObject, Plan } from "../model.ts";
import type { GuardContext } from "./guard.ts";

/** What a plan touches, with its live state: the finding's own object and every object that changes. */
export function targets(plan: Plan, context: GuardContext): [string, KubeObject | null][] {
  const refs = new Map(
    [plan.finding.workload, ...plan.changes.map((change) => change.object)].map((ref) => [keyOf(ref), ref]),
  );
  return [...refs].map(([key, ref]) => [describeRef(ref), context.live.get(key) ?? null]);
}
