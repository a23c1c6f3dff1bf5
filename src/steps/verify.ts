import { formatDuration } from "../config/duration.ts";
import { isEngine } from "../gitops/claim.ts";
import { conditionsOf } from "../kube/conditions.ts";
import { failureOf } from "../kube/failing.ts";
import { managersOf } from "../kube/field-managers.ts";
import { getAt } from "../kube/field-path.ts";
import { numberAt } from "../kube/fields.ts";
import { type Health, healthOf } from "../kube/health.ts";
import { HELD_BY_OWN, heldByOwn } from "../kube/own-pods.ts";
import { describeRef } from "../kube/ref.ts";
import { RESOURCES } from "../kube/resources.ts";
import { rolloutWindow, steadyWindow, timeToCrash } from "../kube/rollout-window.ts";
import { sameValue } from "../kube/same-value.ts";
import type {
  Change,
  ContainerState,
  FieldPath,
  Finding,
  Hotfix,
  KubeObject,
  ManagedFields,
  ObjectRef,
  PodState,
  Verification,
  Workload,
} from "../model.ts";
import { deadEnd } from "../observe/ingress-backends.ts";
import type { Reading } from "../observe/reading.ts";
import { wrongPorts } from "../observe/service-ports.ts";
import { loadWorkload } from "../observe/workloads.ts";

/** What a look at the cluster says of a hotfix. */
type Look =
  /** `endedAt`: when a container last ended badly since the change, though it runs again. */
  | { readonly state: "good"; readonly seen: string; readonly endedAt?: number }
  | { readonly state: "waiting"; readonly seen: string }
  | { readonly state: "bad" | "lost"; readonly seen: string };

export interface Watched {
  readonly finding: Finding;
  readonly hotfix: Hotfix;
  /** The workload before the hotfix. */
  readonly before: Workload | null;
  /** Called at every look, so that the lease is kept and a terminal shows what is awaited. */
  readonly tick: (seen: string) => Promise<void>;
}

/**
 * Watches a hotfix until it has healed the workload for long enough to trust it, has failed, or time is up. The window
 * follows the rollout (deadline, probes, replicas), never one sleep. A field that does not stand any more ends it at once:
 * somebody else has written it.
 */
export async function verify(watched: Watched, reading: Reading): Promise<Verification> {
  const { config, clock, cluster } = reading;
  const started = clock.now().getTime();
  const elapsed = (): number => clock.now().getTime() - started;
  const target = watched.before?.object;
  const window = target === undefined ? config.verify.patience : rolloutWindow(target, config.verify.patience);
  const crash =
    watched.before === null || watched.finding.container === undefined
      ? undefined
      : timeToCrash(watched.before.pods, watched.finding.container);
  const steady =
    target === undefined
      ? config.verify.least
      : steadyWindow(target, {
          least: config.verify.least,
          most: config.verify.patience,
          ...(watched.finding.container === undefined ? {} : { container: watched.finding.container }),
          ...(crash === undefined ? {} : { timeToCrash: crash }),
        });
  let goodSince: number | null = null;
  let last: Look = { state: "waiting", seen: "nothing was seen yet" };
  const end = (result: Verification["result"], seen: string): Verification => ({
    result,
    seen,
    seconds: Math.round(elapsed() / 100) / 10,
  });
  const failed = async (seen: string): Promise<Verification> =>
    end(await damage(watched, reading), (await heldSince(watched, reading)) ?? seen);

  for (;;) {
    const lost = await firstLost(watched.hotfix.changes, cluster.get);
    if (lost !== null) return end("unchanged", lost.text);
    last = await look(watched, reading, started);
    await watched.tick(last.seen);
    if (last.state === "bad") return failed(last.seen);
    if (last.state === "good") {
      goodSince ??= elapsed();
      // It ended and was up again between two looks: the time in which it must stay healthy begins anew.
      if ((last.endedAt ?? 0) >= started + goodSince) goodSince = elapsed();
      if (elapsed() - goodSince >= steady)
        return end("recovered", `${last.seen.replace(/\.$/, "")} for ${formatDuration(elapsed() - goodSince)}`);
    } else goodSince = null;
    // What is healthy now is watched to the end of its steady time, even when that passes the window.
    if (elapsed() > window && goodSince === null)
      return failed(`not healthy after ${formatDuration(elapsed())}: ${last.seen}`);
    await clock.sleep(config.verify.poll);
  }
}

/** A change of ours that does not stand any more. */
export interface Lost {
  /** `the change was undone by kubectl-edit`, `Deployment shop/cart was deleted`: a clause. */
  readonly text: string;
  /** Neither our value nor the one before it stands, and no engine wrote it: somebody is at work on it. */
  readonly byPerson: boolean;
}

