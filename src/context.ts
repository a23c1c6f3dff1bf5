import { namedNamespaces } from "./config/scope.ts";
import { StanchError } from "./errors.ts";
import type { GuardContext } from "./guards/guard.ts";
import { holdChoices } from "./hold-choices.ts";
import type { Incident } from "./incident/incident.ts";
import { raisesOf } from "./incident/raises.ts";
import { scaleTarget } from "./kube/failing.ts";
import { keyOf, refOf, sameRef } from "./kube/ref.ts";
import { referencesOf } from "./kube/references.ts";
import { RESOURCES } from "./kube/resources.ts";
import type { Finding, KubeObject, ObjectRef, Plan } from "./model.ts";
import { pullCredentials } from "./observe/pull-credentials.ts";
import { loadWorkload } from "./observe/workloads.ts";
import { withoutCommits } from "./remedies/git-history.ts";
import { remedies, remediesFor } from "./remedies/index.ts";
import type { OtherKind, PreviousVersion, RemedyContext } from "./remedies/remedy.ts";
import { workloadRights } from "./remedies/rights.ts";
import type { Run } from "./run.ts";
import { countOpen } from "./steps/count-open.ts";
import { refusalOf } from "./steps/inspect.ts";
import type { Observation } from "./steps/observe.ts";

/** What a remedy may look at for one finding. Live objects that it may change are read here, so that plans stay pure. */
export async function remedyContext(
  finding: Finding,
  seen: Observation,
  run: Run,
  incident: Incident | undefined,
): Promise<RemedyContext> {
  const workload = seen.snapshot.workloads.find((candidate) => sameRef(candidate.ref, finding.workload));
  const known = new Map<string, KubeObject | null>();
  const { workloads, services, ports, claims, failing, complaints, cutOffs } = seen.snapshot;
  for (const item of [...workloads, ...services, ...ports, ...claims, ...failing, ...complaints, ...cutOffs])
    known.set(keyOf(item.ref), item.object);
  const own = known.get(keyOf(finding.workload)) ?? null;
  const target = own === null ? null : scaleTarget(own);
  if (target !== null && !known.has(keyOf(target))) known.set(keyOf(target), await run.cluster.get(target));
  const template = workload?.object ?? own;
  if (template !== null)
    for (const ref of referencedBy(template))
      if (!known.has(keyOf(ref))) known.set(keyOf(ref), await run.cluster.get(ref));
  const looked = await lookThrough(finding, run);
  for (const object of [...looked.values()].flatMap((objects) => objects ?? []))
    if (!known.has(keyOf(refOf(object)))) known.set(keyOf(refOf(object)), object);
  return {
    settings: run.config,
    snapshot: seen.snapshot,
    ...(workload === undefined ? {} : { workload }),
    live: (ref) => known.get(keyOf(ref)) ?? null,
    registry: run.registry,
    credentials: (image) => pullCredentials(workload?.object, image, run),
    previous: (ref) => othersCommits(ref, seen, run),
    removed: (ref) => run.workbench.removed(ref),
    declared: async (ref) => {
      const found = await run.workbench.find(ref);
      return found.found ? found.object : null;
    },
    others: (kind, namespace) => looked.get(`${kind}/${namespace}`) ?? null,
    ask: (container, question) => askPod(finding, container, question, run),
    refusal: (object) => refusalOf(object, run),
    raises: async () => countRaises(incident, run),
    contained: incident?.status?.contained ?? [],
  };
}

/** ConfigMaps and claims that a workload's template names. Secrets are never read. */
function referencedBy(object: KubeObject): ObjectRef[] {
  const namespace = object.metadata.namespace ?? "";
  return referencesOf(object).flatMap((reference) =>
    reference.kind === "ConfigMap" || reference.kind === "PersistentVolumeClaim"
      ? [{ apiVersion: "v1", kind: reference.kind, namespace, name: reference.name }]
      : [],
  );
}

/** Enough of a kind to find what was meant, and a bound for the memory that it may take. */
const OTHERS = 1000;

/** What the enabled remedies for this symptom look through, by `kind/namespace`. */
async function lookThrough(finding: Finding, run: Run): Promise<Map<string, readonly KubeObject[] | null>> {
  const kinds = remedies
    .filter(({ id }) => remediesFor[finding.symptom.kind].includes(id) && run.config.remedies.enabled.includes(id))
    .flatMap((remedy) => remedy.looks?.(finding) ?? []);
  const out = new Map<string, readonly KubeObject[] | null>();
  for (const kind of new Set(kinds)) {
    const namespace = RESOURCES[kind].namespaced ? finding.workload.namespace : "";
    out.set(`${kind}/${namespace}`, await othersOf(kind, namespace, run));
  }
  return out;
}

/** A namespace's objects of a kind; null when they may not be read, or are too many to look through. */
async function othersOf(kind: OtherKind, namespace: string, run: Run): Promise<readonly KubeObject[] | null> {
  const resource = RESOURCES[kind];
  const out: KubeObject[] = [];
  try {
    for await (const page of run.cluster.list(resource, {
      ...(resource.namespaced ? { namespace } : {}),
      limit: run.config.observe.pageSize,
    })) {
      out.push(...page);
      if (out.length > OTHERS) return null;
    }
  } catch (error) {
    if (!(error instanceof StanchError) || error.code !== "forbidden") throw error;
    run.log.debug("not looked through", { kind, namespace, error: error.message });
    return null;
  }
  return out;
}

