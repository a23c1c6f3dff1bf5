import { formatDuration } from "./config/duration.ts";
import { messageOf } from "./errors.ts";
import { type Awaited, type Deployed, hasDeployed } from "./gitops/deployed.ts";
import type { Deployer, Deployers } from "./gitops/origin.ts";
import { expiredHolds, standingHolds } from "./incident/holding.ts";
import type { Incident } from "./incident/incident.ts";
import { keyOf } from "./kube/ref.ts";
import { byObject } from "./kube/written.ts";
import type { Hold, KubeObject, ObjectRef } from "./model.ts";
import type { Run } from "./run.ts";
import { requestSync, sourceOf } from "./steps/sync.ts";

/** The deployment of a commit that an incident waits for. */
export interface Wait {
  readonly commit: string;
  readonly since: string;
}

/** Deployers that do not come are asked again after this long. */
const AGAIN_MS = 5 * 60_000;
/** An Application of an app of apps of an app of apps. */
const DEEPEST = 3;
/** Commits of a branch in which an awaited one is looked for. */
const COMMITS = 200;

/** What is awaited: as the incident remembers it, or from now on the commit that Git is at. A hotfix begins a new wait. */
export function waitOf(incident: Incident, head: string, run: Run): Wait {
  const { sync, hotfix } = incident.status ?? {};
  const known = sync?.commit !== undefined && Date.parse(sync.since) >= Date.parse(hotfix?.appliedAt ?? "1970-01-01");
  return known ? { commit: sync.commit, since: sync.since } : { commit: head, since: run.clock.now().toISOString() };
}

export interface AskedForSync {
  readonly incident: Incident;
  /** Who was asked and who was not, in sentences; "" when there is nobody, or they were asked a moment ago. */
  readonly said: string;
  /** Somebody was asked, now or before. */
  readonly asked: boolean;
}

/**
 * Asks whoever deploys the changed objects to look at Git now, from the outermost to the object's own; remembered in the incident, so that it
 * is asked once and, when nothing comes, again after a while. It is a write to the cluster, so only where those are allowed.
 */
export async function askForSync(
  incident: Incident,
  wait: Wait,
  run: Run,
  options: { readonly again?: boolean } = {},
): Promise<AskedForSync> {
  const { sync, plan } = incident.status ?? {};
  const before = sync?.commit === wait.commit ? sync.askedAt : undefined;
  const recent = before !== undefined && run.clock.now().getTime() - Date.parse(before) < AGAIN_MS;
  if (run.config.mode !== "remediate" || run.dryRun || (recent && options.again !== true))
    return { incident, said: "", asked: before !== undefined };
  const known = await run.workbench.deployers();
  const chain = new Map<string, Deployer>();
  for (const { ref } of byObject(plan?.changes ?? [])) {
    const live = await run.cluster.get(ref);
    for (const deployer of live === null ? [] : chainOf(live, known)) chain.set(keyOf(deployer.ref), deployer);
  }
  if (chain.size === 0) return { incident, said: "", asked: false };
  const asked = new Set<string>();
  const refused = new Set<string>();
  for (const deployer of chain.values()) {
    const answer = await requestSync(deployer, run);
    for (const name of answer.asked) asked.add(name);
    for (const text of answer.refused) refused.add(text);
  }
  const who =
    asked.size === 0 ? [] : [`${[...asked].join(", ")} ${asked.size === 1 ? "was" : "were"} asked to look at Git`];
  const said = [...who, ...refused].join("; ");
  const askedAt = run.clock.now().toISOString();
  const { phase = "Merged", message = "" } = incident.status ?? {};
  const next = await run.store.advance(incident, phase, message, { sync: { ...wait, askedAt } });
  return { incident: next, said, asked: asked.size > 0 };
}

/** Who deploys an object, from the outermost to its own. */
function chainOf(object: KubeObject, known: Deployers): Deployer[] {
  const chain: Deployer[] = [];
  for (let at = known.of(object); at !== null && chain.length < DEEPEST; at = known.of(at.object)) {
    if (chain.some((deployer) => keyOf(deployer.ref) === keyOf(at?.ref ?? deployer.ref))) break;
    chain.unshift(at);
  }
  return chain;
}

