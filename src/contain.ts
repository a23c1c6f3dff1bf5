import { formatDuration } from "./config/duration.ts";
import type { Incident } from "./incident/incident.ts";
import type { Plan } from "./model.ts";
import type { Run } from "./run.ts";
import { withSentence } from "./steps/report.ts";
import { mayTell, type Told, tellProgram } from "./tell-program.ts";

/**
 * The end of a live change that heals nothing: the harm is stopped, the cause stays, and there is nothing for Git. The incident stays open as
 * Contained. Whoever can heal it is told, but for a restart, which may have been all that it needed: that is told when it does not last.
 */
export async function contain(
  incident: Incident,
  plan: Plan,
  run: Run,
): Promise<{ readonly incident: Incident; readonly told: ToldOf }> {
  const seen = incident.status?.verification?.seen ?? "";
  const text = `Contained: ${plan.title}${seen === "" ? "" : `; ${seen.replace(/\.$/, "")}`}. ${causeOf(plan, incident, run)}`;
  const told = plan.choice.remedy === "restart" ? NOTHING : await tellContained(incident, plan.title, run);
  const next = await run.store.advance(incident, "Contained", withSentence(text, told.sentence), told.more);
  return { incident: next, told };
}

/** What was told, and where the program's code is, when that is known. */
export type ToldOf = Pick<Told, "sentence" | "more" | "app" | "image">;

const NOTHING: ToldOf = { sentence: "", more: {} };

function causeOf({ choice }: Plan, { status }: Incident, run: Run): string {
  if (choice.remedy !== "restart") return "The cause lies in the program and stays; Git has nothing to say to it.";
  const { tries, within } = run.config.remedies.contain;
  const since = run.clock.now().getTime() - within;
  const rows = status?.contained?.filter((row) => row.remedy === "restart" && Date.parse(row.at) >= since) ?? [];
  return `What it hung on is not known, and nothing in Git explains it: a new pod may hang, too. That was ${rows.length} of ${tries} times within ${formatDuration(within)} (remedies.contain); after the last the program's developers are told.`;
}

/** Tells the program's developers of what is contained. A person who said no before is not asked again; it stays contained all the same. */
export async function tellContained(incident: Incident, title: string, run: Run): Promise<ToldOf> {
  const { spec, status } = incident;
  const object = (await run.cluster.get(spec.workload)) ?? undefined;
  if (status?.issue?.closedAt !== undefined || !mayTell(spec.workload, object, run)) return NOTHING;
  const fix = status?.code?.closedAt === undefined ? status?.code?.pullRequest : undefined;
  const { sentence, more, app, image } = await tellProgram(
    {
      incident,
      object,
      refusals: [],
      ...(fix === undefined ? {} : { fix }),
      since: status?.detectedAt ?? "",
      previous: (ref) => run.workbench.previous(ref),
      contained: `${title}; ${status?.verification?.seen ?? "it helps"}`,
    },
    run,
  );
  const { silencedUntil: _, ...facts } = more;
  return {
    sentence,
    more: facts,
    ...(app === undefined || image === undefined ? {} : { app, image }),
  };
}