/** The first changed field that is not what the hotfix made it, with the manager that took it: the start of a revert war. */
export async function firstLost(
  changes: readonly Change[],
  get: (ref: ObjectRef) => Promise<KubeObject | null>,
): Promise<Lost | null> {
  const seen = new Map<string, KubeObject | null>();
  for (const change of changes) {
    const key = describeRef(change.object);
    if (!seen.has(key)) seen.set(key, await get(change.object));
    const live = seen.get(key) ?? null;
    if (live === null) return { text: `${key} was deleted`, byPerson: false };
    const stands = getAt(live, change.path);
    if (sameValue(stands, change.to)) continue;
    const writer = writerOf(live, change.path);
    const byPerson = !sameValue(stands, change.from) && !isEngine(writer);
    return { text: `the change was undone by ${writer}`, byPerson };
  }
  return null;
}

/** Who owns a field now; where nobody does (it was removed), whoever wrote to the object last. */
function writerOf(live: KubeObject, path: FieldPath): string {
  const newest = (entries: readonly ManagedFields[]): string | undefined =>
    entries
      .filter((entry) => entry.manager !== "stanch" && entry.subresource !== "status")
      .toSorted((a, b) => (b.time ?? "").localeCompare(a.time ?? ""))[0]?.manager;
  return newest(managersOf(live, path)) ?? newest(live.metadata.managedFields ?? []) ?? "somebody else";
}

async function look(watched: Watched, reading: Reading, started: number): Promise<Look> {
  const { workload: ref, symptom } = watched.finding;
  const object = await reading.cluster.get(ref);
  if (object === null) return { state: "bad", seen: `${describeRef(ref)} is gone` };
  if (symptom.kind === "NoEndpoints") return lookAtService(ref, reading);
  if (symptom.kind === "WrongPort") return lookAtPorts(object, reading);
  if (symptom.kind === "BrokenRoute") return lookAtRoute(object, reading);
  if (symptom.kind === "ScalingInactive" || symptom.kind === "SyncFailed") return lookAtFailing(object);
  if (symptom.kind === "ClaimPending") return fromHealth(healthOf(object));
  const workload = await loadWorkload(reading, object);
  if (workload === null) return { state: "bad", seen: `${describeRef(ref)} is gone` };
  if (watched.hotfix.contains !== undefined)
    return watched.hotfix.changes.length > 0 ? lookAtPaused(workload, watched) : lookAtContained(workload, watched);
  const current = workload.revisions.find((revision) => revision.current)?.name;
  const pods = workload.pods.filter(
    (pod) => current === undefined || pod.revision === undefined || pod.revision === current,
  );
  const failing = pods.map((pod) => terminalState(pod, started)).find((seen) => seen !== null);
  if (failing) return { state: "bad", seen: failing };
  const health = healthOf(object, { pods: workload.pods });
  // An old Progressing=False stands until the controller has looked at the new template.
  const stale =
    health.status === "Failed" &&
    conditionsOf(object).some(
      (condition) => condition.reason === "ProgressDeadlineExceeded" && Date.parse(condition.since ?? "") < started,
    );
  if (health.status === "Failed" && !stale) return { state: "bad", seen: health.message };
  const restarted = pods.flatMap((pod) => pod.containers).find((container) => endedBadlySince(container, started));
  if (restarted !== undefined)
    return {
      state: "waiting",
      seen: `container ${restarted.name} ended again after the change (${restarted.last?.reason ?? restarted.terminated?.reason})`,
    };
  const ends = pods.flatMap((pod) => pod.containers).flatMap((container) => badEndSince(container, started) ?? []);
  const verdict = fromHealth(health);
  return verdict.state === "good" && ends.length > 0 ? { ...verdict, endedAt: Math.max(...ends) } : verdict;
}

/** A rollout that rests is no healthy one: what served before it was paused has to go on serving. */
function lookAtPaused(workload: Workload, { before }: Watched): Look {
  const { object } = workload;
  const generation = object.metadata.generation ?? 0;
  if ((numberAt(object, "status", "observedGeneration") ?? generation) < generation)
    return { state: "waiting", seen: "its controller has not yet seen that it rests" };
  if (object.kind === "CronJob") return { state: "good", seen: "no further run is begun" };
  const old = (one: Workload): number =>
    one.revisions.reduce((sum, revision) => sum + (revision.current ? 0 : revision.readyReplicas), 0);
  const [now, then] = [old(workload), before === null ? 0 : old(before)];
  const seen = `${now} pod${now === 1 ? "" : "s"} of an earlier revision serve${now === 1 ? "s" : ""}`;
  return now > 0 && now >= then ? { state: "good", seen } : { state: "waiting", seen };
}

/** What only contains is not asked to heal the whole workload: the pods that it is about are well again, or were replaced by one that is. */
function lookAtContained(workload: Workload, { hotfix }: Watched): Look {
  const meant = new Set(hotfix.contains?.pods ?? []);
  const left = workload.pods.filter((pod) => meant.has(pod.uid));
  if (hotfix.action?.kind === "exec") {
    const waiting = left.find((pod) => !pod.ready);
    if (left.length < meant.size) return { state: "bad", seen: "a pod in which the command ran is gone" };
    return waiting === undefined
      ? { state: "good", seen: `${left.length === 1 ? `pod ${left[0]?.name} is` : `${left.length} pods are`} ready` }
      : { state: "waiting", seen: `pod ${waiting.name} is not ready` };
  }
  if (left.length > 0) return { state: "waiting", seen: `pod ${left[0]?.name} has not ended yet` };
  const current = workload.revisions.find((revision) => revision.current)?.name;
  const fresh = workload.pods.filter(
    (pod) =>
      (pod.revision === undefined || pod.revision === current) &&
      // A second's grace for the API server's whole-second times.
      Date.parse(pod.createdAt) >= Date.parse(hotfix.appliedAt) - 1500,
  );
  const ready = fresh.find((pod) => pod.ready);
  if (ready !== undefined) return { state: "good", seen: `pod ${ready.name} took its place and is ready` };
  return { state: "waiting", seen: fresh.length === 0 ? "no new pod yet" : `new pod ${fresh[0]?.name} is not ready` };
}

