import { REPOSITORY, type Step, type World } from "./runner.ts";
import { deployment, ENV_FROM } from "./trees.ts";

export const CART = "base/cart.yaml";
/** A change that breaks nothing. */
export const good = { [CART]: deployment("cart", { env: ENV_FROM, memory: "256Mi" }) };

/** Opens a pull request with these files changed, and reviews it. */
export async function reviewed(
  world: World,
  files: Readonly<Record<string, string | null>>,
  inputs: Readonly<Record<string, string>> = {},
): Promise<Step> {
  const pull = await world.open(files);
  const workspace = await world.checkout(pull.merge);
  return world.step({ mode: "review", ...inputs }, { event: pull.event, sha: pull.merge, workspace });
}

/** Comments of a pull request. */
export const bodies = (world: World, number = 1): string[] =>
  (world.host.pulls(REPOSITORY).find((pull) => pull.number === number)?.comments ?? []).map(({ body }) => body);
