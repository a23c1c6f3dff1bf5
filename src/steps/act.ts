import { messageOf, StanchError } from "../errors.ts";
import type { Incident, IncidentPlan } from "../incident/incident.ts";
import type { IncidentStore } from "../incident/store.ts";
import { conflicts, toPatch } from "../kube/json-patch.ts";
import { describeRef, keyOf } from "../kube/ref.ts";
import { byObject, versionOf, withVersion } from "../kube/written.ts";
import type { Change, Hotfix, ObjectRef, Plan } from "../model.ts";
import type { Clock, Cluster } from "../ports.ts";

export interface ActContext {
  readonly cluster: Cluster;
  readonly store: IncidentStore;
  readonly clock: Clock;
}

export type Acted =
  | { readonly applied: true; readonly incident: Incident }
  /** Nothing is changed live. `gitOnly`: the API server does not let the field be changed, but Git may still be right. */
  | { readonly applied: false; readonly incident: Incident; readonly reason: string; readonly gitOnly: boolean };

/**
 * The live half: looks at every object again, asks the API server by dry run, writes the intent and its undo into the
 * incident, and only then patches. Each patch tests the resourceVersion and every value that it replaces, so a change by
 * anybody in between makes it fail as a whole.
 */
export async function act(plan: Plan, incident: Incident, context: ActContext): Promise<Acted> {
  const groups = byObject(plan.changes);
  for (const group of groups) {
    const said = await write(group, context, true);
    if (!said.written) return refused(incident, said.reason, said.gitOnly);
  }

  const now = context.clock.now().toISOString();
  const hotfix: Hotfix = {
    changes: plan.changes,
    ...(plan.action === undefined ? {} : { action: plan.action }),
    appliedAt: now,
    objects: {},
  };
  let current = await context.store.advance(incident, "Acting", `Applying live: ${plan.title}`, {
    plan: planOf(plan),
    hotfix,
  });

  const objects: Record<string, Hotfix["objects"][string]> = {};
  for (const group of groups) {
    const said = await write(group, context, false);
    if (said.written) objects[keyOf(group.ref)] = said.version;
    else {
      // What was written before it is taken back by the caller: a hotfix that is half done must not stay so.
      current = await context.store.advance(current, "Acting", said.reason, {
        hotfix: { ...hotfix, objects, undo: { at: now, reason: "the live change was not taken as a whole" } },
      });
      return refused(current, said.reason, said.gitOnly);
    }
  }
  if (plan.action !== undefined) {
    for (const pod of plan.action.pods) {
      const taken = await context.cluster.evict({
        apiVersion: "v1",
        kind: "Pod",
        namespace: plan.finding.workload.namespace,
        name: pod,
      });
      if (!taken) {
        const reason = `a PodDisruptionBudget forbids the eviction of pod ${pod} now`;
        // Nothing stands that a later run would have to take back or to wait for.
        current = await context.store.advance(current, "Acting", reason, {
          hotfix: { ...hotfix, objects, undo: { at: now, reason } },
        });
        return refused(current, reason, false);
      }
    }
  }
  current = await context.store.advance(current, "Hotfixed", `Applied live: ${plan.title}`, {
    hotfix: { ...hotfix, objects },
  });
  return { applied: true, incident: current };
}

type Written =
  | { readonly written: true; readonly version: Hotfix["objects"][string] }
  | { readonly written: false; readonly reason: string; readonly gitOnly: boolean };

const ATTEMPTS = 5;

/**
 * One object's changes as one JSON Patch. A conflict is looked at again: the status of a failing workload is written all
 * the time, which moves its resourceVersion; only when a field of ours moved does it end.
 */
async function write(
  group: { ref: ObjectRef; changes: readonly Change[] },
  context: { readonly cluster: Cluster; readonly clock: Clock },
  dryRun: boolean,
): Promise<Written> {
  const what = describeRef(group.ref);
  for (let attempt = 1; ; attempt += 1) {
    const live = await context.cluster.get(group.ref);
    if (live === null) return { written: false, reason: `${what} is not in the cluster`, gitOnly: true };
    const gone = conflicts(group.changes, live);
    if (gone.length > 0)
      return { written: false, reason: `${what} changed in the meantime: ${gone.join("; ")}`, gitOnly: false };
    try {
      return {
        written: true,
        version: versionOf(
          await context.cluster.patch(group.ref, withVersion(toPatch(group.changes, live), live), { dryRun }),
        ),
      };
    } catch (error) {
      if (!(error instanceof StanchError)) throw error;
      if (error.code === "invalid" || error.code === "forbidden")
        return {
          written: false,
          reason: `the API server does not take the change of ${what}: ${messageOf(error)}`,
          gitOnly: true,
        };
      if (error.code !== "conflict") throw error;
      if (attempt >= ATTEMPTS)
        return { written: false, reason: `${what} is written by somebody else again and again`, gitOnly: false };
      await context.clock.sleep(100 * attempt);
    }
  }
}

/** Would the API server take the plan? For `--dry-run`; nothing is written. Null: yes. */
export async function tryAct(
  plan: Plan,
  context: { readonly cluster: Cluster; readonly clock: Clock },
): Promise<string | null> {
  for (const group of byObject(plan.changes)) {
    const said = await write(group, context, true);
    if (!said.written) return said.reason;
  }
  return null;
}

export function planOf(plan: Plan): IncidentPlan {
  return {
    remedy: plan.choice.remedy,
    params: plan.choice.params,
    title: plan.title,
    risk: plan.risk,
    reason: plan.choice.reason,
    changes: plan.changes,
    ...(plan.action === undefined ? {} : { action: plan.action }),
    ...(plan.gitOnly === undefined ? {} : { gitOnly: plan.gitOnly }),
  };
}

function refused(incident: Incident, reason: string, gitOnly: boolean): Acted {
  return { applied: false, incident, reason, gitOnly };
}
