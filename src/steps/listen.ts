import { IGNORE } from "../config/scope.ts";
import { messageOf } from "../errors.ts";
import { accountOf, bindsTo, denialsIn, roleOf } from "../kube/access.ts";
import { complaintsOf } from "../kube/complaint.ts";
import { keyOf, refOf } from "../kube/ref.ts";
import { referencesOf } from "../kube/references.ts";
import { containersOf } from "../kube/template.ts";
import { unresolvedIn } from "../kube/unresolved.ts";
import type { Change, ComplaintState, KubeObject, PodState, Workload } from "../model.ts";
import { loadWorkload } from "../observe/workloads.ts";
import { inspectedSources, isOfSource, ownChanges, type RecentCommit, recentCommits } from "../recent.ts";
import { redact } from "../redact.ts";
import type { Run } from "../run.ts";
import type { Observation } from "./observe.ts";

/** Workloads whose logs are read in one run, and for how long a run listens. */
const WORKLOADS = 20;
const PATIENCE_MS = 30_000;
/** What a program said before may be over. */
const STILL_SECONDS = 60;

const KINDS = new Set(["Deployment", "StatefulSet", "DaemonSet"]);

/**
 * Programs that run well by all that Kubernetes knows, and that complain in their logs of what a commit of the last day changed: their
 * variables, arguments or ConfigMaps by name, Services that they cannot resolve any more, rights that they are denied. Only what a recent
 * commit may explain is listened to.
 */
export async function listen(run: Run, seen: Observation): Promise<ComplaintState[]> {
  const out = new Map<string, ComplaintState>();
  const asked = new Set<string>();
  const began = run.clock.now().getTime();
  if (run.config.observe.logLines === 0) return [];
  for (const entry of await inspectedSources(run)) {
    await run.renew();
    if (run.clock.now().getTime() - began > PATIENCE_MS) break;
    try {
      for await (const recent of recentCommits(entry, run))
        for (const object of recent.now) {
          if (!KINDS.has(object.kind) || !isOfSource(object, entry, seen.namespaces)) continue;
          const key = keyOf(refOf(object));
          const topics = topicsOf(object, recent);
          if (topics.length === 0 || out.has(key) || (!asked.has(key) && asked.size >= WORKLOADS)) continue;
          asked.add(key);
          const found = await complaintOf(object, topics, recent, run);
          if (found !== null) out.set(key, found);
        }
    } catch (error) {
      const { repository, path } = entry.origin;
      run.log.debug("source not listened to", { source: `${repository}:${path}`, error: messageOf(error) });
    }
  }
  return [...out.values()];
}

/** Finds in the lines of a container's log those that are about one thing that a commit changed. */
type Topic = (lines: readonly string[], container: string) => string[];

/** What a workload may complain of after a commit. */
export function topicsOf(workload: KubeObject, recent: RecentCommit): Topic[] {
  const own = ownChanges(workload, recent);
  const named = new Set(referencesOf(workload).flatMap(({ kind, name }) => (kind === "ConfigMap" ? [name] : [])));
  const maps = recent.now.filter(
    (object) =>
      object.kind === "ConfigMap" &&
      object.metadata.namespace === workload.metadata.namespace &&
      named.has(object.metadata.name),
  );
  const texts = own.filter(({ path }) => ["env", "args", "command"].some((field) => path.includes(field)));
  return [
    ...[...texts, ...maps.flatMap((map) => ownChanges(map, recent))].map(
      (change): Topic =>
        (lines, container) =>
          isElsewhere(change, container) ? [] : complaintsOf(change, lines),
    ),
    ...(own.some(isAboutDns) ? [namesOf(workload, recent)] : []),
    ...(lostRights(workload, recent) ? [rightsOf(workload)] : []),
  ];
}

function isElsewhere({ path }: Change, container: string): boolean {
  const at = path.findIndex((step) => step === "containers" || step === "initContainers");
  const step = at < 0 ? undefined : path[at + 1];
  return typeof step === "object" && step.value !== container;
}

function isAboutDns({ path }: Change): boolean {
  return ["dnsPolicy", "dnsConfig", "hostNetwork", "hostAliases"].some((field) => path.includes(field));
}

/** Services of Git that the program says it cannot resolve, although they are there. */
function namesOf(workload: KubeObject, { now }: RecentCommit): Topic {
  const { namespace } = workload.metadata;
  const services = new Set(
    now
      .filter((object) => object.kind === "Service" && object.metadata.namespace === namespace)
      .map((object) => object.metadata.name),
  );
  return (lines) => lines.filter((line) => unresolvedIn([line]).some((host) => services.has(host.split(".")[0] ?? "")));
}

function rightsOf(workload: KubeObject): Topic {
  const account = accountOf(workload);
  return (lines) =>
    lines.filter((line) =>
      denialsIn(line).some(
        (denial) => denial.account.name === account.name && denial.account.namespace === account.namespace,
      ),
    );
}

/** Did the commit take anything from the Roles of the workload's account, or their bindings to it? */
function lostRights(workload: KubeObject, recent: RecentCommit): boolean {
  const account = accountOf(workload);
  const here = (kind: string, objects: Iterable<KubeObject>): KubeObject[] =>
    [...objects].filter((object) => object.kind === kind && object.metadata.namespace === workload.metadata.namespace);
  const bound = [...here("RoleBinding", recent.now), ...here("RoleBinding", recent.before.values())].filter((binding) =>
    bindsTo(binding, account),
  );
  const roles = new Set(bound.map(roleOf));
  const touched = [...here("RoleBinding", recent.now), ...here("Role", recent.now)].filter(
    (object) => ownChanges(object, recent).length > 0,
  );
  return touched.some((object) =>
    object.kind === "Role"
      ? roles.has(object.metadata.name)
      : bound.some((binding) => binding.metadata.name === object.metadata.name),
  );
}

async function complaintOf(
  declared: KubeObject,
  topics: readonly Topic[],
  { commit }: RecentCommit,
  run: Run,
): Promise<ComplaintState | null> {
  const live = await run.cluster.get(refOf(declared));
  if (live === null || live.metadata.annotations?.[IGNORE] === "true") return null;
  const workload = await loadWorkload(run.reading, live, []);
  const pod = workload === null ? undefined : speaker(workload);
  if (workload === null || pod === undefined) return null;
  for (const { name } of containersOf(live)) {
    const state = pod.containers.find((container) => container.name === name);
    if (state?.running === undefined || state.init) continue;
    const lines = await linesOf(workload, pod, name, run);
    const told = [...new Set(topics.flatMap((topic) => topic(lines, name)))];
    if (told.length > 0)
      return {
        ref: workload.ref,
        object: live,
        container: name,
        lines: told.slice(-5),
        commit,
        since: state.running.startedAt,
      };
  }
  return null;
}

/** A ready pod of the newest revision: one that is not has findings of its own. */
function speaker(workload: Workload): PodState | undefined {
  const current = workload.revisions.find((revision) => revision.current)?.name;
  return workload.pods.find((pod) => pod.ready && (pod.revision === undefined || pod.revision === current));
}

async function linesOf(workload: Workload, pod: PodState, container: string, run: Run): Promise<string[]> {
  const { logLines, logBytes } = run.config.observe;
  const text = await run.cluster.logs(
    { apiVersion: "v1", kind: "Pod", namespace: workload.ref.namespace, name: pod.name },
    container,
    { previous: false, tailLines: logLines, limitBytes: logBytes, sinceSeconds: STILL_SECONDS },
  );
  return redact(text)
    .split("\n")
    .filter((line) => line.trim() !== "");
}
