import { formatDuration } from "../config/duration.ts";
import { messageOf, StanchError } from "../errors.ts";
import { sameAsLive } from "../gitops/field-equality.ts";
import { isOurs } from "../gitops/holds.ts";
import { withHolds } from "../incident/holding.ts";
import type { Incident, IncidentPlan } from "../incident/incident.ts";
import type { IncidentStore } from "../incident/store.ts";
import { getAt } from "../kube/field-path.ts";
import { conflicts, toPatch } from "../kube/json-patch.ts";
import { logText } from "../kube/log-text.ts";
import { describeRef, keyOf } from "../kube/ref.ts";
import { disownDefaults } from "../kube/said-fields.ts";
import { sameValue } from "../kube/same-value.ts";
import { byObject, changeKey, versionOf, withVersion } from "../kube/written.ts";
import type {
  Change,
  Containment,
  ContainmentRow,
  Evidence,
  Hold,
  Hotfix,
  KubeObject,
  LiveAction,
  ObjectRef,
  Plan,
} from "../model.ts";
import type { Clock, Cluster } from "../ports.ts";
import { redact } from "../redact.ts";

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
 * anybody in between makes it fail as a whole. What holds an object is written with its fields, in the same patch; what holds its
 * owner comes first.
 */
export async function act(
  plan: Plan,
  incident: Incident,
  context: ActContext,
  holds: readonly Hold[] = [],
): Promise<Acted> {
  const groups = withHolding(plan.changes, holds);
  const made = new Map<string, KubeObject>();
  for (const group of groups) {
    const said = await write(group, context, true);
    if (!said.written) return refused(incident, said.reason, said.gitOnly);
    made.set(keyOf(group.ref), said.object);
  }

  const now = context.clock.now().toISOString();
  const hotfix: Hotfix = {
    changes: plan.changes.map((change) => settled(change, made.get(keyOf(change.object)))),
    ...(plan.action === undefined ? {} : { action: plan.action }),
    ...(plan.contains === undefined ? {} : { contains: plan.contains }),
    appliedAt: now,
    objects: {},
  };
  const until = holds.map((hold) => ` ${describeRef(hold.object)}: ${describeHold(hold)}.`).join("");
  let current = await context.store.advance(
    incident,
    "Acting",
    `Applying live: ${plan.title}${until === "" ? "" : `.${until}`}`,
    {
      plan: planOf(plan),
      hotfix,
      ...(holds.length === 0 ? {} : { holds: withHolds(incident, holds) }),
      ...(plan.contains === undefined ? {} : { contained: withRow(incident, plan, plan.contains, now) }),
    },
  );

  const objects: Record<string, Hotfix["objects"][string]> = {};
  if (plan.contains !== undefined && current.status?.hotfix?.contains === undefined) {
    // Without it, a later run would take what contains for a fix. An API server drops what its definition does not know.
    const reason =
      "the cluster's incidents.stanch.dev is older than this program and does not keep what contains a fault: apply deploy/crd.yaml";
    current = await context.store.advance(current, "Acting", reason, {
      hotfix: { ...hotfix, undo: { at: now, reason } },
    });
    return refused(current, reason, false);
  }
  for (const group of groups) {
    const said = await write(group, context, false);
    if (said.written) {
      const object = await disown(said.object, group, context);
      if (group.changes.length > 0) objects[keyOf(group.ref)] = versionOf(object);
    } else {
      // What was written before it is taken back by the caller: a hotfix that is half done must not stay so.
      current = await context.store.advance(current, "Acting", said.reason, {
        hotfix: { ...hotfix, objects, undo: { at: now, reason: "the live change was not taken as a whole" } },
      });
      return refused(current, said.reason, said.gitOnly);
    }
  }
  const done = plan.action === undefined ? DONE : await carryOut(plan.action, plan, context);
  const evidence = [...(current.status?.evidence ?? []), ...numbered(done.said, current)].slice(-EVIDENCE);
  if (done.failed !== null) {
    // Nothing stands that a later run would have to take back or to wait for.
    current = await context.store.advance(current, "Acting", done.failed, {
      hotfix: { ...hotfix, objects, undo: { at: now, reason: done.failed } },
      ...(done.said.length === 0 ? {} : { evidence }),
    });
    return refused(current, done.failed, false);
  }
  current = await context.store.advance(current, "Hotfixed", `Applied live: ${plan.title}`, {
    hotfix: { ...hotfix, objects },
    ...(done.said.length === 0 ? {} : { evidence }),
  });
  return { applied: true, incident: current };
}

