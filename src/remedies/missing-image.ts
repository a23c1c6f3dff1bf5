import type { Change } from "../model.ts";
import type { RemedyContext } from "./remedy.ts";

/**
 * Those of some changes that take away an image which the registry says is not there. A pod that finds no node, or lacks its
 * configuration, has not tried to pull yet: what the same change broke there would show only after the rest is mended.
 */
export async function goneImages(
  changes: readonly Change[],
  context: Pick<RemedyContext, "registry" | "credentials">,
): Promise<Change[]> {
  const out: Change[] = [];
  for (const change of changes) {
    const { path, from, to } = change;
    if (path.at(-1) !== "image" || typeof from !== "string" || typeof to !== "string") continue;
    const answer = await context.registry.exists(from, await context.credentials(from));
    if (answer.state === "absent") out.push(change);
  }
  return out;
}

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
