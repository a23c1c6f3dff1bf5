import { askForSync, heldBack, waitOf } from "./await-sync.ts";
import { contain } from "./contain.ts";
import { messageOf, StanchError } from "./errors.ts";
import { cautionsOf } from "./gitops/cautions.ts";
import { sameField } from "./gitops/field-equality.ts";
import { homesOf } from "./homes.ts";
import type { Incident } from "./incident/incident.ts";
import { outcomeOf } from "./incident/outcome.ts";
import { formatPath } from "./kube/field-path.ts";
import { describeRef, keyOf } from "./kube/ref.ts";
import { byObject } from "./kube/written.ts";
import { mendContained } from "./mend-contained.ts";
import type { Change, Located, ObjectRef, Outcome, Plan, Proof, Source } from "./model.ts";
import { resolve } from "./resolve.ts";
import type { Run } from "./run.ts";
import { locate } from "./steps/locate.ts";
import { propose } from "./steps/propose.ts";
import { prove } from "./steps/prove.ts";
import { reportIssue, withSentence } from "./steps/report.ts";
import { takeBack } from "./take-back.ts";
import { word } from "./word.ts";
import type { Bench } from "./workbench.ts";

export interface HealOptions {
  /** The change stands live and is verified. */
  readonly live: boolean;
  /** Why it does not. */
  readonly why?: string;
  /** Only find out whether it can be proved; nothing is opened. */
  readonly rehearsal?: boolean;
}

/**
 * The permanent half: makes Git say what the cluster now runs. locate → edit → prove → propose → record. When Git cannot be
 * corrected by rule, the incident says why and what a person must do; the live change stands meanwhile.
 */
export async function heal(incident: Incident, given: Plan, options: HealOptions, run: Run): Promise<Outcome> {
  if (given.contains !== undefined) {
    const contained = await contain(incident, given, run);
    const said = contained.incident.status?.message ?? "";
    return outcomeOf(await mendContained(contained.incident, contained.told, said, run), "contained");
  }
  if (given.changes.length === 0) return resolve(incident, `${given.title}; nothing in Git needs to change.`, run);
  run.log.progress(`looking for ${describeRef(given.finding.workload)} in Git`);
  let found: { bench: Bench } | { reason: string; repository?: string };
  try {
    found = await benchOf(given.changes, run);
  } catch (error) {
    // A host that is out of reach comes back: the incident stays where it is, and the next run goes on from there.
    if (!(error instanceof StanchError) || error.code === "git" || error.code === "code-host") throw error;
    found = { reason: `${messageOf(error)}${error.hint === undefined ? "" : ` (${error.hint})`}` };
  }
  if ("reason" in found) return stuck(incident, options, found.reason, run, found.repository);

  const { bench } = found;
  const plan = await blamed(given, run);
  const revertOf = plan.choice.culprit?.sha;
  const roots = await run.workbench.roots(bench.source);
  const located = await run.meter.time("locate", () =>
    locate({
      changes: plan.changes,
      source: bench.source,
      checkout: bench.checkout,
      renderer: run.renderer,
      hints: revertOf === undefined ? {} : { revertOf },
      roots,
      homes: homesOf(run),
      tick: run.renew,
    }),
  );
  await run.renew();
  if (!located.found) {
    if (located.already === true) return alreadyInGit(incident, options, bench, run);
    return stuck(incident, options, `${located.reason} ${located.hint}`.trim(), run, await placeOf(bench.source, run));
  }
  const proof = await run.meter.time("prove", () =>
    prove({
      located,
      changes: plan.changes,
      source: bench.source,
      checkout: bench.checkout,
      renderer: run.renderer,
      cluster: run.cluster,
      roots,
      links: located.links,
      edited: located.checkout,
      tick: run.renew,
      ...(options.live ? { live: true } : {}),
      ...(plan.gitOnly === undefined ? {} : { gitOnly: plan.gitOnly }),
      ...(revertOf === undefined ? {} : { revertOf }),
    }),
  );
  await run.renew();
  const failed = proof.checks.filter((check) => check.result === "failed");
  if (options.rehearsal === true) {
    return failed.length > 0
      ? stuck(
          incident,
          options,
          `the fix in Git is not proved: ${failed.map((check) => `${check.id} ${check.text}`).join("; ")}`,
          run,
        )
      : outcomeOf(incident, "waiting", "proved");
  }
  const stored = await run.store.advance(
    incident,
    incident.status?.phase ?? "Verified",
    `Found in Git: ${located.locations.map((location) => `${location.file}:${location.line}`).join(", ")}.`,
    sourceOf(located, proof),
  );
  const next = await run.meter.time("advise", () => word(stored, plan, proof, options.live, run));
  const wish = {
    incident: next,
    plan,
    located,
    proof,
    checkout: located.checkout,
    live: options.live,
    ...(options.why === undefined ? {} : { why: options.why }),
    cautions: [...(plan.choice.by === "model" ? [ADVISED] : []), ...cautionsOf(located.links)],
  };
  const proposed = await run.meter.time("propose", () => propose(wish, run));
  if (proposed.kind === "closed" && options.live && run.config.pullRequest.onClose === "undo")
    return refused(next, proposed, run);
  if (proposed.kind === "proposed") run.tally.firstPullRequestMs ??= run.clock.now().getTime() - run.startedAt;
  return proposed;
}

