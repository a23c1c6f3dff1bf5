import { IGNORE, matchesGlob } from "../config/scope.ts";
import { messageOf, StanchError } from "../errors.ts";
import { originOf } from "../gitops/configured-source.ts";
import { rootPaths } from "../gitops/history.ts";
import { diffObjects } from "../gitops/object-diff.ts";
import type { Origin } from "../gitops/origin.ts";
import { stableKey } from "../gitops/rendered.ts";
import { inputsOf } from "../gitops/revert-candidates.ts";
import { openTree } from "../gitops/tree.ts";
import { applyChanges } from "../kube/json-patch.ts";
import { refOf } from "../kube/ref.ts";
import { resourceOf } from "../kube/resources.ts";
import { matchesRequirements, parseSelector } from "../kube/selectors.ts";
import type { Change, KubeObject, RefusedState } from "../model.ts";
import type { Run } from "../run.ts";
import type { Observation } from "./observe.ts";

/** Commits that are looked at, how old they may be, and how many objects a run asks about. */
const COMMITS = 3;
const AGE_MS = 24 * 3_600_000;
const OBJECTS = 100;
const PATIENCE_MS = 60_000;

/**
 * Objects that recent commits changed and that the API server now refuses to take: Git says what cannot be deployed, and the
 * cluster still runs what was before. By server-side dry run; nothing is written. A source that cannot be read tells nothing here.
 */
export async function inspect(run: Run, seen: Observation): Promise<RefusedState[]> {
  const out = new Map<string, RefusedState>();
  const asked = new Map<string, Answer>();
  const began = run.clock.now().getTime();
  for (const entry of rotated(await inspected(run), Math.floor(began / 60_000))) {
    await run.renew();
    // The rest has its turn in a later run, which begins elsewhere.
    if (run.clock.now().getTime() - began > PATIENCE_MS) break;
    try {
      const bench = await run.workbench.bench(entry.origin);
      const { source, checkout } = bench;
      const tree = await openTree(checkout.directory);
      const commits = await checkout.history(rootPaths(source, await inputsOf(tree, source)), COMMITS);
      // How the objects were right after the commit that is looked at: what later ones changed is not its doing.
      let after: Map<string, KubeObject> | undefined;
      for (const commit of commits) {
        if (run.clock.now().getTime() - Date.parse(commit.at) > AGE_MS) break;
        const now = (await bench.rendered()).objects;
        const before = byKey((await run.renderer.render(await checkout.treeAt(`${commit.sha}^`), source)).objects);
        for (const object of now.filter((item) => isAsked(item, entry, run, seen))) {
          const key = stableKey(object);
          const was = before.get(key);
          const made = ownChanges(object, was, after === undefined ? object : after.get(key));
          if (was === undefined || made.length === 0 || made.some(isFilledIn) || out.has(key)) continue;
          if (!asked.has(key) && asked.size >= OBJECTS) continue;
          const answer = asked.get(key) ?? (await answerTo(object, run));
          asked.set(key, answer);
          if (answer.kind !== "refused") continue;
          const mended = applyChanges(object, made);
          if ((await answerTo(mended, run)).kind !== "taken" || (await isIgnoredLive(object, run))) continue;
          out.set(key, { ref: refOf(object), object, before: mended, commit, message: answer.message });
        }
        after = before;
      }
    } catch (error) {
      const { repository, path } = entry.origin;
      run.log.debug("source not inspected", { source: `${repository}:${path}`, error: messageOf(error) });
    }
  }
  return [...out.values()];
}

/** A source and the namespaces that it is asked about. */
interface Inspected {
  readonly origin: Origin;
  readonly namespaces: readonly string[];
}

async function inspected({ workbench, config }: Run): Promise<Inspected[]> {
  // A chart that is fetched has no history, and this API server is not the one that takes what goes elsewhere.
  const known = (await workbench.origins()).filter(
    ({ owner, remote }) => owner.kind !== "configuration" && owner.elsewhere !== true && remote === undefined,
  );
  return [
    ...config.sources.map((entry) => ({ origin: originOf(entry), namespaces: entry.namespaces })),
    ...known.map((origin) => ({ origin, namespaces: ["*"] })),
  ];
}

