import { formatDuration } from "../src/config/duration.ts";
import type { Config } from "../src/config/schema.ts";
import type { DriftReport } from "../src/drift/model.ts";
import { type Published, readPublished } from "../src/drift/read-published.ts";
import { messageOf, StanchError } from "../src/errors.ts";
import type { Hosts } from "./compose.ts";
import type { Inputs } from "./inputs.ts";

export interface PublishedPlace {
  readonly repository: string;
  readonly branch: string;
  readonly cluster: string;
}

/** A report that may be believed, or why there is none. */
export type Read = (Published & { readonly report: DriftReport }) | { readonly reason: string };

/** A cluster's clock may be ahead of ours by so much. */
const AHEAD_MS = 10 * 60_000;

/** Clusters that are asked for: those of the input, or the one that the configuration names. */
export function clustersOf({ clusters }: Inputs, { cluster }: Pick<Config, "cluster">): readonly string[] {
  return clusters.length > 0 ? clusters : [cluster];
}

/** Reads what a cluster published. What is old, of somebody else or not there is a reason and never "no drift". Never throws. */
export async function readReport(
  at: PublishedPlace,
  { publisher, maxAge }: Inputs,
  { github, clock }: Pick<Hosts, "github" | "clock">,
): Promise<Read> {
  let read: Awaited<ReturnType<typeof readPublished>>;
  try {
    read = await readPublished(github, { ...at, by: publisher });
  } catch (error) {
    const hint = error instanceof StanchError && error.hint !== undefined ? ` (${error.hint})` : "";
    return { reason: `${messageOf(error)}${hint}` };
  }
  if (!read.found) return { reason: `${read.reason}; run \`stanch drift --publish\` in the cluster, as ${publisher}` };
  const taken = Date.parse(read.report.takenAt);
  const age = clock.now().getTime() - taken;
  if (Number.isNaN(taken) || age < -AHEAD_MS)
    return {
      reason: `the report of cluster ${at.cluster} says that it was taken in the future (${read.report.takenAt})`,
    };
  if (age > maxAge)
    return {
      reason: `the last report of cluster ${at.cluster} is ${formatDuration(age)} old, and \`max-age\` is ${formatDuration(maxAge)}: look whether \`stanch drift --publish\` still runs there`,
    };
  return read;
}