/** What a reviewer must know of a choice that no rule has proved. */
const ADVISED =
  "No rule proves that this is the cause: a model chose the remedy from the catalogue. Its values were checked like any other; whether it is the right change is for you to say.";

/** With the commit that made exactly these fields what they are, where Git's history shows one: also of what the cluster's own history healed. */
async function blamed(plan: Plan, run: Run): Promise<Plan> {
  if (plan.choice.culprit !== undefined) return plan;
  const commits = new Set<string>();
  let culprit: Plan["choice"]["culprit"];
  for (const { ref, changes } of byObject(plan.changes)) {
    const versions = await run.workbench.previous(ref).catch(() => []);
    const at = versions.findIndex((version) =>
      changes.every(({ path, to }) =>
        version.changes.some((one) => formatPath(one.path) === formatPath(path) && sameField(path, one.to, to)),
      ),
    );
    culprit = versions[at]?.commit;
    // A fix of ours is not taken back as if it had been the fault.
    if (culprit === undefined || culprit.email === run.config.github.authorEmail) return plan;
    commits.add(culprit.sha);
  }
  return culprit === undefined || commits.size > 1 ? plan : { ...plan, choice: { ...plan.choice, culprit } };
}

/** The repository in which people can do something about a source: of a chart that is not in Git, where its release is declared. */
async function placeOf({ remote, owner, repository }: Source, run: Run): Promise<string | undefined> {
  if (remote === undefined) return repository;
  const found = owner.ref === undefined ? null : await run.workbench.find(owner.ref).catch(() => null);
  return found?.found === true ? found.bench.source.repository : undefined;
}

/** The one source that declares every object of the changes. */
async function benchOf(
  changes: readonly Change[],
  run: Run,
): Promise<{ bench: Bench } | { reason: string; repository?: string }> {
  const refs = new Map<string, ObjectRef>(changes.map((change) => [keyOf(change.object), change.object]));
  let bench: Bench | undefined;
  for (const ref of refs.values()) {
    const gone = changes.some((change) => change.path.length === 0 && keyOf(change.object) === keyOf(ref));
    const removed = gone ? await run.workbench.removed(ref) : null;
    const found = removed === null ? await run.workbench.find(ref) : { found: true as const, bench: removed.bench };
    if (!found.found) {
      const { reason, hint, repository } = found;
      return { reason: `${reason}; ${hint}`, ...(repository === undefined ? {} : { repository }) };
    }
    if (bench !== undefined && bench.source.id !== found.bench.source.id)
      return { reason: `the change spans two sources, ${bench.source.id} and ${found.bench.source.id}` };
    bench = found.bench;
  }
  return bench === undefined ? { reason: "there is nothing to change" } : { bench };
}

