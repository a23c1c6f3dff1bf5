import { IGNORE } from "../config/scope.ts";
import { messageOf, StanchError } from "../errors.ts";
import { stableKey } from "../gitops/rendered.ts";
import { applyChanges } from "../kube/json-patch.ts";
import { refOf } from "../kube/ref.ts";
import { resourceOf } from "../kube/resources.ts";
import { matchesRequirements, parseSelector } from "../kube/selectors.ts";
import type { Change, KubeObject, RefusedState } from "../model.ts";
import { type Inspected, inspectedSources, isOfSource, ownChanges, recentCommits } from "../recent.ts";
import type { Run } from "../run.ts";
import type { Observation } from "./observe.ts";

/** How many objects a run asks about. */
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
  for (const entry of await inspectedSources(run)) {
    await run.renew();
    // The rest has its turn in a later run, which begins elsewhere.
    if (run.clock.now().getTime() - began > PATIENCE_MS) break;
    try {
      for await (const recent of recentCommits(entry, run)) {
        for (const object of recent.now.filter((item) => isAsked(item, entry, run, seen))) {
          const key = stableKey(object);
          const made = ownChanges(object, recent);
          if (made.length === 0 || made.some(isFilledIn) || out.has(key)) continue;
          if (!asked.has(key) && asked.size >= OBJECTS) continue;
          const answer = asked.get(key) ?? (await judged(object, made, run));
          asked.set(key, answer);
          if (answer.kind !== "refused") continue;
          const mended = applyChanges(object, made);
          if ((await answerTo(mended, run)).kind !== "taken" || (await isIgnoredLive(object, run))) continue;
          out.set(key, { ref: refOf(object), object, before: mended, commit: recent.commit, message: answer.message });
        }
      }
    } catch (error) {
      const { repository, path } = entry.origin;
      run.log.debug("source not inspected", { source: `${repository}:${path}`, error: messageOf(error) });
    }
  }
  return [...out.values()];
}

/** What the API server says of an object, and before that whether it serves its version at all: removed APIs and slips. */
async function judged(object: KubeObject, made: readonly Change[], run: Run): Promise<Answer> {
  const { apiVersion, kind } = object;
  const isOther = made.some(({ path }) => path[0] === "apiVersion");
  if (isOther && (await run.cluster.resource(apiVersion, kind)) === null)
    return { kind: "refused", message: `apiVersion: no matches for kind "${kind}" in version "${apiVersion}"` };
  return answerTo(object, run);
}

/** What the deployer fills in after rendering (Flux, plug-ins of Argo CD) is no value yet: it cannot be asked about. */
function isFilledIn({ from }: Change): boolean {
  return /\$\{|\{\{|<path:/.test(JSON.stringify(from ?? null));
}

/** Only kinds that are known, and ConfigMaps, which others are started with; in watched namespaces of the source, and never Secrets: their data would be sent. */
function isAsked(object: KubeObject, entry: Inspected, { config }: Run, seen: Observation): boolean {
  const { apiVersion, kind, metadata } = object;
  const { annotations, labels } = metadata;
  const selector = parseSelector(config.scope.selector);
  return (
    resourceOf(apiVersion, kind)?.namespaced === true &&
    kind !== "Secret" &&
    (kind === "ConfigMap" || (config.scope.kinds as readonly string[]).includes(kind)) &&
    isOfSource(object, entry, seen.namespaces) &&
    annotations?.[IGNORE] !== "true" &&
    (!selector.ok || matchesRequirements(selector.requirements, labels))
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
