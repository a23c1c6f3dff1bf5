import type { KubeObject, PodState } from "../model.ts";
import { type Condition, conditionOf, conditionsOf } from "./conditions.ts";
import { failureOf } from "./failing.ts";
import { listAt, numberAt, textAt } from "./fields.ts";
import { groupOf } from "./ref.ts";

/** The words of kstatus (kubernetes-sigs/cli-utils), with its meanings. */
export type HealthStatus = "Current" | "InProgress" | "Failed" | "NotFound" | "Unknown" | "Terminating";

export interface Health {
  readonly status: HealthStatus;
  /** What was seen, in one sentence. */
  readonly message: string;
}

export interface HealthContext {
  /** The workload's pods: they tell what an unfinished rollout waits for. */
  readonly pods?: readonly PodState[];
}

/**
 * Has the cluster done what the object asks, as kstatus computes it from the object alone? It differs from kstatus where
 * that is too kind for a verification: a failed Pod is Failed, a lost claim is Failed, a Job that runs is InProgress
 * until its pods are ready, and OnDelete workloads must have ready pods. `null` is an object that is not there.
 */
export function healthOf(object: KubeObject | null, context: HealthContext = {}): Health {
  if (object === null) return { status: "NotFound", message: "The object does not exist." };
  if (object.metadata.deletionTimestamp !== undefined)
    return { status: "Terminating", message: "The object is being deleted." };
  const observed = numberAt(object, "status", "observedGeneration");
  const generation = object.metadata.generation;
  if (observed !== undefined && generation !== undefined && observed < generation) {
    return inProgress(`Its controller has not yet seen generation ${generation} (it saw ${observed}).`);
  }
  const rule = RULES[`${groupOf(object.apiVersion)}/${object.kind}`];
  const health = rule === undefined ? general(object) : rule(object, context);
  if (health.status !== "InProgress") return health;
  const waiting = waitingFor(context.pods ?? []);
  return waiting === undefined ? health : { ...health, message: `${health.message} ${waiting}` };
}

type Rule = (object: KubeObject, context: HealthContext) => Health;

const RULES: Readonly<Record<string, Rule>> = {
  "apps/Deployment": deployment,
  "apps/StatefulSet": statefulSet,
  "apps/DaemonSet": daemonSet,
  "apps/ReplicaSet": replicaSet,
  "batch/Job": job,
  "batch/CronJob": (object) =>
    current(
      object["spec"] !== undefined && (object["spec"] as { suspend?: unknown }).suspend === true
        ? "Suspended."
        : "Scheduled.",
    ),
  "/Pod": pod,
  "/PersistentVolumeClaim": claim,
  "/Service": service,
  "autoscaling/HorizontalPodAutoscaler": reporting,
  "argoproj.io/Application": reporting,
  "helm.toolkit.fluxcd.io/HelmRelease": reporting,
  "kustomize.toolkit.fluxcd.io/Kustomization": reporting,
  "source.toolkit.fluxcd.io/GitRepository": reporting,
  "source.toolkit.fluxcd.io/OCIRepository": reporting,
  "source.toolkit.fluxcd.io/HelmRepository": reporting,
};

/** Those that tell of their own failing; what else they say is judged as for any kind. */
function reporting(object: KubeObject): Health {
  const failure = failureOf(object);
  return failure === null ? general(object) : failed(failure.message);
}

function deployment(object: KubeObject): Health {
  const progressing = conditionOf(object, "Progressing");
  if (progressing?.reason === "ProgressDeadlineExceeded")
    return failed(progressing.message ?? "The rollout exceeded its progress deadline.");
  const wanted = numberAt(object, "spec", "replicas") ?? 1;
  const [all, updated, ready, available] = counts(
    object,
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
  );
  if (all < wanted) return inProgress(`${all} of ${wanted} pods exist.${refused(object)}`);
  if (updated < wanted) return inProgress(`${updated} of ${wanted} pods are of the new revision.${refused(object)}`);
  if (all > wanted) return inProgress(`${all - wanted} old pods are still there.`);
  if (available < updated) return inProgress(`${available} of ${updated} pods are available.`);
  if (ready < wanted) return inProgress(`${ready} of ${wanted} pods are ready.`);
  if (wanted === 0) return current("Scaled to zero.");
  // Without a deadline the controller sets no Progressing condition. 2147483647 means the same.
  const deadline = numberAt(object, "spec", "progressDeadlineSeconds") ?? 2_147_483_647;
  const done =
    deadline === 2_147_483_647 || (progressing?.status === "True" && progressing.reason === "NewReplicaSetAvailable");
  if (!done) return inProgress("The new revision is not yet available.");
  if (conditionOf(object, "Available")?.status !== "True") return inProgress("It is not yet available.");
  return current(`${ready} of ${wanted} pods are ready and of the newest revision.`);
}