/** Entries that an incident keeps of what was seen, and rows of what was done to contain it. */
const EVIDENCE = 20;
const ROWS = 20;

const DONE: Carried = { failed: null, said: [] };

interface Carried {
  /** What kept the action from being done, as a clause; null: it was done. */
  readonly failed: string | null;
  /** What commands put out. */
  readonly said: readonly string[];
}

/** Pod by pod; the first that cannot be acted on ends it. */
async function carryOut(
  action: LiveAction,
  { finding: { workload } }: Plan,
  { cluster }: ActContext,
): Promise<Carried> {
  const said: string[] = [];
  for (const name of action.pods) {
    const pod = { apiVersion: "v1", kind: "Pod", namespace: workload.namespace, name };
    if (action.kind === "evict") {
      if (await cluster.evict(pod)) continue;
      return { failed: `a PodDisruptionBudget forbids the eviction of pod ${name} now`, said };
    }
    const { container, command, timeout } = action;
    const ended = await cluster
      .exec(pod, container, command, { timeoutMs: timeout, outputBytes: OUTPUT_BYTES })
      .catch((error: unknown) => {
        // Whether it ran is not known, and it is not run again: that is an end, and no fault of the run.
        if (!(error instanceof StanchError) || error.code === "lease") throw error;
        return { exitCode: null, output: "", fault: messageOf(error) };
      });
    const output = logText(redact(ended.output)).trim().slice(-OUTPUT_LETTERS);
    if (output !== "") said.push(`What the command put out in pod ${name}:\n${output}`);
    if (ended.exitCode === 0) continue;
    const why =
      "fault" in ended
        ? `could not be run: ${ended.fault}`
        : ended.exitCode === null
          ? `did not end within ${formatDuration(timeout)}`
          : `ended with exit code ${ended.exitCode}`;
    return { failed: `the command ${why} in container ${container} of pod ${name}`, said };
  }
  return { failed: null, said };
}

const OUTPUT_BYTES = 16_384;
const OUTPUT_LETTERS = 2000;

function numbered(said: readonly string[], { status }: Incident): Evidence[] {
  const first = (status?.evidence.length ?? 0) + 1;
  return said.map((text, index) => ({ id: `x${first + index}`, kind: "log", text }));
}

function withRow(
  { status }: Incident,
  { choice, title }: Plan,
  contains: Containment,
  at: string,
): readonly ContainmentRow[] {
  return [...(status?.contained ?? []), { remedy: choice.remedy, title, at, ...contains }].slice(-ROWS);
}

/**
 * A change as the API server takes it: a probe, a port or a volume that comes as a whole gets defaults that no manifest says. Without them
 * nobody could tell later whether it still stands.
 */
function settled(change: Change, made: KubeObject | undefined): Change {
  const { path, to } = change;
  const is = made === undefined || to === undefined ? undefined : getAt(made, path);
  return is !== undefined && sameAsLive(path, to, is) ? { ...change, to: is } : change;
}

/** What is written to one object: fields of the plan, and what holds it or rests for it. */
interface Group {
  readonly ref: ObjectRef;
  readonly changes: readonly Change[];
  readonly holding: readonly Change[];
}

