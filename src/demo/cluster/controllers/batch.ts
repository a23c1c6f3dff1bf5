import type { KubeObject } from "../../../model.ts";
import { isReady } from "../server/subresources.ts";
import type { Condition, Pod, PodOwner, Tree } from "../shapes.ts";
import { controllerOf } from "../shapes.ts";
import type { Actor } from "./actor.ts";
import { podFrom } from "./actor.ts";
import { cronMatches } from "./cron.ts";

/** Reconciles Jobs (pods until enough succeeded, back-off, limit) and CronJobs (a Job when the schedule says so). */
export function createBatchControllers(
  jobs: Actor,
  cron: Actor,
): { job: (object: KubeObject) => void; cronJob: (object: KubeObject) => void } {
  const { timeline, events } = jobs;

  function again(
    actor: Actor,
    kind: string,
    object: KubeObject,
    seconds: number,
    run: (object: KubeObject) => void,
  ): void {
    const { uid, namespace = "", name } = object.metadata;
    timeline.after(seconds, `${kind}-again/${uid}`, () => {
      const current = actor.get(kind, namespace, name);
      if (current !== undefined && current.metadata.uid === uid) run(current);
    });
  }

  function job(object: KubeObject): void {
    const owner = object as PodOwner;
    const old = (owner.status ?? {}) as Tree & { conditions?: Condition[] };
    if (
      owner.metadata.deletionTimestamp !== undefined ||
      old.conditions?.some((each) => each.type === "Complete" || each.type === "Failed") === true
    )
      return;
    const pods = jobs.owned("Pod", owner) as Pod[];
    const phase = (name: string): Pod[] => pods.filter((pod) => pod.status?.phase === name);
    const succeeded = phase("Succeeded").length;
    const failed = phase("Failed").length;
    const active = pods.length - succeeded - failed;
    const wanted = Number(owner.spec.completions ?? 1);
    const restarts = pods.reduce(
      (sum, pod) =>
        sum +
        ((pod.status?.containerStatuses ?? []) as { restartCount?: number }[]).reduce(
          (total, each) => total + (each.restartCount ?? 0),
          0,
        ),
      0,
    );
    const tried = failed + (owner.spec.template.spec.restartPolicy === "OnFailure" ? restarts : 0);
    const startTime = typeof old.startTime === "string" ? old.startTime : timeline.stamp();
    const ready = pods.filter(isReady).length;
    const base = {
      startTime,
      ...(succeeded > 0 ? { succeeded } : {}),
      ...(failed > 0 ? { failed } : {}),
      terminating: 0,
      uncountedTerminatedPods: {},
      ready,
    };
    const over = (types: readonly string[], reason: string, message: string): Condition[] =>
      types.map((type) => ({
        type,
        status: "True",
        lastProbeTime: timeline.stamp(),
        lastTransitionTime: timeline.stamp(),
        reason,
        message,
      }));
    const overdue =
      owner.spec.activeDeadlineSeconds !== undefined &&
      timeline.secondsSince(Date.parse(startTime)) > Number(owner.spec.activeDeadlineSeconds);
    if (succeeded >= wanted) {
      events.normal(owner, "Completed", "Job completed");
      jobs.status(owner, {
        ...base,
        completionTime: timeline.stamp(),
        conditions: over(
          ["SuccessCriteriaMet", "Complete"],
          "CompletionsReached",
          "Reached expected number of succeeded pods",
        ),
      });
      return;
    }
    if (tried > Number(owner.spec.backoffLimit ?? 6) || overdue) {
      const [reason, message] = overdue
        ? ["DeadlineExceeded", "Job was active longer than specified deadline"]
        : ["BackoffLimitExceeded", "Job has reached the specified backoff limit"];
      for (const pod of pods.filter((each) => each.status?.phase !== "Failed" && each.status?.phase !== "Succeeded"))
        jobs.remove(pod);
      events.warning(owner, reason ?? "", message ?? "");
      jobs.status(owner, { ...base, conditions: over(["FailureTarget", "Failed"], reason ?? "", message ?? "") });
      return;
    }
    jobs.status(owner, { ...base, ...(active > 0 ? { active } : {}) });
    if (owner.spec.activeDeadlineSeconds !== undefined)
      again(jobs, "Job", owner, Number(owner.spec.activeDeadlineSeconds) + 1, job);
    if (owner.spec.suspend === true) return;
    const missing = Math.min(Number(owner.spec.parallelism ?? 1), wanted - succeeded) - active;
    if (missing <= 0) return;
    const lastEnd = Math.max(0, ...phase("Failed").map((pod) => endOf(pod)));
    const backOff = failed === 0 ? 0 : Math.min(360, 10 * 2 ** (failed - 1));
    const left = failed === 0 ? 0 : backOff - timeline.secondsSince(lastEnd);
    if (left > 0) {
      again(jobs, "Job", owner, left, job);
      return;
    }
    for (let index = 0; index < missing; index += 1) {
      const pod = jobs.create(podFrom(owner, { generateName: `${owner.metadata.name}-` }, {}));
      events.normal(owner, "SuccessfulCreate", `Created pod: ${pod.metadata.name}`);
    }
  }

  function endOf(pod: Pod): number {
    const states = (pod.status?.containerStatuses ?? []) as { state?: { terminated?: { finishedAt?: string } } }[];
    return Math.max(0, ...states.map((each) => Date.parse(each.state?.terminated?.finishedAt ?? "") || 0));
  }

  function cronJob(object: KubeObject): void {
    const spec = object.spec as {
      schedule: string;
      suspend?: boolean;
      concurrencyPolicy?: string;
      jobTemplate: { metadata?: Tree; spec: Tree };
    };
    const now = new Date(timeline.now());
    const untilNext = 60 - now.getUTCSeconds();
    // Schedules are in wall-clock minutes: they do not run faster with the simulation.
    timeline.at(timeline.now() + untilNext * 1000, `cron/${object.metadata.uid}`, () => {
      const current = cron.get("CronJob", object.metadata.namespace ?? "", object.metadata.name);
      if (current !== undefined) tick(current);
    });
    const active = (cron.owned("Job", object) as PodOwner[]).filter((each) =>
      (each.status?.conditions ?? []).every(
        (condition) => condition.type !== "Complete" && condition.type !== "Failed",
      ),
    );
    cron.status(object, {
      ...((object.status as Tree | undefined) ?? {}),
      ...(active.length > 0
        ? {
            active: active.map((each) => ({
              apiVersion: "batch/v1",
              kind: "Job",
              name: each.metadata.name,
              namespace: each.metadata.namespace,
              uid: each.metadata.uid,
            })),
          }
        : { active: undefined }),
    });

    function tick(current: KubeObject): void {
      const at = new Date(timeline.now());
      const running = active.length > 0 && spec.concurrencyPolicy === "Forbid";
      if (spec.suspend !== true && !running && cronMatches(spec.schedule, at)) {
        const name = `${current.metadata.name}-${Math.floor(at.getTime() / 60_000)}`;
        cron.create({
          apiVersion: "batch/v1",
          kind: "Job",
          metadata: { name, namespace: current.metadata.namespace ?? "", ownerReferences: [controllerOf(current)] },
          spec: structuredClone(spec.jobTemplate.spec),
        });
        cron.events.normal(current, "SuccessfulCreate", `Created job ${name}`);
        cron.status(current, { ...((current.status as Tree | undefined) ?? {}), lastScheduleTime: timeline.stamp() });
      }
      const fresh = cron.get("CronJob", current.metadata.namespace ?? "", current.metadata.name);
      if (fresh !== undefined) cronJob(fresh);
    }
  }

  return { job, cronJob };
}