function statefulSet(object: KubeObject): Health {
  const wanted = numberAt(object, "spec", "replicas") ?? 1;
  const [all, ready, updated, currents] = counts(
    object,
    "replicas",
    "readyReplicas",
    "updatedReplicas",
    "currentReplicas",
  );
  if (all < wanted) return inProgress(`${all} of ${wanted} pods exist.`);
  if (ready < wanted) return inProgress(`${ready} of ${wanted} pods are ready.`);
  if (all > wanted) return inProgress(`${all - wanted} pods too many are still there.`);
  if (textAt(object, "spec", "updateStrategy", "type") === "OnDelete")
    return current(`${ready} of ${wanted} pods are ready; they are updated only when they are deleted.`);
  const partition = numberAt(object, "spec", "updateStrategy", "rollingUpdate", "partition") ?? 0;
  if (partition > 0) {
    const due = Math.max(0, wanted - partition);
    return updated < due
      ? inProgress(`${updated} of ${due} pods beyond the partition are of the new revision.`)
      : current(`${ready} of ${wanted} pods are ready; ${due} beyond the partition are updated.`);
  }
  if (currents < wanted) return inProgress(`${currents} of ${wanted} pods are of the current revision.`);
  if (textAt(object, "status", "currentRevision") !== textAt(object, "status", "updateRevision"))
    return inProgress("The new revision is not yet the current one.");
  return current(`${ready} of ${wanted} pods are ready and of the newest revision.`);
}

function daemonSet(object: KubeObject): Health {
  const wanted = numberAt(object, "status", "desiredNumberScheduled");
  if (wanted === undefined) return inProgress("Its controller has not yet counted the nodes.");
  const [scheduled, updated, available, ready] = counts(
    object,
    "currentNumberScheduled",
    "updatedNumberScheduled",
    "numberAvailable",
    "numberReady",
  );
  const onDelete = textAt(object, "spec", "updateStrategy", "type") === "OnDelete";
  if (scheduled < wanted) return inProgress(`${scheduled} of ${wanted} nodes have a pod.`);
  if (!onDelete && updated < wanted) return inProgress(`${updated} of ${wanted} pods are of the new revision.`);
  if (available < wanted) return inProgress(`${available} of ${wanted} pods are available.`);
  if (ready < wanted) return inProgress(`${ready} of ${wanted} pods are ready.`);
  return current(`${ready} of ${wanted} pods are ready.`);
}

function replicaSet(object: KubeObject): Health {
  const wanted = numberAt(object, "spec", "replicas") ?? 1;
  const [all, ready, available] = counts(object, "replicas", "readyReplicas", "availableReplicas");
  if (available < wanted) return inProgress(`${available} of ${wanted} pods are available.${refused(object)}`);
  if (ready < wanted) return inProgress(`${ready} of ${wanted} pods are ready.`);
  return all > wanted
    ? inProgress(`${all - wanted} pods too many are still there.`)
    : current(`${ready} of ${wanted} pods are ready.`);
}

function job(object: KubeObject): Health {
  const is = (type: string) =>
    conditionsOf(object).find((condition) => condition.type === type && condition.status === "True");
  const failure = is("Failed") ?? is("FailureTarget");
  if (failure !== undefined) return failed(sentence(failure, "The Job failed."));
  if (is("Complete") !== undefined) return current("The Job completed.");
  if (is("Suspended") !== undefined) return current("The Job is suspended.");
  const [active, ready, succeeded] = counts(object, "active", "ready", "succeeded");
  const completions = numberAt(object, "spec", "completions") ?? 1;
  const due = Math.max(1, Math.min(numberAt(object, "spec", "parallelism") ?? 1, completions - succeeded));
  return ready >= due
    ? current(`The Job runs: ${ready} pods are ready, ${succeeded} of ${completions} completed.`)
    : inProgress(`${active} pods are active, ${ready} ready; ${succeeded} of ${completions} completed.`);
}

