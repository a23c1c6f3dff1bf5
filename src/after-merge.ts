import { askForSync, heldBack } from "./await-sync.ts";
import { formatDuration } from "./config/duration.ts";
import { standingHolds } from "./incident/holding.ts";
import type { Incident } from "./incident/incident.ts";
import { outcomeOf } from "./incident/outcome.ts";
import { getAt } from "./kube/field-path.ts";
import { healthOf } from "./kube/health.ts";
import { describeRef } from "./kube/ref.ts";
import type { Outcome } from "./model.ts";
import { loadWorkload } from "./observe/workloads.ts";
import type { PullRequest } from "./ports.ts";
import { resolve } from "./resolve.ts";
import type { Run } from "./run.ts";
import { letGo, stillHeld } from "./take-back.ts";

/**
 * Merged: ask for the deployment, wait until it has come, let go of what was held, confirm that Git and the cluster agree and that the
 * workload is healthy. Held objects are let go first, because a person may have improved the fix and the engine then has to bring it.
 */
export async function afterMerge(incident: Incident, pull: PullRequest, run: Run): Promise<Outcome> {
  const at = pull.mergedAt ?? run.clock.now().toISOString();
  let merged =
    incident.status?.phase === "Merged"
      ? incident
      : await run.store.advance(incident, "Merged", `#${pull.number} was merged.`, {
          mergedAt: at,
          ...(pull.mergeCommit === undefined ? {} : { mergeCommit: pull.mergeCommit }),
        });
  if (await isRetired(merged, run)) return retired(merged, run);
  const wait = { commit: merged.status?.mergeCommit ?? pull.head, since: merged.status?.mergedAt ?? at };
  const asked = await askForSync(merged, wait, run);
  merged = asked.incident;
  const behind = await heldBack(merged, wait, run);
  if (behind === null && standingHolds(merged).some((hold) => hold.kind !== "none")) {
    const freed = await letGo(merged, `#${pull.number} is merged and deployed.`, run);
    if (freed.left !== null) return outcomeOf(freed.incident, "failed", stillHeld(freed.left));
    // The engine looks at once at what it left alone so far, instead of at its next interval.
    merged = (await askForSync(freed.incident, wait, run, { again: true })).incident;
    // A moment for its controllers to see that the annotation went.
    await run.clock.sleep(run.config.verify.poll);
  }
  const doubts = behind === null ? await doubtsOf(merged, run) : [behind];
  if (doubts.length === 0) return resolve(merged, "Deployed, healthy, and Git says what the cluster runs.", run);
  const waited = run.clock.now().getTime() - Date.parse(at);
  const also = asked.said === "" ? "" : `. ${asked.said}`;
  if (waited < run.config.followUp.deployed)
    return outcomeOf(
      merged,
      "waiting",
      `#${pull.number} is merged; waiting for its deployment: ${doubts.join("; ")}${also}`,
    );
  const text = `#${pull.number} was merged ${formatDuration(waited)} ago, but ${doubts.join("; ")}. A person must look at the deployment.`;
  const next = await run.store.advance(merged, "Merged", text);
  return outcomeOf(next, "escalated");
}

/** Neither the cluster nor Git has the workload any more. */
export async function isRetired(incident: Incident, run: Run): Promise<boolean> {
  const ref = incident.spec.workload;
  return (await run.cluster.get(ref)) === null && !(await run.workbench.find(ref)).found;
}

export function retired(incident: Incident, run: Run): Promise<Outcome> {
  return resolve(incident, `${describeRef(incident.spec.workload)} is gone, from the cluster and from Git.`, run);
}

/** Why an incident is not over yet, by the cluster and Git; empty: it is. */
export async function doubtsOf(incident: Incident, run: Run): Promise<string[]> {
  const doubts: string[] = [];
  for (const change of incident.status?.plan?.changes ?? []) {
    const live = await run.cluster.get(change.object);
    if (live === null) {
      doubts.push(`${describeRef(change.object)} is not in the cluster`);
      continue;
    }
    const declared = await run.workbench.find(change.object);
    if (!declared.found) doubts.push(declared.reason);
    // Git is the measure, not our change: a person may have improved the fix before merging it.
    else if (!agree(getAt(declared.object, change.path), getAt(live, change.path)))
      doubts.push(`${describeRef(change.object)} does not run what Git says`);
  }
  const object = await run.cluster.get(incident.spec.workload);
  const workload = object === null ? null : await loadWorkload(run.reading, object, []);
  const health = healthOf(object, { pods: workload?.pods ?? [] });
  if (health.status !== "Current")
    doubts.push(`${describeRef(incident.spec.workload)} is not healthy: ${health.message}`);
  return [...new Set(doubts)];
}

/** Git and the cluster agree where everything that Git says stands live; defaults that the API server adds do not count. */
export function agree(declared: unknown, live: unknown): boolean {
  if (declared === null || declared === undefined) return declared === live || live === undefined;
  if (Array.isArray(declared))
    return (
      Array.isArray(live) &&
      declared.length === live.length &&
      declared.every((item, index) => agree(item, live[index]))
    );
  if (typeof declared === "object")
    return (
      typeof live === "object" &&
      live !== null &&
      Object.entries(declared).every(([key, value]) => agree(value, (live as Record<string, unknown>)[key]))
    );
  return String(declared) === String(live);
}
