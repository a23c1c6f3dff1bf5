import type { Change } from "../model.ts";
import type { RemedyContext } from "./remedy.ts";

/**
 * A sentence when the registry says that an image which the changes would bring back is not there: nothing to return to.
 * Null when it is there, and when the registry could not be asked, which is no objection.
 */
export async function missingImage(
  changes: readonly Change[],
  context: Pick<RemedyContext, "registry" | "credentials">,
): Promise<string | null> {
  for (const { path, to } of changes) {
    if (path.at(-1) !== "image" || typeof to !== "string") continue;
    const answer = await context.registry.exists(to, await context.credentials(to));
    if (answer.state === "absent") return `image ${to} is not in its registry any more; a person must choose another`;
  }
  return null;
}