function sourceOf(
  located: Extract<Located, { found: true }>,
  proof: Proof,
): { source: NonNullable<Incident["status"]>["source"] & object; proof: Proof } {
  const { source, revision, locations } = located;
  return {
    source: {
      id: source.id,
      repository: source.repository,
      revision,
      locations: locations.map((location) => `${location.file}:${location.line} (${location.via})`),
    },
    proof,
  };
}

/** A person said no to this change before: it must not stand live either. */
async function refused(incident: Incident, proposed: Outcome, run: Run): Promise<Outcome> {
  const stored = await run.store.get(incident.metadata.namespace, incident.metadata.name);
  if (stored === null) return proposed;
  const undone = await takeBack(stored, proposed.message, "Silenced", run);
  return outcomeOf(undone.incident, "closed");
}

/** Git cannot be corrected by rule: say so, with the change that a person has to make, in the repository where it belongs. */
async function stuck(
  incident: Incident,
  options: HealOptions,
  reason: string,
  run: Run,
  repository?: string,
): Promise<Outcome> {
  const changes = incident.status?.plan?.changes ?? [];
  const wanted = changes
    .map(
      (change) =>
        `${describeRef(change.object)} ${formatPath(change.path)}: ${short(change.from)} → ${short(change.to)}`,
    )
    .join("; ");
  const state = options.live
    ? "The live change stands, and Git still says the opposite"
    : `Nothing was changed live${options.why === undefined ? "" : ` (${options.why})`}`;
  const text = `${state}. Git could not be corrected: ${reason}. A person must make this change: ${wanted}.`;
  if (options.rehearsal === true) return outcomeOf(incident, "escalated", text);
  const { live, why } = options;
  const said = await run.meter.time("report", () =>
    reportIssue({ incident, repository, matter: { kind: "git", reason }, live, why }, run),
  );
  const next = await run.store.advance(incident, said.phase, withSentence(text, said.sentence), said.more);
  return outcomeOf(next, said.phase === "Silenced" ? "closed" : "escalated");
}

/** Git says it already: the cluster had drifted, or the deployer has not come round yet, and is asked to. No pull request is right. */
async function alreadyInGit(incident: Incident, options: HealOptions, bench: Bench, run: Run): Promise<Outcome> {
  const wait = waitOf(incident, bench.checkout.revision, run);
  const asked = await askForSync(incident, wait, run);
  if (options.live) {
    const behind = await heldBack(asked.incident, wait, run);
    if (behind !== null)
      return outcomeOf(asked.incident, "waiting", `Live was put back to what ${bench.source.id} says; ${behind}.`);
    return resolve(asked.incident, `Live was put back to what ${bench.source.id} says; Git needs no change.`, run);
  }
  const says = `${bench.source.id} says so already at ${bench.checkout.revision.slice(0, 7)}, but it is not deployed`;
  const waited = run.clock.now().getTime() - Date.parse(wait.since);
  if (asked.asked && waited < run.config.followUp.deployed) {
    const text = `${says}. ${asked.said === "" ? "Its deployer was asked to look at Git" : asked.said}. No pull request is needed.`;
    return outcomeOf(await run.store.advance(asked.incident, "Diagnosed", text), "waiting");
  }
  const next = await run.store.advance(
    asked.incident,
    "Escalated",
    `${says}: deploy it. No pull request is needed.${asked.said === "" ? "" : ` ${asked.said}.`}`,
  );
  return outcomeOf(next, "escalated");
}

function short(value: unknown): string {
  if (value === undefined) return "(not set)";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}
