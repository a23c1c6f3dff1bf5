import { heal } from "../heal.ts";
import { isContained } from "../incident/containing.ts";
import { isStanding, standingHolds } from "../incident/holding.ts";
import type { ChatState, Incident } from "../incident/incident.ts";
import { planFrom } from "../incident/plan-of.ts";
import { plain } from "../pull-request/quote.ts";
import { minute } from "../pull-request/sections.ts";
import type { Run } from "../run.ts";
import { letGo, stillHeld, takeBack } from "../take-back.ts";
import { explain, HELP } from "./answer.ts";

export type Asked = NonNullable<ChatState["pending"]>;

/** Where it was asked. `code`: in the pull request of a model's fix of the program, on which nothing live hangs. */
export interface ChatPlace {
  readonly kind: "pull" | "issue" | "code";
  readonly repository: string;
  readonly number: number;
}

export interface Performed {
  readonly incident: Incident;
  /** What was done, or why it was not; Markdown, for the answer. */
  readonly text: string;
  /** What a run reports of it; absent: the follow-up goes on. */
  readonly outcome?: "rolled-back" | "closed" | "updated";
  /** Ends the incident; to be done after it was answered, because nobody reads comments after it. */
  readonly silence?: string;
}

/**
 * Does what was asked, so that doing it a second time after a crash changes nothing. Everything goes the way that it goes without a person
 * asking: the same guards, rights and proofs.
 */
export async function perform(incident: Incident, asked: Asked, place: ChatPlace, run: Run): Promise<Performed> {
  const no = place.kind === "code" ? NOT_OF_CODE[asked.verb] : undefined;
  if (no !== undefined) return { incident, text: no };
  switch (asked.verb) {
    case "undo":
      return undo(incident, asked, place, run);
    case "hold":
      return hold(incident, asked, place, run);
    case "retry":
      return place.kind === "pull" ? rebuild(incident, run) : again(incident, asked, place, run);
    case "ignore":
      return ignore(incident, asked, place, run);
    case "explain":
      return { incident, text: explain(incident) };
    default:
      return { incident, text: HELP };
  }
}

/** What cannot be asked for where a model's code is proposed. */
const NOT_OF_CODE: Readonly<Record<string, string>> = {
  undo: "nothing of this pull request is live, so there is nothing to take back.",
  hold: "nothing of this pull request is live, so nothing is held.",
  retry:
    "a model is not asked a second time about the same evidence. Push what is missing, or close this: then no other fix of this fault is written.",
  help: [
    "what can be asked here, by those who may write to this repository, each on a line of its own:",
    "",
    "- `/stanch explain`: what was seen and done, with times and evidence",
    "- `/stanch ignore 3d`: no, and leave the problem alone for so long (without a time: as long as after closing)",
    "",
    "They are read by the next run. Nothing of this pull request is live, so there is nothing to undo or to hold.",
  ].join("\n"),
};

const phaseOf = (incident: Incident) => incident.status?.phase ?? "Proposed";

async function undo(incident: Incident, asked: Asked, place: ChatPlace, run: Run): Promise<Performed> {
  const { hotfix } = incident.status ?? {};
  const silence = place.kind === "issue" ? { silence: after(run.config.followUp.silence, run) } : {};
  if (!isStanding(incident)) {
    // Also what a run that ended here has done already.
    const ours = hotfix?.undo !== undefined && hotfix.undo.at >= asked.at;
    const text = ours ? `done. ${plain(incident.status?.message ?? "")}` : "there is no live change to take back.";
    return { incident, text: ours && place.kind === "pull" ? `${text} ${STAYS}` : text, ...(ours ? silence : {}) };
  }
  const done = await takeBack(incident, `${asked.by} asked for it in #${place.number}`, phaseOf(incident), run);
  const text = place.kind === "pull" ? `${plain(done.text, 1500)} ${STAYS}` : plain(done.text, 1500);
  return { incident: done.incident, text, outcome: "rolled-back", ...silence };
}

