import { diffLines } from "diff";
import { messageOf, StanchError } from "../errors.ts";
import type { Aim, Candidate } from "../gitops/candidate.ts";
import { closureOf, isBuilt } from "../gitops/composition.ts";
import { earlierOf } from "../gitops/earlier.ts";
import { sameAsLive, sameField } from "../gitops/field-equality.ts";
import { helmCandidates } from "../gitops/helm-candidates.ts";
import { helmInputs } from "../gitops/helm-inputs.ts";
import { isInput } from "../gitops/input.ts";
import { inputCandidates, inputInsertions } from "../gitops/input-candidates.ts";
import { type FoundHere, type FoundInGit, followInputs, type Homes, type NotFound } from "../gitops/input-home.ts";
import { sayingCandidates, settingCandidates } from "../gitops/kustomize-candidates.ts";
import { indexSource, type ManifestIndex } from "../gitops/manifest-index.ts";
import { ambiguity, entriesOf, plainCandidates } from "../gitops/plain-candidates.ts";
import { openProbe, type Probe } from "../gitops/probe.ts";
import { protectionOf } from "../gitops/protected-files.ts";
import { judge } from "../gitops/render-delta.ts";
import { allRendered } from "../gitops/rendered.ts";
import { revertsOf } from "../gitops/revert-candidates.ts";
import { attemptOf, type Hit, type Search, startSearch } from "../gitops/search.ts";
import { formatPath, getAt } from "../kube/field-path.ts";
import { describeRef } from "../kube/ref.ts";
import type { Change, FileEdit, Json, KubeObject, Source } from "../model.ts";
import type { Checkout, Renderer } from "../ports.ts";

export interface LocateRequest {
  readonly changes: readonly Change[];
  /** The live object before the hotfix: with it, a position in a list is only trusted when live and Git have the same list. */
  readonly before?: KubeObject;
  readonly source: Source;
  readonly checkout: Checkout;
  readonly renderer: Renderer;
  /** `revertOf`: the commit that brought the fault in; taking its lines back is tried first. */
  readonly hints: { readonly revertOf?: string };
  /** Other sources that are deployed from the same repository and branch. */
  readonly roots?: readonly Source[];
  /** Where the inputs of sources stand in Git; without it a value in an Application or HelmRelease is not found. */
  readonly homes?: Homes;
  /** Called before each render. */
  readonly tick?: () => Promise<void>;
}

/**
 * Finds the smallest edits of a repository that make exactly these changes in what it renders. By probe, not by map: a
 * candidate is tried in a private copy and rendered, and taken only if the wanted fields change and nothing else does.
 * An edit that other environments share is taken only when no edit of this one's own can do it.
 */
export function locate(request: LocateRequest): Promise<FoundInGit | NotFound> {
  return locateOnWay(request, []);
}

async function locateOnWay(request: LocateRequest, way: readonly string[]): Promise<FoundInGit | NotFound> {
  const found = await locateHere(request);
  if (!found.found) return found;
  const { source, checkout, roots = [], changes, homes } = request;
  return followInputs(found, {
    here: { source, checkout, roots, changes, edits: found.edits },
    homes,
    way,
    locate: ({ live, ...home }, inner, onWay) => {
      const { before: _before, ...rest } = request;
      return locateOnWay({ ...rest, ...home, changes: inner, ...(live === undefined ? {} : { before: live }) }, onWay);
    },
  });
}

/** Edits of the files and inputs of one source. */
async function locateHere(request: LocateRequest): Promise<FoundHere | NotFound> {
  const { source, checkout, renderer } = request;
  let probe: Probe | undefined;
  try {
    probe = await openProbe({ source, checkout, renderer, roots: request.roots ?? [], tick: request.tick });
    return await smallest(request, probe);
  } catch (error) {
    if (!(error instanceof StanchError) || error.code !== "render") throw error;
    return no(
      `${source.id} cannot be rendered: ${messageOf(error)}.`,
      error.hint ?? "Repair the source so that it renders.",
    );
  } finally {
    await probe?.close();
  }
}

/**
 * Where a commit brought the fault in, taking its lines back is compared with patching forward in the same layer: what changes fewer
 * other roots wins, then what changes fewer lines, then taking back, which also puts back what people wrote around it.
 */
async function smallest(request: LocateRequest, probe: Probe): Promise<FoundHere | NotFound> {
  const back = await search(request, probe);
  const isRevert = back.found && back.locations.some(({ via }) => via.startsWith("revert of"));
  // One line for each change: nothing is smaller.
  if (!isRevert || changedLines(back.edits) <= request.changes.length) return back;
  const forward = await search(request, probe, { revert: false });
  if (!forward.found || !isNear(forward, back, request.source)) return back;
  const [sharedBack, sharedForward] = [await othersOf(back, probe), await othersOf(forward, probe)];
  const smaller = changedLines(forward.edits) < changedLines(back.edits);
  return sharedForward < sharedBack || (sharedForward === sharedBack && smaller) ? forward : back;
}

