import { StanchError } from "../errors.ts";
import { describeRef } from "../kube/ref.ts";
import type { ObjectRef, PatchOperation } from "../model.ts";
import type { Clock, Cluster, Log } from "../ports.ts";

/**
 * Gives up the ownership of the fields that a hotfix wrote. A field stays owned for as long as the manager stands in
 * `metadata.managedFields`, and a server-side deployer would then fail on, or silently keep, our value.
 */
export async function releaseOwnership(
  refs: readonly ObjectRef[],
  context: { readonly cluster: Cluster; readonly clock: Clock; readonly log: Log },
): Promise<void> {
  for (const ref of refs) {
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      const live = await context.cluster.get(ref);
      const entries = live?.metadata.managedFields ?? [];
      const indexes = entries.flatMap((entry, index) =>
        entry.manager === "stanch" && entry.subresource === undefined ? [index] : [],
      );
      if (indexes.length === 0) break;
      // From the last to the first, so that the indexes stay right.
      const operations = indexes.toReversed().flatMap((index): PatchOperation[] => [
        { op: "test", path: `/metadata/managedFields/${index}/manager`, value: "stanch" },
        { op: "remove", path: `/metadata/managedFields/${index}` },
      ]);
      try {
        await context.cluster.patch(ref, operations);
        break;
      } catch (error) {
        if (!(error instanceof StanchError) || error.code !== "conflict" || attempt === 5) {
          context.log.warn("ownership of the changed fields was not given up", {
            object: describeRef(ref),
            error: error instanceof Error ? error.message : String(error),
          });
          break;
        }
        await context.clock.sleep(200 * attempt);
      }
    }
  }
}