const STAYS = "This pull request stays open: merge it if it is right, or close it.";

async function hold(incident: Incident, asked: Asked, place: ChatPlace, run: Run): Promise<Performed> {
  const held = standingHolds(incident).filter((one) => one.kind !== "none");
  if (held.length === 0 || !isStanding(incident))
    return { incident, text: "nothing is held here, so there is nothing that ends." };
  const { longest } = run.config.holds;
  const wanted = Date.parse(asked.until ?? "");
  const holds = (incident.status?.holds ?? []).map((one) => {
    if (!held.includes(one)) return one;
    const most = Date.parse(one.takenAt) + longest;
    const until = Math.max(Date.parse(one.expiresAt), Math.min(wanted, most));
    return { ...one, expiresAt: new Date(until).toISOString() };
  });
  const ends = holds.filter((_, index) =>
    held.includes((incident.status?.holds ?? [])[index] as (typeof held)[number]),
  );
  const first = ends.map((one) => one.expiresAt).toSorted()[0] ?? "";
  const bound = Date.parse(first) < wanted ? `, which is as long as \`holds.longest\` lets it` : "";
  const said = `Held until ${minute(first)}, as ${asked.by} asked in #${place.number}`;
  const next = await run.store.advance(incident, phaseOf(incident), `${said}.`, { holds });
  return { incident: next, text: `held until ${minute(first)}${bound}. Then the live change is taken back.` };
}

/** A rehearsal comes first: what cannot be built any more must not end what is there. */
async function rebuild(incident: Incident, run: Run): Promise<Performed> {
  const live = isStanding(incident);
  const options = live ? { live } : { live, why: incident.status?.message ?? "" };
  const tried = await heal(incident, planFrom(incident), { ...options, rehearsal: true }, run);
  const current = (await reread(incident, run)) ?? incident;
  if (tried.kind !== "waiting" || phaseOf(current) !== phaseOf(incident))
    return { incident: current, text: `it cannot be built anew: ${plain(tried.message, 1500)}` };
  const done = await heal(current, planFrom(current), options, run);
  const next = (await reread(incident, run)) ?? current;
  return { incident: next, text: plain(done.message, 1500), outcome: "updated" };
}

async function again(incident: Incident, asked: Asked, place: ChatPlace, run: Run): Promise<Performed> {
  if (isContained(incident))
    return { incident, text: "what contains it stands, and nothing is to be built for Git. `/stanch undo` ends it." };
  // Where a live change stands, what is to be tried again is Git's half.
  if (isStanding(incident)) return rebuild(incident, run);
  const text = `${asked.by} asked in #${place.number} to try the remedies again.`;
  const next = await run.store.advance(incident, phaseOf(incident), text, { tried: [] });
  return { incident: next, text: "the remedies are tried again, if the problem still shows." };
}

async function ignore(incident: Incident, asked: Asked, place: ChatPlace, run: Run): Promise<Performed> {
  const until = asked.until ?? after(run.config.followUp.silence, run);
  let current = incident;
  let text = "";
  if (isStanding(current) && run.config.pullRequest.onClose === "undo") {
    const done = await takeBack(current, `${asked.by} said no in #${place.number}`, phaseOf(current), run);
    current = done.incident;
    text = `${plain(done.text, 1000)} `;
  }
  const freed = await letGo(current, `${asked.by} said no in #${place.number}.`, run);
  const held = freed.left === null ? "" : ` ${plain(stillHeld(freed.left))}`;
  const closed = place.kind === "issue" ? "" : " This pull request is closed.";
  return {
    incident: freed.incident,
    text: `${text}the problem is left alone until ${minute(until)}.${held}${closed}`,
    outcome: "closed",
    silence: until,
  };
}

const after = (ms: number, run: Run): string => new Date(run.clock.now().getTime() + ms).toISOString();

function reread({ metadata }: Incident, run: Run): Promise<Incident | null> {
  return run.store.get(metadata.namespace, metadata.name);
}
