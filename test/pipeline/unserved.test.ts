import { expect, it } from "vitest";
import { systemClock } from "../../src/adapters/clock.ts";
import { parseConfig } from "../../src/config/load.ts";
import { observe } from "../../src/steps/observe.ts";
import { makeWorld, virtualClock } from "./world.ts";

/** As RBAC does: no right to a kind is said before whether there is such a kind. */
async function gapsWithout(group: string, resource: string, served: boolean): Promise<readonly string[]> {
  await using world = await makeWorld({}, virtualClock());
  if (served) world.cluster.deny({ group, resource, verb: "list" });
  else
    world.cluster.faults.add({ method: "GET", path: new RegExp(`/${group}/.*/${resource}`), status: 403, times: 99 });
  return (await observe(world.api, parseConfig(""), systemClock)).snapshot.gaps;
}

it("a kind that the cluster does not serve is no gap, though the account may not list it", async () => {
  expect(await gapsWithout("argoproj.io", "applications", false)).toEqual([]);
});

it("a kind that it serves and that may not be listed is one", async () => {
  expect(await gapsWithout("autoscaling", "horizontalpodautoscalers", true)).toEqual([
    expect.stringMatching(/^horizontalpodautoscalers cannot be read: /),
  ]);
});
