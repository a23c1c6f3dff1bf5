import type { SourceLine } from "../drift/model.ts";
import { isInput } from "../gitops/input.ts";
import type { Change } from "../model.ts";
import type { Renderer } from "../ports.ts";
import { locate } from "../steps/locate.ts";
import type { Bench } from "../workbench.ts";

/** The line of a bench's own files whose edit would make a change; null where no file of them does. */
export async function locateLine(
  { source, checkout }: Bench,
  change: Change,
  renderer: Renderer,
): Promise<SourceLine | null> {
  const found = await locate({ changes: [change], source, checkout, renderer, hints: {} });
  const [location] = found.found ? found.locations : [];
  return location === undefined || isInput(location.file) ? null : { file: location.file, line: location.line };
}