/** A container that restarts again and again runs for seconds at a time: it is waited for a little. */
const WAIT_MS = 12_000;

async function askPod(
  finding: Finding,
  container: string,
  question: { readonly scheme: "HTTP" | "HTTPS"; readonly port: number; readonly path: string },
  run: Run,
): Promise<number | "refused" | null> {
  const end = run.clock.now().getTime() + WAIT_MS;
  for (let first = true; ; first = false) {
    const object = await run.cluster.get(finding.workload);
    const workload = object === null ? null : await loadWorkload(run.reading, object, []);
    // A pod of an older revision runs another program, whose answer proves nothing about this template.
    const current = workload?.revisions.find((revision) => revision.current)?.name;
    const pod = workload?.pods.find(
      (candidate) =>
        candidate.revision === current &&
        candidate.containers.some((state) => state.name === container && state.running !== undefined),
    );
    const status =
      pod === undefined
        ? null
        : await run.cluster.ask(
            { apiVersion: "v1", kind: "Pod", namespace: finding.workload.namespace, name: pod.name },
            question,
          );
    if (typeof status === "number" || run.clock.now().getTime() >= end) return status;
    // Without the right, waiting helps nobody.
    if (first && pod !== undefined && status === null && !(await mayAsk(finding, run))) return null;
    await run.clock.sleep(1000);
  }
}

async function mayAsk({ workload: { namespace } }: Finding, run: Run): Promise<boolean> {
  const right = { group: "", resource: "pods", subresource: "proxy", verb: "get", namespace };
  return (await run.cluster.review([right]))[0] === true;
}

/** Commits of Stanch's own pull requests, listed once a scan and not once an object. */
const ownCommits = new WeakMap<Observation, Promise<ReadonlySet<string | undefined>>>();

/** What Git's history says of an object, but for what Stanch itself brought in: a fix is not taken for the cause of what follows. */
async function othersCommits(ref: ObjectRef, seen: Observation, run: Run): Promise<readonly PreviousVersion[]> {
  const versions = await run.workbench.previous(ref);
  if (versions.length === 0) return versions;
  const asked =
    ownCommits.get(seen) ?? incidentsOf(run).then((all) => new Set(all.map((one) => one.status?.mergeCommit)));
  ownCommits.set(seen, asked);
  const merged = await asked;
  return withoutCommits(versions, merged);
}

/** Every incident in scope. Where nothing is changed, none where they cannot be read: a scan needs no custom resource. */
async function incidentsOf(run: Run): Promise<readonly Incident[]> {
  const listed = run.store.list(namedNamespaces(run.config));
  return run.config.mode === "observe" || run.dryRun ? listed.catch(() => []) : listed;
}

/** Memory raises of this incident's container that held, within the configured time. */
function countRaises(incident: Incident | undefined, run: Run): number {
  const since = run.clock.now().getTime() - run.config.remedies.memory.within;
  return incident?.status === undefined ? 0 : raisesOf(incident.status).filter((at) => Date.parse(at) >= since).length;
}

/** What the guards may know of a plan; gathered here so that each of them is pure. */
export async function guardContext(
  plan: Plan,
  seen: Observation,
  run: Run,
  incident: Incident | null,
): Promise<GuardContext> {
  const refs = new Map<string, ObjectRef>([[keyOf(plan.finding.workload), plan.finding.workload]]);
  for (const change of plan.changes) refs.set(keyOf(change.object), change.object);
  const live = new Map<string, KubeObject | null>();
  for (const [key, ref] of refs) live.set(key, await run.cluster.get(ref));
  const needs = workloadRights(plan);
  const held = await run.cluster.review(needs);
  const namespaces = new Map(seen.namespaces);
  const open = await countOpen(live, [...refs.values()], run);
  const lastChange = new Map<string, Date>();
  for (const other of await incidentsOf(run)) {
    const hotfix = other.status?.hotfix;
    if (hotfix === undefined) continue;
    for (const change of hotfix.changes) {
      const at = new Date(hotfix.undoneAt ?? hotfix.appliedAt);
      const key = keyOf(change.object);
      if ((lastChange.get(key) ?? new Date(0)) < at) lastChange.set(key, at);
    }
  }
  return {
    settings: run.config,
    now: run.clock.now(),
    live,
    holds: await holdChoices(plan, live, run),
    namespaces,
    ripe: run.tally.ripe,
    hotfixes: run.tally.hotfixes,
    opened: run.tally.opened,
    open,
    lastChange,
    failedAttempts: (incident?.status?.tried ?? []).filter((row) => !row.result.startsWith("recovered")).length,
    missingRights: needs
      .filter((_, index) => held[index] !== true)
      .map((need) => `${need.verb} ${need.resource}${need.subresource === undefined ? "" : `/${need.subresource}`}`),
  };
}