function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const start = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

function byKey(objects: readonly KubeObject[]): Map<string, KubeObject> {
  return new Map(objects.map((object) => [stableKey(object), object]));
}

/** What one commit changed in an object and what still stands so, from how it is to how it was before. */
function ownChanges(now: KubeObject, before: KubeObject | undefined, after: KubeObject | undefined): Change[] {
  if (before === undefined || after === undefined) return [];
  const own = new Set(diffObjects(after, before).map((change) => JSON.stringify(change)));
  return diffObjects(now, before).filter((change) => own.has(JSON.stringify(change)));
}

/** What the deployer fills in after rendering (Flux, plug-ins of Argo CD) is no value yet: it cannot be asked about. */
function isFilledIn({ from }: Change): boolean {
  return /\$\{|\{\{|<path:/.test(JSON.stringify(from ?? null));
}

/** Only kinds that are known, in watched namespaces of the source, and never Secrets: their data would be sent. */
function isAsked(object: KubeObject, entry: Inspected, { config }: Run, seen: Observation): boolean {
  const { apiVersion, kind, metadata } = object;
  const { namespace = "", annotations, labels } = metadata;
  const selector = parseSelector(config.scope.selector);
  return (
    resourceOf(apiVersion, kind)?.namespaced === true &&
    kind !== "Secret" &&
    (config.scope.kinds as readonly string[]).includes(kind) &&
    seen.namespaces.has(namespace) &&
    annotations?.[IGNORE] !== "true" &&
    (!selector.ok || matchesRequirements(selector.requirements, labels)) &&
    entry.namespaces.some((glob) => matchesGlob(glob, namespace))
  );
}

async function isIgnoredLive(object: KubeObject, run: Run): Promise<boolean> {
  const live = await run.cluster.get(refOf(object));
  return live?.metadata.annotations?.[IGNORE] === "true";
}

/**
 * What the API server says of an object as Git has it. `made-anew`: it only refuses to change the object that is there, as it does
 * for fields that cannot be changed; Git may be right, and the object must be made anew.
 */
export type Answer =
  | { readonly kind: "taken" }
  | { readonly kind: "refused" | "made-anew" | "not-asked"; readonly message: string };

/** Complaints about a change, and not about the object that it leads to. */
const TRANSITION =
  /\bimmutable\b|may not (?:be )?change|updates? (?:to|may)\b|cannot be (?:changed|updated|modified)|can ?not be less than|cannot change|not supported for update/i;
/** The answer of server-side apply to fields that do not fit the schema; making an object leniently drops such fields. */
const UNTYPED = /failed to (?:create typed patch object|convert new object)/;

export async function answerTo(object: KubeObject, run: Pick<Run, "cluster">): Promise<Answer> {
  const message = await complaintOf(() => run.cluster.dryRunApply(object));
  if (message === null) return { kind: "taken" };
  if (!message.invalid) return { kind: "not-asked", message: message.text };
  if (UNTYPED.test(message.text)) return { kind: "refused", message: message.text };
  if (TRANSITION.test(message.text)) return { kind: "made-anew", message: message.text };
  // No words tell for sure: would it take the same as a new object?
  const name = `${object.metadata.name.slice(0, 36).replace(/[.-]+$/, "")}-stanch-dry-run`;
  const copy = { ...object, metadata: { ...object.metadata, name } };
  const anew = await complaintOf(() => run.cluster.create(copy, { dryRun: true }));
  return { kind: anew === null ? "made-anew" : "refused", message: message.text };
}

async function complaintOf(
  ask: () => Promise<unknown>,
): Promise<{ readonly invalid: boolean; readonly text: string } | null> {
  try {
    await ask();
    return null;
  } catch (error) {
    if (!(error instanceof StanchError)) throw error;
    return { invalid: error.code === "invalid", text: error.message };
  }
}

/** Why an object may not be proposed, in the API server's words; null only when it takes the object. */
export async function refusalOf(object: KubeObject, run: Pick<Run, "cluster">): Promise<string | null> {
  const answer = await answerTo(object, run);
  return answer.kind === "taken" ? null : answer.message;
}
