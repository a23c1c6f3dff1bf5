import { formatDuration } from "./config/duration.ts";
import { tellContained } from "./contain.ts";
import { isContained, isTold, isUntold } from "./incident/containing.ts";
import { CLOSED, type Incident } from "./incident/incident.ts";
import { outcomeOf } from "./incident/outcome.ts";
import { templateDigest } from "./kube/template.ts";
import { isUnmended, mendContained } from "./mend-contained.ts";
import type { Outcome, Phase } from "./model.ts";
import { resolve } from "./resolve.ts";
import type { Run } from "./run.ts";
import { withSentence } from "./steps/report.ts";
import { firstLost } from "./steps/verify.ts";
import { takeBack } from "./take-back.ts";

/** Why what contains a fault has to go, and what becomes of its incident. */
export interface Over {
  readonly reason: string;
  readonly phase: Phase;
}

/**
 * Is the reason of what contains over? Another template came, which may be the fix and must not be kept back; somebody took it back; or it
 * stood for `holds.expiry`. Null: nothing stands, or it has to go on standing. Asked in every phase, also beside a pull request.
 */
export async function whyOver(incident: Incident, run: Run): Promise<Over | null> {
  const { hotfix, phase = "Contained" } = incident.status ?? {};
  if (hotfix?.contains === undefined || !isContained(incident) || WATCHED.has(phase)) return null;
  const next = (own: Phase): Phase => (phase === "Contained" ? own : phase);
  const live = await run.cluster.get(incident.spec.workload);
  if (live === null) return { reason: "the workload is gone", phase: next("RolledBack") };
  if (templateDigest(live) !== hotfix.contains.template)
    return { reason: "its template is another one now, which may be the fix", phase: next("RolledBack") };
  const lost = await firstLost(hotfix.changes, run.cluster.get);
  if (lost !== null) return { reason: lost.text, phase: next("Escalated") };
  const { expiry } = run.config.holds;
  return Date.parse(hotfix.appliedAt) + expiry > run.clock.now().getTime()
    ? null
    : {
        reason: `it stood for ${formatDuration(expiry)} (holds.expiry), and no other version came; a person must decide`,
        phase: next("Escalated"),
      };
}

/** Still acted on or watched: what a crash left of it is repaired first. */
const WATCHED: ReadonlySet<Phase> = new Set(["Acting", "Hotfixed", "Verified"]);

/** Takes back what contains; everything else of the incident goes on as it would without. */
export async function release(incident: Incident, { reason, phase }: Over, run: Run): Promise<Outcome> {
  const undone = await takeBack(incident, reason, phase, run);
  return outcomeOf(undone.incident, CLOSED.includes(phase) ? "closed" : "rolled-back");
}

/** What contains stands, or its fault is still to be told. */
export async function whileContained(incident: Incident, run: Run): Promise<Outcome> {
  const { message = "", plan } = incident.status ?? {};
  if (!isUntold(incident) && !isUnmended(incident, run)) return outcomeOf(incident, "waiting");
  const told = await tellContained(incident, plan?.title ?? "", run);
  if (told.more.issue?.number === undefined) return outcomeOf(incident, "waiting");
  // What was said before of the issue and of a fix is said anew.
  const text = message.replace(/ (?:No issue tells of it|The issue waits|Reported in) .*$/, "");
  const now = withSentence(text, told.sentence);
  const next = isUntold(incident) ? await run.store.advance(incident, "Contained", now, told.more) : incident;
  return outcomeOf(await mendContained(next, told, now, run), "waiting");
}

/**
 * What was done has helped, and the symptom is gone. Told to the program's developers, it is over with another version; untold, now, until
 * it comes back.
 */
export async function afterContained(incident: Incident, run: Run): Promise<Outcome> {
  const contains = incident.status?.hotfix?.contains;
  const live = await run.cluster.get(incident.spec.workload);
  const same = live !== null && templateDigest(live) === contains?.template;
  if (same && isTold(incident))
    return outcomeOf(incident, "waiting", "Contained, and reported; it is over when another version is deployed.");
  const title = incident.status?.plan?.title ?? "a live action";
  return resolve(
    incident,
    same
      ? `The symptom is gone after this contained it: ${title}. The cause was not found and may bring it back.`
      : "The symptom is gone, and what is deployed is not what was contained.",
    run,
  );
}