function fromHealth(health: Health): Look {
  return { state: health.status === "Current" ? "good" : "waiting", seen: health.message };
}

async function lookAtPorts(service: KubeObject, reading: Reading): Promise<Look> {
  const [wrong] = await wrongPorts(reading, service);
  return wrong === undefined
    ? { state: "good", seen: "its pods listen where it sends" }
    : { state: "waiting", seen: wrong.message };
}

async function lookAtRoute(ingress: KubeObject, reading: Reading): Promise<Look> {
  const left = await deadEnd(reading, ingress);
  return left === null
    ? { state: "good", seen: "everything that it sends to is there" }
    : { state: "waiting", seen: left };
}

function lookAtFailing(object: KubeObject): Look {
  const failure = failureOf(object);
  return failure === null
    ? { state: "good", seen: "it does its work" }
    : { state: "waiting", seen: failure.message.slice(0, 300) };
}

async function lookAtService(ref: ObjectRef, reading: Reading): Promise<Look> {
  let ready = 0;
  for await (const page of reading.cluster.list(RESOURCES.EndpointSlice, {
    namespace: ref.namespace,
    labelSelector: `kubernetes.io/service-name=${ref.name}`,
  })) {
    for (const slice of page)
      ready += ((slice["endpoints"] ?? []) as { conditions?: { ready?: boolean } }[]).filter(
        (endpoint) => endpoint.conditions?.ready !== false,
      ).length;
  }
  return ready > 0
    ? { state: "good", seen: `${ready} ready endpoint${ready === 1 ? "" : "s"}` }
    : { state: "waiting", seen: "no ready endpoint yet" };
}

/** A state of a pod made after the change that time does not heal: waiting longer would only prolong the harm. */
function terminalState(pod: PodState, started: number): string | null {
  // A pod from before the change says nothing about it; a second's grace for the API server's whole-second times.
  if (Date.parse(pod.createdAt) < started - 1500) return null;
  for (const container of pod.containers) {
    const { waiting } = container;
    if (
      waiting !== undefined &&
      /^(InvalidImageName|ErrImageNeverPull|CreateContainerConfigError)$/.test(waiting.reason)
    )
      return `new pod ${pod.name}: ${waiting.reason}: ${waiting.message}`;
    if (
      waiting !== undefined &&
      /^(ErrImagePull|ImagePullBackOff)$/.test(waiting.reason) &&
      /not found|manifest unknown|no match for platform/i.test(waiting.message)
    )
      return `new pod ${pod.name}: ${waiting.reason}: ${waiting.message}`;
    const times =
      container.restarts + (container.terminated !== undefined && container.terminated.exitCode !== 0 ? 1 : 0);
    const ended = container.terminated ?? container.last;
    if (times >= 2 && ended !== undefined && (ended.exitCode !== 0 || ended.reason === "OOMKilled"))
      return `new pod ${pod.name}: container ${container.name} ended ${times} times (${ended.reason}, exit code ${ended.exitCode})`;
  }
  return null;
}

function endedBadlySince(container: ContainerState, started: number): boolean {
  return container.running === undefined && badEndSince(container, started) !== null;
}

/** When a container last ended badly, if that was after the change. */
function badEndSince(container: ContainerState, started: number): number | null {
  const ended = container.last ?? container.terminated;
  const at = Date.parse(ended?.finishedAt ?? "");
  const bad = ended !== undefined && (ended.exitCode !== 0 || ended.reason === "OOMKilled");
  return !container.init && bad && at > started + 1000 ? at : null;
}

/** The change cannot show what it does: the pods that it makes find no place beside those that were there. */
async function heldSince({ finding }: Watched, reading: Reading): Promise<string | null> {
  const object = await reading.cluster.get(finding.workload);
  const workload = object === null ? null : await loadWorkload(reading, object);
  const held = workload === null ? null : heldByOwn(workload);
  return held === null ? null : `${HELD_BY_OWN}: ${held.slice(0, 300)}`;
}

/** Is there less in service than before the change? */
async function damage(watched: Watched, reading: Reading): Promise<"unchanged" | "worse"> {
  if (watched.before === null) return "unchanged";
  const object = await reading.cluster.get(watched.finding.workload);
  const now = object === null ? null : await loadWorkload(reading, object, []);
  return (now?.readyCount ?? 0) < watched.before.readyCount ? "worse" : "unchanged";
}
