import { expect } from "vitest";
import { deployed, FILE, manifest, minutes } from "./contained.ts";
import { APP } from "./incident.ts";
import { IMAGE } from "./issues.ts";
import { REPOSITORY, type World } from "./world.ts";

export const BAD = "example.com/cart:1.1.0";
export const FIXED = "example.com/cart:1.1.1";
const slow = (image: string) => manifest({ replicas: 10, spec: "  minReadySeconds: 15\n" }).replace(IMAGE, image);

/** The old pods that still serve, by the revision of the first deployment. */
export function old(world: World): number {
  const [first] = world.cluster
    .list("apps/v1", "ReplicaSet", "shop")
    .toSorted((a, b) => Number(revisionOf(a)) - Number(revisionOf(b)));
  return Number((first?.["status"] as { readyReplicas?: number } | undefined)?.readyReplicas ?? 0);
}
const revisionOf = (set: { metadata: { annotations?: Record<string, string> } }): string | undefined =>
  set.metadata.annotations?.["deployment.kubernetes.io/revision"];

export const deployImage = (world: World, value: string) =>
  world.api.patch(APP, [{ op: "replace", path: "/spec/template/spec/containers/0/image", value }]);

/** A version that ends by itself is rolled out, and counts as available for long enough to take old pods away. */
export async function rollingOut(log: readonly string[] = ["panic: nil map"]): Promise<World> {
  const world = await deployed(slow(IMAGE), () => ({}));
  world.cluster.registry.push(BAD, { exit: { code: 1, afterSeconds: 25 }, log: [...log] });
  world.cluster.registry.push(FIXED, {});
  await minutes(world, 60);
  await world.host.commit(REPOSITORY, "main", { [FILE]: slow(BAD) }, { message: "Release 1.1.0" });
  await deployImage(world, BAD);
  for (let round = 0; round < 9; round += 1) await minutes(world, 1 / 3);
  expect(old(world)).toBe(3);
  return world;
}