/**
 * Why the holds of an incident must not end yet: an engine that is not at the awaited commit would put back what was there before it. Null:
 * they may. An engine that does not say where it is gets as long as a deployment may take; an expired hold ends whatever it says.
 */
export async function heldBack(incident: Incident, wait: Wait, run: Run): Promise<string | null> {
  const now = run.clock.now();
  const holds = standingHolds(incident).filter((hold) => !expiredHolds(incident, now).includes(hold));
  if (holds.every((hold) => hold.kind === "none" || hold.kind === "argocd-skip")) return null;
  const awaited: Awaited = { ...wait, contains: await containment(wait.commit, incident, run) };
  const waited = now.getTime() - Date.parse(wait.since);
  for (const hold of holds) {
    const deployed = await stateOf(hold, awaited, run);
    if (deployed.state === "behind") return deployed.seen;
    if (deployed.state === "unknown" && waited < run.config.followUp.deployed)
      return `${deployed.seen} (given ${formatDuration(run.config.followUp.deployed)})`;
  }
  return null;
}

/** Has what would revert the change come to the commit that says the same? */
async function stateOf(hold: Hold, awaited: Awaited, run: Run): Promise<Deployed> {
  // An Application that rests says nothing new; it looks at Git first when it starts again.
  if (hold.kind === "none" || hold.kind === "argocd-skip" || hold.owner === undefined) return { state: "yes" };
  const owner = await read(hold.owner, run);
  if (typeof owner === "string") return { state: "unknown", seen: owner };
  if (owner === null) return { state: "yes" };
  const above = (await run.workbench.deployers()).of(owner);
  const parent = above === null ? null : await read(above.ref, run);
  if (typeof parent === "string") return { state: "unknown", seen: parent };
  if (hold.kind !== "flux-suspend") return hasDeployed(owner, parent, awaited);
  // Suspended it deploys nothing; what it will deploy is what its source holds, and what its parent made of it.
  const ref = sourceOf({ ref: hold.owner, object: owner, origins: NOWHERE });
  const source = ref === null ? null : await read(ref, run);
  if (typeof source === "string") return { state: "unknown", seen: source };
  const checks = (owner.kind === "HelmRelease" ? [source, parent] : [source]).filter((one) => one !== null);
  if (checks.length === 0)
    return { state: "unknown", seen: `${owner.kind} ${owner.metadata.name} rests, and its source is not known` };
  const states = checks.map((one) => hasDeployed(one, null, awaited));
  return states.find((state) => state.state !== "yes") ?? { state: "yes" };
}

/** Only the reference and the object are asked of it here. */
const NOWHERE: Deployer["origins"] = { found: true, origins: [] };

async function read(ref: ObjectRef, run: Run): Promise<KubeObject | null | string> {
  return run.cluster.get(ref).catch((error: unknown) => messageOf(error));
}

/**
 * Is a commit the awaited one or one after it, along the branch's first parents? Of the branch that the pull request is merged into: the
 * object may be rendered from another repository, or from a chart whose version is no commit and is compared with none.
 */
async function containment(commit: string, incident: Incident, run: Run): Promise<(other: string) => boolean> {
  if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(commit)) return () => true;
  const { plan, pullRequest } = incident.status ?? {};
  const [change] = plan?.changes ?? [];
  const checkouts = [
    async () => (pullRequest === undefined ? null : run.workbench.open(pullRequest.repository, pullRequest.base)),
    async () => {
      const found = change === undefined ? null : await run.workbench.find(change.object);
      return found?.found === true ? found.bench.checkout : null;
    },
  ];
  for (const open of checkouts) {
    const checkout = await open().catch(() => null);
    const commits = (await checkout?.history(["."], COMMITS).catch(() => [])) ?? [];
    const place = new Map(commits.map(({ sha }, index) => [sha, index]));
    const ours = place.get(commit);
    if (ours !== undefined) return (other) => (place.get(other) ?? Number.POSITIVE_INFINITY) <= ours;
  }
  return (other) => other === commit;
}
