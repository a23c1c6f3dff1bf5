import { standingHolds } from "../incident/holding.ts";
import type { Incident, IncidentStatus } from "../incident/incident.ts";
import { hideSecrets } from "../pull-request/patch.ts";
import { code, plain } from "../pull-request/quote.ts";
import { evidenceBlock, lookup, minute } from "../pull-request/sections.ts";
import { redact } from "../redact.ts";

/** An answer to a comment: whose command it was, which one, and what came of it. `text` is Markdown. */
export function formatAnswer(
  to: { readonly id: number; readonly by: string; readonly verb: string },
  text: string,
): string {
  return `<!-- stanch answer v1 ${JSON.stringify({ to: to.id })} -->\n${code(to.by, 60)}, ${code(`/stanch ${to.verb}`)}: ${text}\n`;
}

/** Id of the comment that a text answers; null when it is no answer. Only the first line counts, and only in a comment of our own. */
export function answeredBy(body: string): number | null {
  const match = /^<!-- stanch answer v1 \{"to":(\d{1,16})\} -->(\r?\n|$)/.exec(body);
  return match?.[1] === undefined ? null : Number(match[1]);
}

export const HELP = [
  "what can be asked here, by those who may write to this repository, each on a line of its own:",
  "",
  "- `/stanch explain`: what was seen and done, with times and evidence",
  "- `/stanch undo`: take the live change back; the pull request stays open",
  "- `/stanch hold 4h`: keep what holds the live change for so long from now",
  "- `/stanch retry`: build the pull request anew, or try the remedies again",
  "- `/stanch ignore 3d`: no, and leave the problem alone for so long (without a time: as long as after closing)",
  "",
  "They are read by the next run.",
].join("\n");

const TIMELINE = 25;

/** What is known of an incident, for people: nothing that looks like a secret is in it. */
export function explain(incident: Incident): string {
  const { status, metadata } = incident;
  if (status === undefined) return "the incident has no status yet.";
  const clean = cleaner(status);
  const shown = status.timeline.slice(-TIMELINE);
  const left = status.timeline.length - shown.length;
  const evidence = status.evidence.map((item) => ({ ...item, text: clean(item.text) }));
  const sections = [
    `it is ${code(status.phase)}: ${plain(clean(status.message), 1000)}`,
    `**Seen** since ${minute(status.detectedAt)}: ${plain(clean(status.summary))}`,
    ...(status.cause === undefined ? [] : [`**Cause.** ${plain(clean(status.cause), 1500)}`]),
    `**Live.** ${plain(clean(liveText(status)), 1000)}`,
    ["**What happened**", "", ...(left > 0 ? [`- *${left} earlier*`] : []), ...shown.map(line(clean))].join("\n"),
    ...(evidence.length === 0 ? [] : [evidenceBlock(evidence)]),
    lookup(metadata),
  ];
  return sections.join("\n\n");
}

const line =
  (clean: (text: string) => string) =>
  ({ at, phase, text }: IncidentStatus["timeline"][number]): string =>
    `- ${minute(at)} **${phase}** ${plain(clean(text), 400)}`;

function liveText(status: IncidentStatus): string {
  const { hotfix, plan } = status;
  if (hotfix === undefined) return "Nothing was changed.";
  const held = standingHolds({ status }).filter((hold) => hold.kind !== "none");
  const until = held.map((hold) => `held until ${minute(hold.expiresAt)}`).join(", ");
  const what = `${plan?.title ?? "Changed"}, ${minute(hotfix.appliedAt)}`;
  if (hotfix.undoneAt !== undefined) return `${what}; taken back ${minute(hotfix.undoneAt)}.`;
  return `${what}; it stands${until === "" ? "" : `, ${until}`}.`;
}

/** Takes out what is a secret by its name or by its shape. */
function cleaner({ plan }: IncidentStatus): (text: string) => string {
  const { hidden } = hideSecrets(plan?.changes ?? []);
  return (text) => redact(hidden.reduce((left, value) => left.replaceAll(value, "‹not shown›"), text));
}
