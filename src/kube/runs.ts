import type { PodState } from "../model.ts";

/**
 * The pods of a CronJob's latest run that says something: a run that has only begun does not hide that the one before it
 * failed. Runs are told apart by the Job's name in the pod's.
 */
export function latestRun(pods: readonly PodState[]): PodState[] {
  const runs = runsOf(pods);
  const telling = runs.find((run) => run.some((pod) => !isFresh(pod)));
  return (telling ?? []).filter((pod) => pod.phase !== "Succeeded");
}

/** Failed runs, one after the other, until the latest that did not fail. Runs that have only begun are passed over. */
export function failedRuns(pods: readonly PodState[]): number {
  let failed = 0;
  for (const run of runsOf(pods)) {
    if (run.some((pod) => pod.phase === "Succeeded")) break;
    if (run.some((pod) => pod.phase === "Failed")) failed += 1;
  }
  return failed;
}

/** Pods by run, newest first. A run of which any pod succeeded says nothing else. */
function runsOf(pods: readonly PodState[]): PodState[][] {
  const runs = new Map<string, PodState[]>();
  for (const pod of pods) {
    const job = pod.name.replace(/-[a-z0-9]{5}$/, "");
    runs.set(job, [...(runs.get(job) ?? []), pod]);
  }
  const newest = (run: readonly PodState[]): string =>
    run
      .map((pod) => pod.createdAt)
      .toSorted()
      .at(-1) ?? "";
  return [...runs.values()]
    .toSorted((a, b) => newest(b).localeCompare(newest(a)))
    .map((run) =>
      run.some((pod) => pod.phase === "Succeeded") ? run.filter((pod) => pod.phase === "Succeeded") : run,
    );
}

/** Begun, and nothing bad seen of it yet. */
function isFresh(pod: PodState): boolean {
  return (
    (pod.phase === "Pending" || pod.phase === "Running") &&
    pod.containers.every(
      (container) =>
        container.restarts === 0 &&
        (container.terminated?.exitCode ?? 0) === 0 &&
        (container.waiting === undefined ||
          container.waiting.reason === "ContainerCreating" ||
          container.waiting.reason === "PodInitializing"),
    )
  );
}