/** Owners that rest come first: until they do, they would revert what is written to their objects. */
function withHolding(changes: readonly Change[], holds: readonly Hold[]): Group[] {
  const all = new Map(holds.flatMap((hold) => hold.changes).map((change) => [changeKey(change), change]));
  const holding = byObject([...all.values()]);
  const groups = byObject(changes);
  const isTarget = (ref: ObjectRef): boolean => groups.some((group) => keyOf(group.ref) === keyOf(ref));
  return [
    ...holding
      .filter((group) => !isTarget(group.ref))
      .map(({ ref, changes: own }) => ({ ref, changes: [], holding: own })),
    ...groups.map((group) => ({
      ...group,
      holding: holding.find((other) => keyOf(other.ref) === keyOf(group.ref))?.changes ?? [],
    })),
  ];
}

/** Another incident of ours, or one that was lost, holds it already. */
function isTaken(change: Change, live: KubeObject): boolean {
  return sameValue(getAt(live, change.path), change.to) && isOurs(live, change.path);
}

/** For the incident: why the change will stand, and how long. */
function describeHold(hold: Hold): string {
  return hold.kind === "none" ? hold.reason : `${hold.reason}, until ${hold.expiresAt.slice(0, 16)}Z at the latest`;
}

type Written =
  | { readonly written: true; readonly object: KubeObject }
  | { readonly written: false; readonly reason: string; readonly gitOnly: boolean };

const ATTEMPTS = 5;

/**
 * One object's changes as one JSON Patch. A conflict is looked at again: the status of a failing workload is written all
 * the time, which moves its resourceVersion; only when a field of ours moved does it end.
 */
async function write(
  group: Group,
  context: { readonly cluster: Cluster; readonly clock: Clock },
  dryRun: boolean,
): Promise<Written> {
  const what = describeRef(group.ref);
  for (let attempt = 1; ; attempt += 1) {
    const live = await context.cluster.get(group.ref);
    if (live === null) return { written: false, reason: `${what} is not in the cluster`, gitOnly: true };
    const changes = [...group.changes, ...group.holding.filter((change) => !isTaken(change, live))];
    const gone = conflicts(changes, live);
    if (gone.length > 0)
      return { written: false, reason: `${what} changed in the meantime: ${gone.join("; ")}`, gitOnly: false };
    if (changes.length === 0) return { written: true, object: live };
    try {
      return {
        written: true,
        object: await context.cluster.patch(group.ref, withVersion(toPatch(changes, live), live), { dryRun }),
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
        // None of its fields moved: Git may be right, whoever writes what else.
        return { written: false, reason: `${what} is written by somebody else again and again`, gitOnly: true };
      await context.clock.sleep(100 * attempt);
    }
  }
}

/**
 * What the API server filled in is not ours: owned, it would look like a value that somebody chose, to a server-side deployer as to a
 * comparison of Git with live. No hotfix fails for it: the release after the merge gives up all of it.
 */
async function disown(object: KubeObject, { ref, changes }: Group, { cluster }: ActContext): Promise<KubeObject> {
  const operations = disownDefaults(object, changes, "stanch");
  if (operations.length === 0) return object;
  try {
    return await cluster.patch(ref, operations);
  } catch (error) {
    if (!(error instanceof StanchError) || error.code === "lease") throw error;
    return object;
  }
}

/** Would the API server take the plan? For `--dry-run`; nothing is written. Null: yes. */
export async function tryAct(
  plan: Plan,
  context: { readonly cluster: Cluster; readonly clock: Clock },
  holds: readonly Hold[] = [],
): Promise<string | null> {
  for (const group of withHolding(plan.changes, holds)) {
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
    ...(plan.contains === undefined ? {} : { contains: plan.contains }),
    ...(plan.choice.by === undefined ? {} : { by: plan.choice.by }),
  };
}

function refused(incident: Incident, reason: string, gitOnly: boolean): Acted {
  return { applied: false, incident, reason, gitOnly };
}
