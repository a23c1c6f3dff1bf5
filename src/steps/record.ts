import type { ObjectRef } from "../model.ts";
import type { Clock, Cluster, Log } from "../ports.ts";

/** An Event on the workload, so that `kubectl describe` tells what was done. A failure is logged and stops nothing. */
export async function recordEvent(
  on: ObjectRef,
  uid: string | undefined,
  event: { readonly type: "Normal" | "Warning"; readonly reason: string; readonly message: string },
  context: { readonly cluster: Cluster; readonly clock: Clock; readonly log: Log },
): Promise<void> {
  const now = context.clock.now();
  const at = now.toISOString().replace(/\.\d+Z$/, "Z");
  try {
    await context.cluster.create({
      apiVersion: "v1",
      kind: "Event",
      metadata: {
        name: `${on.name.slice(0, 200)}.${now.getTime().toString(16)}${Math.floor(now.getTime() % 997).toString(16)}`,
        namespace: on.namespace === "" ? "default" : on.namespace,
      },
      involvedObject: {
        apiVersion: on.apiVersion,
        kind: on.kind,
        name: on.name,
        ...(on.namespace === "" ? {} : { namespace: on.namespace }),
        ...(uid === undefined ? {} : { uid }),
      },
      type: event.type,
      reason: event.reason,
      message: event.message.slice(0, 1000),
      source: { component: "stanch" },
      reportingComponent: "stanch",
      reportingInstance: "stanch",
      firstTimestamp: at,
      lastTimestamp: at,
      count: 1,
    });
  } catch (error) {
    context.log.debug("event not written", {
      on: `${on.kind}/${on.namespace}/${on.name}`,
      error: error instanceof Error ? error.message : String(error),
    });
  }
}
