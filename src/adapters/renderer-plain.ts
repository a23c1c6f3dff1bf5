import { StanchError } from "../errors.ts";
import { indexSource } from "../gitops/manifest-index.ts";
import type { Source } from "../model.ts";
import type { Rendered } from "../ports.ts";

/** The objects of a folder of plain manifests. A file that does not parse does not sink the rest. */
export async function renderPlain(directory: string, source: Source): Promise<Rendered> {
  const index = await indexSource(directory, source);
  const [problem] = index.problems;
  if (index.entries.length === 0 && problem !== undefined) {
    throw new StanchError("render", `nothing in ${source.path} can be read: ${problem.file}: ${problem.message}`);
  }
  return { objects: index.entries.map((entry) => entry.object), tool: "plain" };
}