/** An environment's own files, or those that the commit touched: a small edit far below is not the smaller change. */
function isNear(forward: FoundHere, back: FoundHere, { path }: Source): boolean {
  const touched = new Set(back.edits.map(({ file }) => file));
  return forward.edits.every(
    ({ file }) => touched.has(file) || isInput(file) || path === "." || file.startsWith(`${path}/`),
  );
}

async function othersOf({ edits }: FoundHere, probe: Probe): Promise<number> {
  return (await probe.blast(edits)).others.length;
}

/** Lines that go or come, whichever are more. */
function changedLines(edits: readonly FileEdit[]): number {
  return edits.reduce((sum, { before, after }) => {
    const parts = diffLines(before, after);
    const lines = (kind: "added" | "removed"): number =>
      parts.filter((part) => part[kind]).reduce((count, part) => count + (part.count ?? 0), 0);
    return sum + Math.max(lines("added"), lines("removed"));
  }, 0);
}

async function search(
  request: LocateRequest,
  probe: Probe,
  { revert }: { readonly revert: boolean } = { revert: true },
): Promise<FoundHere | NotFound> {
  const { source, checkout } = request;
  const baseline = await probe.render([]);
  const wanted: Change[] = [];
  for (const change of request.changes) {
    const state = stateOf(change, baseline, request);
    if (typeof state === "object") return state;
    if (state === "open") wanted.push(change);
  }
  if (wanted.length === 0) {
    return {
      ...no(
        `${source.id} says so already at ${checkout.revision.slice(0, 7)}.`,
        "Deploy that revision; Git needs no change.",
      ),
      already: true,
    };
  }
  const protection = await protectionOf(checkout, probe.tree, source.remote);
  const earlier = await earlierOf(request.hints.revertOf, source, checkout, request.renderer);
  const found = startSearch({ probe, source, baseline, wanted, earlier, protection });
  const index =
    source.tool === "plain" && !(await isBuilt(probe.tree, source))
      ? await indexSource(probe.tree.directory, source)
      : null;
  if (index !== null) {
    for (const change of wanted) {
      const entries = entriesOf(index.entries, { change, source });
      if (entries.length > 1) return no(ambiguity(entries), "Remove all but one of them.");
    }
  }
  const sharedRevert = revert ? await takeBack(request, found) : null;
  for (let change = found.remaining()[0]; change !== undefined; change = found.remaining()[0]) {
    const hit =
      (await findOne(change, found, index)) ?? (sharedRevert?.made.includes(change) === true ? sharedRevert : null);
    if (hit === null) return notFound(change, found);
    const better =
      hit.shared && sharedRevert?.made.includes(change) === true && found.locations().length === 0 ? sharedRevert : hit;
    found.accept(better);
  }
  const edits = await found.edits();
  const verdict = judge(baseline, await probe.render(edits), wanted, source, earlier);
  if (verdict.missing.length > 0 || verdict.side.length > 0)
    return no("The edits do not add up to the change.", "Make the change by hand.");
  return {
    found: true,
    source,
    revision: checkout.revision,
    locations: found.locations(),
    edits,
    renders: probe.renders(),
  };
}

/** Does Git say what the cluster said before the change, what it says after, or something else? */
function stateOf(change: Change, baseline: readonly KubeObject[], request: LocateRequest): "open" | "made" | NotFound {
  const { source } = request;
  const [object, twin] = allRendered(baseline, change.object, source);
  const name = `${describeRef(change.object)} ${formatPath(change.path)}`.trim();
  if (change.object.kind === "Secret")
    return no(`${name} is a Secret, and secret data is never written to Git.`, "Change the secret where it is kept.");
  const added = change.path.length === 0 && change.from === undefined && change.to !== undefined;
  if (added && object === undefined) return "open";
  if (object === undefined)
    return no(
      `${describeRef(change.object)} is not rendered from ${source.id}.`,
      "Correct the sources in the configuration, or put the object under Git.",
    );
  if (twin !== undefined)
    return no(`${describeRef(change.object)} is declared twice in ${source.id}.`, "Remove all but one of them.");
  if (added && sameField([], object as unknown as Json, change.to)) return "made";
  if (change.path.length === 0)
    return no(`${describeRef(change.object)} as a whole is not added or removed by rule.`, "Make the change by hand.");
  const declared = getAt(object, change.path);
  if (sameAsLive(change.path, declared, change.to) && !sameAsLive(change.path, change.from, change.to)) return "made";
  if (!sameAsLive(change.path, declared, change.from)) {
    return no(
      `Git and the cluster disagreed before the change: ${source.id} says ${show(declared)} for ${name}, the cluster had ${show(change.from)}; live does not come from this commit.`,
      "Look for an autoscaler, a webhook, a pending sync or a change by hand.",
    );
  }
  const list = change.path.findIndex((step) => typeof step === "number");
  if (request.before !== undefined && list >= 0) {
    const path = change.path.slice(0, list);
    if (!sameAsLive(path, getAt(object, path), getAt(request.before, path))) {
      return no(
        `${name} is a position in a list that is another one in the cluster than in Git.`,
        "Make the change by hand.",
      );
    }
  }
  return "open";
}

