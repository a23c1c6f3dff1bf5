import { StanchError } from "../errors.ts";
import type { Source } from "../model.ts";
import type { Checkout, Renderer } from "../ports.ts";
import type { Earlier } from "./render-delta.ts";

/** What a source rendered before a commit; undefined when that is not to be had: a first commit, or one that did not render. */
export async function earlierOf(
  commit: string | undefined,
  source: Source,
  checkout: Checkout,
  renderer: Renderer,
): Promise<Earlier | undefined> {
  if (commit === undefined) return undefined;
  try {
    const directory = await checkout.treeAt(`${commit}^`);
    return { commit, objects: (await renderer.render(directory, source)).objects };
  } catch (error) {
    if (error instanceof StanchError && (error.code === "git" || error.code === "render")) return undefined;
    throw error;
  }
}
