import { expect, it } from "vitest";
import { StanchError } from "../../src/errors.ts";
import { locate } from "../../src/steps/locate.ts";
import { CART, deployment, MEMORY, repositoryOf } from "./finding.ts";
import { renderer, sourceOf } from "./repository.ts";

const request = () => ({
  changes: [{ object: CART, path: MEMORY, from: "64Mi", to: "128Mi" }],
  source: sourceOf("apps", "plain", "shop"),
  checkout: repositoryOf({ "apps/cart.yaml": deployment() }),
  renderer,
  hints: {},
});

it("the lease is kept before each render", async () => {
  let ticks = 0;
  const tick = async (): Promise<void> => {
    ticks += 1;
  };
  const located = await locate({ ...request(), tick });
  expect(located).toMatchObject({ found: true });
  expect(ticks).toBe(located.found ? located.renders : -1);
});

it("a lease that is lost in the middle ends the search: somebody else writes now", async () => {
  let ticks = 0;
  const tick = async (): Promise<void> => {
    ticks += 1;
    if (ticks === 2) throw new StanchError("lease", "another run took over");
  };
  await expect(locate({ ...request(), tick })).rejects.toThrow("another run took over");
  expect(ticks).toBe(2);
});