function pod(object: KubeObject): Health {
  const phase = textAt(object, "status", "phase") ?? "";
  if (phase === "Succeeded") return current("The pod completed.");
  if (phase === "Failed")
    return failed(textAt(object, "status", "message") || textAt(object, "status", "reason") || "The pod failed.");
  if (phase === "Running" && conditionOf(object, "Ready")?.status === "True") return current("The pod is ready.");
  const looping = listAt(object, "status", "initContainerStatuses")
    .concat(listAt(object, "status", "containerStatuses"))
    .find((item) => textAt(item, "state", "waiting", "reason") === "CrashLoopBackOff");
  if (looping !== undefined) return failed(`Container ${textAt(looping, "name") ?? "?"} is in a crash loop.`);
  const scheduled = conditionOf(object, "PodScheduled");
  if (scheduled?.status === "False" && scheduled.reason === "Unschedulable")
    return failed(sentence(scheduled, "The pod cannot be scheduled."));
  return inProgress(
    phase === "Running"
      ? "The pod runs but is not ready."
      : `The pod is ${phase === "" ? "not yet observed" : phase.toLowerCase()}.`,
  );
}

function claim(object: KubeObject): Health {
  const phase = textAt(object, "status", "phase") ?? "unknown";
  if (phase === "Bound") return current("The claim is bound.");
  return phase === "Lost" ? failed("The claim lost its volume.") : inProgress(`The claim is not bound (${phase}).`);
}

function service(object: KubeObject): Health {
  if (textAt(object, "spec", "type") !== "LoadBalancer") return current("The Service is there.");
  return listAt(object, "status", "loadBalancer", "ingress").length > 0
    ? current("The Service has a load balancer.")
    : inProgress("The Service waits for its load balancer.");
}

/** kstatus's rule for kinds that it does not know: Stalled, Reconciling and Ready, where they are set. */
function general(object: KubeObject): Health {
  const stalled = conditionOf(object, "Stalled");
  if (stalled?.status === "True") return failed(sentence(stalled, "It is stalled."));
  const reconciling = conditionOf(object, "Reconciling");
  if (reconciling?.status === "True") return inProgress(sentence(reconciling, "It is being reconciled."));
  const ready = conditionOf(object, "Ready");
  if (ready?.status === "False") return inProgress(sentence(ready, "It is not ready."));
  if (ready?.status === "Unknown")
    return { status: "Unknown", message: sentence(ready, "It is not known whether it is ready.") };
  return current("The object is there.");
}

/** What the newest unready pod waits for; undefined when none says anything. */
function waitingFor(pods: readonly PodState[]): string | undefined {
  for (const one of pods) {
    if (one.ready || one.deleting) continue;
    for (const container of one.containers) {
      if (container.waiting !== undefined && !QUIET.has(container.waiting.reason))
        return `Container ${container.name} of pod ${one.name} waits: ${container.waiting.reason}.`;
    }
    const scheduled = one.conditions.find(
      (condition) => condition.type === "PodScheduled" && condition.status === "False",
    );
    if (scheduled !== undefined) return `Pod ${one.name} is not scheduled.`;
  }
  return undefined;
}

const QUIET = new Set(["ContainerCreating", "PodInitializing", ""]);

function refused(object: KubeObject): string {
  const failure = conditionOf(object, "ReplicaFailure");
  return failure?.status === "True"
    ? ` Pods are refused: ${failure.message ?? failure.reason ?? "no reason given"}`
    : "";
}

function counts<T extends readonly string[]>(object: KubeObject, ...names: T): { [K in keyof T]: number } {
  return names.map((name) => numberAt(object, "status", name) ?? 0) as { [K in keyof T]: number };
}

function sentence(condition: Condition, fallback: string): string {
  return condition.message ?? condition.reason ?? fallback;
}

const current = (message: string): Health => ({ status: "Current", message });
const inProgress = (message: string): Health => ({ status: "InProgress", message });
const failed = (message: string): Health => ({ status: "Failed", message });
