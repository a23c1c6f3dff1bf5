import { StanchError } from "../errors.ts";
import { indexSource } from "../gitops/manifest-index.ts";
import { describeUnread } from "../gitops/unread.ts";
import type { Source } from "../model.ts";
import type { Rendered } from "../ports.ts";

/**
 * The objects of a folder of plain manifests. A file that cannot be read does not sink the rest, and is named in `unread`: an incident in one
 * file is healed whatever another says, and whoever asks whether all is well must know. Throws StanchError `render` where nothing was read.
 */
export async function renderPlain(directory: string, source: Source): Promise<Rendered> {
  const index = await indexSource(directory, source);
  const [problem] = index.problems;
  if (index.entries.length === 0 && problem !== undefined) {
    throw new StanchError("render", `nothing in ${source.path} can be read: ${describeUnread(problem)}`);
  }
  const { entries, unread } = index;
  return { objects: entries.map((entry) => entry.object), tool: "plain", ...(unread.length === 0 ? {} : { unread }) };
}