/** Tries to take lines of the culprit back; what is exact and nobody shares is accepted, the best shared one is returned. */
async function takeBack({ hints, checkout }: LocateRequest, found: Search): Promise<Hit | null> {
  if (hints.revertOf === undefined) return null;
  const reverts = await revertsOf(hints.revertOf, found.source, checkout, (file) =>
    found.tree.read(file).catch(() => null),
  );
  let shared: Hit | null = null;
  for (const revert of reverts) {
    if (found.remaining().length === 0) break;
    const files = await revert.edits();
    const hit = files === null ? null : await found.consider({ via: `revert of ${hints.revertOf.slice(0, 7)}`, files });
    if (hit === null) continue;
    if (!hit.shared) found.accept(hit);
    else if (shared === null || hit.made.length > shared.made.length) shared = hit;
  }
  return shared;
}

/** The best edit for one change: exact, of the layer that is in force, and of this environment alone if there is one. */
async function findOne(change: Change, found: Search, index: ManifestIndex | null): Promise<Hit | null> {
  const aim = found.aimAt(change);
  if (aim === null) return null;
  const outer = await firstHit(inputCandidates(aim), found, change);
  if (outer.own !== null) return outer.own;
  return (
    (await findInFiles(change, aim, found, index)) ??
    outer.shared ??
    (await firstHit(inputInsertions(aim), found, change)).own
  );
}

/** The best edit among what the repository itself says, and what the owner says in its place. */
async function findInFiles(change: Change, aim: Aim, found: Search, index: ManifestIndex | null): Promise<Hit | null> {
  if (index !== null) {
    const [entry] = entriesOf(index.entries, { change, source: found.source });
    return entry === undefined ? null : (await firstHit(plainCandidates(aim, entry), found, change)).shared;
  }
  if (found.source.tool === "helm") {
    const hit = await firstHit(helmCandidates(aim, await helmInputs(found.tree, found.source)), found, change, true);
    return hit.own ?? hit.shared;
  }
  const closure = await closureOf(found.tree, found.source);
  const setting = await firstHit(settingCandidates(aim, closure), found, change);
  if (setting.own !== null) return setting.own;
  const declared = getAt(aim.target, change.path) !== undefined;
  const saying = await firstHit(sayingCandidates(aim, closure, declared), found, change, true);
  return saying.own ?? setting.shared ?? saying.shared;
}

/** `own`: the first hit that changes no other root. `shared`: the first hit at all. */
async function firstHit(
  candidates: AsyncGenerator<Candidate>,
  found: Search,
  change: Change,
  goOn = false,
): Promise<{ readonly own: Hit | null; readonly shared: Hit | null }> {
  let shared: Hit | null = null;
  for await (const candidate of candidates) {
    const attempt = attemptOf(candidate, found);
    const hit = attempt === null ? null : await found.consider(attempt);
    if (hit === null || !hit.made.includes(change)) continue;
    if (!hit.shared) return { own: hit, shared: hit };
    shared ??= hit;
    // The layer in force is found: what lies below it has no effect.
    if (!goOn) break;
  }
  return { own: null, shared };
}

function notFound(change: Change, found: Search): NotFound {
  const { refusals, side, exhausted } = found.reasons();
  const what = `${describeRef(change.object)} ${formatPath(change.path)}`;
  const [refusal] = refusals;
  const [effect] = side;
  if (effect !== undefined)
    return no(`No edit changes ${what} alone: ${effect}.`, "Make the change by hand, or separate the two.");
  if (refusal !== undefined) return no(`No edit changes ${what}: ${refusal}`, "Make the change by hand.");
  const limit = exhausted ? " (the search was stopped after 60 renders)" : "";
  return no(`Nothing in ${found.source.id} was found that sets ${what}${limit}.`, "Make the change by hand.");
}

function no(reason: string, hint: string): NotFound {
  return { found: false, reason, hint };
}

function show(value: Json | undefined): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
